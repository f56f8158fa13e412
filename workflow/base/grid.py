"""A replication's `grid.yaml`: what is varied in each tier, checked against `experiment.py`.

A block names a `part` (a function of `experiment.py`), an `arm`, a `seed` and the part's own
parameters. A list is swept, a scalar is held; a value that is itself a list is written nested.
`seed: 8` means the seeds 0..7. Blocks with the same `shard` (default `main`) run in one job. A
`shard` with `{width}`, `{arm}` or another key in its name is one of each value, with `{seed}` one
of each seed, numbered from 0: long blocks are cut so, and their cells and draws stay what they are.
What wants an accelerator, because a core would take days, is in shards named `gpu_...`.
The signature of the part is the schema of the block.
"""

import ast
import itertools
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

from workflow.base import selection
from workflow.base.digest import cells_digest
from workflow.base.environment import CPU
from workflow.base.files import UserError, meant
from workflow.base.modules import parsed
from workflow.base.subject import digest_of, parts_of
from workflow.base.tree import ROOT, TIERS

RECORD_FORMAT = 1  # raise it when the runner writes other rows for the same cells
PROVIDED = {"seeds", "data_dir"}  # arguments of a part that the runner gives, not the grid
TYPES = {"int": int, "float": (int, float), "str": str, "bool": bool, "tuple": list, "list": list}


class Cell(NamedTuple):
    """One call of one part: a combination of parameters, for all seeds of its block."""

    part: str
    arm: str
    parameters: dict[str, object]
    seeds: tuple[int, ...]


class Seeds(NamedTuple):
    """Which seeds of a block are run: all, each raised by `shift`, or no more than the first few
    (`at_most`, 0 for all), to try a grid out; and of whose network, where it is a reader's own:
    `subject` is the file, empty in every other run. `claims` and `changes` say what else than the
    whole grid is run (`selection`), `device` on what (`environment`)."""

    shift: int = 0
    at_most: int = 0
    subject: str = ""
    claims: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    device: str = CPU

    def of(self, listed: list[int]) -> tuple[int, ...]:
        return tuple(seed + self.shift for seed in listed[: self.at_most or None])


ALL = Seeds()


class Parameter(NamedTuple):
    annotation: str
    required: bool


@cache
def shards(
    replication: str, tier: str, seeds: Seeds = ALL, root: Path = ROOT
) -> dict[str, list[Cell]]:
    """Cells of each shard of a tier, in the order of the file, with the chosen seeds."""
    path = root / "replications" / replication / "grid.yaml"
    name = path.relative_to(root).as_posix()
    signatures = part_signatures(path.with_name("experiment.py"), root)
    found: dict[str, list[Cell]] = {}
    for number, block in enumerate(_blocks(path, name, tier), start=1):
        where = f"{name}: {tier}, block {number}"
        if not isinstance(block, dict):
            raise UserError(f"{where}: found {block!r}, wanted a mapping with part, arm and seed")
        for cell in _cells(block, where, signatures, seeds):
            for shard, part_of_it in _placed(block.get("shard", "main"), cell, where):
                found.setdefault(shard, []).append(part_of_it)
    _refuse_repeated_cells(found, f"{name}: {tier}")
    if seeds.claims or seeds.changes:
        found = _taken(replication, tier, found, seeds, signatures)
    return _asked(seeds.subject, found) if seeds.subject else found


def _placed(shard: object, cell: Cell, where: str) -> Iterator[tuple[str, Cell]]:
    """Names of the shards that a cell belongs to, with the cell or, in each, one of its seeds."""
    apart = isinstance(shard, str) and "{seed}" in shard
    for number, seeds in enumerate([(seed,) for seed in cell.seeds] if apart else [cell.seeds]):
        try:
            name = str(shard).format(**{**cell.parameters, "arm": cell.arm, "seed": number})
        except (LookupError, ValueError):
            keys = ", ".join(("arm", "seed", *cell.parameters))
            raise UserError(f"{where}: shard: found {shard!r}, wanted in braces {keys}") from None
        if not isinstance(shard, str) or not name.replace("_", "").replace("-", "").isalnum():
            raise UserError(f"{where}: shard: found {name!r}, wanted a name of letters and digits")
        yield name, cell._replace(seeds=seeds)


