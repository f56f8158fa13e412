"""Product of two coordinates among thirty."""

import torch
from torch import nn


def model(width=256):
    return nn.Sequential(nn.Linear(30, width), nn.ReLU(), nn.Linear(width, 1))


def data(seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(1000, 30, generator=generator).sign()
    y = x[:, :1] * x[:, 1:2]
    return (x[:400], y[:400]), (x[400:], y[400:])


loss = nn.functional.mse_loss


def optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)


steps, batch = 600, 64
