"""Real data sets: from a folder that the user names, or from their official source into a cache.

Every loader takes `data_dir`. With a folder, its files are verified and read, and nothing is ever
downloaded. Without one (None) the set is downloaded once into `cache_folder()`, verified by
checksum. Images are float32 in [0, 1] of shape (N, height, width, channels), labels int64 of shape
(N,), both in the official order; `count` keeps the first `count` of them.

MNIST: LeCun, Bottou, Bengio, Haffner (1998). Fashion-MNIST: Xiao, Rasul, Vollgraf,
arXiv:1708.07747. CIFAR-10: Krizhevsky (2009). WikiText-2: Merity, Xiong, Bradbury, Socher,
arXiv:1609.07843. Tiny Shakespeare: A. Karpathy's selection. Digits: Alpaydin and Kaynak (1998).
"""

import gzip
import io
import os
import pickle
import tarfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from widenets.ntk.data.download import DataError, KnownFile, fetch, read
from widenets.ntk.data.known_files import (
    CIFAR_ARCHIVE,
    CIFAR_BATCHES,
    CIFAR_CUT,
    FASHION_MNIST,
    FASHION_URLS,
    MNIST,
    MNIST_URLS,
    SHAKESPEARE,
    WIKITEXT,
    WIKITEXT_VOCABULARY,
    WIKITEXT_WORDS,
)


class LabelledImages(NamedTuple):
    """images (N, height, width, channels) float32 in [0, 1]; labels (N,) int64."""

    images: np.ndarray
    labels: np.ndarray


class Text(NamedTuple):
    """tokens (N,) int64 in 0..len(vocabulary)-1; vocabulary in the order of those numbers."""

    tokens: np.ndarray
    vocabulary: tuple[str, ...]


def cache_folder() -> Path:
    """Where downloads are kept: $XDG_CACHE_HOME (or ~/.cache) / wide-network-replications."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "wide-network-replications"


def digits() -> LabelledImages:
    """The 1797 grey 8x8 digits that scikit-learn carries; no file and no network needed."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = (bunch.images / 16.0).astype(np.float32)[..., None]
    return LabelledImages(images, bunch.target.astype(np.int64))


def mnist(split="train", *, data_dir=None, count=None) -> LabelledImages:
    """MNIST, split "train" (60000) or "test" (10000), images (N, 28, 28, 1)."""
    return _idx_set("MNIST", MNIST, MNIST_URLS, split, data_dir, count)


def fashion_mnist(split="train", *, data_dir=None, count=None) -> LabelledImages:
    """Fashion-MNIST, split "train" (60000) or "test" (10000), images (N, 28, 28, 1)."""
    return _idx_set("FashionMNIST", FASHION_MNIST, FASHION_URLS, split, data_dir, count)


def cifar10(split="train", *, data_dir=None, count=None) -> LabelledImages:
    """CIFAR-10, split "train" (50000) or "test" (10000), images (N, 32, 32, 3), RGB.

    A `data_dir` may hold the official archive, its unpacked folder `cifar-10-batches-py`, or, for
    `count` up to 4000 (train) or 1000 (test), the cut `cifar10-subset`.
    """
    _check_split(split, ("train", "test"))
    if data_dir is None:
        return _cifar_archive(fetch(CIFAR_ARCHIVE, cache_folder()), split, count)
    folder = _folder(data_dir)
    if (folder / "cifar-10-batches-py").is_dir():
        return _cifar_folder(folder / "cifar-10-batches-py", split, count)
    if (folder / CIFAR_ARCHIVE.path).exists():
        return _cifar_archive(read(folder / CIFAR_ARCHIVE.path, CIFAR_ARCHIVE), split, count)
    if (folder / CIFAR_CUT.path).exists():
        limit = {"train": 4000, "test": 1000}[split]
        if count is None or count > limit:
            wanted = "all images" if count is None else f"{count} images"
            raise DataError(
                f"{folder / CIFAR_CUT.path}: holds the first {limit} {split} images of CIFAR-10, "
                f"wanted {wanted}; ask for count <= {limit}, or put {CIFAR_ARCHIVE.path} there"
            )
        content = io.BytesIO(read(folder / CIFAR_CUT.path, CIFAR_CUT))
        with np.load(content, allow_pickle=False) as arrays:
            return _labelled(arrays[f"x_{split}"], arrays[f"y_{split}"], count)
    raise DataError(
        f"{folder / CIFAR_ARCHIVE.path}: missing, nor is there cifar-10-batches-py or "
        f"{CIFAR_CUT.path}; get it from {CIFAR_ARCHIVE.urls[0]}"
    )


def tiny_shakespeare(*, data_dir=None) -> Text:
    """1,115,394 characters (40,000 lines) of Shakespeare; vocabulary: 65 characters, sorted."""
    text = _known(SHAKESPEARE, data_dir).decode("ascii")
    codes = np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    used, tokens = np.unique(codes, return_inverse=True)
    return Text(tokens.astype(np.int64), tuple(chr(code) for code in used))


