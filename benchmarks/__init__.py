"""Speed of widenets.ntk against the machine's own limit and against neural-tangents."""

import workflow  # noqa: F401  (this checkout's library is the one that is measured)