def _taken(
    replication: str,
    tier: str,
    found: dict[str, list[Cell]],
    seeds: Seeds,
    signatures: dict[str, dict[str, Parameter]],
) -> dict[str, list[Cell]]:
    """The cells of the parts that the chosen claims read, in shards in which an arm lies that they
    read, with the changes in them."""
    arms = selection.arms_read(replication, seeds.claims, seeds.changes)
    parts_read = {part for part, _ in arms}
    measured = {cell.part for cells in found.values() for cell in cells}
    for part in sorted(parts_read - measured):
        raise UserError(f"{replication}: the {tier} tier does not measure part {part}")
    cells = {
        shard: [cell for cell in some if cell.part in parts_read]
        for shard, some in found.items()
        if any((cell.part, cell.arm) in arms for cell in some)
    }
    if not cells:
        raise UserError(f"{replication}: the {tier} tier measures no arm that these claims read")
    changes = selection.changes_in(replication, seeds.changes)
    return {s: some for s, some in changed(cells, changes, signatures).items() if some}


def changed(
    found: dict[str, list[Cell]],
    changes: list[selection.Change],
    signatures: dict[str, dict[str, Parameter]],
    where: str = "config: set",
) -> dict[str, list[Cell]]:
    """Cells of each shard with the changed parameters; cells that become alike are one, with the
    seeds of all, where the first of them stands."""
    for change in changes:
        every = [cell for cells in found.values() for cell in cells]
        _check_change(change, every, signatures[change.part], f"{where}: {change}")
        found = {
            shard: [new for cell in cells for new in _varied(cell, change, signatures)]
            for shard, cells in found.items()
        }
    return _joined(found) if changes else found


def _check_change(
    change: selection.Change, cells: list[Cell], signature: dict[str, Parameter], where: str
) -> None:
    arms = list(dict.fromkeys(cell.arm for cell in cells if cell.part == change.part))
    if change.arm and change.arm not in arms:
        raise UserError(f"{where}: the grid has no arm {change.arm!r}{meant(change.arm, arms)}")
    names = [name for name in signature if name not in PROVIDED and name != "arm"]
    if change.name not in names:
        raise UserError(f"{where}: unknown parameter {change.name!r}{meant(change.name, names)}")
    for value in selection.values_of(change.values, where):
        _check_type(where, change.name, value, signature[change.name].annotation)


def _varied(cell: Cell, change: selection.Change, signatures: dict) -> Iterator[Cell]:
    """The cell with each value of the change; itself where the change is of others."""
    if not change.concerns(cell.part, cell.arm):
        yield cell
        return
    number = signatures[cell.part][change.name].annotation.removesuffix(" | None") == "float"
    for value in selection.values_of(change.values, str(change)):
        given = float(value) if number and _is_int(value) else value  # 2 and 2.0 are one cell
        yield cell._replace(parameters={**cell.parameters, change.name: given})


def _joined(found: dict[str, list[Cell]]) -> dict[str, list[Cell]]:
    seeds: dict[str, tuple[int, ...]] = {}
    for cell in itertools.chain.from_iterable(found.values()):
        key = repr(cell._replace(seeds=()))
        seeds[key] = tuple(dict.fromkeys((*seeds.get(key, ()), *cell.seeds)))
    return {
        shard: [
            cell._replace(seeds=of_all)
            for cell in cells
            if (of_all := seeds.pop(repr(cell._replace(seeds=())), None))
        ]
        for shard, cells in found.items()
    }


def _asked(subject: str, found: dict[str, list[Cell]]) -> dict[str, list[Cell]]:
    """A reader's file in the place of the first built-in subject of each part that it can be
    asked; nothing of other parts and subjects."""
    first: dict[str, object] = {}
    for cell in itertools.chain.from_iterable(found.values()):
        if "subject" in cell.parameters and cell.part in parts_of(subject):
            first.setdefault(cell.part, cell.parameters["subject"])
    chosen = {
        shard: [
            cell._replace(parameters={**cell.parameters, "subject": subject})
            for cell in cells
            if cell.part in first and cell.parameters["subject"] == first[cell.part]
        ]
        for shard, cells in found.items()
    }
    return {shard: cells for shard, cells in chosen.items() if cells}


def shard_digest(cells: list[Cell]) -> str:
    """Of what the cells say and, where they name a subject, of its file."""
    subjects = {cell.parameters["subject"] for cell in cells if "subject" in cell.parameters}
    files = [digest_of(subject) for subject in sorted(subjects)]
    return cells_digest([RECORD_FORMAT, *(list(cell) for cell in cells), *files])


def parts(replication: str, tier: str, seeds: Seeds = ALL, root: Path = ROOT) -> set[str]:
    """The parts that a run measures, in all shards in which its tier does."""
    whole, run = (
        {(shard, cell.part) for shard, cells in found.items() for cell in cells}
        for found in (
            shards(replication, tier, seeds._replace(claims=(), changes=()), root),
            shards(replication, tier, seeds, root),
        )
    )
    return {part for _, part in run} - {part for _, part in whole - run}


