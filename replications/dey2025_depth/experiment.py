"""What is measured. A seed is a block of networks (moments, movement) or a network and its data.

Everything is float64. Networks of one seed share their weights over depths where a part says so.
"""

import itertools
from collections.abc import Iterator

import numpy as np

from replications.dey2025_depth import chains, laws, networks
from widenets.ntk.random import generator


def moments(
    *, arm: str, width: int, depth: int, power: float, networks_per_seed: int,
    seeds: tuple[int, ...], read_as: str = "exact", backward_alone: bool = False,
) -> Iterator[dict]:  # fmt: skip
    """Means over a block of networks h + m W |h|, m = L^-power, over their exact laws.

    square, fourth: |h_L|^2, |h_L|^4. kernel: the blocks' tangent kernel. first_over_last: squared
    gradient norm of the first block over that of the last; backward_alone: without the factor of
    the blocks' inputs. read_as: `limit` holds all against L = inf (a = 1/2), `half` against
    the law of a = 1/2, `without_fluctuations` |h_L|^4 against the square of the mean.
    """
    factor = laws.multiplier(depth, power)
    law = laws.multiplier(depth, 0.5) if read_as == "half" else factor
    growth, kernel = laws.growth(depth, law), depth * laws.block_kernel(depth, law)
    fourth = laws.growth_of_square(width, depth, law)
    if read_as == "limit":
        growth, kernel, fourth = np.e, np.e, np.exp(2 + 4 / width)
    if read_as == "without_fluctuations":
        fourth = growth**2
    chain = chains.Chain("abs", width, depth, factor)
    for seed in seeds:
        stream = generator(seed, "depth", "moments", arm, width, depth)
        found = chains.passes(chain, stream, networks_per_seed)
        kernels = chains.block_kernels(chain, found)
        of_ends = np.sum(found.backward**2, axis=2) if backward_alone else kernels
        yield {
            "seed": seed,
            "square": found.squares.mean() / growth,
            "fourth": np.mean(found.squares**2) / fourth,
            "kernel": kernels.sum(axis=0).mean() / kernel,
            "first_over_last": of_ends[0].mean() / of_ends[-1].mean(),
        }


def fluctuations(
    *, arm: str, kind: str, width: int, depth_per_width: int, networks_per_seed: int,
    seeds: tuple[int, ...],
) -> Iterator[dict]:  # fmt: skip
    """Standard deviation of ln |h_L|^2 over networks at L = depth_per_width n, beside its law.

    kind: abs, with m = L^-1/2, or plain, z_{l+1} = W |z_l|.
    """
    depth = depth_per_width * width
    factor = laws.multiplier(depth, 0.5)
    if kind == "abs":
        law = laws.log_variance(width, depth, factor)
    else:
        law = laws.plain_log_variance(width, depth)
    chain = chains.Chain("abs" if kind == "abs" else "linear", width, depth, factor)
    for seed in seeds:
        stream = generator(seed, "depth", "fluctuations", arm, width)
        found = np.log(chains.squares(chain, stream, networks_per_seed))
        yield {"seed": seed, "deviation": found.std(ddof=1), "law": np.sqrt(law)}


def streams(
    *, arm: str, branch: str, width: int, depth: int, power: float, networks_per_seed: int,
    seeds: tuple[int, ...], read_as: str = "",
) -> Iterator[dict]:  # fmt: skip
    """|h_L|^2 / n of h + m F(h), m = L^-power, from |h_0|^2 = n; mean over a block of networks.

    rms: the root of that mean; log_rms: the mean of ln rms(h_L) of single networks. growth: what
    is added over b m^2 L (pre-LN). coherent: log_rms over the law of a branch with a mean.
    branch: see `chains.branch_stream`; read_as: the activation whose b is taken, the branch's own
    where it is empty.
    """
    factor = laws.multiplier(depth, power)
    activation = read_as or branch.split("_")[1]
    added = {"gelu": laws.GELU_POWER, "relu": laws.RELU_POWER}.get(activation, np.nan)
    coherent = np.log(laws.coherent_rms(depth, factor))
    for seed in seeds:
        stream = generator(seed, "depth", "streams", arm, width, depth)
        drawn = chains.branch_stream(branch, stream, networks_per_seed, width, depth, factor)
        found = {
            "seed": seed,
            "rms": np.sqrt(drawn.mean()),
            "log_rms": np.mean(np.log(drawn)) / 2,
            "coherent": np.mean(np.log(drawn)) / 2 / coherent,
        }
        if branch.startswith("two"):
            found["growth"] = (drawn.mean() - 1) / (added * factor**2 * depth)
        yield found


