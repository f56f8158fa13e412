"""Distributions and tasks by their definition; real sets against their published facts; downloads
from a server on loopback, whole, broken off, damaged and repeated."""

import errno
import gzip
import hashlib
import http.server
import os
import pickle
import shutil
import subprocess
import sys
import tarfile
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from widenets.ntk import data
from widenets.ntk.data import DataError, datasets, download
from widenets.ntk.data.download import KnownFile

ROOT = Path(__file__).resolve().parents[2]
REAL = Path(os.environ.get("WIDE_NETWORK_DATA", ROOT.parent / "shared" / "data"))
real = pytest.mark.skipif(
    not REAL.is_dir(), reason=f"no real data at {REAL} (set WIDE_NETWORK_DATA to a folder of them)"
)


def draw(seed=0):
    return np.random.default_rng(seed)


# Distributions, teachers and tasks


def test_sphere_has_its_radius_and_covariance():
    x = data.sphere(draw(), 4000, 5, radius=2.0)
    assert x.shape == (4000, 5)
    assert x.dtype == np.float64
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), 2.0, rtol=1e-14)
    np.testing.assert_allclose(x.T @ x / 4000, 4 / 5 * np.eye(5), atol=5 * 0.8 / np.sqrt(4000))


def test_circle_is_cosine_and_sine():
    expected = [[1, 0], [0, 1], [-1, 0]]
    np.testing.assert_allclose(data.circle([0, np.pi / 2, np.pi]), expected, atol=1e-15)


def test_two_layer_teacher_is_its_definition():
    teacher = data.two_layer_teacher(draw(), 4, 3)
    x = data.gaussian(draw(1), 6, 4)
    expected = [
        sum(b * max(0.0, float(a @ row)) for a, b in zip(*teacher, strict=True)) for row in x
    ]
    np.testing.assert_allclose(teacher(x), expected, rtol=1e-13)
    np.testing.assert_allclose(np.linalg.norm(teacher.directions, axis=1), 1.0, rtol=1e-14)
    assert set(teacher.outputs) <= {-1.0, 1.0}


@pytest.mark.parametrize("task", [data.xnor, data.stripe])
def test_tasks_are_balanced_and_ignore_the_other_directions(task):
    inputs, targets = task(draw(), 20000, 6)
    assert set(targets) == {-1.0, 1.0}
    assert abs(targets.mean()) < 5 / np.sqrt(20000)
    correlations = inputs[:, 2:].T @ targets / 20000
    assert np.abs(correlations).max() < 5 / np.sqrt(20000)


def test_xnor_is_invisible_to_any_single_direction_but_not_to_the_product():
    inputs, targets = data.xnor(draw(), 20000, 3)
    assert np.abs(inputs.T @ targets).max() / 20000 < 5 / np.sqrt(20000)
    np.testing.assert_array_equal(targets, np.sign(inputs[:, 0] * inputs[:, 1]))


def test_parity_of_labels():
    assert data.parity(np.array([0, 1, 2, 9])).tolist() == [1.0, -1.0, 1.0, -1.0]


def test_principal_components_keep_distances_and_order():
    train = draw().standard_normal((50, 4)) * [1.0, 5.0, 0.1, 2.0]
    other = draw(1).standard_normal((7, 4))
    full, full_other = data.principal_components(train, 4, other)
    distances = np.linalg.norm(full[:7] - full_other, axis=1)
    np.testing.assert_allclose(distances, np.linalg.norm(train[:7] - other, axis=1), rtol=1e-12)
    covariance = full.T @ full
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-9)
    assert np.all(np.diff(np.diag(covariance)) < 0)
    np.testing.assert_array_equal(data.principal_components(train, 2)[0], full[:, :2])


@pytest.mark.parametrize(
    "call",
    [
        lambda: data.sphere(draw(), 0, 3),
        lambda: data.xnor(draw(), 3, 1),
        lambda: data.normalize_rows(np.zeros((2, 3)), 1.0),
        lambda: data.principal_components(np.ones((3, 2)), 3),
        lambda: data.mnist("valid"),
        lambda: data.wikitext2("dev"),
    ],
)
def test_bad_requests_say_what_was_wanted(call):
    with pytest.raises(ValueError, match=r"found|wanted"):
        call()


