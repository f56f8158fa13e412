"""What is measured, all in float64: identities of kernels, finite networks, accuracies.

Kernels of the limit are those of `widenets.ntk`, circular padding that of `recursion`. A seed is
one draw of images, networks and splits; kernels that are compared see the same split in one row.
"""

from collections.abc import Iterator

import numpy as np

from replications.arora2019_exact_cntk import finite, images
from replications.arora2019_exact_cntk.images import seed_stream
from replications.arora2019_exact_cntk.kernels import accuracy, dense_limit, kernels, regression
from replications.arora2019_exact_cntk.recursion import pooled_and_vanilla, rolled
from widenets.ntk.data import sphere

ROLL = (2, 2)  # of shifted test images
TRAINED_STEPS = 80
TESTS = 48  # points at which a trained network is looked at


def _size(matrix: np.ndarray) -> float:
    return float(np.linalg.norm(matrix))


def shifts(
    *, arm: str, padding: str, side: int, convs: int, train: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Pooling and shifts under zero or circular padding, on textures.

    average: largest |GAP - mean of V over all shifts of one image|, over the largest GAP. moved:
    the same of GAP before and after a shift of one image. gap, v: accuracies; changed, v_changed:
    share of test images that are told another class once all are moved by (2, 2).
    """
    for seed in seeds:
        stream = seed_stream(seed, "shifts", arm)
        x, labels, _ = images.split(stream, "textures", train, 2 * train, side)
        few, tests, seen = x[:4], x[train:], x[:train]
        whole, _ = pooled_and_vanilla(few, few, convs, padding)
        turns = [(i, j) for i in range(side) for j in range(side)]
        every = np.concatenate([rolled(few, turn) for turn in turns])
        _, of_turns = pooled_and_vanilla(few, every, convs, padding)
        over_turns = of_turns.reshape(len(few), len(turns), len(few)).mean(axis=1)
        once, _ = pooled_and_vanilla(few, rolled(few, ROLL), convs, padding)
        row = {
            "seed": seed,
            "average": np.abs(whole - over_turns).max() / whole.max(),
            "moved": np.abs(whole - once).max() / whole.max(),
        }
        square, before, after = (
            pooled_and_vanilla(z, seen, convs, padding) for z in (seen, tests, rolled(tests, ROLL))
        )
        for k, (accurate, changed) in enumerate((("gap", "changed"), ("v", "v_changed"))):
            told, told_moved = (
                regression(np.concatenate([square[k], rest[k]]), labels, train)
                for rest in (before, after)
            )
            row[accurate] = np.mean(told == labels[train:])
            row[changed] = np.mean(told != told_moved)
        yield row


def permutation(
    *, arm: str, read_out: str, side: int, convs: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """change: of the NTK of eight images, relative, when all have one other order of pixels."""
    for seed in seeds:
        stream = seed_stream(seed, "permutation", arm)
        x, _ = images.pictures(stream, "textures", 8, side)
        order = stream.permutation(side * side)
        _, before = kernels(read_out, x, convs)
        _, after = kernels(read_out, x.reshape(8, -1)[:, order].reshape(x.shape), convs)
        yield {"seed": seed, "change": _size(after - before) / _size(before)}


def channels(
    *, arm: str, read_out: str, assumed: str, side: int, convs: int, channels: int,
    seeds: tuple[int, ...],
) -> Iterator[dict]:  # fmt: skip
    """The NTK of a finite network over the limit's, on four textures.

    error: relative, Frobenius norm. level: mean of all entries over that of the limit. assumed:
    whose limit it is held against, `gap`, `v`, or `torus`: V with circular padding.
    """
    for seed in seeds:
        stream = seed_stream(seed, "channels", arm, channels)
        x = images.normalized(images.pictures(stream, "textures", 4, side)[0], 4) * side
        torus = assumed == "torus"
        if torus:
            _, limit = pooled_and_vanilla(x, x, convs, "CIRCULAR")
        else:
            _, limit = kernels(assumed, x, convs)
        weights = finite.draw(stream, channels, convs, 1)
        shape = (channels,) if read_out == "gap" else (side * side, channels)
        found = finite.conv_ntk(weights, stream.standard_normal(shape), x)
        yield {
            "seed": seed,
            "error": _size(found - limit) / _size(limit),
            "level": np.trace(found) / np.trace(limit),
        }


def dense(*, arm: str, width: int, seeds: tuple[int, ...], layers: int = 2) -> Iterator[dict]:
    """error: of <grad f, grad f'> at four points of R^8, relative, of two hidden layers.

    layers: hidden layers of the limit that it is held against.
    """
    for seed in seeds:
        stream = seed_stream(seed, "dense", arm, width)
        x = sphere(stream, 4, 8, np.sqrt(8))
        limit = dense_limit(x, x, layers)
        found = finite.dense_ntk(stream, width, x)
        yield {"seed": seed, "error": _size(found - limit) / _size(limit)}


def trained(
    *, arm: str, power: float, width: int, seeds: tuple[int, ...], corrected: bool = True
) -> Iterator[dict]:
    """kappa f after training against kernel regression on 5 points, kappa = width^-power.

    gap: rms over tests. start: <gap, r> / <r, r> with
    r = kappa (f_0(x) - Theta(x,X) Theta(X,X)^-1 f_0(X)), what survives of the network before
    training. corrected: with its second term. residual: largest one left. Widths of a seed share
    their points and labels.
    """
    for seed in seeds:
        points = seed_stream(seed, "trained", arm)
        x = sphere(points, 5 + TESTS, 8, np.sqrt(8))
        y = points.choice([-1.0, 1.0], size=5)
        ntk = dense_limit(x, x[:5], 1)
        kappa = width**-power
        run = finite.train(
            seed_stream(seed, "trained", arm, width), width, kappa, x, y, ntk[:5], TRAINED_STEPS
        )
        weights = np.linalg.solve(ntk[:5], ntk[5:].T).T
        gap = run.end[5:] - weights @ y
        left = kappa * (run.start[5:] - corrected * (weights @ run.start[:5]))
        yield {
            "seed": seed,
            "gap": np.sqrt(np.mean(gap**2)),
            "start": gap @ left / (left @ left),
            "residual": run.residual,
        }


def accuracies(
    *, arm: str, data: str, train: int, test: int, side: int, convs: int,
    seeds: tuple[int, ...], permuted: bool = False, pooled: bool = True,
    data_dir: str | None = None,
) -> Iterator[dict]:  # fmt: skip
    """Accuracies of kernel regression without ridge, all kernels on one split.

    fc, v, gap: NTK; fc_nngp, v_nngp, gap_nngp: NNGP. pooled: with those of GAP, which cost as many
    times more as the image has positions. permuted: one order of pixels for all images.
    """
    for seed in seeds:
        stream = seed_stream(seed, "accuracies", arm, train)
        task = images.split(stream, data, train, test, side, permuted, data_dir)
        read_outs = ("fc", "v", "gap") if pooled else ("fc", "v")
        yield {"seed": seed, **_of_split(task, convs, read_outs)}


def _of_split(task: images.Split, convs: int, read_outs) -> dict[str, float]:
    found = {}
    for read_out in read_outs:
        nngp, ntk = kernels(read_out, task.x, convs, task.train)
        found[read_out] = accuracy(ntk, task.labels, task.train)
        found[f"{read_out}_nngp"] = accuracy(nngp, task.labels, task.train)
    return found


def first_images(
    *, arm: str, data: str, read_out: str, train: int, test: int, side: int, convs: int,
    seeds: tuple[int, ...], data_dir: str | None = None,
) -> Iterator[dict]:  # fmt: skip
    """Accuracy of one kernel, trained on the first images of a set, tested on others.

    Nothing is drawn: `seed` is the run's. accuracy, nngp: of the NTK and of the NNGP.
    """
    for seed in seeds:
        task = images.first(data, train, test, side, data_dir)
        found = _of_split(task, convs, (read_out,))
        yield {"seed": seed, "accuracy": found[read_out], "nngp": found[f"{read_out}_nngp"]}


def random_features(
    *, arm: str, channels: int, nets: int, train: int, test: int, side: int, convs: int,
    seeds: tuple[int, ...], data: str = "textures",
) -> Iterator[dict]:  # fmt: skip
    """Accuracies: exact, of CNTK-GAP; random, of the mean NTK of `nets` finite networks."""
    for seed in seeds:
        stream = seed_stream(seed, "random_features", arm, channels)
        task = images.split(stream, data, train, test, side)
        total = np.zeros((len(task.x), len(task.x)))
        for _ in range(nets):
            weights = finite.draw(stream, channels, convs, task.x.shape[-1])
            total += finite.conv_ntk(weights, stream.standard_normal(channels), task.x)
        _, ntk = kernels("gap", task.x, convs, train)
        yield {
            "seed": seed,
            "exact": accuracy(ntk, task.labels, train),
            "random": accuracy(total[:, :train], task.labels, train),
        }


def tables(
    *, arm: str, data: str, train: int, seeds: tuple[int, ...], rotated: bool = False
) -> Iterator[dict]:
    """Accuracies on a small table, C = 10 for all: NTK SVM (3 hidden layers), RBF SVM, forest.

    Columns scaled to mean 0 and variance 1 over the training rows; rotated: the scaled rows are
    turned by one orthogonal matrix, which both kernels cannot see.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.svm import SVC

    inputs, labels = images.table(data)
    for seed in seeds:
        stream = seed_stream(seed, "tables", arm, data)
        chosen = stream.permutation(len(labels))[: min(train + 400, len(labels))]
        x, y = inputs[chosen], labels[chosen]
        spread = x[:train].std(axis=0)
        x = (x - x[:train].mean(axis=0)) / np.where(spread > 0, spread, 1)
        if rotated:
            x = x @ np.linalg.qr(stream.standard_normal((x.shape[1], x.shape[1])))[0]
        ntk = kernels("fc", x, 3, train)[1]
        ntk = ntk / np.trace(ntk[:train]) * train
        svm = SVC(C=10, kernel="precomputed").fit(ntk[:train], y[:train])
        rbf = SVC(C=10).fit(x[:train], y[:train])
        forest = RandomForestClassifier(100, random_state=int(stream.integers(2**31)))
        forest.fit(x[:train], y[:train])
        yield {
            "seed": seed,
            "ntk": svm.score(ntk[train:], y[train:]),
            "rbf": rbf.score(x[train:], y[train:]),
            "forest": forest.score(x[train:], y[train:]),
        }
