"""Empirical NTK of torch modules; the twin of `empirical.jax`: the same kinds, shapes and errors.

`empirical_ntk` takes any module without batch coupling (no batch norm in training mode);
`dense_ntk` takes modules whose parameters all sit in linear layers used once per forward pass on
vectors, and is the faster one there.
"""

import math
from collections.abc import Callable

import torch
import torch.utils._pytree as pytree
from torch import nn
from torch.func import functional_call, jvp, vjp
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.modules.instancenorm import _InstanceNorm

from widenets.ntk.checks import checked_count
from widenets.ntk.empirical import torch_junctions as junctions
from widenets.ntk.empirical.jax import Kind, check_kind, rows_in_memory
from widenets.ntk.empirical.products import check_vector


class ScaledLinear(nn.Linear):
    """A dense layer in NTK parameterization: sw/sqrt(n) x W^T + sb b; all W, b ~ N(0, 1).

    weight is (outputs, inputs) as everywhere in torch: the transpose of the JAX layers'.
    """

    def __init__(self, inputs, outputs, *, weight_variance=1.0, bias_variance=0.0, dtype=None):
        if not (0 <= weight_variance < math.inf and 0 <= bias_variance < math.inf):
            raise ValueError(f"found variances {weight_variance}, {bias_variance}, wanted >= 0")
        super().__init__(inputs, outputs, bias=bias_variance > 0, dtype=dtype)
        self.weight_scale = math.sqrt(weight_variance / inputs)
        self.bias_scale = math.sqrt(bias_variance)

    def reset_parameters(self):
        for parameter in self.parameters(recurse=False):
            nn.init.normal_(parameter)

    def forward(self, x):
        h = nn.functional.linear(x, self.weight) * self.weight_scale
        return h if self.bias is None else h + self.bias_scale * self.bias


def empirical_ntk(
    module: nn.Module, x1, x2=None, *, kind: Kind = "trace", memory_mb: float = 1000.0
) -> torch.Tensor:
    """Theta by torch.func, of the parameters that require gradients.

    x1, x2: tensors (N, ...), floating or integer (tokens); tuples of them are the module's
    arguments, dicts its keywords. Outputs of any shape per input, as in the JAX version.
    Weights of linear layers, convolutions and embeddings that are read once need no Jacobian
    (`torch_junctions`). memory_mb bounds what the call needs beyond its arguments and result.
    """
    check_kind(kind, x2)
    _check_inputs(module, x1, x2)
    parameters, fixed = _state(module)
    one, full = _part(x1, slice(0, 1)), kind == "full"
    with torch.no_grad():
        shape = functional_call(module, (parameters, fixed), *junctions.arguments(one)).shape
    if shape[:1] != (1,):
        raise ValueError(f"the module gives shape {tuple(shape)} for one input, wanted (1, ...)")
    places = junctions.found(module, parameters, fixed, one)
    linear, square = junctions.numbers_of(places, parameters, math.prod(shape[1:]), full)
    size = next(iter(parameters.values())).element_size()
    rows = rows_in_memory(memory_mb, 4 * size * linear, size * square)  # blocks, copies of both

    def block(x):
        try:
            return junctions.parts_of(module, places, parameters, fixed, x)
        except RuntimeError as error:
            if "random" not in str(error):
                raise
            raise ValueError(RANDOM) from error

    def pair(one, two):
        theta = junctions.theta(one, two, full)
        return theta.mean(-1) if kind == "trace" else theta

    if kind == "diagonal":
        parts = [_part(x1, slice(k, k + rows)) for k in range(0, _count(x1), rows)]
        return torch.cat([junctions.diagonal(block(part)) for part in parts])
    return _all_pairs(block, pair, x1, x2, rows)


def kernel_vector_product(
    module: nn.Module, x1, x2=None, *, block: int | None = None
) -> Callable[[torch.Tensor], torch.Tensor]:
    """v (N2, ...) -> Theta(x1, x2) v (N1, ...), both shaped as the outputs: no Theta is formed.

    The twin of `products.kernel_vector_product`, of the parameters that require gradients, with the
    values that they have at the time of a product. v: a tensor of the shape and dtype of
    module(x2). ValueError: as in `empirical_ntk`; another shape or dtype of v.
    """
    _check_inputs(module, x1, x2)
    x2 = x1 if x2 is None else x2
    parameters, fixed = _state(module)
    block = max(_count(x1), _count(x2)) if block is None else checked_count(block, "block")
    like = _checked_outputs(module, parameters, fixed, x2, block)

    def outputs_of(x):
        return lambda p: functional_call(module, (p, fixed), *junctions.arguments(x))

    def product(v: torch.Tensor) -> torch.Tensor:
        check_vector(v, like)
        direction: dict = {}
        with junctions.unfused():
            for x, part in zip(_split(x2, block), v.split(block), strict=True):
                slopes = vjp(outputs_of(x), parameters)[1](part)[0]
                direction = {n: s + direction[n] if direction else s for n, s in slopes.items()}
            parts = [jvp(outputs_of(x), (parameters,), (direction,))[1] for x in _split(x1, block)]
        return torch.cat(parts)

    return product


