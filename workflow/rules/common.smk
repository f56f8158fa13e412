# The plan of this run: settings, targets and digests, computed in plain Python (plan.py).
import importlib
import os.path
import sys

ROOT = os.path.realpath(os.path.join(str(workflow.current_basedir), "..", ".."))
sys.path.insert(0, ROOT)  # before a folder of PYTHONPATH that has a package `workflow` too

planning = importlib.import_module("workflow.plan")
# On a cluster: how many jobs its queue may hold. (Else None, and `cores` is there.)
QUEUED = workflow.nodes
PLAN = planning.begin_or_exit(config, QUEUED or workflow.cores, remote=QUEUED is not None)
RESULTS = str(PLAN.results.folder)
# Of every rule. Snakemake looks for wildcards in the whole path, hence the doubled braces.
ENVIRONMENT = f"{ROOT}/environment.yml".replace("{", "{{").replace("}", "}}")

shell.prefix(planning.prepare_for_jobs())

# Many cores with little memory do not start everything at once. (A cluster's jobs are not counted:
# their memory is of another machine.)
if "mem_mb" not in workflow.global_resources:
    workflow.register_resource(
        "mem_mb", importlib.import_module("workflow.host.machine").memory_mb()
    )


wildcard_constraints:
    replication=r"\w+",
    shard=r"[\w-]+",


localrules:
    all,
