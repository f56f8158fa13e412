"""One linear hidden layer and one sample of length one: two numbers, at any width.

w and u = W^0 x of N weights each, f = w.u / (g0 N). With c = eta g0 (y - f) a step is
w + u -> (1 + c)(w + u), w - u -> (1 - c)(w - u). With X = |w+u|^2 / (2N), Y = |w-u|^2 / (2N):

    f = (X - Y) / (2 g0),   K = X + Y,   K^2 = 4 g0^2 f^2 + 4 X Y,

and X Y is multiplied by (1 - c^2)^2. In the limit X = Y = 1 at the start.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

CAP = 1e12  # beyond it a run counts as diverged


class Path(NamedTuple):
    """After all steps; arrays of the shape of X and Y at the start."""

    x: np.ndarray
    y: np.ndarray
    grown: np.ndarray  # prod (1 + c)
    shrunk: np.ndarray  # prod (1 - c)

    @property
    def kernel(self) -> np.ndarray:
        return self.x + self.y

    def output(self, richness: float) -> np.ndarray:
        return (self.x - self.y) / (2 * richness)


def descend(x, y, richness: float, rate: float, steps: int, target: float = 1.0) -> Path:
    """X and Y (arrays or numbers) after `steps` steps, stopped where they pass CAP."""
    x, y = np.array(x, float), np.array(y, float)
    grown, shrunk = np.ones_like(x), np.ones_like(y)
    for _ in range(steps):
        c = rate * richness * target - rate * (x - y) / 2
        c = np.where(x + y < CAP, c, 0.0)
        x, y = x * (1 + c) ** 2, y * (1 - c) ** 2
        grown, shrunk = grown * (1 + c), shrunk * (1 - c)
    return Path(x, y, grown, shrunk)


def converges(richness: float, rate, steps: int = 4000) -> np.ndarray:
    """Whether descent of the limit ends at y = 1, for each of the rates."""
    rate = np.asarray(rate, float)
    start = np.ones_like(rate)
    return np.abs(descend(start, start, richness, rate, steps).output(richness) - 1) < 1e-6
