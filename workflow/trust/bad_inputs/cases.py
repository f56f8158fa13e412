"""Inputs that cannot be right, each with the command that meets it and what its answer must say."""

from typing import NamedTuple

PAPER = "alpha2000_toy"
FOLDER = f"replications/{PAPER}"
RESULTS = "results/smoke"
STAGE = ("--results", RESULTS, "--replication", PAPER)
MEASURE = ("workflow.measure", *STAGE)
GATHER = ("workflow.gather", *STAGE)
JUDGE = ("workflow.judge", *STAGE)
DRAW = ("workflow.draw", *STAGE)
GATE = ("workflow.gate", RESULTS)
START = ("config", "tier=smoke")

AREAS = (
    "settings",
    "subject",
    "grid",
    "experiment",
    "claims",
    "figures",
    "data",
    "results",
    "command line",
)

EXPERIMENT = """
def scatter(*, arm: str, width: int, rate: float = 0.1, seeds: tuple[int, ...]):
    for seed in seeds:
        yield {"seed": seed, "size": 1.0}


def helper(x):
    return x
"""
OTHER_TIERS = """
laptop: [{part: scatter, arm: [theory, control], width: 1, seed: 1}]
paper: [{part: scatter, arm: [theory, control], width: 1, seed: 1}]
"""
READS_MNIST = """
from pathlib import Path

from widenets.ntk.data import mnist


def scatter(*, arm: str, width: int, data_dir: Path, seeds: tuple[int, ...]):
    images = mnist("test", data_dir=data_dir).images
    for seed in seeds:
        yield {"seed": seed, "size": float(images.mean())}
"""


class Edit(NamedTuple):
    """`old` in a file of the project becomes `new`; without `old` the file becomes `new`, without
    `new` it is gone."""

    path: str
    old: str | None = None
    new: str | None = None


class BadInput(NamedTuple):
    area: str
    what: str
    words: tuple[str, ...]
    said: str
    edits: tuple[Edit, ...] = ()


def _settings() -> list[BadInput]:
    listed = [
        ("sedes=5", "unknown key 'sedes'; did you mean 'seed'?"),
        ("tier=laptops", "tier: 'laptops' is not one of"),
        ("tier=3", "tier: 3 is not one of"),
        ("seed=x", "seed: 'x' is not of type 'integer'"),
        ("seed=-1", "seed: -1 is less than the minimum"),
        ("seed=1.5", "seed: 1.5 is not of type 'integer'"),
        ("seeds_at_most=-1", "seeds_at_most: -1 is less than the minimum"),
        ("seeds_at_most=two", "seeds_at_most: 'two' is not of type 'integer'"),
        ("replications=alpha2000", "replications: unknown 'alpha2000'; did you mean"),
        ("replications=5", "replications: 5 is not of type"),
        ("replications=[5]", "replications: 5 is not of type 'string'"),
        ("replications=", "replications: None is not of type"),
        ("data_dir=7", "data_dir: 7 is not of type 'string'"),
        ("data_dir=/no/such/folder", "data_dir: '/no/such/folder' is no folder"),
        ("device=gpu", "device: 'gpu' is not one of"),
        *_taken(),
    ]
    return [BadInput("settings", f"`{pair}`", ("config", pair), said) for pair, said in listed]


def _taken() -> list[tuple[str, str]]:
    """Claims and changes of a grid that there are not, or that may be several."""
    written = "wanted [PAPER.]PART[/ARM].NAME=VALUE or ...=VALUE,VALUE"
    of = f"set={PAPER}"
    return [
        ("claims=5", "claims: 5 is not of type"),
        ("claims=T1_scater", "claims: unknown 'T1_scater'; did you mean 'T1_scatter'?"),
        ("claims=T1_scatter", f"may be {PAPER}.T1_scatter and beta2001_toy.T1_scatter; name one"),
        (f"claims={PAPER}.T2", f"claims: unknown 'T2' of {PAPER}"),
        ("claims=alpha.T1_scatter", "claims: unknown paper 'alpha'"),
        ("set=width", f"set: found 'width', {written}"),
        ("set=scatter.width=8", "set: part 'scatter' may be"),
        (f"{of}.scater.width=8", "unknown part 'scater'; did you mean 'scatter'?"),
        (f"{of}.scatter.widht=8", "unknown parameter 'widht'; did you mean 'width'?"),
        (f"{of}.scatter.width=wide", "width: found 'wide', wanted int"),
        (f"{of}.scatter.width=[8", "found '[8', wanted a value or values"),
        (f"{of}.scatter/thory.width=8", "the grid has no arm 'thory'; did you mean 'theory'?"),
    ]


