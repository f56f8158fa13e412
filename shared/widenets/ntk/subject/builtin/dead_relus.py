"""A network whose relus are off on every input: biases start at -100."""

import torch
from torch import nn


def model(width=256):
    hidden = nn.Linear(10, width)
    nn.init.constant_(hidden.bias, -100.0)
    return nn.Sequential(hidden, nn.ReLU(), nn.Linear(width, 1))


def data(seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(800, 10, generator=generator)
    y = x @ nn.functional.normalize(torch.randn(10, 1, generator=generator), dim=0)
    return (x[:200], y[:200]), (x[200:], y[200:])


loss = nn.functional.mse_loss


def optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)


steps, batch = 200, 50