RANDOM = (
    "the module draws random numbers in its forward pass: call module.eval(), or leave dropout out"
)


def _state(module: nn.Module) -> tuple[dict, dict]:
    """Parameters that require gradients, and all else that the forward pass reads."""
    parameters = {name: p.detach() for name, p in module.named_parameters() if p.requires_grad}
    fixed = {name: p.detach() for name, p in module.named_parameters() if not p.requires_grad}
    fixed |= {name: b.detach() for name, b in module.named_buffers()}
    if not parameters:
        raise ValueError("the module has no parameters that require gradients")
    return parameters, fixed


def _checked_outputs(module, parameters: dict, fixed: dict, x, block: int) -> torch.Tensor:
    """module(x), if it is a row per input and drawn from no random numbers."""

    def states():
        return [torch.get_rng_state(), *torch.cuda.get_rng_state_all()]

    before = states()
    with torch.no_grad():
        parts = [
            functional_call(module, (parameters, fixed), *junctions.arguments(part))
            for part in _split(x, block)
        ]
    if not all(map(torch.equal, before, states())):
        raise ValueError(RANDOM)
    outputs = torch.cat(parts)
    if len(outputs) != _count(x):
        raise ValueError(f"the module gives shape {tuple(outputs.shape)} for {_count(x)} inputs")
    return outputs


def _leaves(x) -> list:
    return pytree.tree_leaves(x)


def _count(x) -> int:
    """The number of inputs."""
    return len(_leaves(x)[0])


def _part(x, rows: slice):
    return pytree.tree_map(lambda tensor: tensor[rows], x)


def dense_ntk(
    module: nn.Module, x1, x2=None, *, kind: Kind = "trace", memory_mb: float | None = None
) -> torch.Tensor:
    """Theta by the layerwise Gram formula, for modules of nn.Linear (or ScaledLinear) layers.

        Theta[i,j,o,p] = sum_l <d_l^o(x_i), d_l^p(x'_j)> G_l[i,j]
        G_l[i,j] = c_l^2 <phi_{l-1}(x_i), phi_{l-1}(x'_j)> + b_l^2

    c_l = b_l = 1 for nn.Linear; d_l^o = df_o/dh_l comes from one batched backward pass.
    memory_mb: as in the JAX version, None for all inputs at once.
    """
    check_kind(kind, x2)
    _check_inputs(module, x1, x2)

    def block(x):
        return _features_and_deltas(module, x)

    rows = max(len(x1), 0 if x2 is None else len(x2))
    if memory_mb is not None:
        rows = min(rows, _rows(block(x1[:1]), kind, memory_mb))
    if kind == "diagonal":
        return torch.cat([_dense_diagonal(block(part)) for part in x1.split(rows)])
    return _all_pairs(block, lambda one, two: _gram_sum(one, two, kind), x1, x2, rows)


def _gram_sum(one, two, kind: Kind) -> torch.Tensor:
    total = None
    for (layer, features_1, deltas_1), (_, features_2, deltas_2) in zip(one, two, strict=True):
        weight, bias = _squared_scales(layer)
        gram = (features_1 @ features_2.T) * weight + bias
        if kind == "full":  # one matrix product over (sample, output) pairs
            inner = (deltas_1.flatten(0, 1) @ deltas_2.flatten(0, 1).T).unflatten(
                1, deltas_2.shape[:2]
            )
            part = inner.unflatten(0, deltas_1.shape[:2]).mul_(gram[:, None, :, None])
        else:
            part = torch.einsum("aon,bon->oab", deltas_1, deltas_2) * gram
            part = part.mean(0) if kind == "trace" else part
        total = part if total is None else total.add_(part)
    if kind == "full":
        return total.permute(0, 2, 1, 3)
    return total if kind == "trace" else total.permute(1, 2, 0)


def _dense_diagonal(one) -> torch.Tensor:
    """(N, O) of a block of inputs with themselves."""
    total = 0.0
    for layer, features, deltas in one:
        weight, bias = _squared_scales(layer)
        gram = (features**2).sum(1) * weight + bias
        total = total + (deltas**2).sum(2) * gram[:, None]
    return total


def _squared_scales(layer) -> tuple[float, float]:
    """(c^2, b^2) of a linear layer."""
    bias = 0.0 if layer.bias is None else getattr(layer, "bias_scale", 1.0) ** 2
    return getattr(layer, "weight_scale", 1.0) ** 2, bias


def _rows(one, kind: Kind, memory_mb: float) -> int:
    """The largest number of samples per block whose pair of blocks fits into memory_mb."""
    outputs = one[0][2].shape[1]
    numbers = sum(features.shape[1] + (2 + outputs) * d.shape[2] for _, features, d in one)
    pairs = {"full": outputs**2, "per_output": outputs, "trace": outputs, "diagonal": 0}[kind]
    size = 4 * one[0][1].element_size()  # two blocks and a copy of each, four results of a pair
    return rows_in_memory(memory_mb, size * numbers, size * (pairs + 1))