def _subject() -> list[BadInput]:
    """A reader's file that is refused before anything of it runs."""
    text = "model = data = loss = optimizer = print\nsteps, batch = 3, 2\n"
    files = [
        ("a file that is not there", "my_model.py", None, "my_model.py: no such file"),
        ("a name that is no file", "my_model", None, "neither a file that ends in .py nor"),
        ("a file named after a tier", "smoke.py", text, "smoke.py: results/smoke is taken"),
        ("a file named reference", "reference.py", text, "results/reference is taken"),
        ("a name with a dot", "my.model.py", text, "'my.model': wanted a file name of"),
        ("not Python", "my_model.py", "def model(:\n", "my_model.py, line 1: invalid syntax"),
        ("a name left out", "my_model.py", "model = print\nsteps = 3\n", "no name data, loss"),
    ]
    listed = [
        BadInput(
            "subject",
            what,
            ("config", "tier=smoke", f"subject={name}"),
            said,
            () if content is None else (Edit(name, None, content),),
        )
        for what, name, content, said in files
    ]
    words = ("config", f"replications={PAPER}", "subject=my_model.py")
    said = f"replications: found '{PAPER}'; a subject is for your_network alone"
    another = BadInput(
        "subject", "another replication", words, said, (Edit(words[2][8:], None, text),)
    )
    number = BadInput(
        "subject", "`subject=7`", ("config", "subject=7"), "subject: 7 is not of type"
    )
    return [*listed, another, number, *_sizes()]


def _sizes() -> list[BadInput]:
    """Names for the checks in width and depth, met where a file is tried before it is measured."""
    lines = [
        ("widths", "widths = 64", "widths must be several, found 64"),
        ("depths", "depths = 8", "depths must be several, found 8"),
        ("depths", "depths = (4, 8)", "depths must be three or more, found (4, 8)"),
        ("depths", "depths = (4, 8, 0)", "depths must be a positive integer, found 0"),
        ("depths", "depths = (4, 8, 16.0)", "depths must be a positive integer, found 16.0"),
        ("widths", 'decay = "both"', "decay must be 'independent' or 'coupled', found 'both'"),
        ("depths", "depth_exponent = 2", "depth_exponent must be a number above 0, at most 1"),
        ("depths", "depth_exponent = 0", "depth_exponent must be a number above 0, at most 1"),
        ("depths", "depth_exponent = True", "at most 1, found True"),
    ]
    text = "model = data = loss = optimizer = print\n{} = (4, 8, 16)\n{}\n"
    words = ("workflow.reader.trial", "--subject", "my_model.py", "--tier", "smoke")
    return [
        BadInput(
            "subject",
            f"`{line}`",
            words,
            said,
            (Edit("my_model.py", None, text.format(size, line)),),
        )
        for size, line, said in lines
    ]