def reads_data(replication: str, cells: list[Cell], root: Path = ROOT) -> bool:
    """Whether a part of these cells asks for the folder of real data sets."""
    signatures = part_signatures(root / "replications" / replication / "experiment.py", root)
    return any("data_dir" in signatures[cell.part] for cell in cells)


@cache
def part_signatures(path: Path, root: Path = ROOT) -> dict[str, dict[str, Parameter]]:
    """Public functions of an `experiment.py` and their keyword-only parameters, without importing
    it (which would load jax or torch)."""
    tree = parsed(path, root)
    return {
        node.name: {
            argument.arg: Parameter(
                ast.unparse(argument.annotation) if argument.annotation else "", default is None
            )
            for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        }
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and "seeds" in {argument.arg for argument in node.args.kwonlyargs}
    }


@cache
def _content(path: Path, name: str) -> object:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except FileNotFoundError:
        raise UserError(f"{name}: missing; it lists per tier what is measured") from None
    except yaml.YAMLError as error:
        raise UserError(f"{name}: not YAML: {' '.join(str(error).split())}") from None


def _blocks(path: Path, name: str, tier: str) -> list:
    content = _content(path, name)
    if not isinstance(content, dict) or set(content) != set(TIERS):
        keys = sorted(map(str, content)) if isinstance(content, dict) else content
        raise UserError(f"{name}: found the keys {keys}, wanted exactly {', '.join(TIERS)}")
    blocks = content[tier]
    if not isinstance(blocks, list) or not blocks:
        raise UserError(f"{name}: {tier}: found {blocks!r}, wanted a list of blocks")
    return blocks


def _cells(
    block: dict, where: str, signatures: dict[str, dict[str, Parameter]], chosen: Seeds
) -> Iterator[Cell]:
    part = block.get("part")
    if part not in signatures:
        raise UserError(
            f"{where}: part: found {part!r}, wanted one of {', '.join(sorted(signatures))}"
        )
    signature = {key: value for key, value in signatures[part].items() if key not in PROVIDED}
    given = {key: value for key, value in block.items() if key not in ("part", "shard", "seed")}
    for key in given:
        if key not in signature:
            raise UserError(
                f"{where}: unknown key {key!r}; part {part} takes {', '.join(sorted(signature))}"
            )
    missing = [key for key, want in signature.items() if want.required and key not in given]
    if missing or "arm" not in given:
        raise UserError(f"{where}: missing {', '.join(missing or ['arm'])}, wanted by part {part}")
    seeds = _seeds(block.get("seed"), where, chosen)
    swept = {key: value if isinstance(value, list) else [value] for key, value in given.items()}
    for key, values in swept.items():
        if not values:
            raise UserError(f"{where}: {key}: an empty list sweeps nothing")
        for value in values:
            _check_type(where, key, value, signature[key].annotation)
    for combination in itertools.product(*swept.values()):
        parameters = dict(zip(swept, combination, strict=True))
        yield Cell(part, str(parameters.pop("arm")), parameters, seeds)


def _seeds(value: object, where: str, chosen: Seeds) -> tuple[int, ...]:
    listed = list(range(value)) if _is_int(value) else value
    good = isinstance(listed, list) and listed and all(_is_int(s) and s >= 0 for s in listed)
    if not good or len(set(listed)) != len(listed):
        raise UserError(
            f"{where}: seed: found {value!r}, wanted a positive count or a list of distinct seeds"
        )
    return chosen.of(listed)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_type(where: str, key: str, value: object, annotation: str) -> None:
    wanted = TYPES.get(annotation.split("[")[0].removesuffix(" | None"))
    optional = value is None and annotation.endswith("| None")
    if wanted is None or optional:
        return
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        hint = " (in YAML a float needs a dot: 1.0e-4)" if wanted == TYPES["float"] else ""
        raise UserError(f"{where}: {key}: found {value!r}, wanted {annotation}{hint}")


def _refuse_repeated_cells(found: dict[str, list[Cell]], where: str) -> None:
    """The same cell and seed twice would count one draw as two."""
    seen: dict[str, set[int]] = {}
    for cell in itertools.chain.from_iterable(found.values()):
        parameters = sorted(cell.parameters.items(), key=str)
        seeds = seen.setdefault(repr((cell.part, cell.arm, parameters)), set())
        for seed in cell.seeds:
            if seed in seeds:
                key = (cell.part, cell.arm, parameters, seed)
                raise UserError(f"{where}: measured twice: {key!r}")
            seeds.add(seed)