def _features_and_deltas(module: nn.Module, x):
    """[(layer, phi_{l-1} (N, n_in), d_l (N, O, n_out))] of the linear layers, in forward order."""
    linear = [m for m in module.modules() if isinstance(m, nn.Linear)]
    counted = sum(p.numel() for m in linear for p in m.parameters(recurse=False))
    if not linear or counted != sum(p.numel() for p in module.parameters()):
        raise ValueError("the module has parameters outside of linear layers: use empirical_ntk")
    if not all(p.requires_grad for p in module.parameters()):
        raise ValueError("the module has frozen parameters: use empirical_ntk")
    seen: list[tuple[nn.Linear, torch.Tensor, torch.Tensor]] = []
    handles = [m.register_forward_hook(lambda m, i, h: seen.append((m, i[0], h))) for m in linear]
    try:
        with torch.enable_grad():
            outputs = module(x)
    finally:
        for handle in handles:
            handle.remove()
    if len(seen) != len(linear) or {id(m) for m, _, _ in seen} != {id(m) for m in linear}:
        raise ValueError("a linear layer is not used exactly once per forward pass")
    if outputs.ndim != 2 or any(h.ndim != 2 for _, _, h in seen):
        raise ValueError("the layers must map (samples, features) to (samples, features)")
    samples, classes = outputs.shape
    probes = torch.eye(classes, dtype=outputs.dtype, device=outputs.device)
    probes = probes[:, None, :].expand(classes, samples, classes)
    deltas = torch.autograd.grad(
        outputs, [h for _, _, h in seen], grad_outputs=probes, is_grads_batched=True
    )
    return [
        (layer, phi.detach(), delta.transpose(0, 1))
        for (layer, phi, _), delta in zip(seen, deltas, strict=True)
    ]


def _all_pairs(block: Callable, pair: Callable, x1, x2, rows: int) -> torch.Tensor:
    """pair(block(x1), block(x2)), at most `rows` samples at a time; an x2 of one block is kept."""
    same = x2 is None
    x2 = x1 if same else x2
    kept = block(x2) if _count(x2) <= rows else None
    if same and kept is not None:
        return pair(kept, kept)
    result = []
    for left in _split(x1, rows):
        one = block(left)
        columns = [kept] if kept is not None else map(block, _split(x2, rows))
        result.append(torch.cat([pair(one, two) for two in columns], dim=1))
    return torch.cat(result)


def _split(x, rows: int) -> list:
    return [_part(x, slice(k, k + rows)) for k in range(0, _count(x), rows)]


def _check_mode(module) -> None:
    """ValueError: batch norm, dropout and the like as they are in training."""
    for name, part in module.named_modules():
        kind = type(part).__name__
        place = f"{kind} at {name}" if name else kind
        normal = isinstance(part, _NormBase) and not isinstance(part, _InstanceNorm)
        if normal and (part.training or part.running_mean is None):
            way = "call module.eval()" if part.training else "it needs track_running_stats=True"
            raise ValueError(f"{place} couples the samples of a batch: {way}")
        if isinstance(part, _InstanceNorm) and part.training and part.track_running_stats:
            raise ValueError(f"{place} updates its running statistics: call module.eval()")
        rate = getattr(part, "p" if isinstance(part, _DropoutNd) else "dropout", 0)
        random = isinstance(part, nn.RReLU) or (isinstance(rate, float | int) and rate > 0)
        if part.training and random:
            raise ValueError(f"{place} draws random numbers in training mode: call module.eval()")


def _check_inputs(module, x1, x2) -> None:
    if not isinstance(module, nn.Module):
        raise ValueError(f"module must be a torch.nn.Module, found {type(module).__name__}")
    _check_mode(module)
    inputs = {"x1": x1} if x2 is None else {"x1": x1, "x2": x2}
    dtypes = {parameter.dtype for parameter in module.parameters()}
    leaves = {name: _leaves(x) for name, x in inputs.items()}
    shapes = [[tuple(t.shape) for t in own] for own in leaves.values()]
    for (name, tensors), sizes in zip(leaves.items(), shapes, strict=True):
        same = [size[1:] for size in sizes] == [size[1:] for size in shapes[0]]
        floating = len(tensors) == 1 and tensors[0].dtype.is_floating_point
        uneven = any(not s or 0 in s or s[0] != sizes[0][0] for s in sizes)
        if not sizes or not same or (floating and len(sizes[0]) < 2) or uneven:
            found = [one[0] if len(one) == 1 else one for one in shapes]
            raise ValueError(f"cannot pair inputs of shapes {found}")
        for x in tensors:
            if x.dtype.is_floating_point and {x.dtype} != dtypes:
                found = sorted(str(dtype) for dtype in dtypes)
                raise ValueError(
                    f"{name} has dtype {x.dtype}, module {found}: wanted one and the same"
                )
            if not torch.isfinite(x).all():
                raise ValueError(f"{name} must be finite, found nan or inf")
