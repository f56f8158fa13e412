"""A small transformer: Muon for its matrices, AdamW for the rest."""

import torch
from torch import nn
from torch.optim import AdamW, Muon

widths = (32, 64, 128, 256)


class Transformer(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.token, self.place = nn.Embedding(27, n), nn.Embedding(12, n)
        self.q, self.k, self.v = (nn.Linear(n, n, bias=False) for _ in range(3))
        self.up, self.down = nn.Linear(n, 4 * n, bias=False), nn.Linear(4 * n, n, bias=False)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(n) for _ in range(3))
        self.head, self.n = nn.Linear(n, 27, bias=False), n
        nn.init.normal_(self.head.weight, std=32**-0.5)
        for w in self.matrices():
            nn.init.normal_(w, std=w.shape[1] ** -0.5)

    def matrices(self):
        return [layer.weight for layer in (self.q, self.k, self.v, self.up, self.down)]

    def forward(self, x):
        x = self.token(x) + self.place.weight
        h = self.norm1(x)
        weights = torch.softmax(self.q(h) @ self.k(h).mT * 32**0.5 / self.n, -1)
        x = x + weights @ self.v(h)
        x = x + self.down(torch.relu(self.up(self.norm2(x))))
        return self.head(self.norm3(x)[:, -1]) * 32 / self.n


def model(width=32):
    return Transformer(width)


def data(seed):  # the letter before the last one, a place further in the alphabet
    x = torch.randint(27, (200, 12), generator=torch.Generator().manual_seed(seed))
    y = (x[:, -2] + 1) % 27
    return (x[:100], y[:100]), (x[100:], y[100:])


loss = nn.functional.cross_entropy


def optimizer(model):  # a list of several is one optimizer
    rest = [p for name, p in model.named_parameters() if name[0] not in "qkvud"]
    return [Muon(model.matrices(), lr=0.02), AdamW(rest, lr=0.01)]
