"""A linear target, learned by a wide network in NTK parameterization."""

import torch
from torch import nn

from widenets.ntk.empirical.torch import ScaledLinear


def model(width=512):
    hidden = ScaledLinear(10, width, weight_variance=2.0, bias_variance=0.1)
    return nn.Sequential(hidden, nn.ReLU(), ScaledLinear(width, 1))


def data(seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(600, 10, generator=generator)
    y = x @ nn.functional.normalize(torch.randn(10, 1, generator=generator), dim=0)
    return (x[:200], y[:200]), (x[200:], y[200:])


loss = nn.functional.mse_loss


def optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


steps, batch = 300, 50
