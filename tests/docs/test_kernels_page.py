"""The programs of docs/kernels.md run as they stand on the page."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "kernels.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
WANTED = (
    lambda out: float(out) > 0.85,
    lambda out: out == "(6, 6, 3, 3)",
    lambda out: out == "True",
    lambda out: out.startswith("True ") and float(out.split()[1]) > 0.85,
    lambda out: out == "True True",
    lambda out: out == "True True",
)


@pytest.mark.parametrize("index", range(len(WANTED)))
def test_programs_of_the_page_run(index):
    """In a process of their own, with nothing but the library on the path."""
    assert len(PROGRAMS) == len(WANTED)
    environment = {"PYTHONPATH": str(ROOT / "shared"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAMS[index]], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-1000:]
    assert WANTED[index](done.stdout.strip())
