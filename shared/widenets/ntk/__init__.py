"""Numerics of wide networks. Everything public is imported from one of these places:

    architecture     layers and activations: one description gives the finite network and its limit
    kernels          infinite-width kernels of many inputs, in blocks or into a file
    empirical        kernels of finite networks, of any jax function; empirical.torch for modules
    dynamics         training: closed forms for a fixed kernel, gradient descent, tangents
    spectra          harmonics of the sphere, kernels by degree, learning curves
    parameterization the abc exponents and what follows from them
    data             distributions and verified real sets
    random           named streams
    softplus         a sharp softplus that is quick to differentiate

`engine` holds the closed forms and the loops that are compiled from them. Rooms import downwards:
engine, architecture, kernels; the others know no room but their own (`dense_kernels` is handed an
Architecture and reads its `form`). `checks` has the checks of arguments that they share.
"""
