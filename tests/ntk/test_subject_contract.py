"""A reader's file: what it holds, and what comes back for one that cannot be measured."""

import re
from textwrap import dedent

import pytest

from widenets.ntk.subject.arms import stand
from widenets.ntk.subject.contract import SubjectError, asked_parts, builtins, load
from widenets.ntk.subject.cost import Cost, predicted
from widenets.ntk.subject.examination import examined

GOOD = '''
"""Two coordinates. More text."""
import torch
from torch import nn

def model(width=8):
    return nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 1))

def data(seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(60, 4, generator=generator)
    y = x[:, :1] * x[:, 1:2]
    return (x[:20], y[:20]), (x[20:], y[20:])

loss = nn.functional.mse_loss

def optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=0.1)

steps, batch = 20, 10
'''


def written(tmp_path, text=GOOD, **replaced):
    """The path of a file with the source, some lines of which are replaced."""
    for old, new in replaced.values():
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "my_model.py"
    path.write_text(dedent(text), encoding="utf-8")
    return str(path)


def test_a_good_file_is_read_and_examined(tmp_path):
    subject = load(written(tmp_path))
    assert (subject.name, subject.title) == ("my_model", "Two coordinates. More text")
    assert subject.parts == ("diagnosis", "evolution")
    assert (subject.steps, subject.batch, subject.widths) == (20, 10, ())
    examined(subject)


@pytest.mark.parametrize("name", ["parity", "easy", "shortcut", "large_rate", "dead_relus"])
def test_built_in_files_are_examined(name):
    assert name in builtins()
    examined(load(name))


def test_parts_follow_from_the_names_without_running_the_file(tmp_path):
    path = tmp_path / "my_model.py"
    path.write_text("widths = 1, 2, 3\nmodel = data = loss = optimizer = print\nraise SystemExit")
    assert asked_parts(path) == ("scaling", "transfer")
    path.write_text("kernel = print\narchitecture = 'relu'\n1 / 0")
    assert asked_parts(path) == ("kernel",)


def test_files_beside_it_are_found(tmp_path):
    (tmp_path / "my_layers_of_test.py").write_text("WIDTH = 16\n")
    path = written(
        tmp_path,
        a=("from torch import nn", "from torch import nn\nfrom my_layers_of_test import WIDTH"),
        b=("width=8", "width=WIDTH"),
    )
    assert load(path).model()[0].out_features == 16


LOADED = {
    "no_steps": (("steps, batch = 20, 10", "batch = 10"), "no name steps, wanted by the diagnosis"),
    "no_steps_with_widths": (
        ("steps, batch = 20, 10", "widths, batch = (8, 16, 32), 10"),
        "no name steps, wanted by the diagnosis; without batch: scaling and transfer alone",
    ),
    "no_model": (("def model", "def models"), "no name model, wanted by the diagnosis"),
    "syntax": (("def data(seed):", "def data(seed:"), r"line 9: "),
    "import": (("import torch\n", "import torch, no_such_module\n"), "line 3: ModuleNotFoundError"),
    "loss": (("loss = nn.functional.mse_loss", "loss = 3"), "loss must be a function, found 3"),
    "steps": (("20, 10", "-1, 10"), "steps must be a positive integer, found -1"),
    "widths": (("steps,", "widths = 8, 16\nsteps,"), "widths must be three or more"),
    "minutes": (("steps,", "minutes = 0\nsteps,"), "minutes must be a positive number, found 0"),
    "depths": (("steps,", "depths = 8, 16\nsteps,"), "depths must be three or more"),
    "one_depth": (("steps,", "depths = 8\nsteps,"), "depths must be several, found 8"),
    "decay": (("steps,", "decay = 'both'\nsteps,"), "decay must be 'independent' or 'coupled'"),
    "a": (("steps,", "depth_exponent = 2\nsteps,"), "depth_exponent must be a number above 0"),
    "expected": (
        ("steps,", "expected = {'U1_trains': 'yes'}\nsteps,"),
        "expected: U1_trains: found 'yes', wanted 'pass' or 'fail'",
    ),
}


@pytest.mark.parametrize("name", LOADED)
def test_a_file_that_does_not_hold_what_it_should(tmp_path, name):
    change, wanted = LOADED[name]
    with pytest.raises(SubjectError, match=rf"^my_model\.py.*{wanted}") as caught:
        load(written(tmp_path, change=change))
    assert "\n" not in str(caught.value)


def test_no_such_file():
    with pytest.raises(SubjectError, match=r"^nowhere/model\.py: no such file$"):
        load("nowhere/model.py")
    with pytest.raises(SubjectError, match=r"party: neither a file .* parity"):
        load("party")


