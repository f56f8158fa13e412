"""What the Snakefile needs to know: settings, targets, digests, and that no other run is going."""

import math
import os
import shlex
import shutil
import signal
import subprocess
import sys
from functools import cached_property
from pathlib import Path

from workflow import draw
from workflow.base import config, grid, records, selection
from workflow.base.digest import cells_digest as text_digest
from workflow.base.digest import code_digest
from workflow.base.environment import CPU
from workflow.base.files import UserError, sha256
from workflow.base.subject import ANSWER, STAND, file_of
from workflow.base.tree import ROOT, Results
from workflow.host import progress
from workflow.host.device import refuse_absent
from workflow.host.lock import hold
from workflow.host.terminal import announce, explained

MEMORY_MB = {"smoke": 1500, "laptop": 1500, "paper": 8000}  # of a job that was never run
MINUTES = {"smoke": 10, "laptop": 60, "paper": 1440}
# Of one that was: head-room for another machine, and to start on it. Each retry asks for as much
# again.
MORE_MEMORY, MEMORY_TO_START_MB = 1.3, 300
MORE_TIME, MINUTES_TO_START = 3.0, 5
ROOM_MB = {"smoke": 100, "laptop": 300, "paper": 2000}  # of disk that a tier's results may need
UNKNOWN = 1000.0  # seconds of a job that was never run: it starts before those that were
ASSETS = ("html", "css", "js")  # of the report's page
# by it, with line numbers
QUOTED = ("README.md", "claims.py", "experiment.py", "figures.py", "finding.yaml", "explore.yaml")
FIRST_SCREEN = "findings.yaml"  # in replications/
# By which a reader is answered; the report imports them by name.
DECIDING = tuple(f"replications.{STAND}.{name}" for name in ("decide", "naming", "deep_naming"))
STATE = Path(".snakemake")  # snakemake's own folder, below the working folder
# Options with which snakemake executes no job, by the names that its parser gives them.
QUESTIONS = {
    *("dryrun", "touch", "report", "reporter", "draft_notebook", "lint", "generate_unit_tests"),
    *("containerize", "export_cwl", "list_rules", "list_target_rules", "dag", "rulegraph"),
    *("filegraph", "d3dag", "summary", "detailed_summary", "archive", "cleanup_metadata"),
    *("cleanup_shadow", "unlock", "list_changes", "list_input_changes", "list_params_changes"),
    *("list_untracked", "delete_all_output", "delete_temp_output", "print_compilation"),
    *("container_cleanup_images", "list_conda_envs", "conda_cleanup_envs"),
    *("conda_create_envs_only", "deploy_sources"),
}


