"""Where numbers are made: on the processor, unless a run asks for a GPU that is there."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml

from workflow.base import config, records
from workflow.base.environment import DEVICES
from workflow.base.files import UserError
from workflow.base.grid import Seeds
from workflow.base.tree import ROOT, Results
from workflow.compare import Kept, other_devices
from workflow.host import device
from workflow.plan import Plan
from workflow.trust import devices

GIVEN = yaml.safe_load((ROOT / "workflow" / "config.yaml").read_text(encoding="utf-8"))
GPU = "cuda: NVIDIA Imagined"
SEES = """
import os
from workflow.base.environment import use_one_thread
use_one_thread(*{words})
import jax
print(sorted({{d.platform for d in jax.devices()}}), os.environ["CUDA_VISIBLE_DEVICES"])
"""


def project_with(untouched, name):
    """A project whose frameworks say that they see a GPU of that name, and compute as before."""
    untouched.edit(
        "workflow/host/device.py",
        'SEEN = {"jax": _of_jax, "torch": _of_torch}',
        f'SEEN = {{"jax": lambda device: {name!r}, "torch": lambda device: {name!r}}}',
    )
    for paper in ("alpha2000_toy", "beta2001_toy"):  # which would need neither
        path = f"replications/{paper}/experiment.py"
        untouched.edit(path, "import numpy as np", "import jax  # noqa: F401\nimport numpy as np")
    return untouched


def test_without_a_word_nothing_uses_a_gpu(monkeypatch):
    """Whatever the caller's environment offers."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setenv("JAX_PLATFORMS", "cuda,cpu")
    done = subprocess.run(
        [sys.executable, "-c", SEES.format(words=())], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['cpu']"
    assert (config.settings(GIVEN).device, Seeds().device) == ("cpu", "cpu")


def test_on_a_gpu_memory_is_shared_and_tf32_is_off():
    assert DEVICES["cuda"]["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    assert DEVICES["cuda"]["NVIDIA_TF32_OVERRIDE"] == "0"
    assert "CUDA_VISIBLE_DEVICES" not in DEVICES["cuda"]  # a queue says which GPU is the job's
    assert os.environ["JAX_DEFAULT_MATMUL_PRECISION"] == "highest"


def torch_with(cuda, build="13.0"):
    matmul, cudnn = SimpleNamespace(allow_tf32=True), SimpleNamespace(allow_tf32=True)
    return SimpleNamespace(
        cuda=SimpleNamespace(is_available=lambda: cuda, get_device_name=lambda: "Imagined"),
        version=SimpleNamespace(cuda=build),
        backends=SimpleNamespace(cuda=SimpleNamespace(matmul=matmul), cudnn=cudnn),
    )


def test_a_framework_that_sees_the_gpu_names_it_and_rounds_as_float32(monkeypatch):
    torch = torch_with(cuda=True)
    monkeypatch.setattr(device, "import_module", lambda name: torch)
    monkeypatch.setattr(device, "use_one_thread", lambda word: None)
    assert device.ready("cuda", ["torch"]) == "cuda: Imagined"
    assert torch.backends.cuda.matmul.allow_tf32 is False
    assert torch.backends.cudnn.allow_tf32 is False


@pytest.mark.parametrize(
    "torch, said",
    [
        (torch_with(cuda=False), "torch sees no such device: no GPU is visible"),
        (torch_with(cuda=False, build=None), "it is built for processors alone"),
    ],
)
def test_torch_without_a_gpu_is_one_line(monkeypatch, torch, said):
    monkeypatch.setattr(device, "import_module", lambda name: torch)
    monkeypatch.setattr(device, "use_one_thread", lambda word: None)
    with pytest.raises(UserError, match=said):
        device.ready("cuda", ["torch"])


def test_jax_without_a_gpu_is_one_line_before_anything_is_measured(monkeypatch):
    def absent(word):
        raise RuntimeError(f"Unknown backend {word}.\nmore")

    monkeypatch.setattr(device, "import_module", lambda name: SimpleNamespace(devices=absent))
    monkeypatch.setattr(device, "use_one_thread", lambda word: None)
    with pytest.raises(UserError) as raised:
        device.ready("cuda", ["jax"])
    wanted = "config: device: 'cuda': jax sees no such device: Unknown backend cuda."
    assert str(raised.value) == wanted


def test_only_the_frameworks_that_a_paper_imports_are_asked():
    assert device.needed(["cao2019_spectral_bias"]) in (["torch"], ["jax", "torch"])
    assert "torch" not in device.needed(["jacot2018_frozen_kernel"])
    assert device.ready("cpu", ["no_framework"]) == "cpu"


def test_jobs_on_a_gpu_ask_for_one(monkeypatch):
    assert Plan({**GIVEN, "tier": "smoke"}).gpus() == 0
    plan = Plan({**GIVEN, "tier": "smoke", "device": "cuda"})
    assert plan.gpus() == 1
    assert "--device=cuda" in plan.seed_options()
    assert "--device" not in Plan({**GIVEN, "tier": "smoke"}).seed_options()


def test_an_absent_gpu_ends_a_run_before_it_starts(untouched):
    """With frameworks that see none: those of this machine may."""
    untouched.edit(
        "workflow/host/device.py",
        'SEEN = {"jax": _of_jax, "torch": _of_torch}',
        "def _none(device):\n    raise _absent(device, 'jax', 'none here')\n\n\n"
        "SEEN = {'jax': _none, 'torch': _none}",
    )
    path = "replications/alpha2000_toy/experiment.py"
    untouched.edit(path, "import numpy as np", "import jax  # noqa: F401\nimport numpy as np")
    words = ("--cores", "1", "--config", "tier=smoke", "device=cuda")
    run = untouched.call("snakemake", *words)
    assert run.code != 0
    said = "error: config: device: 'cuda': jax sees no such device: none here"
    assert [line for line in run.output.splitlines() if "error" in line] == [said]
    assert not untouched.path("results").exists()


def test_another_device_measures_again_and_is_told(untouched):
    project = project_with(untouched, "NVIDIA Imagined")
    first = project.snakemake()
    assert first.code == 0, first.output
    before = project.tables()
    words = ("--cores", "4", "--config", "tier=smoke", "device=cuda")
    run = project.call("snakemake", *words)
    assert run.code == 0, run.output
    assert run.jobs["measure"] == 2
    folder = Results(project.path("results/smoke"))
    made = json.loads(folder.provenance.read_text(encoding="utf-8"))
    assert made["settings"]["device"] == "cuda"
    assert {record["device"] for record in made["records"]} == {GPU}
    after = project.tables()
    changed = [name for name in before if before[name] != after[name]]
    assert changed == []  # it was the processor all the time
    assert project.gate().code == 0
    back = project.snakemake()
    assert back.jobs["measure"] == 2
    facts = records.read_facts(folder.record("alpha2000_toy", "main"))
    assert facts["device"] == "cpu"


def test_a_record_of_another_device_is_stale(green):
    """What the gate would say of a file that was put there."""
    path = Results(green.path("results/smoke")).record("alpha2000_toy", "main")
    assert records.device_of(records.read_facts(path)) == "cpu"
    assert records.device_of({"device": GPU}) == "cuda"
    run = green.call(
        "workflow.gather",
        *("--results", "results/smoke", "--replication", "alpha2000_toy", "--device", "cuda"),
    )
    assert "record main is stale: measured on cpu, wanted cuda" in run.output
    assert run.code == 2


def kept(name, **facts):
    return Kept("", "smoke", "", "", {}, {("p", "main"): {"device": name, "seconds": 2.0, **facts}})


def test_compare_remarks_another_device():
    assert other_devices(kept(GPU), kept("cpu")) == [f"another device: cpu → {GPU}"]
    assert other_devices(kept("cpu"), kept("cpu")) == []


def test_the_command_for_a_gpu_holds_two_runs_against_each_other(tmp_path, capsys, monkeypatch):
    """With the processor in the place of the GPU: no claim may differ."""
    words = ["devices", "--papers", "alpha2000_toy,beta2001_toy", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", words)
    assert devices.main() == 0
    said = capsys.readouterr().err
    assert said.startswith("2 same")
    assert "| alpha2000_toy | main |" in said


def test_its_table_has_the_seconds_of_both_and_is_kept_under_the_gpus_name(tmp_path):
    old, new = kept("cpu"), kept(GPU, seconds=0.5)
    found = devices.costs(old, new, [])
    assert found["times as fast"].tolist() == [4.0]
    assert f"seconds on {GPU}" in found
    path = devices.publish(found, new, tmp_path)
    assert path == tmp_path / "results/reference/devices/NVIDIA_Imagined.csv"
    assert path.read_text(encoding="utf-8").startswith("paper,job,")
