"""How verdicts over master seeds are counted."""

import pandas as pd

from workflow.stability import agreement, publish


def checks(*finals):
    claims = [f"C{i}" for i in range(len(finals))]
    return pd.DataFrame(
        {"replication": "paper", "claim": claims, "final": finals, "expected": "pass", "git": "abc"}
    )


def test_counts_per_claim_and_names_the_other_verdicts():
    table = agreement([checks("pass", "pass", "not judged"), checks("pass", "fail", "not judged")])
    assert table["claim"].tolist() == ["C0", "C1"]
    assert table["runs"].tolist() == [2, 2]
    assert table["as_expected"].tolist() == [2, 1]
    assert table["others"].tolist() == ["", "1 fail"]


def test_page_names_every_stray_claim_and_keeps_other_replications(tmp_path):
    first = agreement([checks("pass", "pass"), checks("pass", "fail")])
    publish(first.assign(replication="other"), "smoke", tmp_path)
    publish(first, "smoke", tmp_path)
    page = (tmp_path / "docs" / "stability.md").read_text()
    assert "75.00% of 8 (claim, seed) pairs" in page
    assert "| paper | C1 | 1 of 2 | 1 fail |" in page
    assert "| other | C1 | 1 of 2 | 1 fail |" in page
    assert "| paper | C0 |" not in page
