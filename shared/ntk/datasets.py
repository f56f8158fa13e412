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
import os
import pickle
import tarfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from shared.ntk.download import DataError, KnownFile, fetch, verify

MNIST_URLS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)
FASHION_URLS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)
WIKITEXT_URL = (
    "https://raw.githubusercontent.com/pytorch/examples/main/word_language_model/data/wikitext-2/"
)

# name: sha256 of the .gz, its bytes, md5 of the unpacked file
MNIST = {
    "train-images-idx3-ubyte": (
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        9912422,
        "6bbc9ace898e44ae57da46a324031adb",
    ),
    "train-labels-idx1-ubyte": (
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        28881,
        "a25bea736e30d166cdddb491f175f624",
    ),
    "t10k-images-idx3-ubyte": (
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        1648877,
        "2646ac647ad5339dbf082846283269ea",
    ),
    "t10k-labels-idx1-ubyte": (
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        4542,
        "27ae3e4e09519cfbb04c329615203637",
    ),
}
FASHION_MNIST = {
    "train-images-idx3-ubyte": (
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        26421880,
        "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    ),
    "train-labels-idx1-ubyte": (
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        29515,
        "9018921c3c673c538a1fc5bad174d6f9",
    ),
    "t10k-images-idx3-ubyte": (
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        4422102,
        "8181f5470baa50b63fa0f6fddb340f0a",
    ),
    "t10k-labels-idx1-ubyte": (
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        5148,
        "15d484375f8d13e6eb1aabb0c3f46965",
    ),
}
CIFAR_ARCHIVE = KnownFile(
    "cifar-10-python.tar.gz",
    "md5:c58f30108f718f92721af3b95e74349a",
    170498071,
    ("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",),
)
CIFAR_BATCHES = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
# The first 4000 training and 1000 test images, cut from the official batches (all of it uint8).
CIFAR_CUT = KnownFile(
    "cifar10-subset/cifar10_train4000_test1000.npz",
    "sha256:e48015fd8460684d29ab3dbc926453b35d776cd6dfb7a97b78f8e209f63c9802",
    14163860,
)
SHAKESPEARE = KnownFile(
    "tinyshakespeare/input.txt",
    "sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    1115394,
    ("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",),
)
WIKITEXT = {
    "train": KnownFile(
        "wikitext-2/train.txt",
        "git:2d84b35af79e411d73ea7cae83c73964c6ac83b4",
        None,
        (WIKITEXT_URL + "train.txt",),
    ),
    "valid": KnownFile(
        "wikitext-2/valid.txt",
        "sha256:f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8",
        1121681,
        (WIKITEXT_URL + "valid.txt",),
    ),
    "test": KnownFile(
        "wikitext-2/test.txt",
        "sha256:d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0",
        1256449,
        (WIKITEXT_URL + "test.txt",),
    ),
}
WIKITEXT_VOCABULARY = KnownFile(
    "wikitext-2/vocab.txt",
    "sha256:ae8545d1f7c9c3caf969ce4b3f44acd43a61bba54b19efc20f795d1da4edf075",
    268474,
)
WIKITEXT_WORDS = 33278


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
        return _cifar_archive(verify(folder / CIFAR_ARCHIVE.path, CIFAR_ARCHIVE), split, count)
    if (folder / CIFAR_CUT.path).exists():
        limit = {"train": 4000, "test": 1000}[split]
        if count is None or count > limit:
            wanted = "all images" if count is None else f"{count} images"
            raise DataError(
                f"{folder / CIFAR_CUT.path}: holds the first {limit} {split} images of CIFAR-10, "
                f"wanted {wanted}; ask for count <= {limit}, or put {CIFAR_ARCHIVE.path} there"
            )
        with np.load(verify(folder / CIFAR_CUT.path, CIFAR_CUT), allow_pickle=False) as arrays:
            return _labelled(arrays[f"x_{split}"], arrays[f"y_{split}"], count)
    raise DataError(
        f"{folder / CIFAR_ARCHIVE.path}: missing, nor is there cifar-10-batches-py or "
        f"{CIFAR_CUT.path}; get it from {CIFAR_ARCHIVE.urls[0]}"
    )


def tiny_shakespeare(*, data_dir=None) -> Text:
    """1,115,394 characters (40,000 lines) of Shakespeare; vocabulary: 65 characters, sorted."""
    text = _known(SHAKESPEARE, data_dir).read_text(encoding="ascii")
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
        lines = _known(WIKITEXT_VOCABULARY, data_dir).read_text(encoding="utf-8").splitlines()
        return tuple(lines)
    path = _known(WIKITEXT["train"], data_dir)
    vocabulary = tuple(dict.fromkeys(_words(path)))
    if len(vocabulary) != WIKITEXT_WORDS:
        raise DataError(f"{path}: {len(vocabulary)} distinct words, wanted {WIKITEXT_WORDS}")
    return vocabulary


def _words(path: Path):
    """The words of a file, "<eos>" at the end of each line."""
    with path.open(encoding="utf-8") as stream:
        for line in stream:
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
            return _parse_idx(verify(plain_path, plain).read_bytes())
    return _parse_idx(gzip.decompress(_known(packed, data_dir).read_bytes()))


def _parse_idx(content: bytes) -> np.ndarray:
    """The uint8 array of an IDX file: two zeros, type 8, rank, big-endian sizes, then the bytes."""
    rank = content[3]
    shape = np.frombuffer(content, dtype=">u4", count=rank, offset=4)
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * rank).reshape(shape)


def _cifar_batches(split) -> list[str]:
    return ["test_batch"] if split == "test" else [f"data_batch_{i}" for i in range(1, 6)]


def _cifar_archive(path: Path, split, count) -> LabelledImages:
    with tarfile.open(path, "r:gz") as archive:
        batches = [
            pickle.loads(
                archive.extractfile(f"cifar-10-batches-py/{name}").read(), encoding="bytes"
            )
            for name in _cifar_batches(split)
        ]
    return _cifar_join(batches, count)


def _cifar_folder(folder: Path, split, count) -> LabelledImages:
    # Unpickling can run code: the checksum comes first.
    paths = [
        verify(folder / name, KnownFile(name, f"md5:{CIFAR_BATCHES[name]}"))
        for name in _cifar_batches(split)
    ]
    return _cifar_join([pickle.loads(p.read_bytes(), encoding="bytes") for p in paths], count)


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


def _known(known: KnownFile, data_dir) -> Path:
    """The verified file: below `data_dir` if given, else fetched into the cache."""
    if data_dir is None:
        return fetch(known, cache_folder())
    return verify(_folder(data_dir) / known.path, known)


def _folder(data_dir) -> Path:
    folder = Path(data_dir)
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name an existing one as data_dir")
    return folder


def _check_split(split, splits) -> None:
    if split not in splits:
        raise ValueError(f"split must be one of {', '.join(splits)}, found {split!r}")
