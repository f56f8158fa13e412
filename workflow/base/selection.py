"""What a run takes of the suite: some claims alone, or a grid in which something is changed.

claims   PAPER.CLAIM, or CLAIM where one paper alone has it. The parts that they read are measured,
         but for shards in which none of their arms lies, and they alone are judged.
changes  [PAPER.]PART[/ARM].NAME=VALUE[,VALUE...]: a parameter of a part, or of one of its arms, is
         held at a value or swept in place of what the grid says. The parts that are changed are
         measured, and the claims that read them are looked at; none of it is a verdict of the
         suite.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import yaml

from workflow.base.environment import CPU, DEVICES
from workflow.base.files import UserError, meant, sha256_of
from workflow.base.modules import load

if TYPE_CHECKING:
    from widenets.evidence.claim import Claim  # with pandas, which planning a run does not need

FORM = "wanted [PAPER.]PART[/ARM].NAME=VALUE or ...=VALUE,VALUE"
WRITTEN = re.compile(r"(?:(\w+)\.)?(\w+)(?:/([\w.+-]+?))?\.(\w+)=(.+)")


class Change(NamedTuple):
    """Parameter `name` of a part takes `values` one after the other; of one arm, or of all."""

    paper: str
    part: str
    arm: str
    name: str
    values: str

    def __str__(self) -> str:
        arm = f"/{self.arm}" if self.arm else ""
        paper = f"{self.paper}." if self.paper else ""
        return f"{paper}{self.part}{arm}.{self.name}={self.values}"

    def concerns(self, part: str, arm: str) -> bool:
        return part == self.part and self.arm in ("", arm)


def words_of(given: str | Sequence[str], separator: str) -> list[str]:
    """The words of a setting, which is a text or a list of texts."""
    listed = given.split(separator) if isinstance(given, str) else given
    return [word.strip() for word in listed if word.strip()]


def change_of(word: str, where: str = "config: set") -> Change:
    """What is written; `paper` is empty where it is not named."""
    found = WRITTEN.fullmatch(word)
    if not found:
        raise UserError(f"{where}: found {word!r}, {FORM}")
    paper, part, arm, name, values = (group or "" for group in found.groups())
    change = Change(paper, part, arm, name, values)
    values_of(change.values, where)
    return change


def values_of(text: str, where: str) -> list[object]:
    """`a,b,c` or `[a,b,c]`, read as in a grid; a value that is itself a list is written nested."""
    try:
        found = yaml.safe_load(text if text.startswith("[") else f"[{text}]")
    except yaml.YAMLError:
        raise UserError(
            f"{where}: found {text!r}, wanted a value or values, as in a grid"
        ) from None
    if not found or None in found:
        raise UserError(f"{where}: found {text!r}, wanted a value or values, as in a grid")
    return found


def claim_named(replication: str, name: str, where: str = "claim") -> Claim:
    """The claim of that name."""
    claims = {claim.name: claim for claim in listed_claims(replication)}
    if name not in claims:
        raise UserError(f"{where}: unknown {name!r} of {replication}{meant(name, claims)}")
    return claims[name]


@cache
def listed_claims(replication: str) -> tuple[Claim, ...]:
    """`CLAIMS` of a replication, as far as they are claims (the judge refuses another list)."""
    from widenets.evidence.claim import Claim

    found = getattr(load(replication, "claims"), "CLAIMS", None)
    return tuple(one for one in found or () if isinstance(one, Claim))


def resolved_claims(words: Iterable[str], papers: Sequence[str]) -> tuple[str, ...]:
    """PAPER.CLAIM of every word, in order and once; papers: those of the run."""
    found = []
    for word in words:
        paper, dot, name = word.rpartition(".")
        if dot:
            _refuse_other_paper("claims", paper, papers)
            claim_named(paper, name, "config: claims")
            found.append(word)
            continue
        having = [p for p in papers if name in {claim.name for claim in listed_claims(p)}]
        if not having:
            names = sorted({claim.name for p in papers for claim in listed_claims(p)})
            guess = meant(name, names).partition(" (allowed")[0]
            raise UserError(f"config: claims: unknown {name!r}{guess}")
        if len(having) > 1:
            others = " and ".join(f"{p}.{name}" for p in having)
            raise UserError(f"config: claims: {name!r} may be {others}; name one of them")
        found.append(f"{having[0]}.{name}")
    return tuple(sorted(set(found)))


def resolved_changes(
    words: Iterable[str], papers: Sequence[str], parts: dict[str, Iterable[str]]
) -> tuple[str, ...]:
    """Every change with its paper; parts: of each paper of the run."""
    found = []
    for change in map(change_of, words):
        if change.paper:
            _refuse_other_paper("set", change.paper, papers)
        having = [p for p in papers if change.part in parts[p] and change.paper in ("", p)]
        if not having:
            names = sorted({part for p in papers if change.paper in ("", p) for part in parts[p]})
            guess = meant(change.part, names)
            guess = guess if change.paper or len(papers) == 1 else guess.partition(" (allowed")[0]
            raise UserError(f"config: set: unknown part {change.part!r}{guess}")
        if len(having) > 1:
            others = " and ".join(f"{p}.{change.part}" for p in having)
            raise UserError(f"config: set: part {change.part!r} may be {others}; name one of them")
        found.append(change._replace(paper=having[0]))
    _refuse_twice(found)
    return tuple(map(str, found))


def _refuse_other_paper(key: str, paper: str, papers: Sequence[str]) -> None:
    if paper not in papers:
        raise UserError(f"config: {key}: unknown paper {paper!r}{meant(paper, papers)}")


def _refuse_twice(changes: Sequence[Change]) -> None:
    for number, change in enumerate(changes):
        for other in changes[:number]:
            same = change[:2] == other[:2] and change.name == other.name
            if same and (change.arm == other.arm or not (change.arm and other.arm)):
                raise UserError(f"config: set: {other} and {change} change the same parameter")


def papers_of(claims: Iterable[str], changes: Iterable[str]) -> list[str]:
    """The papers that a run with these claims and changes is about."""
    return sorted({word.partition(".")[0] for word in claims or changes})


def changes_in(replication: str, changes: Iterable[str]) -> list[Change]:
    """The changes of one paper's grid."""
    return [change for change in map(change_of, changes) if change.paper == replication]