def wikitext2(split="train", *, data_dir=None) -> Text:
    """WikiText-2 by words, "<eos>" after each line; split "train", "valid" or "test".

    The vocabulary has 33,278 words in the order in which they first occur in the training split.
    """
    _check_split(split, tuple(WIKITEXT))
    vocabulary = _wikitext_vocabulary(data_dir)
    number = {word: index for index, word in enumerate(vocabulary)}
    words = _words(_known(WIKITEXT[split], data_dir))
    return Text(np.fromiter((number[word] for word in words), dtype=np.int64), vocabulary)


def _wikitext_vocabulary(data_dir) -> tuple[str, ...]:
    """From vocab.txt where `data_dir` has it, else counted in the training split."""
    if data_dir is not None and (_folder(data_dir) / WIKITEXT_VOCABULARY.path).exists():
        return tuple(_known(WIKITEXT_VOCABULARY, data_dir).decode("utf-8").splitlines())
    known = WIKITEXT["train"]
    vocabulary = tuple(dict.fromkeys(_words(_known(known, data_dir))))
    if len(vocabulary) != WIKITEXT_WORDS:
        raise DataError(f"{known.path}: {len(vocabulary)} distinct words, wanted {WIKITEXT_WORDS}")
    return vocabulary


def _words(content: bytes):
    """The words of a text, "<eos>" at the end of each line."""
    for line in io.StringIO(content.decode("utf-8")):
        yield from line.split()
        yield "<eos>"


def _idx_set(name, table, urls, split, data_dir, count) -> LabelledImages:
    """A set of two IDX files, as below `<data_dir>/<name>/raw`, packed or unpacked."""
    _check_split(split, ("train", "test"))
    prefix = {"train": "train", "test": "t10k"}[split]
    images = _idx_file(name, f"{prefix}-images-idx3-ubyte", table, urls, data_dir)
    labels = _idx_file(name, f"{prefix}-labels-idx1-ubyte", table, urls, data_dir)
    return _labelled(images[..., None], labels, count)


def _idx_file(name, stem, table, urls, data_dir) -> np.ndarray:
    sha256, size, unpacked_md5 = table[stem]
    packed = KnownFile(
        f"{name}/raw/{stem}.gz", f"sha256:{sha256}", size, tuple(u + stem + ".gz" for u in urls)
    )
    if data_dir is not None:
        plain = KnownFile(f"{name}/raw/{stem}", f"md5:{unpacked_md5}")
        plain_path = _folder(data_dir) / plain.path
        if plain_path.exists() and not (_folder(data_dir) / packed.path).exists():
            return _parse_idx(read(plain_path, plain))
    return _parse_idx(gzip.decompress(_known(packed, data_dir)))


def _parse_idx(content: bytes) -> np.ndarray:
    """The uint8 array of an IDX file: two zeros, type 8, rank, big-endian sizes, then the bytes."""
    rank = content[3]
    shape = np.frombuffer(content, dtype=">u4", count=rank, offset=4)
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * rank).reshape(shape)


def _cifar_batches(split) -> list[str]:
    return ["test_batch"] if split == "test" else [f"data_batch_{i}" for i in range(1, 6)]


def _cifar_archive(content: bytes, split, count) -> LabelledImages:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        batches = [
            pickle.loads(
                archive.extractfile(f"cifar-10-batches-py/{name}").read(), encoding="bytes"
            )
            for name in _cifar_batches(split)
        ]
    return _cifar_join(batches, count)


def _cifar_folder(folder: Path, split, count) -> LabelledImages:
    # Unpickling can run code: the checksum comes first.
    contents = [
        read(folder / name, KnownFile(name, f"md5:{CIFAR_BATCHES[name]}"))
        for name in _cifar_batches(split)
    ]
    return _cifar_join([pickle.loads(c, encoding="bytes") for c in contents], count)


def _cifar_join(batches, count) -> LabelledImages:
    """Official rows are channel by channel: (3072,) = (3, 32, 32)."""
    rows = np.concatenate([batch[b"data"] for batch in batches])
    labels = np.concatenate([np.asarray(batch[b"labels"]) for batch in batches])
    return _labelled(rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels, count)


def _labelled(images, labels, count) -> LabelledImages:
    """The first `count` images scaled to [0, 1]; only these are ever made float."""
    if count is not None and not 1 <= count <= len(images):
        raise ValueError(f"count must be in 1..{len(images)}, found {count}")
    scaled = images[:count].astype(np.float32) / np.float32(255.0)
    return LabelledImages(scaled, labels[:count].astype(np.int64))


def _known(known: KnownFile, data_dir) -> bytes:
    """The verified content: below `data_dir` if given, else fetched into the cache."""
    if data_dir is None:
        return fetch(known, cache_folder())
    return read(_folder(data_dir) / known.path, known)


def _folder(data_dir) -> Path:
    folder = Path(data_dir)
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name an existing one as data_dir")
    return folder


def _check_split(split, splits) -> None:
    if split not in splits:
        raise ValueError(f"split must be one of {', '.join(splits)}, found {split!r}")
