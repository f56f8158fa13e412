"""Runs every case in a process of its own; writes results/benchmarks.csv and .svg.

PEER_PYTHON names the Python of the peer's environment (benchmarks/make_peer_environment.sh);
without it the column peer_seconds stays empty.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
NAMES = (
    "dense_relu_float32",
    "dense_relu_float64",
    "conv_pool_float32",
    "empirical_ntk_1_output",
    "empirical_ntk_10_outputs",
    "gradient_flow",
)
PEER_NAMES = tuple(name for name in NAMES if name != "empirical_ntk_10_outputs")
COLUMNS = ["name", "seconds", "limit_seconds", "peer_seconds", "peak_mb"]


# glibc then returns every large block to the system at once, so that memory held is memory in use;
# page faults would slow the timed runs down, hence only where memory is measured.
RETURN_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def last_line(command: list[str], **environment: str) -> dict:
    """The JSON on the last line that the command prints."""
    settings = os.environ | environment
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=settings)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def measure(name: str, peer_python: str | None) -> dict:
    """One row of the table."""
    command = [sys.executable, "-m", "benchmarks.cases", name]
    row = last_line(command) | last_line([*command, "--memory"], **RETURN_MEMORY)
    if peer_python and name in PEER_NAMES:
        row |= last_line([peer_python, str(ROOT / "benchmarks" / "peer.py"), name])
    return row


def draw(table: pd.DataFrame, path: Path) -> None:
    """Seconds over the limit's seconds, ours and the peer's."""
    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    places = range(len(table))
    axes.barh([p + 0.2 for p in places], table.seconds / table.limit_seconds, 0.38, label="ours")
    peer = table.peer_seconds / table.limit_seconds
    axes.barh([p - 0.2 for p in places], peer, 0.38, label="neural-tangents 0.6.5")
    axes.axvline(1, color="black", lw=0.8)
    axes.set(xscale="log", xlabel="CPU seconds / limit (products alone and one pass over memory)")
    axes.set_yticks(list(places), table.name)
    axes.invert_yaxis()
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    peer_python = os.environ.get("PEER_PYTHON")
    table = pd.DataFrame([measure(name, peer_python) for name in NAMES])
    table = table.reindex(columns=[*COLUMNS, "result_mb"])
    results = ROOT / "results"
    results.mkdir(exist_ok=True)
    table[COLUMNS].to_csv(results / "benchmarks.csv", index=False, float_format="%.4g")
    draw(table, results / "benchmarks.svg")
    ratios = table.assign(
        over_limit=table.seconds / table.limit_seconds,
        faster_than_peer=table.peer_seconds / table.seconds,
    )
    print(ratios.to_string(index=False, float_format="%.3g", na_rep=""))


if __name__ == "__main__":
    main()
