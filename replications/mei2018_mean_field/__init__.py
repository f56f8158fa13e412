"""Mei, Montanari & Nguyen 2018 and others: the mean-field limit of two-layer networks."""
