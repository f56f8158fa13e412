"""What a tier will cost, before anything runs: from what cells cost in smaller tiers.

Every record says what each of its cells took (`per_cell`). Of the cells of one part, in whatever
tier, the logarithm of CPU seconds (without compilation, which is added as measured on average) is
taken as linear in the logarithms of the number of seeds and of the part's numeric parameters, with
a level for each arm and other word. Exponents have the prior expectation 1 for whole numbers
(sizes, steps, seeds) and 0 for others (rates, scales), so that a size that was never varied counts
as linear; the data move them as far as they say something. What the estimate cannot know, foremost
the exponents of sizes far above those measured, is in its upper end, a 95 % quantile. (Cells of
less than a second are mostly tracing, of which a power of their sizes makes too much, and too
little of sizes that start to count later; so may cells that take over what another cell of their
process has computed; and of training until it has converged the number of steps grows as well.)
So there is no forecast of a shard with a size more than `FAR` times the largest that was measured
in its part, nor, where an arm, task or set of data was never measured at all, with one of more than
`FAR_OF_OTHERS` times; but a number of steps may be any: beyond the largest time is linear. How
good it is, is measured: the tier below is estimated from those below that one alone.

A record of a trial with few seeds (`seeds_at_most=1`) of the tier itself counts as well.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from workflow.base.grid import Cell, Seeds, shard_digest, shards
from workflow.base.records import read_facts
from workflow.base.tree import ROOT, TIERS
from workflow.host.unfinished import Cost
from workflow.trust.document import table as markdown

LEAST_SECONDS, BASE_MB = 0.01, 150.0  # below: overhead of any cell, of any process
DRAWS, UPPER = 400, 0.95
COLUMNS = ("CPU", "at most", "MB")
FAR = 16.0  # four doublings: an exponent that is wrong by 1 (cubic, not square) is as much
FAR_OF_OTHERS = 4.0  # of what is as large, and another thing besides
COUNTED = "steps"  # the one size that time is linear in
NOT_FORECAST = """\
{count} shards are *not forecast* and in no sum: they have sizes more than {far:g} times the largest
measured, or {others:g} times with an arm or data that were never measured (column *beyond*). No
power of sizes tells how many steps a training then takes to converge. In steps alone, where a grid
names them, time is taken as linear beyond the largest measured. What else is known of these shards
stands in [cluster.md](cluster.md); `seeds_at_most=1` of such a shard gives it a forecast.
"""
LONGEST = 2.0  # hours: no job of the paper tier should be expected to take longer on one core


class Prior(NamedTuple):
    """What is held of a logarithm before the data: the exponent expected of whole numbers, and
    standard deviations: of an exponent, of that of the seeds (whose loop or batch is known), of the
    level of a word, of what the model leaves unexplained."""

    expected: float
    exponent: float
    seeds: float
    level: float
    noise: float


COMPUTING = Prior(1.0, 0.7, 0.3, 0.7, 0.5)
# A process holds what its largest cell so far held: cells tell less, and differ less.
HOLDING = Prior(0.5, 0.2, 0.2, 0.2, 0.3)


class Measured(NamedTuple):
    """A cell that ran, and what it took."""

    cell: Cell
    cost: Cost


class Forecast(NamedTuple):
    """Of one shard: what it will take, its parts that were never measured, and what in it lies far
    beyond what was. Where that is anything but a number of steps, there is no forecast."""

    replication: str
    shard: str
    cells: int
    seconds: np.ndarray  # (draws,) of CPU time of the whole shard
    memory_mb: float  # expected
    unknown: tuple[str, ...]
    beyond: dict[str, float]  # sizes, by how often the largest that was measured
    others: tuple[str, ...] = ()  # arms and other words that were never measured, at such sizes

    @property
    def possible(self) -> bool:
        return set(self.beyond) <= {COUNTED}


def forecasts(replication: str, tier: str, known: Iterable[Measured]) -> list[Forecast]:
    """Of all shards of a tier."""
    by_part: dict[str, list[Measured]] = defaultdict(list)
    for one in known:
        by_part[one.cell.part].append(one)
    generator = np.random.default_rng(0)
    models = {part: _models(some, generator) for part, some in by_part.items()}
    found = []
    for shard, cells in shards(replication, tier).items():
        there = [cell for cell in cells if cell.part in models]
        seconds, memory = np.zeros(DRAWS), BASE_MB
        for cell in there:
            computing, compiling, held = models[cell.part]
            nearer, times = _within(cell, by_part[cell.part])
            seconds += times * np.exp(computing.draws(nearer)) + compiling
            memory = max(memory, BASE_MB + float(np.exp(np.median(held.draws(cell)))))
        unknown = tuple(sorted({cell.part for cell in cells} - set(models)))
        beyond, others = _beyond(there, by_part)
        found.append(
            Forecast(replication, shard, len(cells), seconds, memory, unknown, beyond, others)
        )
    return found


def _within(cell: Cell, known: list[Measured]) -> tuple[Cell, float]:
    """(a cell with no more steps than were measured, how many times as many `cell` has): beyond
    them time is linear, where a power of few steps would see what a cell takes besides."""
    most = math.exp(_largest(one.cell for one in known).get(COUNTED, math.inf))
    steps = cell.parameters.get(COUNTED)
    if not _is_size(steps) or steps <= most:
        return cell, 1.0
    return cell._replace(parameters={**cell.parameters, COUNTED: round(most)}), steps / most


def _beyond(
    cells: list[Cell], known: dict[str, list[Measured]]
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Sizes far beyond the largest measured in their part, by name with the ratio, and the words
    that were never measured of cells with such sizes."""
    largest = {part: _largest(one.cell for one in some) for part, some in known.items()}
    words = {part: {w for one in some for w in _words(one.cell)} for part, some in known.items()}
    ratios: dict[str, float] = {}
    others: set[str] = set()
    for cell in cells:
        new = _words(cell) - words[cell.part]
        for name, size in _largest([cell]).items():
            ratio = round(math.exp(size - largest[cell.part].get(name, size)), 6)
            if ratio > (FAR_OF_OTHERS if new and name != COUNTED else FAR):
                ratios[name] = max(ratio, ratios.get(name, 0.0))
                others |= new
    return dict(sorted(ratios.items())), tuple(sorted(others))