EXAMINED = {
    "no_module": (("return nn.Sequential(", "return ("), "must return a torch module"),
    "same_data": (("manual_seed(seed)", "manual_seed(0)"), "is the same for two seeds"),
    "unseeded_data": (
        (
            "x = torch.randn(60, 4, generator=generator)",
            "import numpy as np\n    x = torch.tensor(np.random.random((60, 4))).float()",
        ),
        "differs between two calls with the same",
    ),
    "sum": (
        ("loss = nn.functional.mse_loss", "def loss(f, y): return ((f - y) ** 2).sum()"),
        "must be a mean over examples: of a doubled batch",
    ),
    "no_scalar": (
        ("loss = nn.functional.mse_loss", "def loss(f, y): return (f - y) ** 2"),
        r"must be a scalar, found the shape \(10, 1\)",
    ),
    "nan_data": (("y = x[:, :1]", "y = x[:, :1] / 0"), "targets hold NaN or infinity"),
    "lengths": (("y[:20])", "y[:19])"), "20 inputs but 19 targets"),
    "no_pairs": (("return (x[:20], y[:20]),", "return x,"), "must return"),
    "overlap": (("(x[20:], y[20:])", "(x, y)"), "20 of 60 held-out inputs are training inputs"),
    "few": (("(x[20:], y[20:])", "(x[54:], y[54:])"), "wanted at least 2 and 8"),
    "infinite": (
        ("loss = nn.functional.mse_loss", "def loss(f, y): return ((f - y) ** 2).mean() / 0"),
        "the loss at the start is inf",
    ),
    "foreign": (
        ("model.parameters()", "nn.Linear(2, 2).parameters()"),
        "2 of its tensors are not the model's",
    ),
    "no_optimizer": (("return torch.optim.SGD(", "return dict(params="), "must return a torch op"),
    "no_depth": (("steps,", "depths = 2, 4, 8\nsteps,"), r"depths: model\(\) takes no depth"),
    "twice": (
        (
            "return torch.optim.SGD(model.parameters(), lr=0.1)",
            "return [torch.optim.SGD(model.parameters(), lr=0.1) for _ in range(2)]",
        ),
        "4 of its tensors stand in two groups",
    ),
    "ignored_depth": (
        ("model(width=8):", "model(width=8, depth=2):"),
        ("steps,", "depths = 2, 4, 8\nsteps,"),
        r"model\(depth\) ignores depth: the same tensors at 2 and 4",
    ),
    "lbfgs": (("torch.optim.SGD", "torch.optim.LBFGS"), "LBFGS needs a closure"),
    "shared": (
        (
            "def model(width=8):\n    return nn.Sequential(",
            "HEAD = nn.Linear(1, 1)\ndef model(width=8):\n    return nn.Sequential(HEAD, ",
        ),
        "is the same tensor in two calls",
    ),
    "numpy": (
        (
            "    return nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 1))",
            "    import numpy as np\n"
            "    net = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 1))\n"
            "    for p in net.parameters():\n"
            "        draws = np.random.default_rng(0).normal(size=p.shape)\n"
            "        p.data = torch.as_tensor(draws).float()\n"
            "    return net",
        ),
        "has the same weights for two seeds",
    ),
    "random": (
        (
            "loss = nn",
            "class Noise(nn.Module):\n"
            "    def forward(self, x):\n"
            "        return x + torch.randn(x.shape)\n"
            "plain = model\n"
            "def model(width=8):\n"
            "    return nn.Sequential(Noise(), plain(width))\n"
            "loss = nn",
        ),
        "differs between two calls in evaluation mode",
    ),
    "own_error": (("y = x[:, :1]", "y = x[:, :1, 0]"), "line 12: data.*: IndexError"),
    "own_error_forward": (("nn.Linear(4, width)", "nn.Linear(5, width)"), "forward.*: RuntimeErr"),
    "ignored": (
        ("steps,", "widths = 8, 16, 32\nsteps,"),
        ("nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 1)", "nn.Linear(4, 1)"),
        "ignores width: every shape is the same at 8 and 16",
    ),
    "classes": (
        ("y = x[:, :1] * x[:, 1:2]", "y = (torch.arange(60) == 59).long()"),
        ("nn.Linear(width, 1)", "nn.Linear(width, 3)"),
        ("mse_loss", "cross_entropy"),
        "class 1 has fewer than 2 held-out points",
    ),
}


@pytest.mark.parametrize("name", EXAMINED)
def test_a_file_that_does_not_do_what_it_should(tmp_path, name):
    *changes, wanted = EXAMINED[name]
    path = written(tmp_path, **{str(k): change for k, change in enumerate(changes)})
    with pytest.raises(SubjectError, match=rf"^my_model\.py.*{wanted}") as caught:
        examined(load(path))
    assert "\n" not in str(caught.value)


def test_fixed_data_are_allowed_where_they_are_said(tmp_path):
    examined(
        load(
            written(
                tmp_path,
                a=("manual_seed(seed)", "manual_seed(0)"),
                b=("steps,", "data_is_fixed = True\nsteps,"),
            )
        )
    )


def test_dropout_is_allowed(tmp_path):
    examined(load(written(tmp_path, a=("nn.ReLU()", "nn.ReLU(), nn.Dropout(0.5)"))))


def test_the_cost_is_predicted_and_refused(tmp_path):
    subject = load(written(tmp_path))
    cost = predicted(stand(subject, (0, 1)))
    assert cost.steps == 20
    assert 0 < cost.seconds < 60
    assert cost.refusal(subject, 1e9) == ""
    told = Cost(50, 600, 10800.0).refusal(subject, 15)
    assert told == (
        "my_model.py: 50 trainings of 600 steps need about 3.0 h, minutes allows 15: fewer steps, "
        "or minutes=360"
    )
    assert re.match(
        r"^my_model\.py: \d+ trainings of 20 steps need about \d+ s$", cost.told(subject)
    )
