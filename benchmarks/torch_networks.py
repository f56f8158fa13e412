"""The transformer of `networks` as a torch module with the same numbers."""

import jax
import numpy as np
import torch
from torch import nn
from torch.nn import functional


class Transformer(nn.Module):
    """`networks.transformer`: its parameters by their names there, transposed as torch has them."""

    def __init__(self, params):
        super().__init__()

        def weight(leaf):
            return nn.Parameter(torch.from_numpy(np.array(leaf.T)))

        params = jax.tree.map(weight, params)
        self.blocks = nn.ModuleList(nn.ParameterDict(block) for block in params["blocks"])
        self.readout = params["u"]

    def forward(self, x):
        def normal(x):
            return functional.layer_norm(x, x.shape[-1:], eps=1e-5)

        for block in self.blocks:
            y = normal(x)
            q, k, v = (functional.linear(y, block[name]).unflatten(-1, (4, -1)) for name in "qkv")
            scores = (torch.einsum("nthd,nshd->nhts", q, k) / 4).softmax(-1)
            mixed = torch.einsum("nhts,nshd->nthd", scores, v).flatten(2)
            x = x + functional.linear(mixed, block["o"])
            hidden = functional.gelu(functional.linear(normal(x), block["a"]), approximate="tanh")
            x = x + functional.linear(hidden, block["b"])
        return functional.linear(x.mean(1), self.readout)
