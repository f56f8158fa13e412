"""A network of three layers that is meant to be in muP."""

import torch
from torch import nn

widths = (32, 64, 128, 256)


class Network(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.first, self.hidden, self.head = nn.Linear(20, n), nn.Linear(n, n), nn.Linear(n, 1)
        nn.init.normal_(self.hidden.weight, std=n**-0.5)
        nn.init.normal_(self.head.weight, std=1 / n)
        for layer in (self.first, self.hidden, self.head):
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        return self.head(torch.relu(self.hidden(torch.relu(self.first(x)))))


def model(width=32):
    return Network(width)


def data(seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(200, 20, generator=generator)
    y = x[:, :1] * x[:, 1:2]
    return (x[:100], y[:100]), (x[100:], y[100:])


loss = nn.functional.mse_loss


def optimizer(model):
    n = model.hidden.weight.shape[0]
    vectors = [p for name, p in model.named_parameters() if name.endswith("bias")]
    return torch.optim.Adam(
        [
            {"params": [model.first.weight, *vectors], "lr": 0.004},
            {"params": [model.head.weight], "lr": 0.004 * 32 / n},
            {"params": [model.hidden.weight], "lr": 0.004},  # the mistake: it must fall as 32 / n
        ]
    )
