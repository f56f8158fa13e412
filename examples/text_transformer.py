"""A transformer reads 12 characters of English: is the next one a vowel, a consonant or neither?"""

from pydoc_data.topics import topics

import torch
from torch import nn

TEXT = "".join(c if c.isalpha() else " " for c in " ".join(topics.values()).lower() if c.isascii())
CODES = torch.tensor([" abcdefghijklmnopqrstuvwxyz".index(c) for c in " ".join(TEXT.split())])
KINDS = torch.tensor([2] + [0 if c in "aeiou" else 1 for c in "abcdefghijklmnopqrstuvwxyz"])


class Transformer(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.token, self.place = nn.Linear(27, n), nn.Parameter(torch.randn(12, n))
        self.q, self.k, self.v = (nn.Linear(n, n, bias=False) for _ in range(3))
        self.up, self.down, self.head = nn.Linear(n, 2 * n), nn.Linear(2 * n, n), nn.Linear(n, 3)

    def forward(self, x):  # (batch, 12, 27), one-hot: numbers, so that there is a tangent kernel
        x = self.token(x) + self.place
        weights = torch.softmax(self.q(x) @ self.k(x).mT / 5, -1)
        x = x + weights @ self.v(x)
        x = x[:, -1]
        return self.head(x + self.down(torch.relu(self.up(x))))


def model(width=24):
    return Transformer(width)


def data(seed):
    generator = torch.Generator().manual_seed(seed)
    start = torch.randperm(len(CODES) - 13, generator=generator)[:2900]
    x = nn.functional.one_hot(CODES[start[:, None] + torch.arange(12)], 27).float()
    y = KINDS[CODES[start + 12]]
    return (x[:500], y[:500]), (x[500:], y[500:])


loss = nn.functional.cross_entropy


def optimizer(model):
    return torch.optim.Adam(model.parameters(), lr=3e-3)


steps, batch = 400, 50
