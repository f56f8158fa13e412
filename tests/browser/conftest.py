"""A headless Chromium for the tests of the page; `tests/browser/install.sh` says how to get one.

Whatever a test does, its pages must log nothing, raise nothing and fetch nothing from a network.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser import gallery
from workflow.base.files import write_text
from workflow.compare import compare, read
from workflow.page import view

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


def chromium() -> str | None:
    """The Chromium of this machine, or that which the environment names."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = chromium()
    if found is None:
        pytest.skip("no Chromium here: tests/browser/install.sh installs Debian's")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield started
        started.close()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """index.html of a made-up report in which every state occurs."""
    return gallery.write(tmp_path_factory.mktemp("gallery"), gallery.report(claims=18))


@pytest.fixture(scope="session")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page that compares two made-up results."""
    folder = tmp_path_factory.mktemp("comparison")
    for name in ("old", "new"):
        gallery.write_results(folder / name, moved=0.5 if name == "new" else 0.0)
    new, old = read(folder / "new"), read(folder / "old")
    changes, remarks = compare(new, old)
    write_text(
        folder / "compare.html",
        view.comparison(new, old, changes, remarks, "summary", "how\n\nthe rule"),
    )
    return folder / "compare.html"


@pytest.fixture
def visit(browser) -> Iterator[Callable]:
    """A function that opens a page; what the pages log, raise or fetch fails the test."""
    contexts, complaints = [], []

    def listen(page) -> None:
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", lambda request: complaints.extend(_foreign(request.url)))

    def opened(path: Path, fragment: str = "", width: int = 1400, **settings):
        contexts.append(browser.new_context(viewport={"width": width, "height": 1000}, **settings))
        page = contexts[-1].new_page()
        listen(page)
        page.goto(path.as_uri() + fragment)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


def _foreign(url: str) -> list[str]:
    return [] if url.startswith(("file:", "data:")) else [f"request: {url}"]
