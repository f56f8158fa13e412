"""Fort et al. 2020: deep learning versus kernel learning, and how the tangent kernel evolves."""