def _words(cell: Cell) -> set[str]:
    return {name for name in features(cell) if "=" in name}


def _largest(cells: Iterable[Cell]) -> dict[str, float]:
    """Logarithms of the largest sizes."""
    found: dict[str, float] = {}
    for cell in cells:
        for name, value in features(cell).items():
            if name.startswith("whole "):
                size = name.removeprefix("whole ")
                found[size] = max(value, found.get(size, value))
    return found


def _models(some: list[Measured], generator: np.random.Generator) -> tuple:
    """(of computing, mean seconds of compilation, of memory) of one part."""
    cells = [one.cell for one in some]
    computed = [one.cost.cpu_seconds - one.cost.compile_seconds for one in some]
    held = [max(one.cost.max_rss_mb - BASE_MB, 1.0) for one in some]
    compiling = sum(one.cost.compile_seconds for one in some) / len(some)
    logarithms = np.log(np.maximum(computed, LEAST_SECONDS))
    return (
        PowerLaw(cells, logarithms, COMPUTING, generator),
        compiling,
        PowerLaw(cells, np.log(held), HOLDING, generator),
    )


class PowerLaw:
    """Bayesian linear regression of a logarithm on those of a cell's sizes, as drawn coefficients.

    With features x, y = x w + noise, w ~ N(m, S) and noise of deviation s, the posterior of w has
    the precision A = S^-1 + X^T X / s^2 and the mean A^-1 (S^-1 m + X^T y / s^2).
    """

    def __init__(self, cells: list[Cell], logarithms: np.ndarray, prior: Prior, generator):
        rows = [features(cell) for cell in cells]
        self.names = sorted({name for row in rows for name in row})
        self.generator, self.prior = generator, prior
        self.centre = {
            name: 0.0 if "=" in name else np.mean([row[name] for row in rows if name in row])
            for name in self.names
        }
        design = np.array([self._values(row) for row in rows])
        mean, deviation = np.array([(logarithms.mean(), 10.0), *map(self._prior, self.names)]).T
        precision = np.diag(deviation**-2) + design.T @ design / prior.noise**2
        right = mean / deviation**2 + design.T @ logarithms / prior.noise**2
        factor = np.linalg.cholesky(np.linalg.inv(precision))
        noise = generator.standard_normal((DRAWS, len(mean)))
        self.coefficients = np.linalg.solve(precision, right) + noise @ factor.T

    def _prior(self, name: str) -> tuple[float, float]:
        if name == "seeds":
            return self.prior.expected, self.prior.seeds
        if "=" in name:
            return 0.0, self.prior.level
        return (self.prior.expected if name.startswith("whole ") else 0.0), self.prior.exponent

    def _values(self, found: dict[str, float]) -> np.ndarray:
        """A row of the design: 1, then each feature less its mean, which stands for a missing
        number; a missing word is 0."""
        centred = (found.get(name, self.centre[name]) - self.centre[name] for name in self.names)
        return np.array([1.0, *centred])

    def draws(self, cell: Cell) -> np.ndarray:
        """(draws,) of the logarithm for a cell; words and parameters never seen have their prior's
        deviation."""
        found = features(cell)
        known = self.coefficients @ self._values(found)
        new = sum("=" in name for name in found if name not in self.names)
        deviation = math.hypot(self.prior.noise, self.prior.level * math.sqrt(new))
        return known + deviation * self.generator.standard_normal(DRAWS)


