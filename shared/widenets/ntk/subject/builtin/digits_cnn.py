"""A convolutional network on 300 images of digits."""

import torch
from torch import nn

from widenets.ntk.data import digits


def model(width=16):
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1),
        nn.ReLU(), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(4 * width, 10),
    )  # fmt: skip


def data(seed):
    images, labels = digits()
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))[:1300]
    x = torch.as_tensor(images).permute(0, 3, 1, 2)[order]
    y = torch.as_tensor(labels).long()[order]
    return (x[:300], y[:300]), (x[300:], y[300:])


loss = nn.functional.cross_entropy


def optimizer(model):
    return torch.optim.Adam(model.parameters(), lr=3e-3)


steps, batch = 600, 64
