"""Faults of kernels that `conformance` tells apart, in words; needs no other library."""

FAULTS = {
    "kappa0_without_half": "the derivative kernel lacks the factor 1/2 of E[phi' phi']",
    "bias_variance_squared": "the bias variance enters squared",
    "derivative_of_new_covariance": "the derivative kernel is taken at the covariance after the "
    "layer, not before it",
    "first_layer_not_trained": "the first layer is left out of the tangent kernel",
    "readout_not_trained": "the read-out is left out of the tangent kernel",
    "one_layer_too_few": "there is one hidden layer too few",
    "no_input_scaling": "the inputs' products are not divided by their dimension",
    "arccos_on_the_diagonal": "the angle between an input and itself comes out of arccos, which "
    "loses half of the digits there",
}
