"""What the chances of single claims say of a run."""

import numpy as np
import pandas as pd
import pytest

from widenets.evidence.alarms import as_expected
from workflow.trust.alarms import section
from workflow.trust.draws import OfARun


def test_a_run_is_as_expected_if_no_claim_strays():
    names = {"replication": "paper", "claim": ["sure", "likely", "bound"]}
    found = pd.DataFrame({**names, "alarm": [0.0, 0.1, np.nan], "false_pass": [1e-9, 2e-5, np.nan]})
    assert as_expected(found) == pytest.approx(0.9)
    text = section(OfARun(found, as_expected(found), 1))
    assert "All of 2 claims come out as expected in 90.0% of runs (on average 0.1 do not)" in text
    assert "the range of their seeds, for which nothing can be computed: 1." in text
    assert "2e-05 of 2 claims with a rival would pass in a run" in text
    assert "| paper | likely | 10.0% |" in text
    assert "| sure |" not in text
