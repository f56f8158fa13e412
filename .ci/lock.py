"""`make lock`: pin what is installed in .venv, with the checksums of all files that may be taken.

requirements.lock        what a run needs: the closure of the extra `suite`
requirements-slurm.lock  what a run on Slurm needs besides: the closure of the extra `slurm`
requirements-test.lock   what tests, lint and benchmarks need besides: the closure of `test`
requirements-cpu.lock    the build of torch for CPUs, `2.13.0+cpu`, where pip finds one
requirements-cuda.lock   what the index's torch for Linux needs besides, which is built for CUDA

pip is asked for its choice on every platform (`pip install --dry-run --report`), so that the same
lock installs on all of them, from whatever index pip is set up with. Both builds of torch count as
the same release, but of two that are allowed pip takes the one whose checksum its index tells: the
build for CPUs needs a lock of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections import defaultdict
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12", "3.13")
GLIBC = [f"manylinux_2_{minor}" for minor in range(39, 16, -1)] + ["manylinux2014"]
# Newest first, as pip prefers them. torch has no files for older systems, nor for Macs with Intel.
SYSTEMS = {
    "linux x86_64": [f"{name}_x86_64" for name in GLIBC],
    "linux aarch64": [f"{name}_aarch64" for name in GLIBC],
    "macOS 14": ["macosx_14_0_arm64"],
    "macOS 26": ["macosx_26_0_arm64"],
}
MARKERS = [
    {"sys_platform": system, "platform_system": name, "platform_machine": machine,
     "python_version": python, "python_full_version": f"{python}.0"}
    for python in PYTHONS
    for system, name, machine in (
        ("linux", "Linux", "x86_64"), ("linux", "Linux", "aarch64"), ("darwin", "Darwin", "arm64")
    )
]  # fmt: skip
# Needed by tests though no extra names it: it would pull torchvision in.
WITHOUT_DEPENDENCIES = ("mup",)
HEADS = {
    "requirements.lock": """\
# What a run needs (the extra `suite`), pinned with the checksums of all files for CPython 3.11 to
# 3.13 on Linux (x86_64, aarch64) and macOS (arm64). Made by `make lock`; environment.yml names the
# same versions of the direct dependencies. pip install --require-hashes -r requirements.lock
""",
    "requirements-slurm.lock": """\
# What a run on Slurm needs besides requirements.lock (the extra `slurm`).
# pip install --no-deps --require-hashes -r requirements-slurm.lock
""",
    "requirements-test.lock": """\
# What tests, lint and benchmarks need besides requirements.lock. `mup` is compared with, and goes
# without its dependencies: pip install --no-deps --require-hashes -r requirements-test.lock
""",
    "requirements-cpu.lock": """\
# torch without CUDA, for a pip that finds it (on disk, or in a further index); elsewhere the other
# lock's is taken. pip install --require-hashes -r requirements-cpu.lock -r requirements.lock
""",
    "requirements-cuda.lock": """\
# The CUDA libraries that the index's torch for Linux does not load without; a build for CPUs needs
# none of them. pip install --no-deps --require-hashes -r requirements-cuda.lock
""",
}


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    run = closure([*project["dependencies"], *extras["suite"]])
    slurm = {name: pin for name, pin in closure(extras["slurm"]).items() if name not in run}
    test = {**closure(extras["test"]), **closure(WITHOUT_DEPENDENCIES, deep=False)}
    with tempfile.TemporaryDirectory() as scratch:
        pip = Pip(Path(scratch))
        torch = next(pin for pin in run.values() if pin.startswith("torch=="))
        cuda = {name: pin for name, pin in pip.needs(torch).items() if name not in run}
        found = pip.checksums(
            [*run.values(), *slurm.values(), *test.values()], torch, [*cuda.values()]
        )
    test = {name: pin for name, pin in test.items() if name not in run}
    cpu = {pin: pin for pin in found if "+" in pin}
    for name, pins in zip(HEADS, (run, slurm, test, cpu, cuda), strict=True):
        (ROOT / name).write_text(HEADS[name] + locked(pins, found), encoding="utf-8")


def closure(wanted: Iterable[str], deep: bool = True) -> dict[str, str]:
    """Name -> pin of what is installed of `wanted` and, if `deep`, all that it needs anywhere."""
    pins, todo, seen = {}, [Requirement(text) for text in wanted], set()
    while todo:
        requirement = todo.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found = distribution(name)
        except PackageNotFoundError:
            raise SystemExit(f"error: {name}: not installed, so it has no version") from None
        pins[name] = f"{found.metadata['Name']}=={found.version.partition('+')[0]}"
        for text in (found.requires or []) if deep else []:
            needed = Requirement(text)
            if needed.marker is None or any(
                needed.marker.evaluate({**marker, "extra": extra})
                for marker in MARKERS
                for extra in extras | {""}
            ):
                todo.append(needed)
    return pins


class Pip:
    """A pip of its own, new enough to look at files without downloading them."""

    def __init__(self, scratch: Path):
        self.scratch, self.python = scratch, scratch / "pip" / "bin" / "python"
        venv.create(scratch / "pip", with_pip=True)
        self._run(["install", "--upgrade", "pip"])

    def needs(self, pin: str) -> dict[str, str]:
        """Name -> pin of all that the index's file for this machine needs."""
        names = [item["metadata"] for item in self._choice([pin], local=False)]
        return {canonicalize_name(m["name"]): f"{m['name']}=={m['version']}" for m in names}

    def checksums(self, pins: list[str], torch: str, cuda: list[str]) -> dict[str, set[str]]:
        """Name, or pin of a local version -> checksums of the files that pip takes anywhere."""
        found = defaultdict(set)
        for system, tags in SYSTEMS.items():
            for python in PYTHONS:
                print(f"{system}, Python {python}", file=sys.stderr, flush=True)
                there = [f"--python-version={python}", *(f"--platform={tag}" for tag in tags)]
                there += ["--no-deps", f"--target={self.scratch / 'nothing'}"]
                wanted = [*pins, *(cuda if system.startswith("linux") else [])]
                chosen = self._choice([*there, *wanted])
                for item in chosen + self._choice([*there, torch], local=False):
                    name, version = (item["metadata"][key] for key in ("name", "version"))
                    checksum = item["download_info"]["archive_info"]["hashes"]["sha256"]
                    found[canonicalize_name(name)].add(checksum)
                    if "+" in version:
                        found[f"{name}=={version}"].add(checksum)
        return found

    def _choice(self, words: list[str], local: bool = True) -> list[dict]:
        """What pip would install; local: with the files that this machine has on disk."""
        report = self.scratch / "report.json"
        ask = ["install", "--dry-run", "--ignore-installed", f"--report={report}"]
        self._run([*ask, *words], {} if local else {"PIP_FIND_LINKS": str(self.scratch)})
        return json.loads(report.read_text(encoding="utf-8"))["install"]

    def _run(self, words: list[str], settings: dict[str, str] | None = None) -> None:
        command = [str(self.python), "-m", "pip", "--quiet", *words]
        subprocess.run(command, env={**os.environ, **(settings or {})}, check=True)


def locked(pins: dict[str, str], checksums: dict[str, set[str]]) -> str:
    """The lines of a lock."""
    lines = [
        " \\\n".join([pins[name], *(f"    --hash=sha256:{c}" for c in sorted(checksums[name]))])
        for name in sorted(pins)
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