def features(cell: Cell) -> dict[str, float]:
    """`whole NAME` and `NAME`: logarithms of numbers; `NAME=WORD`: 1; `seeds`: of their count."""
    found = {"seeds": math.log(len(cell.seeds)), f"arm={cell.arm}": 1.0}
    for name, value in cell.parameters.items():
        if isinstance(value, list) and value:
            sizes = all(_is_size(one) for one in value)
            found[f"whole {name}"] = math.log(sum(value) if sizes else len(value))
        elif _is_size(value):
            found[f"whole {name}"] = math.log(value)
        elif isinstance(value, float) and value > 0:
            found[name] = math.log(value)
        else:
            found[f"{name}={value}"] = 1.0
    return found


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


# what is known ----------------------------------------------------------------------------------


def records_of(tier: str, folder: Path, root: Path = ROOT) -> list[dict]:
    """Facts of a tier's records in a folder of results and, where it has none, in the reference."""
    reference = root / "results" / "reference" / tier / "provenance.json"
    found = {}
    if reference.exists():
        listed = json.loads(reference.read_text(encoding="utf-8"))["records"]
        found = {(facts["replication"], facts["shard"]): facts for facts in listed}
    for path in sorted(folder.glob("records/*/*.csv")):
        if path.with_suffix(".json").exists():
            facts = read_facts(path)
            found[facts["replication"], facts["shard"]] = facts
    return list(found.values())


def measured_cells(tier: str, records: Iterable[dict], names: Iterable[str]) -> Iterator[tuple]:
    """(replication, measured cell) of all records that say what their cells took, if the grid has
    the same cells today; their code may have been another."""
    wanted = set(names)
    for facts in records:
        name, columns = facts["replication"], facts.get("per_cell")
        if columns is None or name not in wanted:
            continue
        cells = shards(name, tier, Seeds(at_most=len(facts["seeds"]))).get(facts["shard"])
        if cells is None or shard_digest(cells) != facts["cells"]:
            continue
        keys = ("cpu_seconds", "compile_seconds", "max_rss_mb")
        for cell, cpu, compiling, held in zip(cells, *(columns[k] for k in keys), strict=True):
            yield name, Measured(cell, Cost(cpu, compiling, cpu, held))


def known_cells(
    tiers: Iterable[str], folder: Path, names: list[str]
) -> dict[str, dict[str, list[Measured]]]:
    """{tier: {replication: measured cells}} below a folder of tiers, and in the reference."""
    return {
        tier: _grouped(measured_cells(tier, records_of(tier, folder / tier), names))
        for tier in tiers
    }


def _grouped(pairs: Iterable[tuple[str, Measured]]) -> dict[str, list[Measured]]:
    found: dict[str, list[Measured]] = defaultdict(list)
    for name, one in pairs:
        found[name].append(one)
    return found


def until(tier: str) -> tuple[str, ...]:
    """The tiers up to this one."""
    return TIERS[: TIERS.index(tier) + 1]


# what is said -----------------------------------------------------------------------------------


