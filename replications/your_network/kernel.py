"""Part `kernel`: a reader's kernel(x1, x2) against ours (`widenets.ntk.subject.conformance`)."""

from collections.abc import Callable, Iterator

from widenets.ntk.subject.conformance import FAULTS, Difference, architecture_of, differences
from widenets.ntk.subject.contract import Subject, load

SCALED = 1 + 1e-4  # the control: a seventh of what arccos in float32 costs, the smallest fault


def kernel_rows(arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A row per seed, block of pairs and kernel: the largest relative error there.

    arm: theory = the kernel as it is, scaled = times 1.0001. ratio: the error in units of what the
    kernel's dtype allows; fault: what makes the same numbers, in words.
    """
    if arm not in ("theory", "scaled"):
        raise ValueError(f"arm {arm!r}: want theory or scaled")
    of = load(subject)
    kernel = of.kernel if arm == "theory" else _scaled(of.kernel)
    for seed in seeds:
        for difference in _differences(of, kernel, seed):
            fault = FAULTS.get(difference.fault, "")
            ratio = difference.error / difference.tolerance
            yield {"seed": seed, **difference._asdict(), "fault": fault, "ratio": ratio}


def wrong_kernel_rows(arm: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A row per seed: whether the fault of a built-in kernel is named, and nothing else.

    arm: right, or one of FAULTS.
    """
    if arm not in ("right", *FAULTS):
        raise ValueError(f"arm {arm!r}: want right, {', '.join(FAULTS)}")
    of = load(f"relu_kernel:{arm}")
    for seed in seeds:
        found = _differences(of, of.kernel, seed)
        named = {
            difference.fault for difference in found if difference.error > difference.tolerance
        }
        error = max(difference.error for difference in found)
        yield {"seed": seed, "named": int(named == {arm}), "error": error}


def _scaled(kernel: Callable) -> Callable:
    return lambda x1, x2: tuple(SCALED * values for values in kernel(x1, x2))


def _differences(of: Subject, kernel: Callable, seed: int) -> list[Difference]:
    with of.blamed("kernel()"):
        return differences(kernel, architecture_of(of.architecture), seed)
