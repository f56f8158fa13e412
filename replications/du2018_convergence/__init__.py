"""Du et al. 2018/2019: gradient descent on wide ReLU networks converges linearly."""
