"""abc-parameterizations: how a network's scales change with its width n.

A layer holds parameters w and computes with the weights W = n^-a w, starts from w_ij ~ N(0, n^-2b)
and is trained with the learning rate eta n^-c (Yang & Hu, "Tensor Programs IV", arXiv:2011.14522;
one c per layer as in Yang, Hu et al., "Tensor Programs V", arXiv:2203.03466). A parameterization is
only a rule for changing n: at the base width all of them are the same run. Plain numbers, no
framework; the only place of the project where a scaling rule is written.

Roles of a parameter: ``input`` (finite fan-in, fan-out n: input weights, embeddings, biases and
gains), ``hidden`` (n to n), ``output`` (n to finite), ``scalar`` (neither grows: read-out bias).
"""

import math
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

Role = Literal["input", "hidden", "output", "scalar"]
ROLES = ("input", "hidden", "output")
OPTIMIZERS = ("sgd", "adam")
REGIMES = ("unstable", "degenerate", "trivial", "kernel", "feature_learning")


class Exponents(NamedTuple):
    """Width exponents of one layer: multiplier n^-a, initial std n^-b, learning rate n^-c."""

    a: float
    b: float
    c: float


class Scales(NamedTuple):
    """What the exponents come to at one width: the factors of multiplier, initial std and rate."""

    multiplier: float
    initial_std: float
    learning_rate: float


@dataclass(frozen=True)
class Parameterization:
    """Exponents per role for one optimizer; attention logits carry d_head^-attention."""

    name: str
    optimizer: str
    input: Exponents
    hidden: Exponents
    output: Exponents
    attention: float = 0.5

    def __post_init__(self):
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer {self.optimizer!r}: want one of {OPTIMIZERS}")

    def exponents(self, role: Role) -> Exponents:
        """(a, b, c) of a role; a ``scalar`` parameter knows no width."""
        if role == "scalar":
            return Exponents(0.0, 0.0, 0.0)
        if role not in ROLES:
            raise ValueError(f"role {role!r}: want one of {(*ROLES, 'scalar')}")
        return getattr(self, role)


def standard(optimizer: str, *, learning_rate_exponent: float = 0.0) -> Parameterization:
    """Weights N(0, 1/fan_in), one learning rate eta n^-c for all layers.

    c = 0 is what frameworks do by default; c = 1 is the largest rate at which SGD stays stable as
    n grows (its limit is a kernel method).
    """
    c = learning_rate_exponent
    name = "standard" if c == 0 else f"standard_rate_{c:g}"
    half = Exponents(0.0, 0.5, c)
    return Parameterization(name, optimizer, Exponents(0.0, 0.0, c), half, half)


def ntk(optimizer: str) -> Parameterization:
    """Weights n^-1/2 w with w ~ N(0, 1), one learning rate (Jacot et al., arXiv:1806.07572)."""
    half = Exponents(0.5, 0.0, 0.0)
    return Parameterization("ntk", optimizer, Exponents(0.0, 0.0, 0.0), half, half)


def maximal_update(optimizer: str) -> Parameterization:
    """muP without multipliers: the SGD and Adam columns of Table 3 of arXiv:2203.03466."""
    if optimizer == "adam":
        rows = Exponents(0.0, 0.0, 0.0), Exponents(0.0, 0.5, 1.0), Exponents(0.0, 1.0, 1.0)
    else:
        rows = Exponents(0.0, 0.0, -1.0), Exponents(0.0, 0.5, 0.0), Exponents(0.0, 1.0, 1.0)
    return Parameterization("maximal_update", optimizer, *rows, attention=1.0)


def mean_field() -> Parameterization:
    """f = (1/n) sum_i v_i phi(u_i.x), rate eta n, SGD; every sum over n neurons is an average.

    With one hidden layer it is ``maximal_update`` (shifted by 1/2). Deeper, an average of n centred
    weights vanishes at initialization, so the two part ways.
    """
    rows = Exponents(0.0, 0.0, -1.0), Exponents(1.0, 0.0, -2.0), Exponents(1.0, 0.0, -1.0)
    return Parameterization("mean_field", "sgd", *rows)


