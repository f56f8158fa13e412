"""Where parameters meet the data in a torch module: the twin of `junctions`.

While a module runs here, torch.nn.functional.linear, embedding and the convolutions are stood in
for by functions that note what they read (also inside nn.MultiheadAttention, whose fused path is
switched off). A parameter that is read by one such call and nowhere else gives h (T, F) and
d (O, T, E); all other parameters are left to their Jacobians.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
import torch.utils._pytree as pytree
from torch.func import functional_call, vjp, vmap
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from widenets.ntk.empirical.junctions import by_jacobian, numbers, sizes

NAMES = {
    "linear": ("input", "weight", "bias"),
    "embedding": ("input", "weight"),
    **dict.fromkeys(
        ("conv1d", "conv2d", "conv3d"),
        ("input", "weight", "bias", "stride", "padding", "dilation", "groups"),
    ),
}


class Place(NamedTuple):
    """A call that reads a parameter as its weight."""

    number: int  # in the order of calls
    weight: str
    shape: torch.Size  # of what it gives, for one input
    function: str  # of NAMES


class Places(NamedTuple):
    calls: tuple[Place, ...]
    rest: tuple[str, ...]  # parameters that are read in any other way


class Parts(NamedTuple):
    """What the NTK of a block of inputs needs, see `junctions.Parts`."""

    features: list[torch.Tensor]
    deltas: list[torch.Tensor]
    rest: list[torch.Tensor]


@contextmanager
def unfused() -> Iterator[None]:
    """Attention by plain operations: fused ones have no forward mode, nor batches in vmap."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


@contextmanager
def stand_ins(around: Callable) -> Iterator[None]:
    """Calls of NAMES go through around(number, name, function, given arguments)."""
    own, count = {name: getattr(functional, name) for name in NAMES}, [0]

    def stand_in(name):
        def call(*args, **kwargs):
            given = dict(zip(NAMES[name], args, strict=False)) | kwargs
            if len(args) > len(NAMES[name]):  # rarely used arguments of an embedding
                return own[name](*args, **kwargs)
            number, count[0] = count[0], count[0] + 1
            return around(number, name, own[name], given)

        return call

    try:
        for name in NAMES:
            setattr(functional, name, stand_in(name))
        with unfused():
            yield
    finally:
        for name, function in own.items():
            setattr(functional, name, function)


def arguments(x) -> tuple[tuple, dict]:
    """Positional arguments and keywords of a module that is given x."""
    if isinstance(x, dict):
        return (), x
    return (tuple(x) if isinstance(x, tuple | list) else (x,)), {}


def found(module, parameters: dict, fixed: dict, x) -> Places:
    """The places of a module; x: a batch of one input."""
    tensors = {name: p.detach().requires_grad_() for name, p in parameters.items()}
    names = {id(tensor): name for name, tensor in tensors.items()}
    calls: list[Place] = []

    def around(number, name, function, given):
        weight = names.get(id(given["weight"]))
        plain = name != "embedding" or given.get("max_norm") is None
        if weight is None or given.get("groups", 1) != 1 or not plain:
            return function(**given)
        result = function(**(given | {"weight": given["weight"].detach()}))
        calls.append(Place(number, weight, result.shape, name))
        return result

    with torch.enable_grad(), stand_ins(around):
        outputs = functional_call(module, (tensors, fixed), *arguments(x))
    left = [None] * len(tensors)
    if outputs.requires_grad:  # what the outputs depend on besides those calls
        left = torch.autograd.grad(outputs.sum(), list(tensors.values()), allow_unused=True)
    elsewhere = {name for name, slope in zip(tensors, left, strict=True) if slope is not None}
    seen = [call.weight for call in calls]
    whole = {name for name in seen if seen.count(name) == 1} - elsewhere
    return Places(
        tuple(call for call in calls if call.weight in whole),
        tuple(name for name in tensors if name in elsewhere or name in set(seen) - whole),
    )


def parts_of(module, places: Places, parameters: dict, fixed: dict, x) -> Parts:
    """Of a batch x: one backward pass for all outputs."""
    at = {call.number: k for k, call in enumerate(places.calls)}

    def single(x):
        probes = [torch.zeros(call.shape, dtype=_dtype(parameters)) for call in places.calls]
        rest = {name: parameters[name] for name in places.rest}

        def outputs_of(probes, rest):
            features: list = [None] * len(probes)

            def around(number, name, function, given):
                if number not in at:
                    return function(**given)
                features[at[number]] = FEATURES[name](**given)
                return function(**given) + probes[at[number]]

            with stand_ins(around):
                whole = pytree.tree_map(lambda tensor: tensor[None], x)
                outputs = functional_call(module, (parameters | rest, fixed), *arguments(whole))
            return outputs.reshape(-1), features

        outputs, pull, features = vjp(outputs_of, probes, rest, has_aux=True)
        eye = torch.eye(len(outputs), dtype=outputs.dtype, device=outputs.device)
        deltas, slopes = vmap(pull)(eye)
        deltas = [
            _positions(d, place.function) for d, place in zip(deltas, places.calls, strict=True)
        ]
        return Parts(features, deltas, [s.flatten(1) for s in slopes.values()])

    return Parts(*vmap(single)(x))


def _dtype(parameters: dict):
    return next(iter(parameters.values())).dtype


