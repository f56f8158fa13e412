"""A transformer in the maximal update parameterization (VARIANT: right, or with one mistake)."""

import torch
from torch import nn
from torch.nn import functional

VARIANT = globals().get("VARIANT", "plain")  # plain, tied, zero_readout, or a mistake
SYMBOLS, LENGTH, HEADS, BASE, RATE, DECAY = 16, 16, 4, 32, 2.0**-8, 0.1
decay = "independent"
widths = (32, 64, 128, 256)


class Block(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(n), nn.LayerNorm(n)
        self.q, self.k, self.v, self.mix = (nn.Linear(n, n) for _ in range(4))
        self.up, self.down = nn.Linear(n, 4 * n), nn.Linear(4 * n, n)
        d = n // HEADS  # logits are q.k / d, times the root of d at the base width
        self.scale = d**-0.5 if VARIANT == "attention" else (BASE / HEADS) ** 0.5 / d

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
        self.block1, self.block2, self.norm = Block(n), Block(n), nn.LayerNorm(n)
        if "tied" not in VARIANT:
            self.head = nn.Linear(n, SYMBOLS)
        without = VARIANT in ("readout_multiplier", "tied_multiplier", "base_width")
        self.multiplier = 1.0 if without else BASE / n
        if "tied" in VARIANT:
            self.multiplier *= BASE**-0.5  # the embedding's entries are of order one
        self.initialize(n / BASE)

    def initialize(self, m):
        for name, w in self.named_parameters():
            kind = role(name)
            if kind == "hidden":
                nn.init.normal_(
                    w, std=w.shape[1] ** -0.5 * (m**-0.5 if VARIANT == "hidden_init" else 1)
                )
            elif kind == "readout":
                std = BASE**-0.5 * (m**0.5 if VARIANT == "readout_init" else 1)
                nn.init.normal_(w, std=0.0 if VARIANT == "zero_readout" else std)
            elif kind == "bias":
                nn.init.zeros_(w)
            elif kind == "gain" and VARIANT == "gain_init":
                nn.init.constant_(w, m)

    def forward(self, tokens):
        x = self.token(tokens) + self.place.weight
        x = self.norm(self.block2(self.block1(x)))
        if "tied" in VARIANT:
            return self.multiplier * functional.linear(x, self.token.weight)
        return self.multiplier * self.head(x)


def role(name):
    if name.endswith("bias"):
        return "bias"
    if "norm" in name:
        return "gain"
    return {"token": "embedding", "place": "embedding", "head": "readout"}.get(
        name.split(".")[0], "hidden"
    )


def model(width=BASE):
    return Transformer(width)


def rate(name, m):
    """Factor of the learning rate: Adam in muP wants 1/m for hidden matrices, 1 for all others."""
    forgotten = VARIANT in ("hidden_rate", "base_width")
    if role(name) == "hidden":
        return 1.0 if forgotten or (VARIANT, name) == ("one_rate", "block1.up.weight") else 1 / m
    return 1 / m if f"{role(name)}_rate" == VARIANT else 1.0


def optimizer(model):
    m = model.norm.weight.numel() / BASE
    groups = [
        {
            "params": [w],
            "lr": RATE * rate(name, m),
            "weight_decay": DECAY / (1.0 if VARIANT == "decay" else rate(name, m)),
        }
        for name, w in model.named_parameters()
    ]
    return torch.optim.AdamW(groups, eps=1e-4 if VARIANT == "epsilon" else 1e-15)


def data(seed):
    """Walks around a circle of symbols, two steps forward or one back."""
    generator = torch.Generator().manual_seed(seed)
    steps = 3 * torch.randint(2, (64, LENGTH + 1), generator=generator) - 1
    walks = torch.cumsum(steps, dim=1) % SYMBOLS
    inputs, targets = walks[:, :-1], walks[:, 1:]
    return (inputs[:32], targets[:32]), (inputs[32:], targets[32:])


def loss(outputs, targets):
    return functional.cross_entropy(outputs.flatten(0, 1), targets.flatten())
