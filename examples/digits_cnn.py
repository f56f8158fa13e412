"""A convolutional network on 300 images of digits."""

import torch
from sklearn.datasets import load_digits
from torch import nn


def model(width=16):
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1),
        nn.ReLU(), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(4 * width, 10),
    )  # fmt: skip


def data(seed):
    images, labels = load_digits(return_X_y=True)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))[:900]
    x = torch.tensor(images / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)[order]
    y = torch.tensor(labels)[order].long()
    return (x[:300], y[:300]), (x[300:], y[300:])


loss = nn.functional.cross_entropy


def optimizer(model):
    return torch.optim.Adam(model.parameters(), lr=3e-3)


steps, batch = 600, 50
