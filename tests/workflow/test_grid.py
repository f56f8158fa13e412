"""Grids: what is swept. (Impossible ones: test_bad_inputs.py.)"""

import pytest

from workflow.base.files import UserError
from workflow.base.grid import ALL, Seeds, shard_digest, shards

EXPERIMENT = """
def drift(*, arm: str, width: int, rate: float = 0.1, seeds: tuple[int, ...]):
    yield {}
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


def one_seed_each(found):
    """What is measured: every cell once for each of its seeds, wherever."""
    every = (
        cell._replace(seeds=(seed,))
        for some in found.values()
        for cell in some
        for seed in cell.seeds
    )
    return sorted(every, key=repr)


@pytest.mark.parametrize(
    ("shard", "names"),
    [
        ("wide_{width}", ["wide_2", "wide_4"]),
        ("{arm}_{width}", ["a_2", "a_4", "b_2", "b_4"]),
        ("all_{seed}", ["all_0", "all_1", "all_2"]),
        ("{width}-{seed}", ["2-0", "2-1", "2-2", "4-0", "4-1", "4-2"]),
    ],
)
def test_a_shard_is_cut_by_what_its_name_says_and_measures_the_same(tmp_path, shard, names):
    block = "{part: drift, arm: [a, b], width: [2, 4], seed: [5, 3, 8], shard: '%s'}"
    whole = shards("paper", "smoke", Seeds(100), write(tmp_path / "whole", f"[{block % 'main'}]"))
    cut = shards("paper", "smoke", Seeds(100), write(tmp_path / "cut", f"[{block % shard}]"))
    assert list(cut) == names
    assert one_seed_each(cut) == one_seed_each(whole)
    assert all(len(cell.seeds) == (1 if "seed" in shard else 3) for c in cut.values() for cell in c)


@pytest.mark.parametrize("shard", ["x_{wdth}", "x_{", "{}", "{width", "x_{rate}", "a b"])
def test_a_shard_whose_name_cannot_be_is_refused(tmp_path, shard):
    block = f"[{{part: drift, arm: a, width: 2, rate: 0.5, seed: 1, shard: '{shard}'}}]"
    with pytest.raises(UserError, match=r"grid.yaml: smoke, block 1: shard: found .*, wanted"):
        shards("paper", "smoke", ALL, write(tmp_path, block))
