"""Residual blocks of two layers with pre-norm; every depth right (VARIANT), or one mistake."""

import torch
from torch import nn

VARIANT = globals().get("VARIANT", "half")  # a mistake or none; its a: 1 with _one, else 1/2
A, FAULT = (1.0 if VARIANT.endswith("one") else 0.5), VARIANT.removesuffix("_one")
WIDTH, BASE, RATE = 48, (4 if "base4" in VARIANT else 1), 2.0**-9
EPS = 1e-2 if FAULT.startswith("eps") else 1e-15
depths = (4, 8, 16, 32)


class Block(nn.Module):
    def __init__(self, n, multiplier):
        super().__init__()
        self.norm, self.multiplier = nn.LayerNorm(n), multiplier
        self.up, self.down = nn.Linear(n, n), nn.Linear(n, n, bias=False)
        nn.init.normal_(self.up.weight, std=n**-0.5)
        nn.init.normal_(self.down.weight, std=(2 / n) ** 0.5)
        nn.init.zeros_(self.up.bias)
        if FAULT == "zero":
            nn.init.zeros_(self.down.weight)

    def forward(self, h):
        return h + self.multiplier * self.down(nn.functional.gelu(self.up(self.norm(h))))


class Network(nn.Module):
    def __init__(self, n, depth):
        super().__init__()
        power = {"no_multiplier": 0.0, "bare": 0.0, "quarter": 0.25}.get(FAULT, A)
        multiplier = (depth / BASE) ** -power
        self.first = nn.Linear(8, n, bias=False)
        self.blocks = nn.ModuleList([Block(n, multiplier) for _ in range(depth)])
        self.last = nn.Identity() if FAULT in ("bare", "no_final") else nn.LayerNorm(n)
        self.head = nn.Linear(n, 1, bias=False)
        nn.init.normal_(self.first.weight, std=8**-0.5)
        nn.init.normal_(self.head.weight, std=1 / n)

    def forward(self, x):
        h = self.first(x)
        for block in self.blocks:
            h = block(h)
        return self.head(self.last(h))


def model(width=WIDTH, depth=4):
    return Network(width, depth)


def kind(name):
    if not name.startswith("blocks"):
        return {"first.weight": "embedding", "head.weight": "head"}.get(name, "final")
    if "norm" in name:
        return "gain" if name.endswith("weight") else "bias"
    return "bias" if name.endswith("bias") else "hidden"


def rate(of, ratio):
    """Factor of the rate: L^(a-1) in blocks under Adam, L^(2a-1) under SGD."""
    power = 2 * A - 1 if FAULT in ("sgd", "sgd_rule") else A - 1
    in_blocks = of in ("hidden", "gain", "bias")
    if f"{of}_rate" == FAULT:  # not scaled, or scaled as a block's
        in_blocks = not in_blocks
    return ratio**power if in_blocks and FAULT != "block_rate" else 1.0


def eps(of, ratio):
    """Of Adam: falls in blocks as their gradients do."""
    in_blocks = of in ("hidden", "gain", "bias") or (of, FAULT) == ("embedding", "eps_embedding")
    return EPS * (ratio**-A if in_blocks and FAULT != "eps_fixed" else 1.0)


def optimizer(model):
    ratio = len(model.blocks) / BASE
    of_kind = {}
    for name, w in model.named_parameters():
        of_kind.setdefault(kind(name), []).append(w)
    matrices = of_kind.pop("hidden") if FAULT == "muon" else []
    groups = [
        {"params": some, "lr": RATE * rate(of, ratio), "eps": eps(of, ratio)}
        for of, some in of_kind.items()
    ]
    if FAULT == "sgd":
        return torch.optim.SGD([{"params": g["params"], "lr": 8 * g["lr"]} for g in groups])
    adam = torch.optim.AdamW(groups)
    if FAULT == "muon":
        return [torch.optim.Muon(matrices, lr=0.02 * ratio ** (A - 1)), adam]
    return adam


def data(seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(40, 8, generator=generator)
    y = x[:, :1] * x[:, 1:2] + torch.tanh(2 * x[:, 2:3])
    return (x[:16], y[:16]), (x[16:], y[16:])


loss = nn.functional.mse_loss
