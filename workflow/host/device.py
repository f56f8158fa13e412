"""The device that a run asks for, and whether it is there.

`python -m workflow.host.device cuda --needs jax,torch` says what it is called, or in one line why
it cannot be used: asked before anything is measured, in a process of its own.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterable
from importlib import import_module

from workflow.base.digest import foreign_imports
from workflow.base.environment import CPU, DEVICES, use_one_thread
from workflow.base.files import UserError
from workflow.base.records import measuring
from workflow.host.terminal import exit_code

FRAMEWORKS = ("jax", "torch")  # of which a device is asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("device", choices=DEVICES)
    parser.add_argument("--needs", default="jax", help="jax, torch or both")
    arguments = parser.parse_args()
    print(ready(arguments.device, arguments.needs.split(",")))


def ready(device: str, needs: Iterable[str]) -> str:
    """`cpu`, or `cuda: NAME OF THE GPU` once every framework that is needed sees it.

    Raises UserError where one does not. This process makes its numbers there from now on.
    """
    use_one_thread(device)
    if device == CPU:
        return CPU
    names = [SEEN[framework](device) for framework in sorted(needs)]
    return f"{device}: {names[0]}" if names else device


def _of_jax(device: str) -> str:
    jax = import_module("jax")
    try:
        return jax.devices(device)[0].device_kind
    except RuntimeError as error:
        raise _absent(device, "jax", str(error).partition("\n")[0]) from None


def _of_torch(device: str) -> str:
    torch = import_module("torch")
    if not torch.cuda.is_available():
        why = "no GPU is visible" if torch.version.cuda else "it is built for processors alone"
        raise _absent(device, "torch", why)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    return torch.cuda.get_device_name()


SEEN = {"jax": _of_jax, "torch": _of_torch}


def _absent(device: str, framework: str, why: str) -> UserError:
    return UserError(f"config: device: {device!r}: {framework} sees no such device: {why}")


def needed(replications: Iterable[str]) -> list[str]:
    """The frameworks that the experiments of these replications import."""
    names = (module for name in replications for module in measuring(name))
    return [name for name in foreign_imports(*names) if name in FRAMEWORKS]


def refuse_absent(device: str, replications: Iterable[str]) -> None:
    """Say in one line, before anything is measured, that a device cannot be used here."""
    needs = needed(replications)
    if device == CPU or not needs:
        return
    words = (sys.executable, "-m", "workflow.host.device", device, "--needs", ",".join(needs))
    found = subprocess.run(words, capture_output=True, text=True, check=False)
    if found.returncode:
        said = (found.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise UserError(said.removeprefix("error: "))


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
