"""The list of faults: each is a replacement in one file."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import yaml

from workflow.base.files import UserError

FAULTS = Path(__file__).with_name("faults.yaml")
TESTS = "tests"  # stands for the tests in `ci`, and in the column `replication` of the matrix


class Fault(NamedTuple):
    """Replace `old`, which stands once in `file`, by `new`.

    tests: what may notice it besides the claims. ci: the claims (PAPER.CLAIM), or "tests", that are
    enough to notice it; the faults that say so are tried with every change of the suite.
    """

    name: str
    why: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = ()
    ci: tuple[str, ...] = ()

    @property
    def claims(self) -> tuple[str, ...]:
        """The claims that `ci` names."""
        return tuple(word for word in self.ci if word != TESTS)

    @property
    def change(self) -> str:
        """Digest of the replacement, wherever it is made."""
        return hashlib.sha256(f"{self.old}\0{self.new}".encode()).hexdigest()[:16]


def faults(path: Path = FAULTS) -> list[Fault]:
    listed = yaml.safe_load(path.read_text(encoding="utf-8"))
    lists = ("tests", "ci")
    return [
        Fault(**{**entry, **{key: tuple(entry.get(key, ())) for key in lists}}) for entry in listed
    ]


def selected(every: list[Fault], names: str, ci: bool = False) -> list[Fault]:
    known = {fault.name: fault for fault in every}
    for name in filter(None, names.split(",")):
        if name not in known:
            raise UserError(f"--only: unknown fault {name!r}; there are {', '.join(known)}")
    chosen = [known[name] for name in names.split(",")] if names else every
    return [fault for fault in chosen if fault.ci or not ci]


def sabotaged(text: str, fault: Fault) -> str:
    """The source with the fault in it; the place must be there exactly once."""
    if text.count(fault.old) != 1:
        raise UserError(
            f"faults.yaml: {fault.name}: old stands {text.count(fault.old)} times in {fault.file}, "
            "wanted once"
        )
    return text.replace(fault.old, fault.new)
