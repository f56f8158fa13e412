"""Copying the successor of an earlier token, by attention whose features move or are frozen.

A sequence is seven different tokens of ten in random order and one of the first six again; wanted
is the token that came after it, which neither place nor frequency tells. Who knows the seen tokens,
the query and the first token, but no more of the order, is right in `UNIGRAM` of the cases: in 5/6
of them the first token is not the query, and as it follows nobody five candidates are left; in 1/6
it is, and there are six.

The network has attention alone (Olsson et al. 2022): residual stream of 16, heads with one matrix
for query and key, one for value and output, and a learned bias for each distance. Adam, fresh
batches of 64. Frozen arms are those of `widenets.ntk.subject.frozen`, which see the same batches,
and the least-squares solution on the tangent features, its ridge chosen on validation data.
"""

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, jacrev, vmap

from widenets.ntk.subject.contract import Subject
from widenets.ntk.subject.frozen import Form, Parameters, Run, Stack
from widenets.ntk.subject.problem import Problem, problem

TOKENS, DISTINCT, STREAM, BATCH = 10, 7, 16, 64
UNIGRAM = 1 / (DISTINCT - 1) + 1 / (DISTINCT - 1) ** 2  # 5/6 * 1/5 + 1/6 * 1/6
HELD, SOLVED = 2048, 1024  # held-out sequences, half for choices; sequences of the solved arm
RIDGES = 10.0 ** np.arange(-7.0, 0.1, 1.0)  # in units of the features' mean square


class Attention(nn.Module):
    """x + sum over heads of softmax(x W x' + b[distance]) x V, causal."""

    def __init__(self, heads: int):
        super().__init__()
        scale = STREAM**-0.5
        self.query_key = nn.Parameter(scale**2 * torch.randn(heads, STREAM, STREAM))
        self.value = nn.Parameter(scale * torch.randn(heads, STREAM, STREAM))
        self.distance = nn.Parameter(torch.zeros(heads, DISTINCT + 1))

    def weights(self, x):
        """Attention (.., heads, to, from)."""
        x = x[..., None, :, :]
        place = torch.arange(DISTINCT + 1)
        gap = place[:, None] - place
        scores = x @ self.query_key @ x.transpose(-1, -2) + self.distance[:, gap.clamp_min(0)]
        return scores.masked_fill(gap < 0, -torch.inf).softmax(-1)

    def forward(self, x):
        return x + (self.weights(x) @ (x[..., None, :, :] @ self.value)).sum(-3)


class Copier(nn.Module):
    """Tokens (.., 8) -> logits (.., 10) at the last place."""

    def __init__(self, layers: int, heads: int):
        super().__init__()
        self.embed = nn.Parameter(torch.randn(TOKENS, STREAM))
        self.layers = nn.ModuleList([Attention(heads) for _ in range(layers)])
        self.read = nn.Parameter(STREAM**-0.5 * torch.randn(STREAM, TOKENS))

    def forward(self, tokens):
        x = self.embed[tokens]
        for layer in self.layers:
            x = layer(x)
        return x[..., -1, :] @ self.read


def sequences(draws: np.random.Generator, count: int):
    """Tokens (count, 8) and targets (count,), the successor of the last token's first showing."""
    seen = draws.permuted(np.tile(np.arange(TOKENS), (count, 1)), axis=1)[:, :DISTINCT]
    asked, rows = draws.integers(DISTINCT - 1, size=count), np.arange(count)
    tokens = np.concatenate([seen, seen[rows, asked][:, None]], axis=1)
    return torch.as_tensor(tokens), torch.as_tensor(seen[rows, asked + 1])


def subject(layers: int, heads: int, steps: int) -> Subject:
    """As a reader's file would say it; training sequences are seen once, in their order."""

    def data(seed):
        draws = np.random.Generator(np.random.PCG64(seed))
        training = sequences(draws, steps * BATCH)
        return training, sequences(draws, HELD)

    return Subject(
        name="induction",
        title="Copying the successor of an earlier token",
        path=Path(__file__),
        parts=("diagnosis",),
        model=lambda: Copier(layers, heads),
        data=data,
        loss=nn.functional.cross_entropy,
        optimizer=lambda model: torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.9, 0.99)),
        steps=steps,
        batch=BATCH,
    )


