"""The report in a real browser: filters, search, links, accessibility, nothing from a network."""

import importlib.util
import json
import re
import shutil
from pathlib import Path

import jsonschema
import pytest

from tests.browser import gallery
from workflow.base.tree import ROOT, TIERS
from workflow.page import SCHEMA, site, write_views
from workflow.page.content import STATES

SIZES = (1400, 420)
SCHEMES = ("light", "dark")
CLAIM = "beta2019_dynamics.K4_law"
PAGES = [ROOT / "results" / tier / "report" / "index.html" for tier in TIERS]
REAL = [  # of the replications the largest tier that has run, and all of networks of one's own
    *[path for path in PAGES if path.exists()][-1:],
    *sorted(ROOT.glob("results/*/*/report/index.html")),
]


def shown(page) -> list[dict]:
    """data-* of the claims that are visible."""
    return page.eval_on_selector_all(
        ".claim",
        "found => found.filter(c => c.checkVisibility()).map(c => ({id: c.id, ...c.dataset}))",
    )


def check_axe(page, without: tuple[str, ...] = ()) -> None:
    """No violation of axe's rules but those `without`."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None:
        pytest.skip("axe is not installed: pip install axe-playwright-python")
    page.evaluate(Path(found.origin).with_name("axe.min.js").read_text(encoding="utf-8"))
    rules = {"rules": {name: {"enabled": False} for name in without}}
    asked = "rules => axe.run({resultTypes: ['violations'], ...rules}).then(r => r.violations)"
    violations = page.evaluate(asked, rules)
    assert [(v["id"], [node["html"] for node in v["nodes"][:3]]) for v in violations] == []


def await_true(page, what, question: str) -> None:
    """Ask until it is so; the page's own policy forbids playwright's way of waiting for it."""
    for _ in range(600):  # 30 s, as long as playwright itself waits
        if what.evaluate(question):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never so: {question}")


def check_whole(page) -> None:
    """All images are there, nothing is wider than the window, every link within leads somewhere."""
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    # The elements: a section out of sight has no boxes, so that counting again finds fewer.
    for image in page.locator("img:visible").element_handles():
        # again and again: what is unpacked above it moves it
        seen = (
            "image => { image.scrollIntoView(); return image.complete && image.naturalWidth > 0 }"
        )
        await_true(page, image, seen)
    assert page.locator("[data-piece]").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    broken = """found => found.map(a => a.getAttribute('href').slice(1))
        .filter(id => !document.getElementById(id))"""
    assert page.eval_on_selector_all("a[href^='#']", broken) == []
    ids = page.eval_on_selector_all("[id]", "found => found.map(e => e.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_page_is_whole_and_accessible(visit, made, scheme, width, tmp_path):
    page = visit(made, width=width, color_scheme=scheme)
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 26)"
    assert dark == (scheme == "dark")
    check_whole(page)
    check_axe(page)
    page.screenshot(path=tmp_path / "page.png", full_page=True)


@pytest.mark.parametrize("width", SIZES)
def test_comparison_is_whole_and_accessible(visit, comparison, width):
    page = visit(comparison, width=width, color_scheme=SCHEMES[width == 420])
    assert page.locator("section[aria-labelledby=moved] .claim").count() == 6
    words = {text.strip() for text in page.locator(".chip.pass").all_text_contents()}
    assert words == {"✓ pass"}  # of two runs, bounds or not
    check_whole(page)
    check_axe(page)


def _narrow(page) -> None:
    page.locator("input[name=state]").nth(1).check()
    page.locator("#paper").select_option(index=1)


def _search(page) -> None:
    page.locator("#q").fill("\u0398")
    assert page.locator("#shown").inner_text() != ""


def _find_nothing(page) -> None:
    page.locator("#q").fill("no such words")
    page.locator("#nothing").wait_for(state="visible")


def _explore(page) -> None:
    one = page.locator(".explore").first
    one.locator("input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    for box in one.locator(".keys input").all()[:1]:  # there is none of a single curve
        box.uncheck()
    one.locator("input[name=log-y]").click()
    one.locator(".dot").first.focus()
    one.get_by_role("button", name="Larger").click()


def _copy(page) -> None:
    claim = page.locator(".claim").nth(3)
    claim.locator(".more > summary").click()
    claim.locator("[data-copy=command]").click()


def _read_on(page) -> None:
    page.locator("#glossary > summary").click()
    page.locator(".contents summary").click()


def _unfold(page) -> None:
    page.get_by_role("button", name="Open all details").click()
    page.wait_for_timeout(200)


def _enlarge(page) -> None:
    page.locator(".enlarge").first.click()
    page.locator("#enlarged img").wait_for()


def _read_values(page) -> None:
    _enlarge(page)
    page.locator(".stage").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    page.locator(".stage .tip").wait_for(state="visible")


def _point_at_a_panel(page) -> None:
    page.locator("figure .of a").first.click()


def _mail(page) -> None:
    page.evaluate("document.getElementById('alone').hidden = false")
    page.evaluate("document.documentElement.classList.add('alone')")


ACTIONS = (
    *(_narrow, _search, _find_nothing, _explore, _copy),
    *(_read_on, _unfold, _enlarge, _read_values, _point_at_a_panel, _mail),
)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """A made-up report of two papers."""
    return gallery.write(tmp_path_factory.mktemp("small"), gallery.report(papers=2, claims=8))


@pytest.mark.parametrize(("width", "scheme"), zip(SIZES, SCHEMES, strict=True))
@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.__name__.strip("_"))
def test_every_state_of_the_page_is_accessible(visit, small, action, scheme, width):
    page = visit(small, width=width, color_scheme=scheme)
    action(page)
    check_axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture(scope="module")
def two_papers(tmp_path_factory) -> Path:
    """The page of two papers of a real report, one of them with sliders."""
    schema = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    told = [path.with_name("report.json") for path in REAL]
    read = ((path, json.loads(path.read_text(encoding="utf-8"))) for path in told if path.exists())
    path, report = next(((p, r) for p, r in read if schema.is_valid(r)), (None, None))
    if path is None:
        pytest.skip("no report of this page below results/: run snakemake first")
    papers = sorted(report["papers"], key=lambda one: (not one["explorables"], len(one["claims"])))
    report["papers"] = papers[:2]
    folder = tmp_path_factory.mktemp("two")
    shutil.copytree(path.parent / "data", folder / "data")
    write_views(folder, report, folder)
    return folder / "index.html"


@pytest.mark.parametrize("action", [_unfold, _explore], ids=["details open", "slider moved"])
@pytest.mark.parametrize(("width", "scheme"), zip(SIZES, SCHEMES, strict=True))
def test_two_real_papers_are_accessible(visit, two_papers, action, width, scheme):
    page = visit(two_papers, width=width, color_scheme=scheme)
    action(page)
    check_axe(page)
    if action is _unfold:
        check_whole(page)


@pytest.mark.parametrize("path", REAL, ids=lambda path: "-".join(path.parts[-4:-2]))
def test_real_reports_are_whole_and_accessible(visit, path):
    page = visit(path)
    # Contrasts, minutes of work here, are those of the same styles that two papers show.
    check_axe(page, without=("color-contrast", "color-contrast-enhanced"))
    check_whole(page)


@pytest.mark.parametrize("path", REAL, ids=lambda path: "-".join(path.parts[-4:-2]))
def test_what_real_reports_offer_to_take_along_is_there(path):
    page = path.read_text(encoding="utf-8")
    offered = set(re.findall(r'href="([^"]+)" download', page))
    assert {name.rpartition(".")[2] for name in offered} >= {"csv", "svg", "pdf", "yaml", "tex"}
    assert [name for name in sorted(offered) if not (path.parent / name).exists()] == []


def test_reading_needs_no_javascript(visit, made):
    page = visit(made, java_script_enabled=False)
    assert page.locator(".claim:visible").count() == 54
    beside = page.locator("noscript img").first
    assert beside.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert not page.locator(".filter").is_visible()
    page.locator(".square").nth(3).click()
    assert page.url.endswith("#alpha2018_kernel.K3_law")
    page.locator("[id='alpha2018_kernel.K3_law'] .more > summary").click()
    page.locator("[id='alpha2018_kernel.K3_law'] .facts").wait_for(state="visible")


def test_every_state_is_told_by_a_word(visit, made):
    page = visit(made)
    assert {claim["state"] for claim in shown(page)} == set(STATES)
    assert page.locator(".claim .chip").count() == 54
    assert all(one.strip() for one in page.locator(".claim .chip").all_text_contents())


def test_filters_by_verdict_paper_and_tag(visit, made):
    page = visit(made)
    page.locator("input[value=fail]").check()
    page.locator("input[value=withheld]").check()
    assert {claim["state"] for claim in shown(page)} == {"fail", "withheld"}
    page.locator("#paper").select_option("gamma2020_spectrum")
    assert {claim["paper"] for claim in shown(page)} == {"gamma2020_spectrum"}
    page.locator("#tag").select_option("kernel")
    found = shown(page)
    assert found
    assert all("kernel" in claim["tags"] for claim in found)
    assert page.locator("#shown").inner_text() == f"{len(found)} of 54 claims"
    page.locator("section#alpha2018_kernel").wait_for(state="hidden")
    page.get_by_role("button", name="Clear").click()
    page.wait_for_url(lambda url: "?" not in url)
    assert len(shown(page)) == 54
    assert "?" not in page.url


def test_search_finds_all_words_and_says_when_there_is_none(visit, made):
    page = visit(made)
    page.keyboard.press("/")
    page.keyboard.type("theorem K11 Dynamics")
    assert [claim["paper"] for claim in shown(page)] == ["beta2019_dynamics"]
    page.locator("#q").fill("no such words")
    assert shown(page) == []
    page.locator("#nothing").wait_for(state="visible")


def test_who_searches_from_the_end_of_the_page_sees_the_best_match(visit, made):
    page = visit(made)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.keyboard.press("/")
    page.keyboard.type("k4")
    first = page.locator(".claim:not([hidden])").first
    covered = page.evaluate("document.querySelector('.filter').getBoundingClientRect().bottom")
    box = first.bounding_box()
    assert covered <= box["y"]
    assert box["y"] + box["height"] <= page.viewport_size["height"]


def test_a_filter_is_kept_in_the_address(visit, made):
    page = visit(made)
    page.locator("input[value=refuted]").check()
    page.locator("#q").fill("kernel")
    again = visit(made, "?" + page.url.partition("?")[2])
    assert again.locator("input[value=refuted]").is_checked()
    assert shown(again) == shown(page) != []


def test_a_link_to_a_claim_opens_it(visit, made):
    page = visit(made, f"#{CLAIM}")
    claim = page.locator(f"[id='{CLAIM}']")
    claim.locator(".facts").wait_for(state="visible")
    assert 0 <= claim.bounding_box()["y"] < 500
    hidden = visit(made, f"?q=nothing#{CLAIM}")
    hidden.locator(f"[id='{CLAIM}']").wait_for(state="visible")
    assert 0 <= hidden.locator(f"[id='{CLAIM}']").bounding_box()["y"] < 500


def test_code_and_data_of_a_claim_are_three_clicks_away(visit, made):
    page = visit(made)
    page.locator(".square").nth(3).click()
    claim = page.locator("[id='alpha2018_kernel.K3_law']")
    claim.locator(".code > summary").click()
    lines = claim.locator(".code pre")
    lines.locator("span").first.wait_for(state="visible")
    assert (
        lines.evaluate("one => getComputedStyle(one).counterReset") == "line 11"
    )  # 12 is the first
    with page.expect_download() as download:
        claim.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == "drift.csv"


def test_the_keyboard_reaches_filters_and_claims(visit, made):
    page = visit(made)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert 0 < len(shown(page)) < 54


def test_print_is_compact_and_has_every_claim_with_its_number(visit, made):
    page = visit(made)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert not page.locator(".filter").is_visible()
    assert page.locator(".claim .statement:visible").count() == 54
    assert page.locator(".claim .numbers:visible").count() == 54
    assert page.locator(".papers .says:visible").count() == 3
    pages = re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))
    assert len(pages) <= 2 + 2 * 3


def test_a_paper_of_eighty_claims_prints_on_two_pages(visit, tmp_path):
    page = visit(gallery.write(tmp_path, gallery.report(papers=1, claims=80)))
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    others = "body > header, main > section:not([aria-labelledby=claims]), main > details"
    page.add_style_tag(content=f"{others} {{ display: none }}")
    assert page.locator(".claim").count() == 80
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) <= 2


def test_findings_come_first_with_their_numbers_and_figure(visit, made):
    page = visit(made)
    first = page.locator(".papers li").first
    assert first.locator(".says sup").inner_text() == "−0.52"
    assert "printed: 0.5 (Figure 2)" in first.locator(".numbered").inner_text()
    first.locator(".thumbnail").click()
    assert page.url.endswith("#alpha2018_kernel.figure_1.b")
    page.locator("[id='alpha2018_kernel.figure_1'] img").wait_for(state="visible")


@pytest.fixture(scope="module")
def green(tmp_path_factory) -> Path:
    """A made-up report in which all is as expected."""
    made = gallery.report(papers=2, claims=8)
    good = ("agrees", "our derivation", "within the margin", "pass", "refuted", "not judged")
    claims = [claim for paper in made["papers"] for claim in paper["claims"]]
    for number, claim in enumerate(claims):
        claim["state"] = good[number % len(good)]
        claim["prediction"] = claim["prediction"] or -0.5
        claim["estimate"] = claim["estimate"] or -0.4
    counts = [claim["state"] for claim in claims]
    made["states"] = {state: counts.count(state) for state in good}
    made["as_expected"] = True
    return gallery.write(tmp_path_factory.mktemp("green"), made)


@pytest.mark.parametrize("width", SIZES)
def test_the_first_screen_says_what_was_found_and_not_a_score(visit, green, width):
    page = visit(green, width=width)
    assert page.locator("h1").inner_text() == "Kernels of wide networks stay"
    found = page.locator(".findings > div")
    assert found.locator("dt").all_inner_texts() == ["What holds", "What does not", "How sure"]
    assert "The drift falls as n−0.52." in found.nth(0).locator("dd").inner_text()
    assert "as written" in found.nth(1).inner_text()
    assert "wait for a larger tier" in found.nth(2).inner_text()
    if width == SIZES[0]:
        assert found.nth(2).bounding_box()["y"] < 700
    check_axe(page)
    found.nth(0).locator(".rests a").first.click()
    assert page.url.endswith("#alpha2018_kernel.K0_law")


def test_how_to_read_and_glossary_come_before_the_papers_and_can_be_found(visit, green):
    page = visit(green)
    names = (".findings", ".contents", "#reading", "#glossary", ".papers")
    tops = [page.locator(name).bounding_box()["y"] for name in names]
    assert tops == sorted(tops)
    page.locator(".contents a", has_text="Glossary").click()
    page.locator("#glossary dt", has_text="tangent kernel").wait_for(state="visible")
    page.locator(".contents summary").click()
    page.locator(".contents li a").nth(1).click()
    assert page.url.endswith("#beta2019_dynamics")


def test_three_kinds_of_green_differ_by_sign_and_words(visit, green):
    page = visit(green)
    said = {}
    for state in ("agrees", "our-derivation", "within-the-margin", "pass"):
        chips = {text.strip() for text in page.locator(f".claim .chip.{state}").all_text_contents()}
        squares = set(page.locator(f".square.{state}").all_text_contents())
        assert len(chips) == len(squares) == 1
        said[state] = (chips.pop(), squares.pop())
        meaning = page.locator(f".score li:has(.chip.{state})").inner_text()
        assert len(meaning) > len(said[state][0]) + 20  # and not the chip alone
    assert [text for text, _ in said.values()] == [
        "✓ source's prediction confirmed",
        "∴ our derivation confirmed",
        "≈ within the margin, prediction missed",
        "≤ bound kept",
    ]
    assert len({sign for _, sign in said.values()}) == 4


def test_a_claim_that_is_opened_uses_the_whole_width(visit, green):
    page = visit(green, "#alpha2018_kernel.K1_law")
    claim = page.locator("[id='alpha2018_kernel.K1_law']")
    whole = claim.bounding_box()
    drawing = claim.locator(".shown").bounding_box()
    assert drawing["x"] - whole["x"] < 40  # nothing is blank to the left of it
    facts = [one.bounding_box() for one in claim.locator(".facts > div").all()]
    left, right = min(f["x"] for f in facts), max(f["x"] + f["width"] for f in facts)
    assert right - left > 0.95 * (whole["width"] - 40)
    columns = {round(f["x"]) for f in facts}
    assert len(columns) == 2


def test_a_small_figure_is_one_panel_in_readable_letters(visit, green):
    page = visit(green)
    small = page.locator(".thumbnail").first
    assert small.get_attribute("href") == "#alpha2018_kernel.figure_1.b"  # it draws K1_law
    image = small.locator("img")
    assert "panel (b)" in image.get_attribute("alt")
    await_true(page, image, "image => image.naturalWidth > 0")
    seen, drawn = small.bounding_box(), image.bounding_box()
    full = page.locator("[id='alpha2018_kernel.figure_1'] .enlarge img").evaluate("i => i.width")
    assert drawn["width"] > 0.6 * full
    assert drawn["width"] == pytest.approx(2 * seen["width"], rel=0.05)  # half of it is panel (b)
    start_of_b = drawn["x"] + drawn["width"] / 2
    assert 0 <= start_of_b - seen["x"] < 0.06 * seen["width"]  # with a little room before it


def test_surprises_stand_on_top_with_links(visit, made):
    page = visit(made)
    linked = page.eval_on_selector_all(
        "section[aria-label=Surprises] a", "found => found.map(a => a.getAttribute('href'))"
    )
    differing = [
        c for c in shown(page) if c["state"] in ("fail", "unexpected pass", "inconclusive")
    ]
    assert len(linked) == len(differing) > 0


def test_claims_and_figures_lead_to_each_other(visit, made):
    page = visit(made)
    page.locator("[id='alpha2018_kernel.K1_law'] .where a", has_text="figure 1 (b)").click()
    panel = page.locator("[id='alpha2018_kernel.figure_1.b']")
    assert panel.evaluate("one => one.matches(':target')")
    assert "inset" in panel.evaluate("one => getComputedStyle(one).boxShadow")
    figure = page.locator("[id='alpha2018_kernel.figure_1']")
    assert [one.strip() for one in figure.locator(".of li").all_inner_texts()] == [
        "(a) drift: K2_law",
        "(b) scaled: K1_law",
        "(c): not measured in this tier",
    ]
    figure.locator(".of a", has_text="K2_law").click()
    assert page.url.endswith("#alpha2018_kernel.K2_law")


def test_a_search_keeps_the_figures_of_what_it_finds(visit, made):
    page = visit(made)
    page.locator("#q").fill("K1_law")
    page.locator("[id='alpha2018_kernel.figure_2']").wait_for(state="hidden")
    page.locator("[id='alpha2018_kernel.figure_1']").wait_for(state="visible")


@pytest.mark.parametrize(
    "words", ["theorem 4", "Theorem  4", "part:drift theorem 4", '"theorem 4"']
)
def test_numbers_are_searched_exactly(visit, made, words):
    page = visit(made)
    page.locator("#q").fill(words.replace("part:", ""))
    names = {claim["id"].partition(".")[2] for claim in shown(page)}
    assert names == {"K3_law"}  # and not theorem 14


@pytest.mark.parametrize(
    "words",
    ["\u0398", "theta", "mean of $n$ terms", "mean of n terms", "n^(-1/2)", "standard", "drift"],
)
def test_search_knows_greek_letters_reasons_parts_and_arms(visit, made, words):
    page = visit(made)
    page.locator("#q").fill(words)
    assert shown(page)


def test_the_best_matches_come_first_and_the_order_comes_back(visit, made):
    page = visit(made)
    before = page.eval_on_selector_all(".claim", "found => found.map(c => c.id)")
    page.locator("#q").fill("k4")
    assert shown(page)[0]["id"].endswith(".K4_law")
    page.locator("#q").fill("")
    assert page.eval_on_selector_all(".claim", "found => found.map(c => c.id)") == before


def test_numbers_and_formulas_are_copied_as_a_program_reads_them(visit, made):
    page = visit(made)
    copied = """() => {
        const found = document.querySelector(".says"), range = document.createRange();
        range.selectNodeContents(found);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        const settings = {clipboardData: new DataTransfer(), bubbles: true, cancelable: true};
        const event = new ClipboardEvent("copy", settings);
        found.dispatchEvent(event);
        return event.clipboardData.getData("text/plain");
    }"""
    assert page.evaluate(copied) == "The drift falls as n^{-0.52}, and $x_i$ with it."


COPIED = {
    "command": "python -m workflow.reader.one {claim} --tier laptop",
    "LaTeX": r"\widenets{{{claim}}} [\widenets{{{claim}.low}}, \widenets{{{claim}.high}}]",
    "formula": r"\frac",
    "numbers": "estimate: 1.01 [0.9696, 1.05]\n",
}


@pytest.mark.parametrize("kind", COPIED)
def test_a_claim_is_copied_as_what_its_button_says(visit, made, kind):
    page = visit(
        made, "#alpha2018_kernel.K3_law", permissions=["clipboard-read", "clipboard-write"]
    )
    claim = page.locator("[id='alpha2018_kernel.K3_law']")
    claim.locator(f"[data-copy={kind}]").focus()
    page.keyboard.press("Enter")
    said = claim.locator(".copies output")
    await_true(page, said, f"said => said.textContent === '{kind} copied'")
    text = page.evaluate("navigator.clipboard.readText()")
    assert COPIED[kind].format(claim="alpha2018_kernel.K3_law") in text
    assert "\u2212" not in text


def test_a_figure_is_saved_as_png(visit, made, tmp_path):
    page = visit(made, color_scheme="dark")
    figure = page.locator("[id='alpha2018_kernel.figure_1']")
    with page.expect_download() as download:
        figure.locator(".png").click()
    assert download.value.suggested_filename == "alpha2018_kernel.figure_1.png"
    download.value.save_as(tmp_path / "figure.png")
    found = (tmp_path / "figure.png").read_bytes()
    assert found.startswith(b"\x89PNG")
    assert int.from_bytes(found[16:20]) == 3 * figure.locator(".enlarge img").evaluate(
        "i => i.width"
    )
    assert len(found) > 5000  # and not an empty page


def test_the_table_of_numbers_sorts(visit, made):
    page = visit(made)
    page.locator(".table > summary").click()
    page.locator(".sortable button", has_text="estimate").click()
    cells = page.locator(".sortable tbody td:nth-child(4)").all_inner_texts()
    values = [float(cell.replace("−", "-")) for cell in cells if cell]
    assert values == sorted(values)
    head = page.locator(".sortable th:nth-child(4)")
    assert head.get_attribute("aria-sort") == "ascending"
    check_axe(page)


@pytest.mark.parametrize("width", SIZES)
def test_a_figure_is_enlarged_and_put_away_by_the_keyboard(visit, made, width):
    page = visit(made, width=width)
    page.locator(".enlarge").first.focus()
    page.keyboard.press("Enter")
    page.locator("#enlarged img").wait_for(state="visible")
    check_axe(page)
    page.keyboard.press("Escape")
    page.locator("#enlarged").wait_for(state="hidden")


def test_a_figure_is_enlarged_by_who_is_quicker_than_its_unpacking(visit, made):
    page = visit(made)
    # far below the window
    page.evaluate("[...document.querySelectorAll('.enlarge')].pop().click()")
    await_true(
        page, page.locator("#enlarged img"), "image => image.src.startsWith('data:image/svg+xml,')"
    )


def test_a_table_is_explored_by_the_keyboard(visit, made):
    page = visit(made)
    one = page.locator(".explore").first
    one.locator(".dot").first.wait_for(state="attached")
    assert one.locator(".dot").count() == 6
    before = one.locator(".dot title").all_text_contents()
    one.locator("input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    assert one.locator("output.at").inner_text() == "128"
    assert one.locator(".dot title").all_text_contents() != before
    one.locator(".keys input").first.uncheck()
    assert one.locator(".dot").count() == 3
    one.locator(".dot").first.hover()
    assert "[" in one.locator("output.told").inner_text()


def test_a_table_to_play_with_tells_its_lines_and_shows_those_that_coincide(visit, made):
    page = visit(made)
    one = page.locator(".explore").first
    keys = [text.strip() for text in one.locator(".keys > *").all_text_contents()]
    assert keys[:2] == ["depth 1", "depth 2"]
    assert keys[2:] == ["dashed: the law 1/n", "bar: 99 % interval of the mean over seeds"]
    assert one.locator(".keys .theory").count() == one.locator(".plot .theory").count() == 1
    order = one.locator(".plot g path").evaluate_all("found => found.map(p => p.classList[0])")
    assert order[:3] == ["curve", "curve", "theory"]  # the dashed line lies on top
    widths = one.locator(".plot .curve").evaluate_all(
        "found => found.map(p => +p.getAttribute('stroke-width'))"
    )
    assert widths[0] > 1.5 * widths[1]
    dots = one.locator(".dot")
    boxes = [dots.nth(place).bounding_box() for place in (0, 3)]  # of both depths, in one place
    assert abs(boxes[0]["x"] - boxes[1]["x"]) >= 2
    assert dots.nth(0).get_attribute("d") != dots.nth(3).get_attribute("d")


POINTS = (  # of gallery.FIGURE: what is drawn, and how it is read
    ((200, 101), "erf: width n 100, Θ 4 [3, 5]"),
    ((41, 20), "erf: width n 10, Θ 8"),
    ((202, 98), "erf: width n 100, Θ 4 [3, 5]"),
    ((200, 60), "erf: width n 100, Θ 6 (one seed)"),
    ((42, 40), "n^-1: width n 10, Θ 7"),
    ((300, 60), None),  # nothing is near
    ((40, 100), None),  # a line of the grid
)


@pytest.mark.parametrize(("place", "said"), POINTS)
def test_a_figure_tells_the_value_at_the_pointer(visit, made, place, said):
    page = visit(made)
    drawn = page.locator("[id='alpha2018_kernel.figure_1'] .drawn")
    drawn.scroll_into_view_if_needed()
    image = drawn.locator(".enlarge img")
    await_true(page, image, "image => image.naturalWidth > 0")
    x, y = (share * image.evaluate("i => i.width") / 400 for share in place)
    image.hover(position={"x": x, "y": y * image.evaluate("i => 2 * i.height / i.width")})
    tip = drawn.locator(".tip:visible")
    assert tip.all_inner_texts() == ([said] if said else [])
    if said and "[" in said:
        page.locator("h1").hover()
        assert drawn.locator(".tip:visible").count() == 0


def test_an_enlarged_figure_is_read_and_zoomed_by_the_keyboard(visit, made):
    page = visit(made)
    page.locator(".enlarge").first.focus()
    page.keyboard.press("Enter")
    stage = page.locator("#enlarged .stage")
    await_true(page, stage.locator("img"), "image => image.naturalWidth > 0")
    stage.focus()
    told = []
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
        told.append(stage.locator(".tip").inner_text())
    read = ((10, "8"), (100, "4 [3, 5]"), (1000, "2"))
    assert told[:3] == [f"erf: width n {width}, Θ {up}" for width, up in read]
    assert told[3].startswith("n^-1: width n 1000, Θ 1")
    before = stage.bounding_box()["width"]
    page.keyboard.press("+")
    assert stage.bounding_box()["width"] == pytest.approx(1.5 * before, rel=0.01)
    assert stage.locator(".spot").bounding_box()["x"] < 1400
    page.locator("#enlarged").get_by_role("button", name="Whole").click()
    assert stage.bounding_box()["width"] == pytest.approx(before)
    page.keyboard.press("Escape")
    page.locator("#enlarged").wait_for(state="hidden")


def test_a_table_is_zoomed_about_the_point_that_was_told(visit, made):
    page = visit(made)
    one = page.locator(".explore").first
    assert one.locator(".dot").count() == 6
    dot = one.locator(".dot").nth(4)
    dot.focus()
    name, before = dot.get_attribute("aria-label"), dot.bounding_box()
    for _ in range(3):
        page.keyboard.press("+")
    assert 0 < one.locator(".dot").count() < 6
    held = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert held == name
    after = one.locator(f".dot[aria-label='{name}']").bounding_box()
    assert (after["x"], after["y"]) == pytest.approx((before["x"], before["y"]), abs=1.5)
    assert one.locator(".interval").count() > 0
    ticks = [float(text) for text in one.locator(".plot > text").all_text_contents()[:-2]]
    assert len(ticks) == len(set(ticks)) >= 4  # also where a part is seen
    one.get_by_role("button", name="Whole").click()
    assert one.locator(".dot").count() == 6


def test_a_zoomed_table_is_dragged_and_keeps_its_part_while_the_slider_moves(visit, made):
    page = visit(made)
    one = page.locator(".explore").first
    one.get_by_role("button", name="Larger").click()
    one.locator(".plot").scroll_into_view_if_needed()
    box = one.locator(".plot").bounding_box()
    ticks = one.locator(".plot > text").all_text_contents
    before = ticks()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.up()
    dragged = ticks()
    assert dragged != before
    one.locator("input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    assert ticks() == dragged
    one.locator("input[name=log-x]").click()
    assert ticks() != dragged


def test_a_page_without_its_folder_says_so_and_still_gives_its_figures(browser, made, tmp_path):
    alone = tmp_path / "index.html"
    alone.write_text(made.read_text(encoding="utf-8"), encoding="utf-8")
    page = browser.new_page()
    page.goto(alone.as_uri())
    page.locator("#alone").wait_for(state="visible")
    figure = page.locator("[id='alpha2018_kernel.figure_1']")
    figure.scroll_into_view_if_needed()
    await_true(page, figure.locator("img"), "image => image.naturalWidth > 0")
    with page.expect_download() as download:
        figure.get_by_role("link", name="SVG").click()
    assert download.value.suggested_filename == "figure_1.svg"
    figure.get_by_role("link", name="PDF").click()
    assert page.url == alone.as_uri()
    page.close()


def test_a_page_in_its_folder_does_not_say_that_it_is_alone(visit, made):
    page = visit(made)
    page.wait_for_timeout(300)
    assert not page.locator("#alone").is_visible()


SITE = ("index.html", "papers/alpha2018_kernel.html", "figures/alpha2018_kernel.figure_1.html")


@pytest.mark.parametrize("name", SITE)
@pytest.mark.parametrize(("width", "scheme"), zip(SIZES, SCHEMES, strict=True))
def test_the_site_shows_its_figures_without_a_script(visit, tmp_path, name, width, scheme):
    gallery.write(tmp_path / "results" / "smoke" / "report", gallery.report())
    (tmp_path / "docs").mkdir()
    site.build(tmp_path / "results" / "smoke", tmp_path / "site", tmp_path)
    page = visit(tmp_path / "site" / name, width=width, color_scheme=scheme)
    picture = page.locator("main img").first
    picture.wait_for(state="visible")
    await_true(page, picture, "image => image.naturalWidth > 0")
    check_axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
