"""The static site: whole, closed in itself, and never written over something else."""

import re
import subprocess

import pytest

from tests.browser import gallery
from workflow.base.files import UserError, write_text
from workflow.page import history, site

LINK = re.compile(r'(?:href|src)="([^"#]*)(?:#[^"]*)?"')


@pytest.fixture
def made(tmp_path):
    """A repository with a report and one document."""
    gallery.write(tmp_path / "results" / "smoke" / "report", gallery.report())
    write_text(tmp_path / "docs" / "a_page.md", "# Title\n\nText with $x_i$.\n")
    return tmp_path


def test_every_link_of_the_site_leads_somewhere(made):
    site.build(site.largest(made), made / "site", made)
    pages = [path for path in (made / "site").rglob("*.html") if path.parent.name != "report"]
    assert len(pages) == 1 + 3 + 3 + 1 + 1  # the second figure of each paper is not drawn
    for page in pages:
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            if target and not target.startswith(("http", "data:")):
                assert (page.parent / target).exists(), (page, target)


def test_the_site_tells_findings_and_takes_no_large_table(made):
    large = made / "results" / "smoke" / "report" / "data" / "large.csv"
    write_text(large, "x" * (site.LARGEST_TABLE + 1))
    site.build(site.largest(made), made / "site", made)
    first = (made / "site" / "index.html").read_text(encoding="utf-8")
    assert "What was found" in first
    assert "The drift falls as" in first
    assert not (made / "site" / "report" / "data" / "large.csv").exists()


def test_a_figure_has_a_page_with_its_claims_and_the_files_that_are_there(made):
    large = made / "results" / "smoke" / "report" / "data" / "beta2019_dynamics" / "figure_1.csv"
    write_text(large, "x" * (site.LARGEST_TABLE + 1))
    site.build(site.largest(made), made / "site", made)
    pages = {path.stem: path.read_text() for path in (made / "site" / "figures").iterdir()}
    assert set(pages) == {f"{name}.figure_1" for name in gallery.NAMES}
    page = pages["alpha2018_kernel.figure_1"]
    named = re.findall(r'index\.html#alpha2018_kernel\.(K\w+)"', page)
    assert named == ["K1_law", "K2_law", "K4_law"]
    assert page.index("K2_law") < page.index("From the same measurements") < page.index("K4_law")
    assert "Redraws figure 2 of the paper" in page
    assert 'figure_1.csv" download' in page
    assert 'figure_1.csv"' not in pages["beta2019_dynamics.figure_1"]
    assert "figures/alpha2018_kernel.figure_1.html" in (
        (made / "site" / "papers" / "alpha2018_kernel.html").read_text()
    )


def test_nothing_but_a_site_is_written_over(made):
    write_text(made / "mine" / "text.txt", "mine")
    with pytest.raises(UserError, match="nothing was deleted"):
        site.build(site.largest(made), made / "mine", made)
    assert (made / "mine" / "text.txt").exists()
    site.build(site.largest(made), made / "site", made)
    site.build(site.largest(made), made / "site", made)


def test_without_a_report_there_is_one_line(tmp_path):
    with pytest.raises(UserError, match="make run"):
        site.largest(tmp_path)
    with pytest.raises(UserError, match=r"report\.json: is missing"):
        site.build(tmp_path / "results" / "smoke", tmp_path / "site", tmp_path)


def keep(root, message, *rows):
    """Commit a reference with rows (claim, final, expected)."""
    lines = [f"a2000_toy,{claim},{final},{expected}" for claim, final, expected in rows]
    text = "\n".join(["replication,claim,final,expected", *lines, ""])
    write_text(root / "results" / "reference" / "smoke" / "checks.csv", text)
    me = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    for command in (("init", "-q"), ("add", "."), (*me, "commit", "-qm", message)):
        subprocess.run(["git", "-C", root, *command], check=True)


def test_the_history_tells_what_changed_from_one_reference_to_the_next(tmp_path):
    keep(tmp_path, "first", ("A", "pass", "pass"), ("B", "fail", "fail"), ("C", "pass", "pass"))
    keep(tmp_path, "second", ("A", "fail", "pass"), ("B", "fail", "fail"), ("D", "pass", "pass"))
    new, old = history.kept(tmp_path, "smoke")
    assert (old["says"], old["claims"], old["passes"], old["refuted"], old["others"]) == (
        *("first", 3, 2, 1, 0),
    )
    assert old["added"] == old["changed"] == []
    assert (new["says"], new["passes"], new["refuted"], new["others"]) == ("second", 1, 1, 1)
    assert (new["added"], new["removed"]) == (["a2000_toy.D"], ["a2000_toy.C"])
    assert new["changed"] == [("a2000_toy.A", "pass", "fail")]
    assert history.kept(tmp_path, "paper") == []
    subprocess.run(["git", "-C", tmp_path, "rm", "-rqf", "results"], check=True)
    keep(tmp_path, "third", ("A", "pass", "pass"))
    assert [one["says"] for one in history.kept(tmp_path, "smoke")] == ["third", "second", "first"]
