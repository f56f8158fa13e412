"""What every replication must keep to; being a folder with an experiment is enough to be tested."""

import ast
import itertools
import json
import math
import re
import subprocess
import sys
from unittest import mock

import jax
import pytest

import widenets.ntk.random
from workflow.base.digest import import_closure
from workflow.base.grid import part_signatures, shards
from workflow.base.modules import load
from workflow.base.tree import ROOT, TIERS, replications
from workflow.draw import figures
from workflow.judge import claims_of

FILES = ("README.md", "grid.yaml", "experiment.py", "claims.py", "figures.py", "__init__.py")
ON_DEMAND = {"importlib", "runpy", "pkgutil"}  # imports that a digest of the source cannot follow

# Drawn by the subjects themselves, with torch's generator and numpy's, not from our streams.
OWN_DRAWS = {"your_network"}

pytestmark = pytest.mark.parametrize("name", replications())


def folder(name):
    return ROOT / "replications" / name


def arms(name, tier):
    """(part, arm) pairs that a tier measures."""
    cells = (cell for shard in shards(name, tier).values() for cell in shard)
    return {(cell.part, cell.arm) for cell in cells}


def seeds(name, tier):
    """{(part, arm, parameters): number of seeds} of a tier, over all shards."""
    found = {}
    for cell in itertools.chain.from_iterable(shards(name, tier).values()):
        key = (cell.part, cell.arm, json.dumps(cell.parameters, sort_keys=True))
        found[key] = found.get(key, 0) + len(cell.seeds)
    return found


def imports(path):
    """Modules that a file imports, as dotted names, with what it takes from them."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module or ''}.{alias.name}" for alias in node.names}
    return found


def smallest_cells(name):
    """{part: {arm: cell}}, a cell of few and small numbers for each arm.

    Of the smoke tier, and of the laptop tier for parts that it alone has and that are declared.
    """
    found, declared = {}, getattr(load(name, "experiment"), "PAIRED", {})
    for tier in ("smoke", "laptop"):
        before = set(found)
        for cell in itertools.chain.from_iterable(shards(name, tier).values()):
            if tier == "smoke" or (cell.part in declared and cell.part not in before):
                of_part = found.setdefault(cell.part, {})
                of_part[cell.arm] = min(of_part.get(cell.arm, cell), cell, key=size)
    return found


def size(cell):
    """Product of a cell's whole numbers and lengths of its lists."""
    values = [len(v) if isinstance(v, list) else v for v in cell.parameters.values()]
    return math.prod(value for value in values if isinstance(value, int) and value > 0)


def streams(name):
    """{part: {arm: names of the streams it draws from, {(seed of the run, names)}}}.

    Each arm runs one seed that no other has, so that nothing is found in a cache; a stream is
    recorded with that seed replaced by "own".
    """
    experiment, seeds = load(name, "experiment"), itertools.count(7000)
    words, found = widenets.ntk.random._words, {}
    for part, arms in smallest_cells(name).items():
        for arm, cell in arms.items():
            own, names = next(seeds), found.setdefault(part, {}).setdefault(arm, set())

            def recording(seed, stream, own=own, names=names):
                names.add(("own" if seed == own else seed, *stream))
                return words(seed, stream)

            with mock.patch("widenets.ntk.random._words", recording):
                list(getattr(experiment, part)(arm=arm, seeds=(own,), **cell.parameters))
    return found


@pytest.fixture
def cheap_compilation():
    """What is drawn does not hang on how well a program is optimised."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.mark.usefixtures("cheap_compilation")
def test_draws_are_by_a_seed_of_the_run_and_shared_only_where_it_is_declared(name):
    """Data that no seed draws would be the same for every seed and every master seed.

    `PAIRED` of an experiment says why arms of a part share draws; else a control is no second
    measurement, and an error in a draw moves both alike.
    """
    if name in OWN_DRAWS:
        pytest.skip("its subjects draw by themselves; tests/ntk/test_subject_contract.py")
    drawn = streams(name)
    others = {
        (part, arm, stream)
        for part, arms in drawn.items()
        for arm, names in arms.items()
        for stream in names
        if stream[0] != "own"
    }
    assert others == set()
    sharing = {
        part
        for part, arms in drawn.items()
        if any(one & other for one, other in itertools.combinations(arms.values(), 2))
    }
    declared = getattr(load(name, "experiment"), "PAIRED", {})
    assert set(declared) == sharing
    assert all(len(why) > 20 for why in declared.values())


def test_has_all_files(name):
    assert [file for file in FILES if not (folder(name) / file).is_file()] == []


def test_readme_cites_its_paper_and_says_what_is_left_out(name):
    text = (folder(name) / "README.md").read_text(encoding="utf-8")
    assert re.search(r"arXiv:?\s*\d{4}\.\d{4,5}", text)
    assert re.search(r"(?i)deviation", text)
    assert re.search(r"(?i)do(es)? not show|not replicated", text)


@pytest.mark.parametrize("tier", TIERS)
def test_grid_is_valid_and_measures_what_the_claims_need(name, tier):
    measured = arms(name, tier)
    decided = [c for c in claims_of(name) if TIERS.index(c.tier) <= TIERS.index(tier)]
    lacking = [
        (claim.name, arm)
        for claim in decided
        for arm in (claim.arm, claim.control)
        if (claim.part, arm) not in measured
    ]
    assert lacking == []


def test_paper_tier_draws_no_fewer_seeds_of_a_cell_than_the_laptop_tier(name):
    """Else a claim that the laptop tier decides could be undecided at the papers' own scale."""
    laptop, paper = seeds(name, "laptop"), seeds(name, "paper")
    assert {cell: paper[cell] for cell in laptop.keys() & paper if paper[cell] < laptop[cell]} == {}