def _grid() -> list[BadInput]:
    blocks = [
        ("part: scater, arm: theory, width: 1, seed: 2", "part: found 'scater', wanted one of"),
        ("part: helper, arm: theory, seed: 2", "part: found 'helper'"),
        ("part: scatter, arm: theory, widht: 1, width: 1, seed: 2", "unknown key 'widht'"),
        ("part: scatter, arm: theory, seed: 2", "missing width"),
        ("part: scatter, width: 1, seed: 2", "missing arm"),
        ("part: scatter, arm: theory, width: wide, seed: 2", "found 'wide', wanted int"),
        ("part: scatter, arm: theory, width: 1.5, seed: 2", "width: found 1.5, wanted int"),
        ("part: scatter, arm: theory, width: true, seed: 2", "width: found True, wanted int"),
        ("part: scatter, arm: theory, width: 1, rate: 1e-3, seed: 2", "a float needs a dot"),
        ("part: scatter, arm: theory, width: [], seed: 2", "an empty list sweeps nothing"),
        ("part: scatter, arm: theory, width: 1", "seed: found None"),
        ("part: scatter, arm: theory, width: 1, seed: 0", "seed: found 0"),
        ("part: scatter, arm: theory, width: 1, seed: -3", "seed: found -3"),
        ("part: scatter, arm: theory, width: 1, seed: [1, 1]", "distinct seeds"),
        ("part: scatter, arm: theory, width: 1, seed: [1.5]", "seed: found [1.5]"),
        ("part: scatter, arm: theory, width: [1, 1], seed: 2", "measured twice"),
        ("part: scatter, arm: theory, width: 1, seed: 2, shard: a/b", "shard: found 'a/b'"),
    ]
    texts = [(f"`{{{block}}}`", f"smoke: [{{{block}}}]{OTHER_TIERS}", s) for block, s in blocks]
    texts += [
        ("a block that is a word", f"smoke: [scatter]{OTHER_TIERS}", "wanted a mapping"),
        ("a tier without blocks", f"smoke: []{OTHER_TIERS}", "wanted a list of blocks"),
        ("a tier missing", "smoke: []\n", "wanted exactly smoke, laptop, paper"),
        ("a list instead of tiers", "- a\n", "wanted exactly smoke, laptop, paper"),
        ("not YAML", "smoke: [\n", "not YAML"),
        ("no grid", None, "grid.yaml: missing"),
    ]
    experiment = Edit(f"{FOLDER}/experiment.py", None, EXPERIMENT)
    return [
        BadInput("grid", what, START, said, (experiment, Edit(f"{FOLDER}/grid.yaml", None, text)))
        for what, text, said in texts
    ]


def _code(area: str, file: str, words: tuple[str, ...], changes: list[tuple]) -> list[BadInput]:
    """Edits of one file of the paper: (what, old, new, said)."""
    return [
        BadInput(area, what, words, said, (Edit(f"{FOLDER}/{file}", old, new),))
        for what, old, new, said in changes
    ]


def _paper() -> list[BadInput]:
    yields = 'yield {"seed": seed, "size": size}'
    experiment = [
        ("not Python", "def scatter", "def def scatter", "experiment.py, line 8: invalid syntax"),
        ("an import that is not there", "import numpy", "import nunpy", "line 3: Module"),
        ("a row without a seed", yields, 'yield {"size": size}', "a row must have a seed"),
        ("a row that repeats a key", yields, yields[:-1] + ', "arm": arm}', "must not repeat"),
        ("a seed left out", "for seed in seeds:", "for seed in seeds[1:]:", "wanted 0, 1, 2"),
        ("a seed made up", "for seed in seeds:", "for seed in (*seeds, 99):", "measured the seeds"),
        ("an array as a number", '"size": size', '"size": draws', "column size: found an array"),
    ]
    claims = [
        ("not Python", "CLAIMS = [", "CLAIMS = [[", "claims.py, line 3: "),
        ("no list", "CLAIMS = [", "CLAIM = [", "CLAIMS: found None, wanted a list"),
        ("a list of something else", None, "CLAIMS = ['a']\n", "found 'a', wanted a Claim"),
        ("two claims of one name", "\n]", "\n]\nCLAIMS *= 2", "two claims are named 'T1_scatter'"),
        ("an unknown part", 'part="scatter"', 'part="scater"', "part: unknown 'scater'; did"),
        ("an unknown control", '"control",', '"contrl",', "the grid has no arm 'contrl'; did"),
        ("an unknown column", 'y="size"', 'y="sise"', "no column 'sise'"),
        ("an unknown name", "loglog_slope, near", "loglog_slope, nearly", "cannot import name"),
        ("a tolerance of 0", "near(-0.5, 0.1)", "near(-0.5, 0.0)", "tolerance > 0"),
        ("an unknown tier", 'control="control"', 'control="control", tier="big"', "tier must be"),
        ("the control is the arm", 'control="control"', 'control="theory"', "are both 'theory'"),
        (
            "a refutation without a reason",
            'control="control"',
            'control="control", expected="fail"',
            "expected='fail' needs a reason",
        ),
        ("an empty why", "the variance of a mean of n independent draws is 1/n", "", "why must"),
        ("an unknown summary", 'x="width"', 'x="width", summary="mode"', "summary: found 'mode'"),
    ]
    figures = [
        ("not Python", "def figure_1(", "def figure_1((", "figures.py, line 4: "),
        ("an unknown part", "figure_1(scatter)", "figure_1(scater)", "unknown part 'scater'; did"),
        ("returns no figure", "return figure", "return 3", "returned 3, wanted a Figure"),
        ("no figures.py", None, None, "figures.py: missing"),
    ]
    return [
        *_code("experiment", "experiment.py", MEASURE, experiment),
        *_code("claims", "claims.py", JUDGE, claims),
        *_code("figures", "figures.py", DRAW, figures),
    ]


