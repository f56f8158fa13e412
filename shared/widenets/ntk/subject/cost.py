"""What measuring a subject will cost, timed beforehand on a few steps."""

import time
from dataclasses import dataclass

from widenets.ntk.subject.arms import LONGER, SEARCHED_SEEDS, Stand
from widenets.ntk.subject.contract import Subject
from widenets.ntk.subject.frozen import NETWORK, TANGENT, Form, Run, recorded

SEARCHED_RATES = 5  # of the frozen arm, on SEARCHED_SEEDS seeds
HYBRIDS = 3.7  # trainings' worth of steps with features frozen at 0, 1/64, 1/16 and 1/4
TIMED = 5  # steps


@dataclass(frozen=True)
class Cost:
    """Trainings (frozen ones after longer steps counted by their length), steps of each, seconds
    of one core for all."""

    trainings: int
    steps: int
    seconds: float

    def __add__(self, other: "Cost") -> "Cost":
        """Of trainings that are as long."""
        trainings, seconds = self.trainings + other.trainings, self.seconds + other.seconds
        return Cost(trainings, self.steps, seconds)

    def told(self, subject: Subject) -> str:
        return (
            f"{subject.file}: {self.trainings} trainings of {self.steps} steps need about "
            f"{_duration(self.seconds)}"
        )

    def refusal(self, subject: Subject, minutes: float) -> str:
        """One line that says why not; "" where `minutes` suffice."""
        needed = self.seconds / 60
        if needed <= minutes:
            return ""
        enough = max(1, round(2 * needed, -1 if needed > 50 else 0))
        return (
            f"{self.told(subject)}, minutes allows {minutes:g}: fewer steps, or minutes={enough:g}"
        )


def predicted(of: Stand) -> Cost:
    """Cost of the parts diagnosis and evolution, for all seeds of the stand, on one core."""
    seeds, steps = len(of.problems), of.subject.steps
    network = 3 * seeds + 2 * seeds  # network, slow, shuffled; network and lazy in evolution
    frozen = 3 * seeds + SEARCHED_RATES * min(SEARCHED_SEEDS, seeds)
    moved = seeds  # the lazy control
    longer = 0 if of.no_kernel == "" else (LONGER + 1) * seeds
    hybrids = 0 if of.has_buffers else HYBRIDS * seeds
    form = of.form
    seconds = network * _seconds(of, NETWORK) + _kernel_seconds(of)
    direct = _seconds(of, form or TANGENT) if form or hybrids else 0.0
    seconds += (moved + hybrids + (frozen + longer if form else 0)) * direct
    return Cost(round(network + frozen + moved + longer + hybrids), steps, seconds)


def _kernel_seconds(of: Stand) -> float:
    """Seconds for the tangent kernels of all seeds, from a part of one."""
    if of.no_kernel:
        return 0.0
    problem = of.problems[0]
    few = slice(0, min(32, problem.sizes[0]))
    parameters = problem.start()
    of.kernel_at(problem, parameters, few)  # the first call sets things up
    start = time.process_time()
    of.kernel_at(problem, parameters, few)
    spent = time.process_time() - start
    rows = (sum(problem.sizes) + problem.sizes[0]) / few.stop
    return spent * rows * len(of.problems)  # of Jacobians; their products are cheap


def _seconds(of: Stand, form: Form) -> float:
    """Seconds of one training, side by side with as many as there are seeds where they stack."""
    runs = [Run(p) for p in (of.problems if of.stackable else of.problems[:1])]
    spent = []
    for steps in (1, 1, 1 + TIMED):  # the first call sets things up
        start = time.process_time()
        of.curves(form, runs, steps, [steps])
        spent.append(time.process_time() - start)
    spent = spent[1:]
    step = max(spent[1] - spent[0], 0.0) / TIMED
    looks = len(recorded(of.subject.steps))
    return (of.subject.steps * step + looks * max(spent[0] - step, 0.0)) / len(runs)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