def _positions(d, function: str):
    """(O, *out) -> (O, T, E)."""
    if function.startswith("conv"):
        d = d.movedim(-1 - int(function[4]), -1)
    return d.reshape(len(d), -1, d.shape[-1])


def _of_linear(input, **_):
    return input.reshape(-1, input.shape[-1])


def _of_embedding(input, **_):
    return input.reshape(-1)


def _of_convolution(input, weight, stride=1, padding=0, dilation=1, **_):
    """Patches (T, F), F in the order of the weight."""
    sizes, rank = weight.shape[2:], weight.ndim - 2
    stride, dilation = _each(stride, rank), _each(dilation, rank)
    if padding == "same":
        reach = [hole * (size - 1) for hole, size in zip(dilation, sizes, strict=True)]
        pads = [(total // 2, total - total // 2) for total in reach]
    else:
        pads = [(p, p) for p in _each(0 if padding == "valid" else padding, rank)]
    x = functional.pad(input, [side for pair in reversed(pads) for side in pair])
    for axis, (size, step, hole) in enumerate(zip(sizes, stride, dilation, strict=True)):
        x = x.unfold(input.ndim - rank + axis, hole * (size - 1) + 1, step)[..., ::hole]
    channels = input.ndim - rank - 1
    return x.movedim(channels, channels + rank).reshape(-1, weight[0].numel())


def _each(value, rank: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, tuple | list) else (value,)
    return values * (rank if len(values) == 1 else 1)


FEATURES = {
    "linear": _of_linear,
    "embedding": _of_embedding,
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _of_convolution),
}


def theta(one: Parts, two: Parts, full: bool) -> torch.Tensor:
    """(N1, N2, O, O), or (N1, N2, O) of equal outputs; of a block with itself if both are one."""
    parts = zip(one.features, one.deltas, two.features, two.deltas, strict=True)
    total = sum(contracted(*part, full, one is two) for part in parts)
    pairs = zip(one.rest, two.rest, strict=True)
    return total + sum(rest_contracted(left, right, full) for left, right in pairs)


def contracted(h1, d1, h2, d2, full: bool, symmetric: bool) -> torch.Tensor:
    """The part of one call; symmetric: of a block with itself."""
    if h1.ndim == 3 and by_jacobian(*sizes(h1, d1), max(len(h1), len(h2)), full):
        one, two = (
            torch.einsum("ntf,note->nofe", h, d).flatten(2) for h, d in ((h1, d1), (h2, d2))
        )
        return rest_contracted(one, two, full)
    if h1.ndim == 2:
        gram = (h1[:, :, None, None] == h2[None, None]).to(d1.dtype)
    else:
        gram = torch.einsum("itf,jsf->itjs", h1, h2)
    if gram.shape[1] == gram.shape[3] == 1:
        return _of_vectors(gram[:, 0, :, 0], d1[:, :, 0], d2[:, :, 0], full)
    return _of_positions(gram, d1, d2, full, symmetric)


def _of_positions(gram, d1, d2, full: bool, symmetric: bool) -> torch.Tensor:
    """One input of the second block at a time; symmetric: pairs i <= j, and their mirror images."""
    theta = d1.new_empty(len(d1), len(d2), *d1.shape[1:2] * (2 if full else 1))
    for j, two in enumerate(d2):
        rows = slice(j + 1 if symmetric else None)
        mixed = torch.matmul(gram[rows, None, :, j], two)  # (i, p, t, e)
        if full:
            theta[rows, j] = d1[rows].flatten(2) @ mixed.flatten(2).mT
        else:
            theta[rows, j] = (d1[rows] * mixed).sum((2, 3))
    for j in range(1, len(d2) if symmetric else 0):
        theta[j, :j] = theta[:j, j].mT if full else theta[:j, j]
    return theta


def _of_vectors(gram, d1, d2, full: bool) -> torch.Tensor:
    if not full:
        return torch.einsum("ioe,joe->ijo", d1, d2) * gram[..., None]
    return torch.einsum("ioe,jpe->ijop", d1, d2) * gram[..., None, None]


def rest_contracted(one, two, full: bool) -> torch.Tensor:
    """The part of Theta of one Jacobian (N, O, P)."""
    return torch.einsum("iok,jpk->ijop" if full else "iok,jok->ijo", one, two)


def numbers_of(places: Places, parameters: dict, outputs: int, full: bool) -> tuple[int, int]:
    """Numbers that one input needs, and that one pair needs besides its result."""
    linear = sum(outputs * parameters[name].numel() for name in places.rest)
    positions = [1]
    for place in places.calls:
        weight = parameters[place.weight]
        table = place.function == "embedding"
        units = weight.shape[1] if table else weight.shape[0]
        inputs = 1 if table else weight[0].numel()
        positions.append(place.shape.numel() // units)
        linear += numbers(positions[-1], inputs, units, outputs, full)
    return linear, 2 * (outputs**2 if full else outputs) + max(positions) ** 2


def diagonal(parts: Parts) -> torch.Tensor:
    """Theta[i, i, o, o], (N, O)."""
    total = sum((leaf**2).sum(2) for leaf in parts.rest)
    for h, d in zip(parts.features, parts.deltas, strict=True):
        gram = (h[:, :, None] == h[:, None]).to(d.dtype) if h.ndim == 2 else h @ h.mT
        total = total + torch.einsum("iote,iote->io", d, torch.einsum("its,iose->iote", gram, d))
    return total
