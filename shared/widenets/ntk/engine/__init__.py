"""Closed forms in terms of chords, and the loops that numba compiles from them."""
