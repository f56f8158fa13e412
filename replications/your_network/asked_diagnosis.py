"""What is asked of a reader's network: U1 to U8."""

ASKED_DIAGNOSIS = []
