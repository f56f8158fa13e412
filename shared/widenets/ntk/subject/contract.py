"""What a reader's file holds: a `Subject`, read by `load`; nothing here needs torch or jax.

    model(width=...)   a torch module, or jax's (init, apply); called after torch.manual_seed
    data(seed)         (inputs, targets) for training, (inputs, targets) held out
    loss               loss(outputs, targets), a mean over examples
    optimizer(model)   a torch optimizer over parameters of the model, a list of several, or jax's
                       (init, update)
    steps, batch       how long it is trained, on how many examples at a time

Which names must be there depends on what is asked (`PARTS`). The others are optional:
schedule(step) -> factor of the rate; expected = {claim: "pass" or "fail"}; data_is_fixed = True
where all seeds share the data on purpose; minutes = what a run may cost; decay = "independent" or
"coupled", what the weight decay is meant to be; depth_exponent = a of residual branches ~ L^-a.
An edit is noticed by the digest of the syntax tree, `workflow.base.digest.code_digest(stem,
root=folder)`, which follows the imports of files beside it.
"""

import ast
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

BUILTIN = Path(__file__).parent / "builtin"

_TRAINED = ("model", "data", "loss", "optimizer")
PARTS = {  # what is asked of a file: the names that it takes
    "diagnosis": (*_TRAINED, "steps", "batch"),
    "evolution": (*_TRAINED, "steps", "batch"),
    "scaling": (*_TRAINED, "widths"),
    "transfer": (*_TRAINED, "widths"),
    "depth": (*_TRAINED, "depths"),
    "kernel": ("kernel", "architecture"),
}
OPTIONAL = ("schedule", "expected", "data_is_fixed", "minutes", "decay", "depth_exponent")
DECAYS = ("independent", "coupled")
SIZES = ("widths", "depths")
_FUNCTIONS = ("model", "data", "loss", "optimizer", "kernel", "schedule")


class SubjectError(ValueError):
    """What is wrong with a reader's file, in one line that names the file."""


@dataclass(frozen=True)
class Subject:
    """The names of a file; None where it has none. `parts`: what the file can be asked.

    name is the file's stem (of a built-in one with its variant, "stem:variant"), title the first
    line of its docstring, file what messages call it.
    """

    name: str
    title: str
    path: Path
    parts: tuple[str, ...]
    model: Callable[..., Any] | None = None
    data: Callable[[int], Any] | None = None
    loss: Callable[..., Any] | None = None
    optimizer: Callable[..., Any] | None = None
    steps: int | None = None
    batch: int | None = None
    schedule: Callable[[int], float] | None = None
    widths: tuple[int, ...] = ()
    depths: tuple[int, ...] = ()
    kernel: Callable[..., Any] | None = None
    architecture: Any = None
    expected: Mapping[str, str] = field(default_factory=dict)
    data_is_fixed: bool = False
    minutes: float | None = None
    decay: str | None = None
    depth_exponent: float | None = None

    @property
    def file(self) -> str:
        return self.path.name

    def error(self, problem: str) -> SubjectError:
        return SubjectError(f"{self.file}: {problem}")

    @contextmanager
    def blamed(self, what: str) -> Iterator[None]:
        """An exception inside the reader's own code, told by its last line there."""
        try:
            yield
        except SubjectError:
            raise
        except Exception as error:
            place = _place(error, self.path)
            raise SubjectError(f"{place}: {what}: {_told(error)}") from error


def path_of(subject: str) -> Path:
    """The file behind a built-in's name ("parity", "stem:variant") or a path to a .py file."""
    path = Path(subject)
    if path.suffix == ".py":
        if not path.is_file():
            raise SubjectError(f"{subject}: no such file")
        return path.resolve()
    builtin = BUILTIN / f"{subject.partition(':')[0]}.py"
    if not builtin.is_file() or builtin.stem == "__init__":
        known = ", ".join(builtins())
        raise SubjectError(f"{subject}: neither a file that ends in .py nor one of {known}")
    return builtin


def builtins() -> list[str]:
    return sorted(path.stem for path in BUILTIN.glob("*.py") if path.stem != "__init__")


