"""What all replications share: `shared.ntk` (numerics) and `shared.evidence` (judgement)."""
