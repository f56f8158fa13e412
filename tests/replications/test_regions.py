"""Regions that were once wider than they had been at first, because of what was seen, stay put back
(docs/regions.md)."""

import pytest

from workflow.base.selection import claim_named
from workflow.base.tree import ROOT

REGIONS = (ROOT / "docs" / "regions.md").read_text(encoding="utf-8")

# As each was before its paper was run for the first time.
FIRST = {
    "lee2019_linearization.L1_gap_bound_relu": (float("-inf"), -0.5),
    "jacot2018_frozen_kernel.J3_rate_erf": (-1.15, -0.85),
    "jacot2018_frozen_kernel.J3b_less_when_wide": (-1.3, -0.7),
    "jacot2018_frozen_kernel.J10_activations": (-0.65, -0.35),
    "jacot2018_frozen_kernel.J10_hidden_weights": (-1.2, -0.8),
    "jacot2018_frozen_kernel.J9_parameter_distance": (-0.65, -0.35),
    "jacot2018_frozen_kernel.J10_every_weight": (-0.65, -0.35),
}


@pytest.mark.parametrize("claim", FIRST)
def test_a_region_that_was_put_back_is_no_wider_than_at_first(claim):
    region, (low, high) = claim_named(*claim.split(".")).region, FIRST[claim]
    assert low - 1e-12 <= region.low
    assert region.high <= high + 1e-12
    assert f"| {claim.split('.')[1]}" in REGIONS or f", {claim.split('.')[1]}" in REGIONS
