"""Schoenholz et al. 2017 and successors: how far signals travel, and what deep kernels learn."""