def movement(
    *, arm: str, kind: str, width: int, depth: int, networks_per_seed: int,
    seeds: tuple[int, ...], power: float = 0.0, inputs: str = "mean", scaled: bool = True,
    read_as: str = "",
) -> Iterator[dict]:  # fmt: skip
    """First-order move dz of the last features by one step of gradient descent on one input.

    spread: mean |dz|^2 over (mean d . dz)^2 / |d|^2, beside its exact law; excess: the mean over
    networks of T = |dz|^2 |d|^2 / (d . dz)^2 - 1 over its law for n -> inf. coherent: mean of
    d . dz / |d|^2 over its law; moved: rms of |dz| / |d|. inputs: squares of the layers' inputs at
    their mean, or those of the network (`own`). scaled: whether m multiplies the branch; if not,
    it stands in the standard deviation of the weights. read_as: the kind whose law is taken;
    `coherent`: a law without the part across d; `features`: the length of dz in place of its part
    along d.
    """
    factor = laws.multiplier(depth, power)
    chain = chains.Chain(kind, width, depth, factor)
    law_of = read_as if read_as in ("relu", "linear") else kind
    aligned = laws.coherent_movement(law_of, depth, factor)
    scale = 1.0 if scaled else factor**-2
    spread_law = laws.movement(law_of, width, depth, factor) / aligned**2
    limit = laws.movement(law_of, np.inf, depth, factor) / aligned**2
    if read_as == "coherent":
        spread_law = 1.0
    for seed in seeds:
        stream = generator(seed, "depth", "movement", arm, width, depth)
        found = chains.passes(chain, stream, networks_per_seed)
        mean_inputs = np.array(
            [laws.growth(layer, factor) if kind == "abs" else 1.0 for layer in range(depth)]
        )
        moved = chains.moves(chain, found, mean_inputs if inputs == "mean" else found.inputs)
        cotangent = found.backward[-1]
        size = np.sum(cotangent**2, axis=1)
        along = np.sum(cotangent * moved, axis=1) / size
        square = np.sum(moved**2, axis=1) / size
        yield {
            "seed": seed,
            "spread": square.mean() / along.mean() ** 2,
            "spread_law": spread_law,
            "excess": np.mean(square / along**2 - 1) / (limit - 1),
            "coherent": (np.sqrt(square) if read_as == "features" else along).mean() / aligned,
            "along": scale * along.mean(),
            "moved": scale * np.sqrt(square.mean()),
            "moved_law": scale * np.sqrt(laws.movement(kind, width, depth, factor)),
        }


