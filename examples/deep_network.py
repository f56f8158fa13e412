"""A deep network with pre-norm that is meant to train alike at every depth."""

import torch
from torch import nn

depths = (4, 8, 16, 32)


class Block(nn.Module):
    def __init__(self, n, multiplier):
        super().__init__()
        self.norm, self.multiplier = nn.LayerNorm(n), multiplier
        self.up, self.down = nn.Linear(n, 2 * n), nn.Linear(2 * n, n)

    def forward(self, h):
        return h + self.multiplier * self.down(nn.functional.gelu(self.up(self.norm(h))))


class Network(nn.Module):
    def __init__(self, n, depth):
        super().__init__()
        self.first, self.last, self.head = nn.Linear(10, n), nn.LayerNorm(n), nn.Linear(n, 1)
        self.blocks = nn.ModuleList(Block(n, (4 / depth) ** 0.5) for _ in range(depth))

    def forward(self, x):
        h = self.first(x)
        for block in self.blocks:
            h = block(h)
        return self.head(self.last(h))


def model(width=48, depth=4):
    return Network(width, depth)


def data(seed):
    x = torch.randn(200, 10, generator=torch.Generator().manual_seed(seed))
    y = x[:, :1] * x[:, 1:2]
    return (x[:100], y[:100]), (x[100:], y[100:])


loss = nn.functional.mse_loss


def optimizer(model):
    blocks = list(model.blocks.parameters())
    rest = [p for layer in (model.first, model.last, model.head) for p in layer.parameters()]
    factor = (
        1.0  # the mistake: with a multiplier ~ L^-1/2 it must be (4 / len(model.blocks)) ** 0.5
    )
    groups = [{"params": blocks, "lr": 0.002 * factor}, {"params": rest, "lr": 0.002}]
    return torch.optim.AdamW(groups)
