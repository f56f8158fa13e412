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
MEAN = (0.307, 0.527)  # where in it a mean lies whose value is told, as shares
PICTURES = ROOT / "docs" / "pictures"


def main(results: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": 1180, "height": 900})
        page.goto((results.resolve() / "report" / "index.html").as_uri())
        page.wait_for_timeout(4000)  # the small figures of the findings are unpacked one by one
        page.screenshot(path=PICTURES / "findings.png")
        _shoot(page, CLAIM, "claim.png")
        _shoot(page, FIGURE, "figure.png", MEAN)
        browser.close()


def _shoot(page: Page, name: str, file: str, at: tuple[float, float] | None = None) -> None:
    """One part of the page, seen as a link to it shows it; without the bar of filters over it. at:
    where the pointer is over its picture."""
    page.evaluate("name => { location.hash = name }", name)
    page.evaluate("document.querySelector('.filter').style.position = 'static'")
    page.wait_for_timeout(1500)
    shown = page.locator(f"[id='{name}']")
    if at:
        box = shown.locator("img").first.bounding_box()
        page.mouse.move(box["x"] + at[0] * box["width"], box["y"] + at[1] * box["height"])
    shown.screenshot(path=PICTURES / file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
