"""Wide neural networks: `widenets.ntk` (numerics) and `widenets.evidence` (judgement)."""

__version__ = "0.2.0"
