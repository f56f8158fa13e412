"""Data: distributions that the papers draw from, and real sets, verified."""

from widenets.ntk.data.datasets import (
    LabelledImages,
    Text,
    cache_folder,
    cifar10,
    digits,
    fashion_mnist,
    mnist,
    tiny_shakespeare,
    wikitext2,
)
from widenets.ntk.data.download import DataError, checksums_read
from widenets.ntk.data.synthetic import (
    Task,
    TwoLayerTeacher,
    circle,
    flatten_images,
    gaussian,
    linear_teacher,
    normalize_rows,
    parity,
    principal_components,
    sphere,
    stripe,
    two_layer_teacher,
    xnor,
)

__all__ = [
    "DataError", "LabelledImages", "Task", "Text", "TwoLayerTeacher", "cache_folder",
    "checksums_read", "cifar10", "circle", "digits", "fashion_mnist", "flatten_images",
    "gaussian", "linear_teacher", "mnist", "normalize_rows", "parity", "principal_components",
    "sphere", "stripe", "tiny_shakespeare", "two_layer_teacher", "wikitext2", "xnor",
]  # fmt: skip