def test_digits_are_scaled_images():
    images, labels = data.digits()
    assert images.shape == (1797, 8, 8, 1)
    assert images.dtype == np.float32
    assert (images.min(), images.max()) == (0.0, 1.0)
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_data_imports_neither_jax_nor_torch():
    code = "import sys, widenets.ntk.data; assert not {'jax', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT / "shared", check=True)


# Real sets, against the facts published with them


@real
@pytest.mark.parametrize(
    ("load", "mean", "deviation", "first"),
    [(data.mnist, 0.1307, 0.3081, 980), (data.fashion_mnist, 0.2868, 0.3524, 1000)],
)
def test_grey_test_sets(load, mean, deviation, first):
    images, labels = load("test", data_dir=REAL)
    assert images.shape == (10000, 28, 28, 1)
    assert (images.dtype, labels.dtype) == (np.float32, np.int64)
    assert (images.min(), images.max()) == (0.0, 1.0)
    assert np.bincount(labels)[0] == first
    assert abs(images.mean(dtype=np.float64) - mean) < 0.005
    assert abs(images.std(dtype=np.float64) - deviation) < 0.005


@real
def test_mnist_training_labels_and_count():
    images, labels = data.mnist("train", data_dir=REAL, count=1000)
    assert images.shape == (1000, 28, 28, 1)
    assert labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]


