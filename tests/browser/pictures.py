"""The pictures of README.md, from a finished report.

`python -m tests.browser.pictures results/laptop` writes findings, claim and figure in
`docs/pictures`; it needs what `tests/browser` needs.
"""

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, chromium
from workflow.base.tree import ROOT

CLAIM = "jacot2018_frozen_kernel.J3_rate_erf"
FIGURE = "jacot2018_frozen_kernel.figure_width_scaling"
PICTURES = ROOT / "docs" / "pictures"


def main(results: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": 1180, "height": 900})
        page.goto((results.resolve() / "report" / "index.html").as_uri())
        page.wait_for_timeout(4000)  # the small figures of the findings are unpacked one by one
        page.screenshot(path=PICTURES / "findings.png")
        _shoot(page, CLAIM, "claim.png")
        _shoot(page, FIGURE, "figure.png")
        browser.close()


def _shoot(page: Page, name: str, file: str) -> None:
    """One part of the page, seen as a link to it shows it; without the bar of filters over it."""
    page.evaluate("name => { location.hash = name }", name)
    page.evaluate("document.querySelector('.filter').style.position = 'static'")
    page.wait_for_timeout(1500)
    page.locator(f"[id='{name}']").screenshot(path=PICTURES / file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
