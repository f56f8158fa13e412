"""Judgement: claims, accepted regions, estimates over seeds, verdicts. Imports neither jax nor torch."""