def test_a_band_of_a_figure_is_the_region_of_a_claim(name):
    """Of bands by numbers, which no name tells apart from an old region; 0 or a mirror image may
    stand where a one-sided region has no end. A label says what another band is."""
    regions = {(claim.region.low, claim.region.high) for claim in claims_of(name)}
    one_sided = {high for low, high in regions if low == -math.inf}
    tree = ast.parse((folder(name) / "figures.py").read_text(encoding="utf-8"))
    others = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        named = getattr(call.func, "attr", getattr(call.func, "id", "")) == "accepted_band"
        if not named or any(word.arg == "label" for word in call.keywords):
            continue
        try:
            low, high = map(ast.literal_eval, call.args[1:3])
        except ValueError:
            continue  # from the rows, or open
        near = any(math.isclose(low, a) and math.isclose(high, b) for a, b in regions)
        if not near and high not in one_sided:
            others.append(f"line {call.lineno}: {low} to {high}")
    assert others == []


def test_claim_names_are_unique(name):
    names = [claim.name for claim in claims_of(name)]
    assert sorted(set(names)) == sorted(names)


def test_smoke_tier_decides_at_least_half_of_the_claims(name):
    claims = claims_of(name)
    assert sum(claim.tier == "smoke" for claim in claims) >= len(claims) / 2


def test_laptop_tier_draws_every_figure_and_each_has_a_caption(name):
    path = folder(name) / "figures.py"
    public = [
        node.name
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]
    drawn = {tier: {figure.name for figure in figures(name, tier)} for tier in TIERS}
    assert set(public) == drawn["laptop"] | drawn["paper"]
    for figure in figures(name, "laptop"):
        assert figure.parts, f"{figure.name} draws no part"
        assert figure.title, f"{figure.name} has no title"
        assert len(figure.caption) > 40, f"{figure.name}: the docstring's rest is the caption"


def test_only_the_experiment_computes_and_only_shared_code_is_used(name):
    for path in folder(name).glob("*.py"):
        tops = {module.split(".")[0] for module in imports(path)}
        assert not tops & ON_DEMAND, f"{path.name} imports on demand"
        assert "workflow" not in tops, f"{path.name} knows the workflow"
        others = {m for m in imports(path) if m.startswith("replications.")}
        assert all(m.startswith(f"replications.{name}") for m in others), path.name
        if path.name in ("claims.py", "figures.py"):
            closure = import_closure(f"replications.{name}.{path.stem}")
            heavy = {m.split(".")[0] for file in closure for m in imports(file)} & {"jax", "torch"}
            assert not heavy, f"{path.name} must judge or draw from the table alone"


# Every experiment is imported for real, in a child of one process that holds the libraries already.
LOADED = """
import importlib, json, os, sys
from workflow.base.environment import use_one_thread
use_one_thread()
import jax, matplotlib, numba, numpy, pandas, scipy.stats, torch
for name in sys.argv[1:]:
    if not os.fork():
        importlib.import_module(f"replications.{name}.experiment")
        files = [getattr(module, "__file__", None) for module in sys.modules.values()]
        print(json.dumps([name, [file for file in files if file]]), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0, name
"""


@pytest.fixture(scope="module")
def loaded():
    """Replication -> the files that importing its experiment loads."""
    command = [sys.executable, "-c", LOADED, *replications()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(map(json.loads, done.stdout.splitlines()))


def test_the_digest_covers_every_module_that_the_experiment_loads(name, loaded):
    """Files of this repository that a real import loads are all in the computed closure."""
    below = [ROOT / file for file in loaded[name] if file.startswith(str(ROOT))]
    ours = {path for path in below if path.relative_to(ROOT).parts[0] in ("shared", "replications")}
    assert ROOT / "replications" / name / "experiment.py" in ours
    assert ours <= set(import_closure(f"replications.{name}.experiment"))


def test_parts_are_generators_with_keyword_only_arguments(name):
    signatures = part_signatures(folder(name) / "experiment.py")
    for part, parameters in signatures.items():
        assert "arm" in parameters, f"{part} takes no arm"
    assert {part for tier in TIERS for part, _ in arms(name, tier)} <= set(signatures)
