"""Figures of finite-width corrections, from the tables alone."""
