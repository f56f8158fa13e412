"""Arora et al. 2019: a data-dependent bound that tells true from random labels."""
