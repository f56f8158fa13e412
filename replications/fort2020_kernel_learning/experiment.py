"""What is measured. Seeds are independent draws of data, weights and batches."""

from collections.abc import Iterator

import numpy as np

from replications.fort2020_kernel_learning import kernel_machines
from replications.fort2020_kernel_learning.basins import pair_of
from replications.fort2020_kernel_learning.early import departures
from replications.fort2020_kernel_learning.paths import Run, path_of
from replications.fort2020_kernel_learning.setting import (
    DIMENSION,
    EPOCHS,
    at,
    in_float64,
    kernels,
    weights,
)
from replications.fort2020_kernel_learning.width import kernels_around
from widenets.ntk.similarity import alignment, distance, drift

PAIRED = {
    "trajectory": "arms of a seed start from one network on one task: what differs is the way",
    "learning": "arms of a seed start from one network on one task: what differs is the way",
    "frozen": "one run of a seed, whose features are frozen at several epochs",
}
PROBES = 64  # test points of kernels that are compared
GROUP = 32  # seeds of one compiled program, of 512 points; they bound the memory
SPAN = 3  # epochs: of the first and of the last stretch of the kernel's way


def trajectory(
    *, arm: str, samples: int, looks: tuple[int, ...], seeds: tuple[int, ...]
) -> Iterator[dict]:
    """The tangent kernel on test points after some epochs; the arms are those of `paths`.

    distance, drift: from K_0; of_span: distance from the kernel SPAN epochs before; alignment: with
    the true labels; unit: distance of K_0 from the kernel of another initialisation.
    """
    for group in _groups(seeds):
        yield from _trajectory(Run(arm, "xnor", samples, group, "trajectory"), looks)


def _trajectory(run: Run, looks: tuple[int, ...]) -> Iterator[dict]:
    path = path_of(run)
    x = path.task.test[0][:, :PROBES]
    other = weights(run.seeds, DIMENSION, run.part, run.arm, "other weights")
    unit = distance(_kernels_at(path.params, 0, x), _kernels(other, x))
    for epoch in looks:
        start, before, now = (
            _kernels_at(path.params, then, x) for then in (0, max(epoch - SPAN, 0), epoch)
        )
        found = {
            "distance": distance(start, now),
            "drift": drift(start, now),
            "of_span": distance(before, now),
            "alignment": alignment(now, path.task.test[1][:, :PROBES]),
            "unit": unit,
        }
        yield from _by_seed(run.seeds, epoch=epoch, **found)


def pairs(*, arm: str, samples: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Kernel distance between all pairs of epochs."""
    path = path_of(Run(arm, "xnor", samples, seeds, "trajectory"))
    x = path.task.test[0][:, :PROBES]
    all_kernels = [_kernels_at(path.params, epoch, x) for epoch in range(EPOCHS + 1)]
    for one in range(EPOCHS + 1):
        for other in range(EPOCHS + 1):
            found = distance(all_kernels[one], all_kernels[other])
            yield from _by_seed(seeds, epoch=one, other_epoch=other, distance=found)


def learning(
    *, arm: str, task: str, samples: int, looks: tuple[int, ...], seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Test errors of the network, of its kernel from zero and of its linearization, by epoch.

    apart: |f_T - f_lin| / |f_T - f_t| on test points, f_lin being linearized at t.
    arms: theory, shuffled, lazy (as in `paths`); larger, digits: as theory, with more points and on
    odd and even digits.
    """
    trained = arm if arm in ("shuffled", "lazy") else "theory"
    for group in _groups(seeds, max(1, GROUP * 512**2 // samples**2)):
        run = Run(trained, task, samples, group, "learning")
        yield from _learning(run, looks)


def _learning(run: Run, looks: tuple[int, ...]) -> Iterator[dict]:
    final, last = kernel_machines.network(run, EPOCHS)
    for epoch in looks:
        then, (error, values) = (
            kernel_machines.frozen(run, epoch),
            kernel_machines.network(run, epoch),
        )
        found = {"network": error, "last": final, "kernel": then.kernel, "linear": then.linear}
        if epoch < EPOCHS:
            found["apart"] = _norm(last - then.values) / _norm(last - values)
        yield from _by_seed(run.seeds, epoch=epoch, **found)


def frozen(*, arm: str, samples: int, epoch: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Errors at the end with features that are frozen after an epoch; arms differ in the epoch.

    network: of the run; start, kernel: from zero, with the kernel at the start and after `epoch`;
    linear: linearized there and trained on.
    """
    for group in _groups(seeds):
        run = Run("theory", "xnor", samples, group, "learning")
        error, _ = kernel_machines.network(run, EPOCHS)
        start, then = (kernel_machines.frozen(run, at_epoch) for at_epoch in (0, epoch))
        found = {"start": start.kernel, "kernel": then.kernel, "linear": then.linear}
        yield from _by_seed(group, network=error, **found)


def children(*, arm: str, samples: int, epoch: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Barrier and disagreement of two networks. arms: theory, at_start: children of one network
    spawned after `epoch`; independent: of two initialisations."""
    for group in _groups(seeds):
        found = pair_of(group, samples, None if arm == "independent" else epoch)
        yield from _by_seed(group, **found._asdict())


def early(
    *, arm: str, activation: str, times: tuple[int, ...], seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Relative distance of f from its linearization, and kernel distance, at the first times.

    arms: theory, relu: gradient descent; walk, relu_walk: random directions.
    """
    apart, moved = departures(
        "walk" if arm.endswith("walk") else "theory", activation, times, seeds
    )
    for index, time in enumerate(times):
        yield from _by_seed(seeds, time=time, apart=apart[:, index], distance=moved[:, index])


def width(*, arm: str, width: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """The kernel on 8 points before and after 16 steps of full batches. arms: theory, NTK
    parameterization; mean_field: f / sqrt(n) at n times the rate."""
    for group in _groups(seeds, GROUP // 2):
        start, end = np.moveaxis(kernels_around(arm, width, group), 1, 0)
        yield from _by_seed(group, distance=distance(start, end), drift=drift(start, end))


def _groups(seeds: tuple[int, ...], size: int = GROUP) -> Iterator[tuple[int, ...]]:
    for first in range(0, len(seeds), size):
        yield seeds[first : first + size]


def _by_seed(seeds, **columns) -> Iterator[dict]:
    """A row per seed of columns that are vectors over seeds, or numbers."""
    for index, seed in enumerate(seeds):
        yield {
            "seed": seed,
            **{k: v if np.ndim(v) == 0 else float(v[index]) for k, v in columns.items()},
        }


def _kernels(params, x) -> np.ndarray:
    return np.asarray(kernels(*in_float64((params, x))))


def _kernels_at(params, epoch: int, x) -> np.ndarray:
    return _kernels(at(params, epoch), x)


def _norm(values: np.ndarray) -> np.ndarray:
    return np.linalg.norm(values, axis=(-2, -1))
