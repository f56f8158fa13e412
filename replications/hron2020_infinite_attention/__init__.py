"""Hron et al. 2020 and others: when attention is a Gaussian process, and which tangent kernel."""
