"""No number hangs on what an eigensolver leaves open.

Processors differ in the last bit, and with it in the signs of eigenvectors and in the bases of
degenerate subspaces. Here NumPy's solvers choose all of these at random and take a matrix that is
off by 1e-14: what the parts measure must not notice. (`jax.numpy.linalg.eigh` in Chizat et al. only
makes functions V f(l) V^T of a Hessian.)
"""

import numpy as np
import pandas as pd
import pytest

from replications.arora2019_generalization import experiment as arora
from replications.bordelon2020_learning_curves import experiment as bordelon
from replications.cao2019_spectral_bias import experiment as cao
from replications.cao2019_spectral_bias import tasks
from replications.chizat2019_lazy_training import experiment as chizat
from replications.du2018_convergence import experiment as du
from replications.fort2020_kernel_learning import experiment as fort
from replications.geiger2020_scale_transition import experiment as geiger
from replications.geiger2020_scale_transition.tasks import task_of
from replications.he2020_uncertainty import experiment as he
from replications.jacot2018_frozen_kernel import experiment as jacot
from replications.jacot2018_frozen_kernel.initial_law import draw_kernels, symmetric_power
from replications.lee2019_linearization import experiment as lee
from replications.ntk_quantum_decoder import experiment as decoder
from widenets.ntk.data import circle, digits, flatten_images, principal_components
from widenets.ntk.random import generator

DIGITS = {"dataset": "digits", "images": 24}
NETWORK = {"activation": "relu", "draws": 3}
TASK = {"task": "xnor10", "points": 8, "test_points": 20, "width": 8}
PARTS = {  # every part that takes eigenvectors, at a small size
    "jacot_output_law": (jacot.output_law, {**NETWORK, "width": 8}),
    "jacot_initial_kernel": (jacot.initial_kernel, {**NETWORK, "width": 8, "outputs": 2}),
    "jacot_moments": (jacot.initial_moments, {**NETWORK, "width": 8, "hidden_layers": 2}),
    "jacot_spectrum": (jacot.spectrum, {"dataset": "digits", "images": 40, "beta": 1.0}),
    "jacot_plane": (jacot.plane, DIGITS),
    "jacot_component": (
        jacot.component,
        {**DIGITS, "width": 8, "amplitude": 0.5, "steps_per_decay": 10, "times": (0, 1)},
    ),
    "arora_complexity": (
        arora.complexity,
        {"labels": "classes", "samples": 40, "fractions": (0.0, 0.5)},
    ),
    "bordelon_images": (
        bordelon.images,
        {"data": "digits", "pool": 150, "depth": 1, "samples": (20, 40)},
    ),
    "cao_clusters": (cao.clusters, {"points": 10}),
    "cao_concentration": (cao.concentration, {"dimension": 5, "samples": 50}),
    "chizat_scaling": (
        chizat.scaling,
        {
            "activation": "softplus",
            "centre": "frozen_copy",
            "loss": "square",
            "alpha": 16.0,
            "dimension": 3,
            "neurons": 8,
            "points": 4,
            "steps": 60,
        },
    ),
    "chizat_underparameterized": (
        chizat.underparameterized,
        {
            "centre": "frozen_copy",
            "relative_alpha": 64.0,
            "dimension": 4,
            "neurons": 4,
            "points": 60,
        },
    ),
    "du_descent": (du.descent, {"count": 6, "dimension": 6, "width": 64}),
    "du_conflict": (du.descent, {"count": 6, "dimension": 6, "width": 64, "conflict": True}),
    "du_epochs": (du.epochs, {"count": 6, "dimension": 6, "width": 64, "shown": (0, 9)}),
    "du_deep_kernel": (du.deep_kernel, {"count": 6, "dimension": 6, "depth": 1}),
    "fort_early": (fort.early, {"activation": "erf", "times": (256, 512)}),
    "geiger_digits": (
        geiger.slopes,
        {**TASK, "task": "digits_pca", "points": 40, "depth": 1, "s": 1.0, "model": "theory"},
    ),
    "he_trained": (he.trained, {"width": 64, "members": 4}),
    "decoder_times": (decoder.times, {"p": 0.1}),
    "lee_drift": (lee.drift, {"activation": "erf", "depth": 1, "width": 8, "steps": 16}),
}
ARMS = {"du_deep_kernel": "relu"}


class OtherSolvers:
    """eigh, svd and qr of another processor."""

    def __init__(self, seed: int):
        self.draw = np.random.default_rng(seed)
        self.eigh_, self.svd_, self.qr_ = np.linalg.eigh, np.linalg.svd, np.linalg.qr

    def off(self, matrix):
        noise = self.draw.standard_normal(matrix.shape)
        return matrix + 1e-14 * np.abs(matrix).max() * noise

    def signs(self, *shape):
        return self.draw.choice([-1.0, 1.0], shape)

    def eigh(self, matrix):
        matrix = np.asarray(matrix)
        off = self.off(matrix)
        values, vectors = self.eigh_((off + np.swapaxes(off, -1, -2)) / 2)
        vectors = vectors * self.signs(*values.shape)[..., None, :]
        if matrix.ndim == 2:
            vectors = self.turned(values, vectors)
        return values, vectors

    def turned(self, values, vectors):
        """Another basis of every degenerate subspace."""
        edges = np.flatnonzero(np.diff(values) > 1e-12 * np.abs(values).max()) + 1
        groups = np.split(np.arange(len(values)), edges)
        for group in groups:
            turn, _ = self.qr_(self.draw.standard_normal((len(group), len(group))))
            vectors[:, group] = vectors[:, group] @ turn
        return vectors

    def svd(self, matrix, full_matrices=True):
        left, values, right = self.svd_(self.off(matrix), full_matrices=full_matrices)
        signs = self.signs(len(values))
        return left * signs, values, signs[:, None] * right

    def qr(self, matrix):
        orthogonal, upper = self.qr_(self.off(matrix))
        signs = self.signs(len(upper))
        return orthogonal * signs, signs[:, None] * upper


