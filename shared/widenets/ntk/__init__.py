"""Numerics of wide networks. Everything public is imported from one of these places:

    architecture     layers and activations: one description gives the finite network and its limit
    closed_forms     more activations with closed forms: exp, Gaussian, rbf, rectified powers, ...
    positions        encodings that tell the positions of sequences and images apart
    kernels          infinite-width kernels of many inputs, in blocks or into a file
    empirical        kernels of finite networks, of any jax function; empirical.torch for modules
    dynamics         training: closed forms for a fixed kernel, gradient descent, tangents; besides
                     dynamics.particles (the mean-field limit), dynamics.tower (higher derivatives)
    spectra          harmonics of the sphere, kernels by degree, learning curves
    parameterization the abc exponents and what follows from them
    data             distributions and verified real sets
    random           named streams
    subject          a network of one's own: its frozen counterpart, its exponents in width, its
                     kernel against ours
    signal           the limit at many depths in one pass, its fixed points, the edge of chaos
    softplus         a sharp softplus that is quick to differentiate

`engine` holds the closed forms and the loops that are compiled from them, `checks` what wrong
arguments are told. kernels, signal, closed_forms and positions import architecture, which imports
engine; subject stands on all of them, and its modules are imported singly (`subject.contract` needs
no torch). The others know no room but their own (`dense_kernels` is handed an Architecture and
reads its `form`).
"""
