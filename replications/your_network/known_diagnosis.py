"""The instrument's own claims: on subjects whose answer is known it gives that answer."""

KNOWN_DIAGNOSIS = []