class Plan:
    """The targets of one run, all paths relative to the working folder."""

    def __init__(self, given: dict):
        self.settings = config.settings(given)
        self.results = Results(self.settings.folder)
        self.names = self.settings.replications
        self.shards = {
            name: grid.shards(name, self.settings.tier, self.settings.seeds) for name in self.names
        }
        self.figures = {
            name: draw.figures(name, self.settings.tier, self.settings.seeds) for name in self.names
        }
        self.interrupted = False

    def listen(self) -> None:
        """Note that the user pressed Ctrl-C, which snakemake does not tell its `onerror`."""

        def heard(number: int, frame: object) -> None:
            self.interrupted = True
            signal.default_int_handler(number, frame)

        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, heard)

    def records(self, name: str) -> list[str]:
        paths = [self.results.record(name, shard) for shard in self.shards[name]]
        return [str(path.with_suffix(kind)) for path in paths for kind in (".csv", ".json")]

    def table(self, name: str) -> list[str]:
        path = self.results.table(name)
        return [str(path), str(path.with_suffix(".json"))]

    def checks(self, name: str) -> list[str]:
        path = self.results.checks(name)
        return [str(path), str(path.with_suffix(".json"))]

    def shown(self, name: str) -> list[tuple[str, str]]:
        """Paths of the figures that people look at, with their titles."""
        folder = self.results.figures(name)
        return [(str(folder / f"{figure.name}.svg"), figure.title) for figure in self.figures[name]]

    def drawn_beside(self, name: str) -> list[str]:
        """The same figures for print, their data, and the checksums of all."""
        paths = [Path(path) for path, _ in self.shown(name)]
        beside = [str(path.with_suffix(kind)) for path in paths for kind in (".pdf", ".csv")]
        return [*beside, str(self.results.figures_seal(name))]

    def drawn(self, name: str) -> list[str]:
        return [path for path, _ in self.shown(name)] + self.drawn_beside(name)

    def captions(self, name: str) -> list[tuple[str, str]]:
        return [(figure.title, figure.caption) for figure in self.figures[name]]

    def experiment_code(self, name: str) -> str:
        return records.experiment_digest(name)

    def experiment_outside(self, name: str) -> dict[str, str]:
        return records.experiment_outside(name, self.settings.subject)

    def cells(self, name: str, shard: str) -> str:
        return grid.shard_digest(self.shards[name][shard])

    @cached_property
    def took(self) -> dict[tuple[str, str], progress.Cost]:
        """By the reference too, unless the grid is another one than its."""
        return progress.costs_before(self.results, reference=not self.settings.changes)

    def priority(self, name: str, shard: str) -> float:
        """What the job took before: the longest start first, so that none runs alone at the end."""
        return self._seconds(name, shard) or UNKNOWN

    def _seconds(self, name: str, shard: str) -> float | None:
        before = self.took.get((name, shard))
        return before.seconds if before else None

    def memory_mb(self, name: str, shard: str, attempt: int) -> int:
        """What a measuring job asks for, from what it took before."""
        before = self.took.get((name, shard))
        once = MEMORY_MB[self.settings.tier]
        if before:
            once = MORE_MEMORY * before.memory_mb + MEMORY_TO_START_MB
        return math.ceil(attempt * once)

    def gpus(self) -> int:
        """How many a measuring job asks for: no two jobs are on one at a time."""
        return int(self.settings.device != CPU)

    def minutes(self, name: str, shard: str, attempt: int) -> int:
        seconds = self._seconds(name, shard)
        once = MINUTES[self.settings.tier]
        if seconds:
            once = MORE_TIME * seconds / 60 + MINUTES_TO_START
        return math.ceil(attempt * once)

    def jobs(self) -> list[progress.Job]:
        """All measuring jobs, with what each took before."""
        return [
            progress.Job(
                name,
                shard,
                self.experiment_code(name),
                self.cells(name, shard),
                self._seconds(name, shard),
                self.settings.device,
            )
            for name in self.names
            for shard in self.shards[name]
        ]

    def gather_code(self) -> str:
        return code_digest("workflow.gather")

    def claims_code(self, name: str) -> str:
        return records.claims_digest(name, self.settings.subject)

    def figures_code(self, name: str) -> str:
        return code_digest(f"replications.{name}.figures", "workflow.draw")

    def report_code(self) -> str:
        """Digest of what the report is made by, and of the texts that it quotes."""
        assets = sorted(path for kind in ASSETS for path in ROOT.glob(f"workflow/page/*.{kind}"))
        quoted = [ROOT / "replications" / name / text for name in self.names for text in QUOTED]
        quoted.append(ROOT / "replications" / FIRST_SCREEN)
        found = [sha256(path) for path in (*assets, *quoted) if path.exists()]
        if self.settings.subject:
            found += [code_digest(*DECIDING), sha256(file_of(self.settings.subject))]
        return text_digest([code_digest("workflow.report"), *found])

    def seed_options(self) -> str:
        return f"--seed {self.settings.seed} {self.judging_options()}".strip()

    def judging_options(self) -> str:
        """Which of the claims, and whether they are judged."""
        return f"{self.reduction()} {self.taken_options()}".strip()

    def taken_options(self) -> str:
        """Words of a shell that say whose network, which claims, what else than the grid, on what
        device."""
        chosen = self.settings
        words = [f"--subject={chosen.subject}"] if chosen.subject else []
        return shlex.join([*words, *selection.as_options(*chosen.seeds[3:])])

    def answer(self) -> list[str]:
        """What a run with a reader's own network writes beside the report."""
        return [str(self.results.folder / ANSWER)] if self.settings.subject else []

    def reduction(self) -> str:
        """Option of a run with fewer seeds than the grid has; empty for a full one."""
        at_most = self.settings.seeds_at_most
        return f"--seeds-at-most {at_most}" if at_most else ""

    def data_option(self, name: str, shard: str) -> str:
        """One word of a shell, whatever the folder is called; none for a shard that reads no data,
        which another folder then does not measure anew."""
        folder = self.settings.data_dir
        asked = folder and grid.reads_data(name, self.shards[name][shard])
        return shlex.quote(f"--data-dir={folder}") if asked else ""

    def report_words(self) -> list[str]:
        """Arguments of `python` that write the report."""
        given = ["--results", str(self.results.folder), "--replications", ",".join(self.names)]
        return ["-m", "workflow.report", *given, *shlex.split(self.seed_options())]

    def after_failure(self) -> None:
        """Report what there is, without the verdict of the rest. The gate then says what is
        missing, but not to a user who ended the run and knows, nor if it has spoken already."""
        if self.gate_log.exists() or self.said(*self.report_words()):
            return
        if self.interrupted:
            found = progress.remaining(self.results)
            announce(f"interrupted: {found}; the same command again goes on from there")
        else:
            self.said("-m", "workflow.gate", str(self.results.folder))

    @property
    def gate_log(self) -> Path:
        """There once the gate has looked at this run."""
        return self.results.folder / "logs" / "gate.log"

    @staticmethod
    def said(*words: str) -> int:
        """Exit code of `python words`, which writes to the terminal."""
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        return subprocess.run([sys.executable, *words], env=surroundings, check=False).returncode


