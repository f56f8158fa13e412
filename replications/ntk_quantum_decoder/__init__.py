"""A wide network as decoder of the surface code, analysed by its tangent kernel (ours)."""
