"""The coordinate check that people do by eye: mean |x| of what modules give out, against size."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from replications.your_network.scaling import trial
from widenets.ntk.subject.contract import load
from widenets.ntk.subject.deep import named
from widenets.ntk.subject.problem import problem

SEEDS, STEPS, SEEN = 3, 3, 0.25
SAID = """\
The last columns are the check that people do by eye: mean |x| of what every module gives out (of
the blocks: of the last one) at each of three steps, three seeds. A module is flagged if that goes
with {axis} by a power beyond 0.25 either way at any step, and a mistake is seen if modules are
flagged that are not flagged in the right network. It sees {seen} of {count}, and tells neither
tensor nor cause.
"""


def flagged(name: str, axis: str) -> set[str]:
    """Modules of the built-in network `name` whose mean |x| goes with size, along `axis`."""
    subject = load(name)
    sizes = sorted(getattr(subject, f"{axis}s"))
    found = [
        [_sizes_of_outputs(subject, axis, size, seed) for size in sizes] for seed in range(SEEDS)
    ]
    means = np.mean(found, axis=0)
    x = np.log(sizes) - np.log(sizes).mean()
    slopes = np.einsum("s,stm->tm", x, np.log(np.maximum(means, 1e-30))) / (x @ x)
    names = _modules(subject, axis, sizes)[sizes[0]]
    return {name for k, name in enumerate(names) if np.abs(slopes[:, k]).max() > SEEN}


def _modules(subject, axis: str, sizes: Sequence[int]) -> dict[int, dict[str, str]]:
    """{size: {what a module is called at every size: its own name}}, of blocks the last alone."""
    of = problem(subject, 0)
    found = {size: trial(of, axis).model(size) for size in sizes}
    if axis == "width":
        names = [name for name, _ in next(iter(found.values())).named_modules() if name]
        return {size: dict(zip(names, names, strict=True)) for size in sizes}
    tensors = named({size: [n for n, _ in m.named_parameters()] for size, m in found.items()})
    said = {}
    for size, module in found.items():
        blocks = list(dict.fromkeys(t.block for t in tensors[size].values() if t.block))
        last, container = blocks[-1], blocks[-1].rpartition(".")[0]
        own = [name for name, _ in module.named_modules() if name and name != container]
        said[size] = {
            name.replace(last, f"{container}.*"): name
            for name in own
            if not name.startswith(f"{container}.") or f"{name}.".startswith(f"{last}.")
        }
    return said


def _sizes_of_outputs(subject, axis: str, size: int, seed: int) -> np.ndarray:
    """(steps, modules): mean |x| of what modules give out before each step."""
    sizes = sorted(getattr(subject, f"{axis}s"))
    names = _modules(subject, axis, sizes)[size]
    of = trial(problem(subject, seed), axis)
    module = of.model(size)
    optimizer = of.optimizer(module)
    seen: dict[str, float] = {}

    def hook(name: str):
        def keep(_, args, output: Tensor) -> None:
            seen[name] = float(output.detach().abs().mean())

        return keep

    for name in names.values():
        module.get_submodule(name).register_forward_hook(hook(name))
    found = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        of.loss(module(of.inputs), of.targets).backward()
        found.append([seen.get(name, 0.0) for name in names.values()])  # 0: never called
        optimizer.step()
    return np.array(found)
