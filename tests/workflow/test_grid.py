"""Grids: what is swept, and the one-line errors of impossible ones."""

import pytest

from workflow.files import UserError
from workflow.grid import ALL, Seeds, shard_digest, shards

EXPERIMENT = """
def drift(*, arm: str, width: int, rate: float = 0.1, seeds: tuple[int, ...]):
    yield {}


def helper(x):
    return x
"""


def write(root, smoke, others="[{part: drift, arm: a, width: 1, seed: 1}]"):
    folder = root / "replications" / "paper"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "experiment.py").write_text(EXPERIMENT, encoding="utf-8")
    text = f"smoke: {smoke}\nlaptop: {others}\npaper: {others}\n"
    (folder / "grid.yaml").write_text(text, encoding="utf-8")
    return root


def test_lists_are_swept_and_seeds_counted_and_shifted(tmp_path):
    root = write(tmp_path, "[{part: drift, arm: [a, b], width: [2, 4], seed: 3}]")
    cells = shards("paper", "smoke", Seeds(100), root)["main"]
    assert [(cell.arm, cell.parameters["width"]) for cell in cells] == [
        ("a", 2), ("a", 4), ("b", 2), ("b", 4),
    ]  # fmt: skip
    assert {cell.seeds for cell in cells} == {(100, 101, 102)}


def test_a_reduced_run_takes_the_first_seeds_of_each_block(tmp_path):
    blocks = (
        "arm: a, width: 1, seed: 3",
        "arm: b, width: 1, seed: [7, 5, 6]",
        "arm: c, width: 1, seed: 1",
    )
    root = write(tmp_path, f"[{', '.join(f'{{part: drift, {block}}}' for block in blocks)}]")
    whole, reduced = (shards("paper", "smoke", Seeds(10, n), root)["main"] for n in (0, 2))
    assert [cell.seeds for cell in reduced] == [(10, 11), (17, 15), (10,)]
    assert [cell[:3] for cell in reduced] == [cell[:3] for cell in whole]
    assert shard_digest(reduced) != shard_digest(whole)


def test_blocks_of_one_shard_run_together(tmp_path):
    block = "{part: drift, arm: a, width: %d, seed: 1, shard: %s}"
    root = write(tmp_path, f"[{block % (1, 'x')}, {block % (2, 'y')}, {block % (3, 'x')}]")
    found = shards("paper", "smoke", ALL, root)
    assert {name: len(cells) for name, cells in found.items()} == {"x": 2, "y": 1}
    assert shard_digest(found["x"]) != shard_digest(found["y"])


@pytest.mark.parametrize(
    "block, said",
    [
        ("{part: drifts, arm: a, width: 1, seed: 1}", "part: found 'drifts', wanted one of drift"),
        ("{part: helper, arm: a, seed: 1}", "part: found 'helper'"),
        ("{part: drift, arm: a, widht: 1, width: 1, seed: 1}", "unknown key 'widht'"),
        ("{part: drift, arm: a, seed: 1}", "missing width"),
        ("{part: drift, width: 1, seed: 1}", "missing arm"),
        ("{part: drift, arm: a, width: wide, seed: 1}", "width: found 'wide', wanted int"),
        ("{part: drift, arm: a, width: 1.5, seed: 1}", "width: found 1.5, wanted int"),
        ("{part: drift, arm: a, width: true, seed: 1}", "width: found True, wanted int"),
        ("{part: drift, arm: a, width: 1, rate: 1e-3, seed: 1}", "in YAML a float needs a dot"),
        ("{part: drift, arm: a, width: [], seed: 1}", "width: an empty list sweeps nothing"),
        ("{part: drift, arm: a, width: 1}", "seed: found None"),
        ("{part: drift, arm: a, width: 1, seed: 0}", "seed: found 0"),
        ("{part: drift, arm: a, width: 1, seed: -3}", "seed: found -3"),
        ("{part: drift, arm: a, width: 1, seed: [1, 1]}", "distinct seeds"),
        ("{part: drift, arm: a, width: 1, seed: [1.5]}", "seed: found [1.5]"),
        ("{part: drift, arm: a, width: [1, 1], seed: 1}", "measured twice"),
        ("{part: drift, arm: a, width: 1, seed: 1, shard: a/b}", "shard: found 'a/b'"),
        ("drift", "block 1: found 'drift', wanted a mapping"),
    ],
)
def test_an_impossible_block_is_one_line_that_names_file_tier_and_key(tmp_path, block, said):
    root = write(tmp_path, f"[{block}]")
    with pytest.raises(UserError) as raised:
        shards("paper", "smoke", ALL, root)
    message = str(raised.value)
    assert message.startswith("replications/paper/grid.yaml: smoke")
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "text, said",
    [
        ("smoke: []\nlaptop: []\npaper: []\n", "wanted a list of blocks"),
        ("smoke: []\n", "wanted exactly smoke, laptop, paper"),
        ("- a\n", "wanted exactly smoke, laptop, paper"),
        ("smoke: [\n", "not YAML"),
    ],
)
def test_an_impossible_file_is_one_line(tmp_path, text, said):
    root = write(tmp_path, "[]")
    (root / "replications" / "paper" / "grid.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=said) as raised:
        shards("paper", "smoke", ALL, root)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    root = write(tmp_path, "[]")
    (root / "replications" / "paper" / "grid.yaml").unlink()
    with pytest.raises(UserError, match=r"replications/paper/grid\.yaml: missing"):
        shards("paper", "smoke", ALL, root)