def on_another_processor(monkeypatch, seed=0):
    other = OtherSolvers(seed)
    for name in ("eigh", "svd", "qr"):
        monkeypatch.setattr(np.linalg, name, getattr(other, name))


def forget():
    """What was decomposed before must be decomposed again."""
    for cached in (bordelon._pool, geiger._run, geiger._start, task_of):
        cached.cache_clear()


def measured(part, cell, arm):
    forget()
    return pd.DataFrame(part(arm=arm, seeds=(3, 4), **cell)).select_dtypes("number")


@pytest.mark.parametrize("name", PARTS)
def test_rows_are_the_same_with_other_eigenvectors(name, monkeypatch):
    part, cell = PARTS[name]
    arm = ARMS.get(name, "theory")
    here = measured(part, cell, arm)
    with monkeypatch.context() as patch:
        on_another_processor(patch)
        there = measured(part, cell, arm)
    forget()
    atol = 1e-6 * here.abs().max().fillna(0) + 1e-12  # of a column
    assert (here.isna() == there.isna()).all(axis=None)
    assert ((here - there).abs().max().fillna(0) <= atol).all()


def test_the_solvers_above_would_be_noticed(monkeypatch):
    """Standard normals times sqrt(l) V^T, which have the same law, are other numbers."""
    x = circle(np.array([0.0, 1.0, 2.0]))

    def root():
        values, vectors = np.linalg.eigh(x @ x.T + 0.01)
        return np.sqrt(np.maximum(values, 0))[:, None] * vectors.T

    here = root()
    on_another_processor(monkeypatch)
    assert np.abs(root() - here).max() > 0.1


@pytest.mark.parametrize("eigenvalues", [(1, 2, 3), (1, 1, 2), (0, 0, 1), (0, 1, 1)])
def test_a_symmetric_root_is_a_continuous_square_root(eigenvalues):
    draw = np.random.default_rng(0)
    basis, _ = np.linalg.qr(draw.standard_normal((3, 3)))
    gram = (basis * eigenvalues) @ basis.T
    root = symmetric_power(gram, 0.5)
    np.testing.assert_allclose(root @ root, gram, atol=1e-13)
    np.testing.assert_allclose(root, root.T, atol=1e-14)
    inverse = symmetric_power(gram, -1.0)
    np.testing.assert_allclose(inverse, np.linalg.pinv(gram, hermitian=True), atol=1e-12)
    noise = draw.standard_normal((3, 3))
    moved = symmetric_power(gram + 1e-14 * (noise + noise.T), 0.5)
    assert np.abs(moved - root).max() < 1e-6


def test_drawn_kernels_move_with_their_inputs_no_more_than_these():
    x = circle(np.linspace(0, 2 * np.pi, 4, endpoint=False))  # singular: rank 3 of 4

    def kernels(inputs):
        drawn = draw_kernels(
            generator(0, "bits"), inputs, activation="relu", width=16, draws=50, outputs=2
        )
        return np.concatenate([k.total for k in drawn])

    noise = 1e-14 * np.random.default_rng(0).standard_normal(x.shape)
    assert np.abs(kernels(x + noise) / kernels(x) - 1).max() < 1e-6


def test_principal_axes_have_signs_of_their_own():
    x = flatten_images(digits().images[:200])
    noise = 1 + 1e-14 * np.random.default_rng(0).standard_normal(x.shape)
    here, there = (principal_components(rows, 10)[0] for rows in (x, x * noise))
    assert np.abs(there - here).max() < 1e-6 * np.abs(here).max()


def test_a_random_rotation_is_that_of_gram_schmidt():
    drawn = generator(0, "rotation").standard_normal((3, 3))
    rotation = tasks.random_rotation(generator(0, "rotation"), 3)
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(3), atol=1e-14)
    upper = rotation.T @ drawn
    np.testing.assert_allclose(np.tril(upper, -1), 0, atol=1e-14)
    assert np.all(np.diag(upper) > 0)


@pytest.mark.parametrize("dimension", [2, 5])
def test_contrasts_are_orthonormal_and_sum_to_zero(dimension):
    contrasts = tasks._contrasts(dimension)
    np.testing.assert_allclose(contrasts.T @ contrasts, np.eye(dimension - 1), atol=1e-14)
    np.testing.assert_allclose(contrasts.sum(axis=0), 0, atol=1e-14)
    by_library = np.linalg.qr(np.eye(dimension) - 1 / dimension)[0][:, : dimension - 1]
    np.testing.assert_allclose(np.abs(contrasts), np.abs(by_library), atol=1e-14)