def _data() -> list[BadInput]:
    reads = Edit(f"{FOLDER}/experiment.py", None, READS_MNIST)
    file = "sets/MNIST/raw/t10k-images-idx3-ubyte"
    words = (*MEASURE, "--data-dir", "sets")
    return [
        BadInput(
            "data",
            "no such folder",
            (*MEASURE, "--data-dir", "nowhere"),
            "nowhere: no such folder",
            (reads,),
        ),
        BadInput(
            "data", "a set that is not there", words, "missing", (reads, Edit("sets/x", None, "x"))
        ),
        BadInput(
            "data",
            "another file in the place of a set",
            words,
            "corrupt",
            (reads, Edit(file, None, "x")),
        ),
    ]


def _results() -> list[BadInput]:
    listed = [*_records_and_tables(), *_what_is_made_of_tables()]
    return [BadInput("results", what, words, said, (edit,)) for what, words, said, edit in listed]


def _records_and_tables() -> list[tuple]:
    record, table = f"{RESULTS}/records/{PAPER}/main", f"{RESULTS}/tables/{PAPER}"
    return [
        (
            "a record that was edited",
            GATHER,
            "recorded checksum",
            Edit(f"{record}.csv", "64", "65"),
        ),
        (
            "facts of a record that are no JSON",
            GATHER,
            "cannot be read",
            Edit(f"{record}.json", None, "{"),
        ),
        (
            "facts of a record without keys",
            GATHER,
            "cannot be read",
            Edit(f"{record}.json", None, "[]"),
        ),
        ("a record that is gone", GATHER, "record main is missing", Edit(f"{record}.csv")),
        ("a table that was edited", JUDGE, "damaged", Edit(f"{table}.csv", "64", "65")),
        ("a table that was edited", DRAW, "damaged", Edit(f"{table}.csv", "64", "65")),
        ("a table that is gone", JUDGE, "missing; run snakemake", Edit(f"{table}.csv")),
        ("a table that was edited", GATE, "is damaged", Edit(f"{table}.csv", "64", "65")),
    ]


