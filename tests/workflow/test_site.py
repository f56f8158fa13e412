"""The static site: whole, closed in itself, and never written over something else."""

import re

import pytest

from tests.browser import gallery
from workflow.base.files import UserError, write_text
from workflow.page import site

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
    assert len(pages) == 1 + 3 + 1
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
