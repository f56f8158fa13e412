"""Runs every case in a process of its own; writes results/benchmarks.csv and .svg.

The limit, our call and the peer's take turns, round by round, and the ratios are medians of the
rounds' ratios, with their quartiles: what else the machine does then changes both sides alike.
PEER_PYTHON names the Python of the peer's environment, which `make benchmark` makes
(benchmarks/make_peer_environment.sh); without it the peer's columns stay empty. --rounds N
(default 15); NAMEs as arguments: these cases.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
# name: the factor to the whole of what the peer is asked to do, None where it is not asked
CASES = {
    "dense": 1,
    "dense_float64": 1,
    "dense_call": 1,
    "erf": 1,
    "gelu": 1,
    "gelu_float64": 1,
    "conv_flatten": 1,
    # one image instead of 4: of K(x, x), K and Theta one pair each instead of 4 + 16 + 16, all of
    # which it computes
    "conv_gap": 12,
    "conv_gap_float64": 12,
    "myrtle5": 1,
    "myrtle5_first": 1,
    "empirical_mlp": 1,
    "empirical_mlp_10_outputs": None,
    "empirical_cnn": 1,
    "empirical_transformer": 1,
    "empirical_transformer_torch": 1,
    "flow": 1,
    # 16 networks of width 512 instead of as many as have a standard error of 1e-3, by the variance
    # of f over them, 1.43e-3 and 5.1e-4 (root mean square over three points, 256 networks)
    "limit_linear": 1430 / 16,
    "limit_tanh": 510 / 16,
}
FIRST = {"myrtle5_first": "myrtle5"}  # the first call of a process, in a new one every round
# glibc then returns every large block to the system at once, so that memory held is memory in use;
# page faults would slow the timed runs down, hence only where memory is measured.
RETURN_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


class Process:
    """A process that answers each line by one line of JSON; it ends with the block."""

    def __init__(self, *command: str, **environment: str):
        self.command = command
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise RuntimeError(f"{' '.join(self.command)} failed:\n{self.errors.read()[-2000:]}")
        return json.loads(line)

    def seconds(self, call: str) -> float:
        self.process.stdin.write(f"{call}\n")
        self.process.stdin.flush()
        return self.answer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def measure(name: str, peer_python: str | None, rounds: int) -> dict:
    """One row of the table."""
    of, factor = FIRST.get(name, name), CASES[name]
    case = (sys.executable, "-m", "benchmarks.cases", of)
    peers = (peer_python, str(ROOT / "benchmarks" / "peer.py"), of)
    with Process(*case, "--memory", **RETURN_MEMORY) as process:
        memory = process.answer()
    if name in FIRST:
        return row_of(name, first_calls(case, peers if peer_python else None, rounds)) | memory
    with Process(*case) as ours:
        ours.answer()
        ask = {"limit": lambda: ours.seconds("limit"), "call": lambda: ours.seconds("call")}
        if not peer_python or factor is None:
            times = turns(ask, rounds)
        else:
            with Process(*peers) as peer:
                peer.answer()
                times = turns(ask | {"peer": lambda: factor * peer.seconds("call")}, rounds)
    return row_of(name, times) | memory


def row_of(name: str, times: dict[str, np.ndarray]) -> dict:
    """The columns made of times."""
    over = np.quantile(times["call"] / times["limit"], [0.5, 0.25, 0.75])
    row = {"name": name, "seconds": np.median(times["call"])}
    row |= {"limit_seconds": np.median(times["limit"])}
    row |= dict(zip(("over_limit", "quartile_1", "quartile_3"), over, strict=True))
    if "peer" in times:
        row["peer_seconds"] = np.median(times["peer"])
        row["peer_over_limit"] = np.median(times["peer"] / times["limit"])
        row["faster_than_peer"] = np.median(times["peer"] / times["call"])
    return row


def first_calls(case: tuple, peers: tuple | None, rounds: int) -> dict[str, np.ndarray]:
    """The answers of new processes, ours and the peer's in turns."""
    times = []
    for _ in range(rounds):
        with Process(*case, "--first") as ours:
            times.append(ours.answer())
        if peers:
            with Process(*peers, "--first") as peer:
                times[-1]["peer"] = peer.answer()["call"]
    return {name: np.array([row[name] for row in times]) for name in times[0]}


def turns(ask: dict, rounds: int) -> dict[str, np.ndarray]:
    """The answers of all, asked in turns."""
    times = [{name: seconds() for name, seconds in ask.items()} for _ in range(rounds)]
    return {name: np.array([row[name] for row in times]) for name in ask}


KEPT = ["name", "seconds", "limit_seconds", "peer_seconds", "peak_mb"]  # what other tools read
COLUMNS = [
    "name", "seconds", "limit_seconds", "over_limit", "quartile_1", "quartile_3",
    "peer_seconds", "peer_over_limit", "faster_than_peer", "peak_mb", "result_mb",
]  # fmt: skip


def draw(table: pd.DataFrame, path: Path) -> None:
    """Seconds over the limit's seconds, ours (with quartiles) and the peer's."""
    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    places = np.arange(len(table))
    spread = np.abs(table[["quartile_1", "quartile_3"]].to_numpy().T - table.over_limit.to_numpy())
    axes.barh(places - 0.2, table.over_limit, 0.38, xerr=spread, label="ours")
    axes.barh(places + 0.2, table.peer_over_limit, 0.38, label="neural-tangents 0.6.5")
    axes.axvline(1, color="black", lw=0.8)
    axes.set(xscale="log", xlabel="CPU seconds / limit (products alone and one pass over memory)")
    axes.set_yticks(places, table.name)
    axes.invert_yaxis()
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def main(names: list[str], rounds: int) -> None:
    rows = [measure(name, os.environ.get("PEER_PYTHON"), rounds) for name in names]
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    print(table.to_string(index=False, float_format="%.3g", na_rep=""))
    if names == list(CASES):
        results = ROOT / "results"
        results.mkdir(exist_ok=True)
        table[KEPT].to_csv(results / "benchmarks.csv", index=False, float_format="%.4g")
        draw(table, results / "benchmarks.svg")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CASES)}")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    main(arguments.names or list(CASES), arguments.rounds)
