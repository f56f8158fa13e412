"""Dey et al. 2025 and its neighbours: residual multipliers, rates and laziness in depth."""