def taken(
    replication: str, listed: Iterable[Claim], claims: Sequence[str], changes: Sequence[str]
) -> list[Claim]:
    """Those of a paper's claims that are judged: the chosen ones; where none is, those that read
    what is changed; otherwise all."""
    if claims:
        return [claim for claim in listed if f"{replication}.{claim.name}" in claims]
    if changes:
        changed = {change.part for change in changes_in(replication, changes)}
        return [claim for claim in listed if claim.part in changed]
    return list(listed)


def arms_read(
    replication: str, claims: Sequence[str], changes: Sequence[str]
) -> set[tuple[str, str]]:
    """(part, arm) that these claims read; a change that none of them reads is an error."""
    of_run = taken(replication, listed_claims(replication), claims, changes)
    read = {(claim.part, arm) for claim in of_run for arm in (claim.arm, claim.control)}
    for change in changes_in(replication, changes):
        if change.part not in {part for part, _ in read}:
            who = "none of the chosen claims" if claims else "no claim"
            raise UserError(f"config: set: {change}: {who} reads part {change.part}")
    return read


def options(parser: argparse.ArgumentParser) -> None:
    """What a stage is told of such a run, and of the device that its numbers are made on."""
    parser.add_argument("--claims", default="", help="PAPER.CLAIM,... that alone are judged")
    parser.add_argument("--set", default="", help="PAPER.PART[/ARM].NAME=VALUE;... in the grid")
    parser.add_argument("--device", choices=DEVICES, default=CPU)


def given(arguments: argparse.Namespace) -> dict[str, object]:
    """The same as fields of `Seeds`."""
    claims, changes = words_of(arguments.claims, ","), words_of(arguments.set, ";")
    return {"claims": tuple(claims), "changes": tuple(changes), "device": arguments.device}


def as_options(claims: Sequence[str], changes: Sequence[str], device: str = CPU) -> list[str]:
    """The words of a command line that `given` reads; none in a usual run."""
    found = [f"--claims={','.join(claims)}"] if claims else []
    found += [f"--set={';'.join(changes)}"] if changes else []
    return [*found, f"--device={device}"] if device != CPU else found


def as_settings(claims: Sequence[str], changes: Sequence[str], device: str = CPU) -> dict:
    """As provenance keeps them: nothing in a usual run."""
    found = {"claims": list(claims), "set": list(changes)}
    on = {"device": device} if device != CPU else {}
    return {**{key: value for key, value in found.items() if value}, **on}


def folder_name(claims: Sequence[str], changes: Sequence[str]) -> str:
    """Name of the folder below results/ of such a run."""
    kind = "varied" if changes else "some"
    return f"{kind}-{sha256_of(repr((claims, changes)))[:8]}"


def told(claims: Sequence[str], changes: Sequence[str]) -> str:
    """What such a run is, in words; empty of all others."""
    if changes:
        of = f" of {', '.join(claims)}" if claims else ""
        return f"variation{of}: {'; '.join(changes)}"
    return f"some claims alone: {', '.join(claims)}" if claims else ""
