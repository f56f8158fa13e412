"""The part of Markdown that a replication's README uses, as HTML; everything else stays text.

Headings, paragraphs, lists, tables, fenced code; in a line: code, strong, emphasis, links to the
web and formulas between dollar signs.
"""

import re
from collections.abc import Iterator
from functools import partial

from markupsafe import Markup

from workflow.page.formula import FORMULA, plain, typeset

INLINE = re.compile(
    r"(?P<code>`[^`]+`)|(?P<formula>" + FORMULA.pattern + r")"
    r"|\*\*(?P<strong>[^*]+)\*\*|(?<![\w*])[*_](?P<emphasis>[^*_\s][^*_]*)[*_](?![\w*])"
    r"|\[(?P<label>[^\]]+)\]\((?P<target>[^)\s]+)\)|<?(?P<address>https?://[^\s<>)]*[^\s<>).,;])>?"
    r"|(?P<arxiv>arXiv:?\s?(?P<number>\d{4}\.\d{4,5}))"
)
HEADING = re.compile(r"(#{1,6})\s+(.*)")
ITEM = re.compile(r"\s*(?:[-*+]|(\d+)[.)])\s+(.*)")
FENCE = re.compile(r"\s*(```|~~~|\$\$)")


def sections(text: str) -> Iterator[tuple[str, str]]:
    """(heading, body) of each section, whatever its level; the part before the first has ''."""
    heading, body, fenced = "", [], False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith("```")
        found = None if fenced else HEADING.match(line)
        if found:
            yield heading, "\n".join(body).strip()
            heading, body = found[2].strip(), []
        else:
            body.append(line)
    yield heading, "\n".join(body).strip()


def html(text: str, top: int = 4) -> Markup:
    """Blocks of `text`; its headings start at level `top`."""
    return Markup("\n").join(_block(block, top) for block in _blocks(text))


def inline(text: str) -> Markup:
    result, end = Markup(), 0
    for found in INLINE.finditer(text):
        result += plain(text[end : found.start()]) + _inline_piece(found)
        end = found.end()
    return result + plain(text[end:])


def _inline_piece(found: re.Match) -> Markup:
    if found["code"]:
        return Markup("<code>{}</code>").format(found["code"][1:-1])
    if found["formula"]:
        return typeset(found["formula"])
    for kind, tag in (("strong", "strong"), ("emphasis", "em")):
        if found[kind]:
            return Markup(f"<{tag}>{{}}</{tag}>").format(inline(found[kind]))
    if found["arxiv"]:
        address = "https://arxiv.org/abs/" + found["number"]
        return Markup('<a href="{}">{}</a>').format(address, found["arxiv"])
    if found["label"] and not found["target"].startswith(("http://", "https://")):
        return inline(found["label"])  # a file of the repository: the page may lie elsewhere
    target = found["target"] or found["address"]
    return Markup('<a href="{}">{}</a>').format(target, found["label"] or target)


def _blocks(text: str) -> Iterator[list[str]]:
    """Runs of lines that belong together: a fence, a heading, or what blank lines separate."""
    block: list[str] = []
    closing = ""
    for line in text.splitlines():
        fence = FENCE.match(line)
        if closing:
            block.append(line)
            if (fence and fence[1] == closing) or (
                closing == "$$" and line.rstrip().endswith("$$")
            ):
                yield block
                block, closing = [], ""
        elif fence and not (fence[1] == "$$" and line.strip().endswith("$$", 2)):
            yield block
            block, closing = [line], fence[1]
        elif HEADING.match(line):
            yield from (block, [line])
            block = []
        elif not line.strip():
            yield block
            block = []
        else:
            if ITEM.match(line) and block and not ITEM.match(block[0]):
                yield block
                block = []
            block.append(line)
    yield block


def _block(lines: list[str], top: int) -> Markup:
    if not lines:
        return Markup()
    first = lines[0]
    heading = HEADING.match(first)
    if heading:
        level = min(6, top + len(heading[1]) - 1)
        return Markup(f"<h{level}>{{}}</h{level}>").format(inline(heading[2]))
    if first.lstrip().startswith(("```", "~~~")):
        return _code("\n".join(lines[1:-1]))
    if first.lstrip().startswith("$$"):
        return _display(" ".join(line.strip() for line in lines).strip("$ "))
    if ITEM.match(first):
        return _list(lines)
    if len(lines) > 1 and set(lines[1].strip()) <= set("|-: ") and "|" in lines[1]:
        return _table(lines)
    if first.startswith("    "):
        return _code("\n".join(line.removeprefix("    ") for line in lines))
    return Markup("<p>{}</p>").format(inline(" ".join(line.strip() for line in lines)))


def _code(text: str) -> Markup:
    return Markup('<pre tabindex="0">{}</pre>').format(text)


def _display(tex: str) -> Markup:
    return Markup('<p class="display">{}</p>').format(typeset(f"${tex}$"))


def _list(lines: list[str]) -> Markup:
    tag = "ol" if ITEM.match(lines[0])[1] else "ul"
    items: list[str] = []
    for line in lines:
        found = ITEM.match(line)
        if found:
            items.append(found[2])
        else:
            items[-1] += " " + line.strip()
    body = Markup().join(Markup("<li>{}</li>").format(inline(item)) for item in items)
    return Markup(f"<{tag}>{{}}</{tag}>").format(body)


def _table(lines: list[str]) -> Markup:
    def row(line: str, tag: str) -> Markup:
        cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
        return Markup("<tr>{}</tr>").format(Markup().join(map(partial(cell, tag), cells)))

    def cell(tag: str, text: str) -> Markup:
        name = tag if text.strip() else "td"  # an empty heading is none
        return Markup(f"<{name}>{{}}</{name}>").format(inline(text.strip()))

    body = Markup().join(row(line, "td") for line in lines[2:])
    return Markup(
        '<div class="wide" tabindex="0"><table><thead>{}</thead><tbody>{}</tbody></table></div>'
    ).format(row(lines[0], "th"), body)