def law(
    *, arm: str, kind: str, depths: tuple[int, ...], power: float, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """The exact first-order move of infinitely wide networks against depth: no draws.

    moved: rms |dz| / |d|. constant: |dz|^2 over L^2 (m^2 (1 + m^2)^(L-1))^2 of residual networks,
    over L^3 of plain ones.
    """
    for seed in seeds:
        for depth in depths:
            factor = laws.multiplier(depth, power)
            square = laws.movement(kind, np.inf, depth, factor)
            unit = laws.coherent_movement(kind, depth, factor) ** 2 if kind == "abs" else depth**3
            yield {
                "seed": seed,
                "depth": depth,
                "moved": np.sqrt(square),
                "constant": square / unit,
            }


def steps(
    *, arm: str, branch: str, power: float, width: int, depths: tuple[int, ...], batch: int,
    rate: float, seeds: tuple[int, ...], steps: int = 1, optimizer: str = "adam",
    rule: str = "depth", reading: str = "block",
) -> Iterator[dict]:  # fmt: skip
    """What steps of the hidden weights change, and the share that their linearization misses.

    total, block: rms change of h_L, of a branch at its old input. share: of the block or of the
    network (`reading`). rate: that of one block, divided by n under Adam and multiplied under SGD;
    times L^(a-1) under Adam and L^(2a-1) under SGD (rule `depth`), L^-1/2 (`half`) or nothing
    (`flat`).
    """
    adam = optimizer == "adam"
    exponent = {"depth": (power if adam else 2 * power) - 1, "flat": 0.0, "half": -0.5}[rule]
    rates = np.array(depths, float) ** exponent * (rate / width if adam else rate * width)
    shape = networks.Shape(branch, width, depths[-1], batch)
    factors = networks.factors(depths, depths[-1], power)
    for some in _in_turn(seeds):
        parameters, *data = shape.draw(some, "steps", arm)
        found = networks.trained_changes(branch, parameters, factors, data, rates, steps, adam)
        for (place, depth), (number, seed) in _pairs(depths, some):
            values = {key: float(of_all[place, number]) for key, of_all in found.items()}
            yield {
                "seed": seed,
                "depth": depth,
                "total": values["total"],
                "block": values["block"],
                "share": values[f"{reading}_share"],
            }


def rules(
    *, arm: str, branch: str, power: float, width: int, depths: tuple[int, ...], batch: int,
    seeds: tuple[int, ...], rate_rule: str = "depth", eps_rule: str = "depth",
) -> Iterator[dict]:  # fmt: skip
    """Adam's first step group by group: loss gain and size of the update, in units of depth L0.

    gain_G: eta_G |grad_G|_1, what a step of signs takes off the loss to first order. update_G: rms
    of g / (|g| + eps_G), eps_G 30 times the rms of the group's gradient at the least depth there.
    rate_rule, eps_rule: whose factor is L^(a-1), L^-a: `depth` that of groups in blocks, `flat`
    none, `everywhere` that of all groups.
    """
    shape = networks.Shape(branch, width, depths[-1], batch)
    factors = networks.factors(depths, depths[-1], power)
    relative = np.array(depths, float) / depths[0]
    for some in _in_turn(seeds):
        parameters, *data = shape.draw(some, "rules", arm)
        sizes, found = networks.gradients(branch, parameters, factors, data)
        columns = {"scale": np.asarray(sizes)}
        for group in networks.GROUPS:
            of_group = _of_group(found, group, len(depths), len(some))
            in_blocks = group not in ("embedding", "final")
            faster = relative ** ((power - 1) * _applies(rate_rule, in_blocks))
            eps = relative ** (-power * _applies(eps_rule, in_blocks))
            columns[f"gain_{group}"] = faster[:, None] * np.abs(of_group).sum(axis=-1)
            columns[f"update_{group}"] = _update(of_group, eps)
        for (place, depth), (number, seed) in _pairs(depths, some):
            of_seed = {key: float(values[place, number]) for key, values in columns.items()}
            yield {"seed": seed, "depth": depth, **of_seed}


def _update(gradient: np.ndarray, eps: np.ndarray) -> np.ndarray:
    """rms of g / (|g| + eps) over the entries that are there, (depths, seeds).

    eps (depths,) is in units of 30 times the rms of g at the first depth.
    """
    there = np.sum(gradient != 0, axis=-1)
    size = np.sqrt(np.sum(gradient[0] ** 2, axis=-1) / there[0])
    update = gradient / (np.abs(gradient) + 30 * eps[:, None, None] * size[:, None])
    return np.sqrt(np.sum(update**2, axis=-1) / there)


def _in_turn(seeds: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    for first in range(0, len(seeds), networks.SEEDS_AT_ONCE):
        yield seeds[first : first + networks.SEEDS_AT_ONCE]


def _pairs(depths: tuple[int, ...], seeds: tuple[int, ...]) -> itertools.product:
    return itertools.product(enumerate(depths), enumerate(seeds))


def _applies(rule: str, in_blocks: bool) -> bool:
    """Whether a group has the depth factor under a rule."""
    return {"depth": in_blocks, "flat": False, "everywhere": True}[rule]


def _of_group(gradient: dict, group: str, depths: int, seeds: int) -> np.ndarray:
    """(depths, seeds, entries) of one group; blocks that are not there have entries 0."""
    keys = networks.HIDDEN if group == "hidden" else (group,)
    return np.concatenate(
        [np.asarray(gradient[key]).reshape(depths, seeds, -1) for key in keys], axis=-1
    )


def transfer(
    *, arm: str, branch: str, power: float, base: int, width: int, depth: int, deepest: int,
    batch: int, steps: int, rates: tuple[float, ...], seeds: tuple[int, ...], rule: str = "depth",
) -> Iterator[dict]:  # fmt: skip
    """What training leaves of the test loss, against the rate of Adam in blocks alone.

    m = (L / L0)^-a, L0 = base; the hidden weights learn by rate / n times (L / L0)^(a-1) (rule
    `depth`) or by rate / n (`flat`), embedding and read-out stay. log_loss: see
    `networks.log_losses_left`.
    """
    relative = depth / base
    ruled = relative ** {"depth": power - 1, "flat": 0.0}[rule]
    settings = [(relative**-power, rate * ruled) for rate in rates]
    sizes = (branch, width, depth, deepest, batch, steps)
    for seed, losses in _trained(sizes, settings, seeds):
        for rate, value in zip(rates, losses, strict=True):
            yield {"seed": seed, "rate": rate, "log_loss": float(value)}


def multipliers(
    *, arm: str, branch: str, width: int, depth: int, deepest: int, batch: int, steps: int,
    factors: tuple[float, ...], rates: tuple[float, ...], seeds: tuple[int, ...],
) -> Iterator[dict]:  # fmt: skip
    """What training leaves of the test loss, against the multiplier m and the rate of blocks.

    The hidden weights learn by rate / (n m L): the rule for any m. factors: the values of m, the
    same at each depth, so that no exponent is at the centre of the grid.
    """
    pairs = list(itertools.product(factors, rates))
    settings = [(factor, rate / (factor * depth)) for factor, rate in pairs]
    sizes = (branch, width, depth, deepest, batch, steps)
    for seed, losses in _trained(sizes, settings, seeds):
        for (factor, rate), value in zip(pairs, losses, strict=True):
            yield {"seed": seed, "factor": factor, "rate": rate, "log_loss": float(value)}


TESTED = 512  # points


def _trained(
    sizes: tuple, settings: list[tuple[float, float]], seeds: tuple[int, ...]
) -> Iterator[tuple[int, np.ndarray]]:
    """(seed, ln test losses of the settings (m, n times the rate)).

    Weights, batches and test points of a seed are those of all its depths, settings and arms.
    """
    branch, width, depth, deepest, batch, steps = sizes
    shape = networks.Shape(branch, width, deepest, batch)
    factor, rate = np.array(settings).T
    for some in _in_turn(seeds):
        parameters, *_ = shape.draw(some, "training", "weights")
        blocks = {key: parameters[key][:, :depth] for key in networks.BLOCKS}
        batches = _tasks(some, "batches", steps, batch)
        tested = _tasks(some, "tested", TESTED)
        found = networks.log_losses_left(
            branch, {**parameters, **blocks}, factor[:, None] * np.ones(depth), batches, tested,
            rate / width,
        )  # fmt: skip
        yield from zip(some, np.asarray(found).T, strict=True)


def _tasks(seeds: tuple[int, ...], name: str, *shape: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets with seeds in front."""
    drawn = [networks.task(generator(seed, "depth", "training", name), *shape) for seed in seeds]
    return tuple(np.stack(parts) for parts in zip(*drawn, strict=True))


LAGS = {  # shares of the depth
    "fine": (1 / 256, 1 / 128, 1 / 64),
    "coarse": (1 / 32, 1 / 16, 1 / 8),
}


def diversity(
    *, arm: str, branch: str, power: float, width: int, depth: int, batch: int, rate: float,
    steps: int, reading: str, seeds: tuple[int, ...], lags: str = "fine",
) -> Iterator[dict]:  # fmt: skip
    """How a stream's increment over a share u of the depth grows with u: rms ~ u^p.

    reading: the stream at the start (`init`), after steps of Adam on the hidden weights
    (`trained`), the difference of both (`learned`). exponent: p, least squares over the three
    `lags` u. increment: rms over the last.
    """
    shape = networks.Shape(branch, width, depth, batch)
    parameters, *data = shape.draw(seeds, "diversity", arm, depth)
    (factor,) = networks.factors((depth,), depth, power)
    rated = rate / width * float(depth) ** (power - 1)
    before, after = networks.trained_streams(branch, parameters, factor, data, rated, steps)
    stream = np.asarray({"init": before, "trained": after, "learned": after - before}[reading])
    squares = np.array(
        [_increment(stream, round(lag * depth)) for lag in LAGS[lags]]
    )  # (lags, seeds)
    exponents = np.polyfit(np.log(LAGS[lags]), np.log(squares), 1)[0] / 2
    for seed, exponent, last in zip(seeds, exponents, squares[-1], strict=True):
        yield {"seed": seed, "exponent": exponent, "increment": np.sqrt(last)}


def _increment(stream: np.ndarray, lag: int) -> np.ndarray:
    """Mean square of x_{l+lag} - x_l over l, inputs and coordinates, (seeds,)."""
    return np.mean((stream[:, lag:] - stream[:, :-lag]) ** 2, axis=(1, 2, 3))
