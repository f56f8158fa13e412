"""A linear target under as much noise: every network that fits it overfits."""

import torch
from torch import nn


def model(width=256):
    return nn.Sequential(nn.Linear(10, width), nn.ReLU(), nn.Linear(width, 1))


def data(seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(1600, 10, generator=generator)
    y = x @ nn.functional.normalize(torch.randn(10, 1, generator=generator), dim=0)
    noisy = y + torch.randn(y.shape, generator=generator)
    return (x[:100], noisy[:100]), (x[100:], y[100:])


loss = nn.functional.mse_loss


def optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)


steps, batch = 600, 50