def begin(given: dict, at_once: int | None, *, remote: bool = False) -> Plan:
    """Check everything that can be checked before a job starts; hold the folder for this run.

    at_once: how many jobs may run at a time; remote: on other machines, whose words are not seen.
    """
    plan = Plan(given)
    if not remote and not read_only(sys.argv[1:]):
        refuse_absent(plan.settings.device, plan.names)
    if not read_only(sys.argv[1:]):
        _refuse_full_disk(plan.results)
        _hold(plan.results)
        told = selection.told(plan.settings.claims, plan.settings.changes)
        if told:
            announce(f"{plan.results.folder}: {told}")
        _repair(plan)
        _try(plan)
        plan.gate_log.unlink(missing_ok=True)
        progress.begin(plan.results, plan.jobs(), at_once or 1)
        if remote:
            progress.watch(plan.results)
        plan.listen()
    return plan


def _try(plan: Plan) -> None:
    """A reader's file is tried before it is measured; what is wrong has been said by the trial."""
    chosen = plan.settings
    if not chosen.subject or not any(
        records.problems(plan.results, name, chosen.seeds) for name in plan.names
    ):
        return
    words = ("-m", "workflow.reader.trial", "--tier", chosen.tier)
    if plan.said(*words, *shlex.split(plan.seed_options())):
        raise SystemExit(1)


def _repair(plan: Plan) -> None:
    from workflow import repair  # with pandas, which looking at a plan does not need

    repair.remove_damaged(plan.results, plan.shards)
    kept = ROOT / "results" / "reference" / plan.settings.tier
    repair.take_over(plan.results, plan.shards, plan.settings.seeds, STATE, kept)
    repair.correct_notes(plan.results, plan.shards, plan.settings.seeds, STATE)


def begin_or_exit(given: dict, at_once: int | None, *, remote: bool = False) -> Plan:
    """As `begin`; what the user can mend is one line instead of a traceback through snakemake."""
    try:
        return begin(given, at_once, remote=remote)
    except (UserError, OSError) as error:
        raise SystemExit(f"error: {explained(error)}") from None


def read_only(arguments: list[str]) -> bool:
    """Whether a snakemake command line leaves the results alone: a question, or one job of a run
    that another process holds the folder for (as on a cluster)."""
    from snakemake.cli import get_argument_parser  # loaded already, except in tests

    parser = get_argument_parser()
    given = vars(parser.parse_known_args(arguments)[0])
    if given["report_after_run"]:
        given["report"] = given["reporter"] = None
    inner = ("target_jobs", "mode")
    return any(given[name] != parser.get_default(name) for name in (*QUESTIONS, *inner))


def _hold(results: Results) -> None:
    """Be the only run in this working folder and in these results, which may be a link.

    Snakemake's own lock files, which a killed run leaves behind, are then stale and removed.
    """
    hold(Path.cwd() / STATE, Path.cwd())
    hold(results.folder.resolve())
    shutil.rmtree(STATE / "locks", ignore_errors=True)


def _refuse_full_disk(results: Results) -> None:
    """Where the results lie, or will lie: a link may put them on another disk."""
    there = next(p for p in (results.folder, *results.folder.parents) if p.exists()).resolve()
    free, wanted = shutil.disk_usage(there).free / 2**20, ROOM_MB[results.tier]
    if free < wanted:
        raise UserError(f"{there}: {free:.0f} MB free, wanted {wanted} for the {results.tier} tier")


def prepare_for_jobs() -> str:
    """Set this process's environment up for those of the jobs; the prefix of their commands.

    `python` is the one that runs snakemake, or that of an environment which conda activates later
    and so puts first. It finds this checkout's packages before all others: those of the working
    folder, which PYTHONSAFEPATH leaves out, and those of folders in PYTHONPATH. That one is in the
    prefix because snakemake takes it out of conda's environments. Braces are doubled, because
    snakemake formats a prefix.
    """
    python, root = (_listable(path) for path in (Path(sys.executable).parent, ROOT))
    os.environ["PATH"] = os.pathsep.join([python, os.environ.get("PATH", os.defpath)])
    os.environ["PYTHONSAFEPATH"] = "1"
    command = f"export PYTHONPATH={shlex.quote(root)}${{PYTHONPATH:+:$PYTHONPATH}}; "
    return command.replace("{", "{{").replace("}", "}}")


def _listable(path: Path) -> str:
    """A folder as it stands in a list of folders."""
    if os.pathsep in str(path):
        raise UserError(f"{path}: a folder with {os.pathsep!r} in its name cannot be searched")
    return str(path)
