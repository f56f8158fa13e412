"""`python -m workflow.trust.bad_inputs`: what comes back for inputs that cannot be right.

Every input of `cases.py` is tried for real, in a scratch project of two toy papers after a
green run: its edits are made, its command runs, the files are put back. Each must give an exit code
other than 0 and one line that names the file or the key, and no traceback. `--publish` renews
docs/bad_inputs.md. Exit code 0 only if all do.
"""

import argparse
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import yaml

from workflow import plan
from workflow.base.files import UserError, write_text
from workflow.base.tree import ROOT
from workflow.host.terminal import announce, exit_code
from workflow.trust.bad_inputs import cases as bad_input_list
from workflow.trust.bad_inputs.cases import BAD_INPUTS, BadInput
from workflow.trust.document import table as markdown
from workflow.trust.scratch import Project, fresh_project

INTRODUCTION = """# Bad inputs and what comes back

Made by `python -m workflow.trust.bad_inputs --publish`; a test tries every line of it again.
Settings and grids are met where snakemake starts (`workflow/plan.py`), before any job;
everything else by the command shown. PROJECT stands for the folder in which it runs.

"""

# What the commands import, loaded before any of them is started in a fork.
LOADED = (
    *("jax", "matplotlib.figure", "matplotlib.backends.backend_svg", "scipy.stats"),
    *("workflow.measure", "workflow.gather", "workflow.judge", "workflow.draw", "workflow.gate"),
)


class Answer(NamedTuple):
    """What a command gave back: its exit code and what it printed."""

    code: int
    output: str

    @property
    def line(self) -> str:
        """The last line, where the error stands."""
        return (self.output.splitlines() or [""])[-1]

    def problem(self, bad: BadInput) -> str:
        """Why this is not a good answer; empty if it is."""
        if self.code == 0:
            return "exit code 0"
        if "Traceback" in self.output:
            return "a traceback"
        errors = [line for line in self.output.splitlines() if "error: " in line]
        if errors != [self.line]:
            return "not one line that says error, at the end"
        return "" if bad.said in self.line else f"does not say {bad.said!r}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--publish", action="store_true", help="renew the page")
    parser.add_argument("--here", action="store_true", help="in this folder; answers as JSON")
    arguments = parser.parse_args()
    if arguments.here:
        for name in LOADED:
            import_module(name)  # once, not in every fork
        print(json.dumps([tried(bad) for bad in BAD_INPUTS]))
        return 0
    with tempfile.TemporaryDirectory(prefix="bad-inputs-") as scratch:
        project = fresh_project(Path(scratch) / "project")
        run = project.snakemake()
        if run.code:
            raise UserError(f"the undisturbed run ended with {run.code}: {run.output[-500:]}")
        answers = answers_in(project)
    if arguments.publish:
        write_text(ROOT / "docs" / "bad_inputs.md", page(answers))
    bad = 0
    for one, answer in zip(BAD_INPUTS, answers, strict=True):
        problem = answer.problem(one)
        bad += bool(problem)
        announce(f"{one.area}: {one.what}: {answer.code}: {answer.line}")
        if problem:
            announce(f"  NOT GOOD: {problem}\n{answer.output}")
    announce(f"{len(answers) - bad} of {len(answers)} answers are good")
    return 1 if bad else 0


def answers_in(project: Project) -> list[Answer]:
    """Answers of a project that has run; its files are afterwards what they were."""
    done = project.call("workflow.trust.bad_inputs", "--here")
    if done.code:
        raise UserError(f"bad inputs could not be tried: {done.output[-1000:]}")
    return [Answer(*pair) for pair in json.loads(done.output.splitlines()[-1])]


def tried(bad: BadInput) -> tuple[int, str]:
    with edited(bad):
        code, output = in_a_fork(lambda: started(bad.words))
    for folder, name in ((str(Path.cwd()), "PROJECT"), (str(ROOT), "PROJECT")):
        output = output.replace(folder, name)
    return code, output


@contextmanager
def edited(bad: BadInput) -> Iterator[None]:
    """The project with a bad input in it."""
    before = {edit.path: _content(Path(edit.path)) for edit in bad.edits}
    try:
        for edit in bad.edits:
            path = Path(edit.path)
            if edit.new is None:
                path.unlink()
                continue
            text = edit.new
            if edit.old is not None:
                content = path.read_text(encoding="utf-8")
                if content.count(edit.old) < 1:
                    raise UserError(f"{bad.what}: {edit.path} does not hold {edit.old!r}")
                text = content.replace(edit.old, edit.new)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        yield
    finally:
        for name, content in before.items():
            if content is None:
                Path(name).unlink(missing_ok=True)
            else:
                Path(name).write_bytes(content)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def started(words: tuple[str, ...]) -> int:
    """Run a command line as `python -m` would; `config` stands for the start of snakemake."""
    command, *rest = words
    sys.argv = [command, *rest]
    if command == "config":
        given = yaml.safe_load((ROOT / "workflow" / "config.yaml").read_text(encoding="utf-8"))
        pairs = (word.partition("=") for word in rest)
        sys.argv = ["snakemake"]
        plan.begin_or_exit({**given, **{key: yaml.safe_load(v) for key, _, v in pairs}}, 1)
        return 0
    module = import_module(command)
    is_package = hasattr(module, "__path__")
    return exit_code((import_module(f"{command}.run") if is_package else module).main)


def in_a_fork(action: Callable[[], int]) -> tuple[int, str]:
    """Exit code and output of an action in a process of its own, which has all modules loaded."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            os._exit(_ended(action))
        _, status = os.waitpid(child, 0)
        output.seek(0)
        return os.waitstatus_to_exitcode(status), output.read().decode()


def _ended(action: Callable[[], int]) -> int:
    """As the interpreter ends a program."""
    try:
        code = action()
    except SystemExit as error:
        code = error.code
    except BaseException:
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code or 0


def page(answers: list[Answer]) -> str:
    rows = [
        {"input": bad.what, "command": f"`{command(bad)}`", "exit": one.code, "answer": shown(one)}
        for bad, one in zip(BAD_INPUTS, answers, strict=True)
    ]
    areas = pd.Series([bad.area for bad in BAD_INPUTS])
    lines = [f"{len(rows)} inputs.\n"]
    for area in bad_input_list.AREAS:
        chosen = pd.DataFrame([row for row, its in zip(rows, areas, strict=True) if its == area])
        lines.append(f"\n## {area}\n\n{markdown(chosen)}")
    return INTRODUCTION + "".join(lines)


def command(bad: BadInput) -> str:
    first, *rest = bad.words
    if first == "config":
        return f"snakemake --config {' '.join(rest)}".removesuffix(" --config ")
    return f"python -m {first} {' '.join(rest)}".strip()


def shown(answer: Answer) -> str:
    return f"`{answer.line}`".replace("|", "¦")