@real
def test_cut_of_cifar10():
    images, labels = data.cifar10("train", data_dir=REAL, count=4000)
    assert images.shape == (4000, 32, 32, 3)
    assert labels[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    assert np.rint(images[0, 0, 0] * 255).tolist() == [59, 62, 63]
    with pytest.raises(DataError, match="first 1000 test images of CIFAR-10, wanted all"):
        data.cifar10("test", data_dir=REAL)


@real
def test_texts():
    tokens, vocabulary = data.tiny_shakespeare(data_dir=REAL)
    assert (len(tokens), len(vocabulary)) == (1115394, 65)
    assert "".join(vocabulary[token] for token in tokens[:14]) == "First Citizen:"
    assert data.checksums_read["tinyshakespeare/input.txt"] == datasets.SHAKESPEARE.checksum
    tokens, vocabulary = data.wikitext2("valid", data_dir=REAL)
    assert (len(tokens), len(vocabulary), tokens.max() < 33278) == (217646, 33278, True)
    assert [vocabulary[token] for token in tokens[:5]] == ["<eos>", "=", "Homarus", "gammarus", "="]


@real
def test_unpacked_files_are_read_and_verified(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for stem in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        packed = (REAL / "MNIST" / "raw" / f"{stem}.gz").read_bytes()
        (raw / stem).write_bytes(gzip.decompress(packed))
    unpacked = data.mnist("test", data_dir=tmp_path, count=100)
    np.testing.assert_array_equal(
        unpacked.images, data.mnist("test", data_dir=REAL, count=100).images
    )
    flip_a_byte(raw / "t10k-labels-idx1-ubyte")
    with pytest.raises(DataError, match="t10k-labels-idx1-ubyte: corrupt"):
        data.mnist("test", data_dir=tmp_path)


@real
def test_damaged_missing_and_truncated_copies(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    shutil.copytree(REAL / "MNIST" / "raw", raw, copy_function=copy_writable)
    labels = raw / "t10k-labels-idx1-ubyte.gz"
    flip_a_byte(labels)
    with pytest.raises(DataError, match=r"labels-idx1-ubyte.gz: corrupt .*replace it by the file"):
        data.mnist("test", data_dir=tmp_path)
    labels.write_bytes(labels.read_bytes()[:-100])
    with pytest.raises(DataError, match="truncated, 4442 bytes of 4542"):
        data.mnist("test", data_dir=tmp_path)
    labels.unlink()
    with pytest.raises(DataError, match="missing") as caught:
        data.mnist("test", data_dir=tmp_path)
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="no such folder"):
        data.mnist("test", data_dir=tmp_path / "absent")


def test_official_cifar_layout_is_read_channel_by_channel(tmp_path, monkeypatch):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    rows = draw().integers(0, 256, size=(3, 3072), dtype=np.uint8)
    (folder / "test_batch").write_bytes(pickle.dumps({b"data": rows, b"labels": [3, 8, 8]}))
    md5 = hashlib.md5((folder / "test_batch").read_bytes()).hexdigest()
    monkeypatch.setitem(datasets.CIFAR_BATCHES, "test_batch", md5)
    images, labels = data.cifar10("test", data_dir=tmp_path)
    np.testing.assert_array_equal(np.rint(images[1, 2, 5] * 255), rows[1, [69, 1093, 2117]])
    assert labels.tolist() == [3, 8, 8]

    archive = tmp_path / "packed" / datasets.CIFAR_ARCHIVE.path
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname="cifar-10-batches-py")
    known = KnownFile(archive.name, "md5:" + hashlib.md5(archive.read_bytes()).hexdigest())
    monkeypatch.setattr(datasets, "CIFAR_ARCHIVE", known)
    packed = data.cifar10("test", data_dir=archive.parent)
    np.testing.assert_array_equal(packed.images, images)

    flip_a_byte(folder / "test_batch")
    with pytest.raises(DataError, match="test_batch: corrupt"):
        data.cifar10("test", data_dir=tmp_path)


def test_wikitext_vocabulary_is_counted_in_the_training_split(tmp_path, monkeypatch):
    content = b" \n the cat the \n dog cat \n"
    known = KnownFile("train.txt", "sha256:" + hashlib.sha256(content).hexdigest())
    (tmp_path / "train.txt").write_bytes(content)
    monkeypatch.setitem(datasets.WIKITEXT, "train", known)
    monkeypatch.setattr(datasets, "WIKITEXT_WORDS", 4)
    tokens, vocabulary = data.wikitext2("train", data_dir=tmp_path)
    assert vocabulary == ("<eos>", "the", "cat", "dog")
    assert tokens.tolist() == [0, 1, 2, 1, 0, 3, 2, 0]


# Downloads, from a server on loopback

CONTENT = bytes(range(256)) * 4096  # 1 MiB: several chunks


@contextmanager
def server(content=CONTENT, *, break_after=None, ranges=True):
    """Serve `content`; the first answer breaks off after `break_after` bytes. Yields url, log."""
    log = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked = self.headers.get("Range")
            log.append(asked)
            start = int(asked[len("bytes=") : -1]) if asked and ranges else 0
            if start >= len(content) > 0 and asked:
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            broken = break_after is not None and len(log) == 1
            self.wfile.write(content[start : break_after if broken else None])

        def log_message(self, *arguments):
            """Keep the test's output quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}/file", log
        finally:
            running.shutdown()
            thread.join()


def known_file(url, content=CONTENT):
    return KnownFile(
        "set/file", "sha256:" + hashlib.sha256(content).hexdigest(), len(content), (url,)
    )


def test_download_is_kept_and_not_repeated(tmp_path):
    with server() as (url, log):
        assert download.fetch(known_file(url), tmp_path) == CONTENT
        assert (tmp_path / "set" / "file").read_bytes() == CONTENT
        assert download.fetch(known_file(url), tmp_path) == CONTENT
    assert log == [None]
    assert not list(tmp_path.glob("**/*.part"))


@pytest.mark.parametrize("ranges", [True, False])
def test_interrupted_download_leaves_nothing_that_counts_and_is_completed(tmp_path, ranges):
    with server(break_after=300_000, ranges=ranges) as (url, log):
        with pytest.raises(DataError, match="interrupted after 300000 of 1048576 bytes"):
            download.fetch(known_file(url), tmp_path)
        assert not (tmp_path / "set" / "file").exists()
        assert (tmp_path / "set" / "file.part").stat().st_size == 300_000
        assert download.fetch(known_file(url), tmp_path) == CONTENT
    assert log == [None, "bytes=300000-"]


@pytest.mark.parametrize("left", [b"another file", bytes(len(CONTENT))])
def test_a_wrong_partial_file_is_thrown_away_and_fetched_anew(tmp_path, left):
    part = tmp_path / "set" / "file.part"
    part.parent.mkdir()
    part.write_bytes(left)
    with server() as (url, log):
        assert download.fetch(known_file(url), tmp_path) == CONTENT
    assert log == [f"bytes={len(left)}-", None]


def test_a_wrong_file_from_one_address_is_replaced_by_the_next(tmp_path):
    with server(CONTENT[::-1]) as (wrong, _), server() as (right, _):
        known = known_file(right)
        both = KnownFile(known.path, known.checksum, known.size, (wrong, right))
        assert download.fetch(both, tmp_path) == CONTENT


def test_a_wrong_file_alone_is_an_error_and_leaves_nothing(tmp_path):
    with server(CONTENT[::-1]) as (url, _), pytest.raises(DataError, match="sent a wrong file"):
        download.fetch(known_file(url), tmp_path)
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["file.lock"]


def test_a_damaged_cached_file_is_an_error_not_a_silent_download(tmp_path):
    with server() as (url, log):
        download.fetch(known_file(url), tmp_path)
        flip_a_byte(tmp_path / "set" / "file")
        with pytest.raises(DataError, match="corrupt"):
            download.fetch(known_file(url), tmp_path)
    assert len(log) == 1


def test_offline_names_the_file_the_address_and_the_way_out(tmp_path):
    known = known_file("http://127.0.0.1:9/file")  # the discard port: nobody listens
    with pytest.raises(DataError, match=r"set/file: could not .*127.0.0.1:9.*as data_dir") as error:
        download.fetch(known, tmp_path)
    assert "\n" not in str(error.value)


def test_git_checksum_is_the_blob_id():
    blob = download.checksum(b"hello\n", "git")  # the id that `git hash-object` prints
    assert blob == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_what_is_verified_is_what_is_used(tmp_path, monkeypatch):
    """A file that is changed between its check and its use is used as it was checked."""
    known = known_file("http://127.0.0.1:9/file")
    path = tmp_path / known.path
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    checked = download.checksum

    def then_changed(content, algorithm):
        path.write_bytes(b"of another")
        return checked(content, algorithm)

    monkeypatch.setattr(download, "checksum", then_changed)
    assert download.read(path, known) == CONTENT


@pytest.mark.parametrize("name", ["file.lock", "file.part"])
def test_a_link_is_not_written_through(tmp_path, name):
    (tmp_path / "set").mkdir()
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "set" / name).symlink_to(tmp_path / "precious")
    with server() as (url, _), pytest.raises((OSError, DataError), match="symbolic links"):
        download.fetch(known_file(url), tmp_path)
    assert (tmp_path / "precious").read_text() == "kept"


def test_without_locks_a_download_is_complete_and_leaves_nothing_beside_it(tmp_path, monkeypatch):
    def without(handle, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(download.fcntl, "flock", without)
    with server() as (url, _), pytest.warns(UserWarning, match="has no locks"):
        assert download.fetch(known_file(url), tmp_path) == CONTENT
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == ["file", "file.lock"]


def test_a_download_keeps_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        with server() as (url, _):
            download.fetch(known_file(url), tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / "set" / "file").stat().st_mode & 0o777 == 0o640


@real
def test_a_set_without_data_dir_is_downloaded_once_into_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    content = (REAL / "tinyshakespeare" / "input.txt").read_bytes()
    with server(content) as (url, log):
        known = datasets.SHAKESPEARE
        local = KnownFile(known.path, known.checksum, known.size, (url,))
        monkeypatch.setattr(datasets, "SHAKESPEARE", local)
        first, again = data.tiny_shakespeare(), data.tiny_shakespeare()
    np.testing.assert_array_equal(first.tokens, again.tokens)
    assert log == [None]
    assert datasets.cache_folder().is_relative_to(tmp_path)


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def copy_writable(source, target):
    shutil.copyfile(source, target)
