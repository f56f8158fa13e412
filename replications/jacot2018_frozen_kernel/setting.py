"""The paper's setting: numbers that the measurement and the figures share."""

import numpy as np

BETA = 0.1
HIDDEN_LAYERS = 3  # L = 4 in every figure whose depth is stated; L counts affine maps
SAMPLES = 10  # inputs of Figure 1, x ~ N(0, I_2)
ANGLES = np.linspace(-np.pi, np.pi, 32, endpoint=False)  # gamma of the circle's test points
FOUR_ANGLES = np.array([-2.2, -0.9, 0.6, 2.0])  # Figure 2 shows four points, and not where


def target(x: np.ndarray) -> np.ndarray:
    """f*(x) = x_1 x_2 (Section 6.1), for x (..., 2)."""
    return x[..., 0] * x[..., 1]
