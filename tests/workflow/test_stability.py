"""How verdicts over master seeds are counted."""

import pandas as pd

from workflow.stability import agreement


def checks(*finals):
    claims = [f"C{i}" for i in range(len(finals))]
    return pd.DataFrame(
        {"replication": "paper", "claim": claims, "final": finals, "expected": "pass"}
    )


def test_counts_per_claim_and_names_the_other_verdicts():
    table = agreement([checks("pass", "pass", "not judged"), checks("pass", "fail", "not judged")])
    assert table["claim"].tolist() == ["C0", "C1"]
    assert table["runs"].tolist() == [2, 2]
    assert table["as_expected"].tolist() == [2, 1]
    assert table["others"].tolist() == ["", "fail"]
