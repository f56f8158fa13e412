# The plan of this run: settings, targets and digests, computed in plain Python (plan.py).
import importlib
import os.path
import sys

ROOT = os.path.realpath(os.path.join(str(workflow.current_basedir), "..", ".."))
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

PLAN = importlib.import_module("workflow.plan").begin_or_exit(config, workflow.cores)
RESULTS = str(PLAN.results.folder)

# `python` is this snakemake's own; a job finds the packages from any working folder
shell.prefix(
    f"export PATH={os.path.dirname(sys.executable)}:$PATH"
    f" PYTHONPATH={ROOT}:${{{{PYTHONPATH:-}}}}; "
)


wildcard_constraints:
    replication=r"\w+",
    shard=r"[\w-]+",


localrules:
    all,