def parameterization(name: str, optimizer: str) -> Parameterization:
    """By name: standard, standard_over_n (rate eta/n), ntk, maximal_update, mean_field (SGD)."""
    if name == "mean_field" and optimizer == "sgd":
        return mean_field()
    if name == "standard_over_n":
        return replace(standard(optimizer, learning_rate_exponent=1.0), name=name)
    makers = {"standard": standard, "ntk": ntk, "maximal_update": maximal_update}
    if name not in makers:
        raise ValueError(
            f"parameterization {name!r} with {optimizer!r}: want one of {sorted(makers)}, "
            "standard_over_n, or mean_field with sgd"
        )
    return makers[name](optimizer)


# -- Lemma J.1: the same training run, written with other multipliers --------------------------


def shift(rule: Parameterization, role: Role, theta: float) -> Parameterization:
    """Move n^-theta of one role into its multiplier; no output of any training run changes.

    (a, b, c) -> (a + theta, b - theta, c - 2 theta) for SGD, c - theta for Adam, whose step does
    not see the scale of the gradient (Lemma J.1 of arXiv:2203.03466; Adam: epsilon negligible).
    """
    a, b, c = rule.exponents(role)
    per_theta = 2.0 if rule.optimizer == "sgd" else 1.0
    return replace(rule, **{role: Exponents(a + theta, b - theta, c - per_theta * theta)})


def multiplier_free(rule: Parameterization) -> Parameterization:
    """The representative with a = 0 everywhere: only initial stds and learning rates scale."""
    for role in ROLES:
        rule = shift(rule, role, -rule.exponents(role).a)
    return rule


def maximal_update_table(table: int, optimizer: str) -> Parameterization:
    """muP as written in Table 3 (no multipliers), 8 (read-out multiplier 1/n, as the ``mup``
    package) or 9 (input sqrt(n), read-out 1/sqrt(n), as Tensor Programs IV) of arXiv:2203.03466.
    """
    thetas = {3: (0.0, 0.0, 0.0), 8: (0.0, 0.0, 1.0), 9: (-0.5, 0.0, 0.5)}
    if table not in thetas:
        raise ValueError(f"table {table}: want one of {sorted(thetas)}")
    rule = maximal_update(optimizer)
    for role, theta in zip(ROLES, thetas[table], strict=True):
        rule = shift(rule, role, theta)
    return rule


def equivalent(left: Parameterization, right: Parameterization, *, depth: int = 2) -> bool:
    """Whether two rules give the same training run at every width (``depth`` hidden layers)."""
    free = multiplier_free(left), multiplier_free(right)
    roles = ("input", "output") if depth == 1 else ROLES
    return left.optimizer == right.optimizer and all(
        free[0].exponents(role) == free[1].exponents(role) for role in roles
    )


# -- exponents made numbers -------------------------------------------------------------------


def scales(rule: Parameterization, role: Role, width: float, base_width: float = 1.0) -> Scales:
    """Factors (width / base_width)^-(a, b, c), in units of the same quantities at base width."""
    if not (width > 0 and base_width > 0):
        raise ValueError(f"width {width}, base width {base_width}: want both positive")
    a, b, c = rule.exponents(role)
    ratio = width / base_width
    return Scales(ratio**-a, ratio**-b, ratio**-c)


def initial_std(
    rule: Parameterization, role: Role, fan_in: int, width: int, base_width: int = 1
) -> float:
    """Initial std of w that is 1/sqrt(fan_in) at base width: n^-b from there on."""
    fan_in_grows = role in ("hidden", "output")
    base_fan_in = fan_in * base_width / width if fan_in_grows else fan_in
    return scales(rule, role, width, base_width).initial_std / math.sqrt(base_fan_in)


