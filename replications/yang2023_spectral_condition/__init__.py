"""Yang, Simon & Bernstein 2023 and others: spectral norms of weights, of steps, and under decay."""
