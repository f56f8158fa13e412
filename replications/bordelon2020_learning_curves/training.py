"""Training of the two-layer networks, in float32."""

import numpy as np
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def train(stream, x, y, fresh, width, rate, steps, distinct):
    """(f - f_0 at the fresh points, last loss) of f = m^-1/2 sum_r v_r sqrt(2) relu(<w_r, x>).

    All weights ~ N(0, 1) and trained; in the limit m = width -> infinity the tangent kernel is that
    of one hidden layer without bias. distinct: how many neurons are drawn, the others are copies.
    """

    def tensor(array):
        return torch.tensor(np.asarray(array), dtype=torch.float32, device=DEVICE)

    inputs, unseen = tensor(x), tensor(fresh)
    copies = width // distinct
    w = tensor(np.tile(stream.standard_normal((distinct, x.shape[1])), (copies, 1)))
    v = tensor(np.tile(stream.standard_normal(distinct), copies))
    scale = (2.0 / width) ** 0.5

    def outputs(points):
        return torch.relu(points @ w.T) @ v * scale

    f_0, f_0_unseen = outputs(inputs), outputs(unseen)
    goal = tensor(y) + f_0
    hidden = torch.empty(len(x), width, device=DEVICE)
    for _ in range(steps):
        torch.matmul(inputs, w.T, out=hidden)
        hidden.relu_()
        pull = (goal - hidden @ v * scale) * (scale * rate)
        change = pull @ hidden
        hidden.sign_()
        w += (hidden.T @ (pull[:, None] * inputs)) * v[:, None]
        v += change
    loss = float(torch.mean((goal - outputs(inputs)) ** 2))
    return (outputs(unseen) - f_0_unseen).cpu().numpy().astype(np.float64), loss