def _what_is_made_of_tables() -> list[tuple]:
    checks, figure = f"{RESULTS}/checks/{PAPER}", f"{RESULTS}/figures/{PAPER}/figure_1.svg"
    provenance, joined = f"{RESULTS}/provenance.json", f"{RESULTS}/checks.csv"
    compare = ("workflow.compare", RESULTS, RESULTS)
    return [
        ("checks that were edited", GATE, "is damaged", Edit(f"{checks}.csv", "pass", "past")),
        (
            "facts of checks that are no JSON",
            GATE,
            "cannot be read",
            Edit(f"{checks}.json", None, "x"),
        ),
        ("a figure that was edited", GATE, "damaged", Edit(figure, "<svg", "<svg ")),
        ("a figure that is gone", GATE, "missing", Edit(figure)),
        ("joined checks that were edited", GATE, "does not agree", Edit(joined, "pass", "fail")),
        (
            "provenance that is no JSON",
            GATE,
            "damaged: run snakemake again",
            Edit(provenance, None, "{"),
        ),
        (
            "provenance without keys",
            GATE,
            "damaged: run snakemake again",
            Edit(provenance, None, "{}"),
        ),
        ("no provenance", GATE, "no finished run in this folder", Edit(provenance)),
        ("checks that are empty", compare, "is damaged", Edit(joined, None, "")),
        ("checks of other columns", compare, "is damaged", Edit(joined, None, "a,b\n1,2\n")),
        ("provenance that is a list", compare, "is damaged", Edit(provenance, None, "[]")),
    ]


def stage(name: str, *words: str) -> tuple[str, ...]:
    return (f"workflow.{name}", *words)


def _command_line() -> list[BadInput]:
    listed = [*_of_measuring_and_judging(), *_of_other_commands()]
    return [BadInput("command line", what, words, said) for what, words, said in listed]


def _of_measuring_and_judging() -> list[tuple]:
    listed = []
    for name in ("measure", "gather", "judge", "draw"):
        unknown = stage(name, "--results", RESULTS, "--replication", "alpha2000")
        folder = stage(name, "--results", "results", "--replication", PAPER)
        listed += [
            ("an unknown replication", unknown, "--replication: unknown 'alpha2000'; did you mean"),
            ("a folder of no tier", folder, "results: wanted a folder named after a tier"),
        ]
    return [
        *listed,
        ("an unknown shard", (*MEASURE, "--shard", "x"), "unknown shard 'x'; the grid has main"),
        (
            "code that changed meanwhile",
            (*MEASURE, "--code", "0"),
            "its code changed while it waited",
        ),
        ("a seed that is a word", (*MEASURE, "--seed", "x"), "--seed: invalid int value: 'x'"),
        ("an argument missing", ("workflow.measure",), "required: --results, --replication"),
        (
            "an option in short",
            stage("judge", "--results", RESULTS, "--replication", PAPER, "--seed", "3"),
            "unrecognized arguments: --seed 3",
        ),
        ("an unknown option", stage("gather", "--all"), "required: --results, --replication"),
    ]


def _of_other_commands() -> list[tuple]:
    return [
        (
            "an unknown replication",
            stage("report", "--results", RESULTS, "--replications", "a,b"),
            "unknown 'a'",
        ),
        ("a folder of no tier", stage("gate", "results"), "named after a tier"),
        (
            "a tier that has not run",
            stage("gate", "results/paper"),
            "no such folder; run snakemake",
        ),
        ("no results", stage("compare", "results/none"), "is results/none a folder of results?"),
        (
            "no reference",
            stage("compare", RESULTS),
            "the smoke tier has no reference; name a second",
        ),
        ("no tier", stage("reference", "results"), "named after a tier"),
        (
            "a part of a tier that is run in one go",
            stage("reference", RESULTS, "--partial"),
            "--partial: of the paper tier alone, found results/smoke",
        ),
        (
            "cores that are a word",
            stage("trust.sabotage", "--cores", "x"),
            "--cores: invalid int value: 'x'",
        ),
        (
            "no master seeds",
            stage("trust.stability", "--seeds", "0", "--folder", "runs"),
            "--seeds: found 0, wanted at least 1",
        ),
        ("too few draws", stage("trust.calibration", "--draws", "5"), "--draws: found 5, wanted"),
        ("less than no kills", stage("trust.torture", "--kills", "-1"), "wanted numbers of trials"),
        ("an unknown paper", stage("trust.torture", "--papers", "x"), "unknown 'x'"),
    ]


BAD_INPUTS = [
    *_settings(),
    *_subject(),
    *_grid(),
    *_paper(),
    *_data(),
    *_results(),
    *_command_line(),
]
