"""A transformer whose matrices move by Muon, all else by AdamW (VARIANT: right, or a mistake)."""

import torch
from torch import nn
from torch.nn import functional
from torch.optim import AdamW, Muon

VARIANT = globals().get("VARIANT", "original")  # original, matched, own, coupled, or a mistake
SYMBOLS, LENGTH, HEADS, BASE, RATE = 16, 16, 2, 16, 2.0**-7
decay = "coupled" if VARIANT == "coupled" else "independent"
widths = (16, 32, 64, 128)


class Block(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(n), nn.LayerNorm(n)
        self.q, self.k, self.v, self.mix = (nn.Linear(n, n, bias=False) for _ in range(4))
        self.up, self.down = nn.Linear(n, 4 * n, bias=False), nn.Linear(4 * n, n, bias=False)
        self.scale = (BASE / HEADS) ** 0.5 * HEADS / n

    def forward(self, x):
        h = self.norm1(x)
        q, k, v = (
            f(h).unflatten(-1, (HEADS, -1)).transpose(1, 2) for f in (self.q, self.k, self.v)
        )
        h = functional.scaled_dot_product_attention(q, k, v, is_causal=True, scale=self.scale)
        x = x + self.mix(h.transpose(1, 2).flatten(-2))
        return x + self.down(functional.relu(self.up(self.norm2(x))))


class Transformer(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.token, self.place = nn.Embedding(SYMBOLS, n), nn.Embedding(LENGTH, n)
        self.block, self.norm = Block(n), nn.LayerNorm(n)
        self.head = nn.Linear(n, SYMBOLS, bias=False)
        bare = VARIANT == "readout_bare"  # the multiplier in the start, not in the network
        nn.init.normal_(self.head.weight, std=BASE**0.5 / n if bare else BASE**-0.5)
        self.multiplier = 1.0 if bare else BASE / n
        for w in self.block.parameters():
            if w.ndim == 2:
                nn.init.normal_(w, std=w.shape[1] ** -0.5)

    def forward(self, tokens):
        x = self.token(tokens) + self.place.weight
        return self.multiplier * self.head(self.norm(self.block(x)))


def model(width=BASE):
    return Transformer(width)


class Spectral(torch.optim.Optimizer):
    """Somebody's own: the polar factor of the gradient, times a power of out/in."""

    def __init__(self, params, lr, power):
        super().__init__(params, {"lr": lr, "power": power})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for w in group["params"]:
                left, _, right = torch.linalg.svd(w.grad, full_matrices=False)
                scale = (w.shape[0] / w.shape[1]) ** group["power"]
                w.sub_(left @ right, alpha=group["lr"] * scale)


class Both:
    """Two optimizers behind one face."""

    def __init__(self, *parts):
        self.parts = parts
        self.param_groups = [group for part in parts for group in part.param_groups]

    def zero_grad(self):
        for part in self.parts:
            part.zero_grad()

    def step(self):
        for part in self.parts:
            part.step()


def optimizer(model):
    m = model.norm.weight.numel() / BASE
    matrices = [w for w in model.block.parameters() if w.ndim == 2]
    if VARIANT == "embedding":
        matrices.append(model.token.weight)
    if VARIANT in ("readout", "readout_bare"):
        matrices.append(model.head.weight)
    rest = [w for w in model.parameters() if all(w is not matrix for matrix in matrices)]
    factor = {"matched": m**-0.5, "adam_rate": 1 / m, "adam_matched": 1 / m}.get(VARIANT, 1.0)
    rate, share = RATE * factor, 0.1 / factor
    if VARIANT == "decay_twice":  # Muon takes the rate with it: here the scale is in it as well
        share *= m**0.5
    if VARIANT in ("own", "transposed"):
        first = Spectral(matrices, rate, -0.5 if VARIANT == "transposed" else 0.5)
    else:
        matched = VARIANT in ("matched", "spectral", "adam_matched")
        scale = "match_rms_adamw" if matched else "original"
        first = Muon(matrices, lr=rate, weight_decay=share, adjust_lr_fn=scale)
    eps = 1e-3 if VARIANT == "epsilon" else 1e-15
    slow = [model.head.weight] if VARIANT == "readout_twice" else []
    groups = [{"params": [w for w in rest if all(w is not s for s in slow)]}]
    if slow:
        groups.append({"params": slow, "lr": RATE / m, "weight_decay": 0.1 * m})
    second = AdamW(groups, lr=RATE, weight_decay=0.1, eps=eps)
    return Both(first, second) if VARIANT == "matched" else [first, second]


def data(seed):
    """Walks around a circle of symbols, two steps forward or one back."""
    generator = torch.Generator().manual_seed(seed)
    steps = 3 * torch.randint(2, (64, LENGTH + 1), generator=generator) - 1
    walks = torch.cumsum(steps, dim=1) % SYMBOLS
    inputs, targets = walks[:, :-1], walks[:, 1:]
    return (inputs[:32], targets[:32]), (inputs[32:], targets[32:])


def loss(outputs, targets):
    return functional.cross_entropy(outputs.flatten(0, 1), targets.flatten())