def asked_parts(path: Path) -> tuple[str, ...]:
    """What a file can be asked, from the names at its top level, without running it."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise SubjectError(f"{path.name}, line {error.lineno}: {error.msg}") from None
    except ValueError as error:  # not UTF-8, or with null bytes
        raise SubjectError(f"{path.name}: not Python: {error}") from None
    return _parts(path, set(_names(tree)))


def load(subject: str) -> Subject:
    """Run a file and take its names; what they are is checked, what they do is not (`examined`).

    subject: a path to a .py file, or the name of a built-in one. "stem:variant" runs a built-in
    file with the name VARIANT = "variant" already there.
    """
    path = path_of(subject)
    asked_parts(path)  # of a syntax error or a missing name, before anything runs
    variant = subject.partition(":")[2] if path.parent == BUILTIN else ""
    module = _run(path, variant)
    has = {name for name in vars(module) if not name.startswith("_")}
    names = {name for taken in PARTS.values() for name in taken} | set(OPTIONAL)
    parts = _parts(path, has)
    given = {name: getattr(module, name) for name in names & has}
    for size in set(SIZES) & set(given):
        if not isinstance(given[size], list | tuple):
            raise SubjectError(f"{path.name}: {size} must be several, found {given[size]!r}")
        given[size] = tuple(given[size])
    title = (module.__doc__ or path.stem).strip().partition("\n")[0].rstrip(".")
    name = f"{path.stem}:{variant}" if variant else path.stem
    found = Subject(name=name, title=title, path=path, parts=parts, **given)
    _check_kinds(found)
    return found


def _run(path: Path, variant: str) -> ModuleType:
    name = f"subject_{path.stem}" + (f"_{variant}" if variant else "")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    if variant:
        module.VARIANT = variant
    if str(path.parent) not in sys.path:  # files beside it, also those imported in its functions
        sys.path.append(str(path.parent))
    sys.modules[name] = module  # for dataclasses and pickles of its classes
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SubjectError(f"{_place(error, path)}: {_told(error)}") from error
    return module


def _names(tree: ast.Module) -> Iterator[str]:
    """Names that the top level binds."""
    for node in tree.body:
        for inner in ast.walk(node) if isinstance(node, ast.If | ast.Try | ast.With) else [node]:
            if isinstance(inner, ast.FunctionDef | ast.ClassDef):
                yield inner.name
            elif isinstance(inner, ast.Import | ast.ImportFrom):
                yield from (a.asname or a.name.partition(".")[0] for a in inner.names)
            elif isinstance(inner, ast.Assign | ast.AnnAssign):
                targets = inner.targets if isinstance(inner, ast.Assign) else [inner.target]
                yield from (n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name))


def _parts(path: Path, has: set[str]) -> tuple[str, ...]:
    """The parts whose names are all there; a SubjectError names what is missing for any."""
    parts = tuple(part for part, names in PARTS.items() if has >= set(names))
    # A file that starts on something is asked to finish it, so that no part is left out in silence.
    begun = "kernel" if "kernel" in has and "model" not in has else "diagnosis"
    sized = [part for part, size in (("scaling", "widths"), ("depth", "depths")) if size in has]
    if sized and not has & {"steps", "batch"}:
        begun = sized[0]
    missing = [name for name in PARTS[begun] if name not in has]
    if missing and (not parts or (begun == "diagnosis" and has & {"steps", "batch"})):
        found = " and ".join(name for name in ("steps", "batch") if name in has)
        alone = f"; without {found}: {' and '.join(parts)} alone" if parts else ""
        names = ", ".join(missing)
        raise SubjectError(f"{path.name}: no name {names}, wanted by the {begun}{alone}")
    return parts


def _check_kinds(subject: Subject) -> None:
    """Functions are functions, counts are counts; a SubjectError names the one that is not."""
    for name in _FUNCTIONS:
        value = getattr(subject, name)
        if value is not None and not callable(value):
            raise subject.error(f"{name} must be a function, found {value!r}")
    for name, value in (
        ("steps", subject.steps),
        ("batch", subject.batch),
        *((size, value) for size in SIZES for value in getattr(subject, size)),
    ):
        if value is not None and (type(value) is not int or value < 1):
            raise subject.error(f"{name} must be a positive integer, found {value!r}")
    for size in SIZES:
        values = getattr(subject, size)
        if values and len(set(values)) < 3:
            raise subject.error(f"{size} must be three or more, found {values}")
    if subject.decay not in (None, *DECAYS):
        raise subject.error(f"decay must be 'independent' or 'coupled', found {subject.decay!r}")
    a = subject.depth_exponent
    if a is not None and not (type(a) in (int, float) and 0 < a <= 1):
        raise subject.error(f"depth_exponent must be a number above 0, at most 1, found {a!r}")
    minutes = subject.minutes
    if minutes is not None and not (type(minutes) in (int, float) and minutes > 0):
        raise subject.error(f"minutes must be a positive number, found {minutes!r}")
    if not isinstance(subject.data_is_fixed, bool):
        raise subject.error(f"data_is_fixed must be True or False, found {subject.data_is_fixed!r}")
    if not isinstance(subject.expected, Mapping):
        raise subject.error(f"expected must map claims to 'pass' or 'fail': {subject.expected!r}")
    for claim, verdict in subject.expected.items():
        if verdict not in ("pass", "fail"):
            raise subject.error(f"expected: {claim}: found {verdict!r}, wanted 'pass' or 'fail'")


def _place(error: BaseException, path: Path) -> str:
    """The file, and the last line in it that an exception came through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename) == path]
    return f"{path.name}, line {own[-1].lineno}" if own else path.name


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