@functools.lru_cache(maxsize=2)
def problems(layers: int, heads: int, steps: int, seeds: tuple[int, ...]) -> list[Problem]:
    of = subject(layers, heads, steps)
    return [problem(of, seed) for seed in seeds]


def followed(
    form: Form,
    runs: Sequence[Run],
    steps: int,
    record: Sequence[int],
    starts: list[Parameters] | None = None,
    keep: Sequence[int] = (),
    first: int = 0,
) -> tuple[np.ndarray, dict[int, list[Parameters]]]:
    """(accuracy on test sequences (runs, records), parameters of each run at the steps of `keep`).

    Training sequences are fresh: step t takes those from 64 t on, counted from `first`.
    """
    machine = Stack(form, runs, starts)
    machine.begin()
    test = runs[0].problem.of("test")
    targets = torch.stack([run.problem.targets[test] for run in runs])
    found, kept = [], {}
    for step in range(first, steps + 1):
        if step in keep:
            kept[step] = [machine.parameters_of(index) for index in range(len(runs))]
        if step in record:
            said = torch.stack(machine.evaluated(test)).argmax(-1)
            found.append((said == targets).double().mean(1).numpy())
        if step < steps:
            batch = np.arange(step * BATCH, (step + 1) * BATCH)
            machine.step(np.tile(batch, (len(runs), 1)), None)
    return np.stack(found, axis=1), kept


def attention_on_successor(of: Problem, parameters: Parameters) -> float:
    """Attention of the last token on the successor of its first showing, in the best head of the
    last layer."""
    network = of.network()
    network.load_state_dict(parameters)
    tokens = of.inputs[of.of("test")]
    with torch.no_grad():
        x = network.embed[tokens]
        for layer in network.layers[:-1]:
            x = layer(x)
        last = network.layers[-1].weights(x)[:, :, -1]
    successor = 1 + (tokens[:, :-1] == tokens[:, -1:]).int().argmax(1)
    return float(last[torch.arange(len(tokens)), :, successor].mean(0).max())


def solved(of: Problem, parameters: Parameters) -> float:
    """Test accuracy of least squares on the tangent features at `parameters` and on f_0, with
    centred one-hot targets; the ridge is the best on validation sequences."""
    network = of.network()

    def outputs(p, tokens):
        return functional_call(network, p, (tokens,))

    def features(tokens):  # (sequences, outputs, parameters + 1)
        tangent = vmap(jacrev(outputs), in_dims=(None, 0))(parameters, tokens)
        flat = [t.flatten(2) for t in tangent.values()]
        return torch.cat([*flat, outputs(parameters, tokens)[..., None]], dim=2)

    with torch.no_grad():
        known = features(of.inputs[:SOLVED])
        centred = nn.functional.one_hot(of.targets[:SOLVED], TOKENS) - 1 / TOKENS
        rows = known.flatten(0, 1)
        gram = (rows.T @ rows).double()
        moment = (rows.T @ centred.flatten()).double()
        unit, one = float(gram.diagonal().mean()), torch.eye(len(gram)).double()
        found = [torch.linalg.solve(gram + r * unit * one, moment).float() for r in RIDGES]
        weights = torch.stack(found, dim=1)
        validation, test = (_accuracies(features, weights, of, s) for s in ("validation", "test"))
    return float(test[np.argmax(validation)])


def _accuracies(features, weights, of: Problem, split: str) -> np.ndarray:
    """Of each column of weights (parameters + 1, ridges) on a part of the held-out sequences."""
    pieces = zip(*(v[of.of(split)].split(512) for v in (of.inputs, of.targets)), strict=True)
    right = [(features(x) @ weights).argmax(1) == y[:, None] for x, y in pieces]
    return torch.cat(right).double().mean(0).numpy()
