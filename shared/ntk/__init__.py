"""Numerics of wide networks: architectures and their kernels, dynamics, spectra, data."""
