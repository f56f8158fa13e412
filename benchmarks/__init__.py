"""Speed of shared.ntk against the machine's own limit and against neural-tangents."""
