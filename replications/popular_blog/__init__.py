"""What a widely read from-scratch page on the tangent kernel prints, and what is true instead."""
