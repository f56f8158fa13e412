"""Every claim as a pytest item, and so as a test case of JUnit XML that any CI shows.

    python -m pytest -p workflow.claims_plugin --claims results/laptop --junitxml=junit.xml

runs the claims alone. As the gate decides: an expected verdict passes (a statement that is refuted,
as expected, is an xfail), any other fails, a withheld one is an error, and one whose part is not
measured; one that this tier does not judge is skipped.
"""

from pathlib import Path

import pytest

from workflow.assemble import is_unmeasured, provenance, results_folder
from workflow.base.files import UserError
from workflow.gate import examined
from workflow.page.content import PASSES, told
from workflow.page.texts import WORDS

CHECKS = "checks.csv"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--claims",
        type=Path,
        metavar="results/TIER",
        help="run the claims of these results, and nothing else, as tests",
    )


def pytest_configure(config: pytest.Config) -> None:
    folder = config.getoption("--claims")
    if folder is None:
        return
    try:
        provenance(results_folder(folder.resolve()))
    except UserError as error:
        raise pytest.UsageError(str(error)) from None
    config.args = [str(folder.resolve() / CHECKS)]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if parent.config.getoption("--claims") is None or file_path.name != CHECKS:
        return None
    return Claims.from_parent(parent, path=file_path)


class Claims(pytest.File):
    """The claims of one tier."""

    def collect(self):
        results = results_folder(self.path.parent)
        for one in examined(results, provenance(results))[0]:
            for row in one.checks.fillna("").to_dict("records"):
                found = told(row)
                yield ClaimItem.from_parent(
                    self, name=f"{one.replication}::{row['claim']}", row=row, state=found
                )


class NotAsExpected(Exception):
    """The verdict of a claim differs from the expected one."""


class ClaimItem(pytest.Item):
    """One claim; nothing is computed again."""

    def __init__(self, *, row: dict, state: str, **others):
        super().__init__(**others)
        self.row, self.state = row, state
        for key in ("estimate", "ci_low", "ci_high", "region", "source", "final", "expected"):
            self.user_properties.append((key, str(row[key])))

    def setup(self) -> None:
        if self.state == "withheld" or is_unmeasured(self.row["reason"]):
            raise NotAsExpected(self.row["reason"])

    def runtest(self) -> None:
        if self.state in ("not judged", "open"):
            pytest.skip(self.row["reason"] or self.message())
        if self.state == "refuted":
            pytest.xfail(self.row["reason"])
        if self.state not in (*PASSES, "yes", "no"):
            raise NotAsExpected(self.message())

    def message(self) -> str:
        row = self.row
        reason = f"\n{row['reason']}" if row["reason"] else ""
        return (
            f"{WORDS[self.state]}: {row['statement']} ({row['source']})\n"
            f"estimate {row['estimate']} [{row['ci_low']}, {row['ci_high']}], "
            f"accepted {row['region']}; control {row['control_estimate']} "
            f"[{row['control_ci_low']}, {row['control_ci_high']}]{reason}"
        )

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, NotAsExpected):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, None, f"{self.row['replication']}.{self.row['claim']}"
