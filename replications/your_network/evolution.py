"""Part `evolution`: how the tangent kernel moves, and from when on it may be frozen.

After Fort et al. 2020 (arXiv 2010.15110), as reported: kernel distance 1 - cos(K_0, K_t) of the two
Gram matrices, not centred; hybrids, whose features are frozen at the step t and trained on.
"""

import math
from collections.abc import Iterator, Sequence

from replications.your_network.diagnosis import TEST, in_units, the_rates, the_stand
from widenets.ntk.similarity import alignment, distance
from widenets.ntk.subject.arms import Stand
from widenets.ntk.subject.frozen import LAZY_NETWORK, NETWORK, TANGENT, Parameters, Run

POINTS = 100  # held-out points of the kernels
SHARES = (0.0, 1 / 64, 1 / 16, 1 / 4, 1.0)  # of training, at which features are looked at


def evolution_rows(arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A row per seed and step at which the kernel is looked at.

    arm: theory = the run as it is, lazy = alpha 1000.
        distance      1 - cos(K_0, K_t) on held-out points
        velocity      change of that distance per step since the row before
        alignment     cos of the centred kernels of the features and of the targets
        frozen_test   test loss at the end if features are frozen at this step and the optimizer
                      starts anew, at the run's rate (theory alone); in units of the best constant
    What has no kernel (`Stand.no_kernel`) has no alignment, what has buffers no frozen_test: NaN.
    """
    of = the_stand(subject, seeds)
    steps = of.subject.steps
    looks = sorted({round(share * steps) for share in SHARES})
    lazy = arm == "lazy"
    form, factor = (LAZY_NETWORK, the_rates(subject, seeds).own) if lazy else (NETWORK, 1.0)
    runs = [Run(p, factor) for p in of.problems]
    kept = of.curves(form, runs, steps, [steps], keep=looks).kept
    frozen = {} if lazy or of.has_buffers else _hybrids(of, kept, looks)
    for index, seed in enumerate(seeds):
        at = [kept[step][index] for step in looks]
        moves = _moves(of, index, [_moved(at[0], there, form.alpha) for there in at])
        last = (0, 0.0)
        for step, (moved, aligned) in zip(looks, moves, strict=True):
            velocity = (moved - last[1]) / max(step - last[0], 1)
            last = (step, moved)
            yield {
                "seed": seed,
                "step": step,
                "distance": moved,
                "velocity": velocity,
                "alignment": aligned,
                "frozen_test": frozen[step][index] if frozen else math.nan,
            }


def _hybrids(of: Stand, kept: dict[int, list[Parameters]], looks: Sequence[int]) -> dict:
    """{step: test loss at the end of every seed, in units} with features frozen at that step."""
    steps, runs = of.subject.steps, [Run(p) for p in of.problems]
    form = of.form or TANGENT
    return {
        step: in_units(
            of, of.curves(form, runs, steps, [steps], starts=kept[step], first=step)
        ).loss[:, -1, TEST]
        for step in looks
    }


def _moved(start: Parameters, there: Parameters, alpha: float) -> Parameters:
    """The network's own parameters, of those of f_alpha."""
    return {name: start[name] + (value - start[name]) / alpha for name, value in there.items()}


def _moves(of: Stand, index: int, at: list[Parameters]) -> list[tuple[float, float]]:
    """(distance from the first, alignment with the targets) of the kernels at some parameters."""
    if of.no_kernel:
        return [(math.nan, math.nan)] * len(at)
    problem = of.problems[index]
    points = slice(problem.of("test").start, problem.of("test").start + POINTS)
    kernels = [of.kernel_at(problem, parameters, points).double().numpy() for parameters in at]
    wanted = problem.wanted(points).double().numpy()
    return [(float(distance(kernels[0], k)), float(alignment(k, wanted))) for k in kernels]
