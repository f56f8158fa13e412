"""Cao et al. (2019): spectral bias of two-layer networks."""
