"""A reader's own file on the stand: what a run takes from it without running it.

`widenets.ntk.subject.contract` says what a file holds. Here are the questions that can be put to
it, its digest, and the values that the judge and the planning need.
"""

import ast
import re
from functools import cache
from pathlib import Path

from widenets.ntk.subject.contract import SubjectError, asked_parts, path_of
from workflow.base.digest import cells_digest, code_digest, foreign_imports, import_names
from workflow.base.files import UserError
from workflow.base.modules import parsed
from workflow.base.outside import identities
from workflow.base.tree import TIERS

STAND = "your_network"  # the replication that a file is handed to
ANSWER = "diagnosis.json"  # beside checks.csv
VERDICTS = ("pass", "fail")
# Names that change no number: an edit of these measures nothing again.
UNMEASURED = ("expected", "minutes")
OURS = "widenets"


def folder_name(subject: str) -> str:
    """Name of the folder below results/ that is the subject's: the stem of its file."""
    name = file_of(subject).stem
    if name in (*TIERS, "reference"):
        raise UserError(f"config: subject: {name}.py: results/{name} is taken; rename the file")
    if not re.fullmatch(r"[\w-]+", name):
        raise UserError(
            f"config: subject: {name!r}: wanted a file name of letters, digits, - and _"
        )
    return name


def file_of(subject: str) -> Path:
    try:
        return path_of(subject)
    except SubjectError as error:
        raise UserError(f"config: subject: {error}") from None


@cache
def parts_of(subject: str) -> tuple[str, ...]:
    """What the file can be asked, by the names that it has."""
    try:
        return asked_parts(file_of(subject))
    except SubjectError as error:
        raise UserError(str(error)) from None


@cache
def digest_of(subject: str) -> str:
    """Of the file, of those beside it that it imports, and of what it imports from the library."""
    folder, stem = file_of(subject).parent, file_of(subject).stem
    own = code_digest(stem, root=folder, without=UNMEASURED)
    ours = [name for name in import_names(stem, root=folder) if name.partition(".")[0] == OURS]
    return cells_digest([own, code_digest(*ours)])


@cache
def outside_of(subject: str) -> dict[str, str]:
    """Versions or digests of what it imports from neither place."""
    path = file_of(subject)
    names = foreign_imports(path.stem, root=path.parent)
    return identities(*(name for name in names if name != OURS))


def title_of(subject: str) -> str:
    """First line of the file's docstring, or its name."""
    path = file_of(subject)
    said = ast.get_docstring(parsed(path, path.parent)) or path.stem
    return said.partition("\n")[0].rstrip(".")


def expected_of(subject: str) -> dict[str, str]:
    """The verdicts that the file names: claim -> pass or fail."""
    found = _written(subject, "expected", {})
    where = f"{file_of(subject).name}: expected"
    if not isinstance(found, dict):
        raise UserError(f"{where}: found {found!r}, wanted {{claim: 'pass' or 'fail'}}")
    for claim, verdict in found.items():
        if verdict not in VERDICTS:
            raise UserError(f"{where}: {claim}: found {verdict!r}, wanted 'pass' or 'fail'")
    return found


def _written(subject: str, name: str, default: object) -> object:
    """The value of a name at the top level of the file, which must be written out there."""
    path = file_of(subject)
    for node in parsed(path, path.parent).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            try:
                return ast.literal_eval(node.value)
            except (ValueError, TypeError):
                raise UserError(
                    f"{path.name}, line {node.lineno}: {name}: wanted values that are written out"
                ) from None
    return default
