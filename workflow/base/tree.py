"""Where things are: the repository, its replications, and the files of one tier's results."""

from pathlib import Path
from typing import NamedTuple

from workflow.base.files import UserError, meant

ROOT = Path(__file__).resolve().parents[2]
TIERS = ("smoke", "laptop", "paper")


def replications(root: Path = ROOT) -> list[str]:
    """Names of the packages below `replications/` that have an experiment, in order."""
    return sorted(path.parent.name for path in root.glob("replications/*/experiment.py"))


def known(name: str) -> str:
    """`name`, if it is a replication."""
    present = replications()
    if name not in present:
        raise UserError(f"--replication: unknown {name!r}{meant(name, present)}")
    return name


class Results(NamedTuple):
    """Paths of one tier's results below its folder, usually `results/{tier}`."""

    folder: Path

    @property
    def tier(self) -> str:
        return self.folder.name

    def record(self, replication: str, shard: str) -> Path:
        """Measured rows of one shard; the facts about them lie beside it as `.json`."""
        return self.folder / "records" / replication / f"{shard}.csv"

    def table(self, replication: str) -> Path:
        return self.folder / "tables" / f"{replication}.csv"

    def checks(self, replication: str) -> Path:
        return self.folder / "checks" / f"{replication}.csv"

    def figures(self, replication: str) -> Path:
        return self.folder / "figures" / replication

    def figures_seal(self, replication: str) -> Path:
        """Checksums of the figures."""
        return self.figures(replication) / "checksums.json"

    @property
    def all_checks(self) -> Path:
        return self.folder / "checks.csv"

    @property
    def provenance(self) -> Path:
        return self.folder / "provenance.json"

    @property
    def report(self) -> Path:
        return self.folder / "report"


def tier_folder(path: Path) -> Results:
    """The results in a folder that is named after its tier."""
    if path.name not in TIERS:
        raise UserError(f"{path}: wanted a folder named after a tier, {', '.join(TIERS)}")
    return Results(path)