def page(tier: str, folder: Path, names: list[str]) -> str:
    """Markdown: what each shard of a tier will take, the worst first; sums; how good that is."""
    known = known_cells(until(tier), folder, names)
    found = _estimated(tier, known, names)
    found.sort(key=lambda one: (one.possible, -np.median(one.seconds)))
    possible = [one for one in found if one.possible]
    total = sum((one.seconds for one in possible), np.zeros(DRAWS))
    whole = {"CPU": _time(np.median(total)), "at most": _time(np.quantile(total, UPPER))}
    whole |= {"paper": "all but these", "cells": sum(one.cells for one in possible)}
    rows = pd.DataFrame([*map(_row, found), whole], dtype=object).fillna("")
    of_cores = [one for one in possible if not one.shard.startswith("gpu_")]
    long = [one for one in of_cores if np.median(one.seconds) > 3600 * LONGEST]
    lines = [
        f"# What the {tier} tier will cost",
        "",
        f"Made by `python -m workflow.trust.cost --plan {tier}` from what",
        f"{_counted(known)} took.",
        "CPU time on one core of the machine that measured them; *at most*: the 95 % quantile of",
        "the model (`workflow/trust/forecast.py`). Parts of which no record says what their cells",
        "took are in no sum.",
        "",
        *(_checked(tier, folder, names) or ["It was not checked: too little is measured."]),
        f"{len(long)} of {len(of_cores)} shards with a forecast are expected to take more than",
        f"{LONGEST:g} h;",
        f"{sum(bool(one.unknown) for one in found)} of all have parts that were never measured.",
        "",
        NOT_FORECAST.format(count=len(found) - len(possible), far=FAR, others=FAR_OF_OTHERS),
        markdown(rows, right=("cells", *COLUMNS)),
    ]
    return "\n".join(lines)


def _counted(known: dict[str, dict[str, list[Measured]]]) -> str:
    counts = {tier: sum(map(len, some.values())) for tier, some in known.items()}
    listed = [f"{count} cells of tier {tier}" for tier, count in counts.items() if count]
    return ", ".join(listed) or "no cell"


def _estimated(
    tier: str, known: dict[str, dict[str, list[Measured]]], names: list[str]
) -> list[Forecast]:
    every = ((name, [one for some in known.values() for one in some[name]]) for name in names)
    return [one for name, some in every for one in forecasts(name, tier, some)]


def _row(one: Forecast) -> dict[str, object]:
    """A shard with parts that were never measured takes more than what is known of it."""
    more = "> " if one.unknown else ""
    shown = {
        "CPU": more + _time(np.median(one.seconds)),
        "at most": "?" if one.unknown else _time(np.quantile(one.seconds, UPPER)),
        "MB": f"{more}{one.memory_mb:.0f}",
    }
    if not one.possible:
        shown = {"CPU": "not forecast", "at most": "?", "MB": "?"}
    place = {"paper": one.replication, "shard": one.shard, "cells": one.cells}
    sizes = [f"{name} ×{ratio:.0f}" for name, ratio in one.beyond.items()]
    beyond = ", ".join([*sizes, *one.others])
    return {**place, **shown, "beyond": beyond, "not known": ", ".join(one.unknown)}


def _time(seconds: float) -> str:
    if seconds < 5400:
        return f"{seconds / 60:.1f} min" if seconds >= 90 else f"{seconds:.0f} s"
    return f"{seconds / 3600:.1f} h"


def _checked(tier: str, folder: Path, names: list[str]) -> list[str]:
    """How far shards of the tier below are from what the tiers below that one make of them."""
    below = until(tier)[:-1]
    if len(below) < 2:
        return []
    target = below[-1]
    took = {
        (facts["replication"], facts["shard"]): facts["cpu_seconds"]
        for facts in records_of(target, folder / target)
    }
    estimated = _estimated(target, known_cells(below[:-1], folder, names), names)
    pairs = [
        (took[one.replication, one.shard], one.seconds)
        for one in estimated
        if one.possible and not one.unknown and (one.replication, one.shard) in took
    ]
    if not pairs:
        return []
    ratios = np.array([seconds / np.median(draws) for seconds, draws in pairs])
    within = sum(bool(seconds <= np.quantile(draws, UPPER)) for seconds, draws in pairs)
    low, middle, high = np.quantile(ratios, (0.05, 0.5, 0.95))
    whole = sum(took for took, _ in pairs) / sum(np.median(draws) for _, draws in pairs)
    return [
        f"Checked: {len(pairs)} shards of the {target} tier, estimated in the same way from",
        f"{' and '.join(below[:-1])} alone, took {low:.2g} to {high:.2g} times the estimate",
        f"(median {middle:.2g}, their sum {whole:.2g}); {within} of them no more than *at most*.",
    ]