def attention_scale(rule: Parameterization, head_width: int, base_head_width: int = 1) -> float:
    """Factor of q.k that is 1/sqrt(d_head) at base width, and d_head^-attention from there on.

    After training q and k are correlated and q.k grows as d_head, hence attention = 1 in muP
    (Def. 4.1 of arXiv:2203.03466).
    """
    ratio = head_width / base_head_width
    return ratio**-rule.attention / math.sqrt(base_head_width)


# -- Tensor Programs IV: what the exponents say about training ---------------------------------


def first_step_exponents(rule: Parameterization) -> dict[str, float]:
    """Width exponents s of the change |x_1 - x_0| ~ n^s of preactivations after one step.

    Two or more hidden layers, random read-out. The gradient at the last features has entries
    n^-(a+b) of the read-out; a layer's own step moves its output by n^-(2a+c) times that for SGD,
    by n^-(a+c) for Adam, times n when its n inputs add up. The read-out moves by its own step or by
    the moved features, whichever is larger; its value is an upper bound under Adam.
    """
    readout = rule.output.a + rule.output.b
    own = {role: _own_step(rule, role) for role in ROLES}
    hidden = max(own["input"], own["hidden"])
    through_features = 1.0 - readout + hidden
    output = max(own["output"], through_features)
    return {"input": own["input"], "hidden": hidden, "output": output}


def _own_step(rule: Parameterization, role: Role) -> float:
    a, _, c = rule.exponents(role)
    summed = 0.0 if role == "input" else 1.0
    if rule.optimizer == "adam":
        return summed - a - c
    backward = 0.0 if role == "output" else rule.output.a + rule.output.b
    return summed - 2.0 * a - c - backward


def optimal_rate_exponent(rule: Parameterization) -> float:
    """Exponent e of the best learning rate ~ n^e: what holds the first step of h fixed.

    Ours, not the paper's: minus the exponent of the hidden preactivations' first step. For muP (0)
    and SP with Adam (-1) it is the paper's; for SGD it presumes a loss, such as cross-entropy, that
    survives a transient growth of the outputs.
    """
    return 0.0 - first_step_exponents(rule)["hidden"]


def feature_exponent(rule: Parameterization, *, depth: int = 2) -> float:
    """r: hidden features move by n^-r in O(1) steps.

    SGD, Tensor Programs IV:
    r = min(a_out + b_out, 2 a_out + c_out) - 1 + min_l (2 a_l + c_l + [l = 1]).
    Adam: r = min_l (a_l + c_l - [l > 1]); its step does not see the size of the gradient.
    """
    roles = ("input",) if depth == 1 else ("input", "hidden")
    rows = [(rule.exponents(role), role == "input") for role in roles]
    if rule.optimizer == "adam":
        return min(e.a + e.c - (not first) for e, first in rows)
    out = rule.output
    backward = min(out.a + out.b, 2.0 * out.a + out.c)
    return backward - 1.0 + min(2.0 * e.a + e.c + first for e, first in rows)


def regime(rule: Parameterization, *, depth: int = 2) -> str:
    """Infinite-width limit of training with ``depth`` hidden layers (Dynamical Dichotomy of TP IV).

    unstable: something blows up; degenerate: hidden features vanish at initialization; trivial: the
    function never moves; else kernel (r > 0) or feature_learning (r = 0), and nothing between.
    """
    out, r = rule.output, feature_exponent(rule, depth=depth)
    at_init = [rule.input.a + rule.input.b]
    at_init += [rule.hidden.a + rule.hidden.b - 0.5] if depth > 1 else []
    own_step = (2.0 if rule.optimizer == "sgd" else 1.0) * out.a + out.c - 1.0
    through_features = out.a + out.b + r - 1.0
    if min(*at_init, out.a + out.b - 0.5, r, own_step, through_features) < 0:
        return "unstable"
    if max(at_init) > 0:
        return "degenerate"
    if min(own_step, through_features) > 0:
        return "trivial"
    return "kernel" if r > 0 else "feature_learning"
