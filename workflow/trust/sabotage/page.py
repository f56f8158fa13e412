"""docs/sabotage.md: which faults are noticed, by what, and which claims notice none of them."""

import pandas as pd

from widenets.evidence import Claim
from workflow.judge import claims_of
from workflow.trust.document import table as markdown

COMMAND = """```
python -m workflow.trust.sabotage --only a,b  # all without --only; goes on where it was killed
python -m workflow.trust.sabotage --brief     # each fault only until something notices it
python -m workflow.trust.sabotage --write     # joins what has run to sabotage.csv, and this page
make sabotage                                 # the part that runs with every change
```"""
SHOWN = 3  # claims named per fault
JUDGEMENT, RUNNER = "shared/widenets/evidence/", "workflow/"


def page(faults: list, matrix: pd.DataFrame) -> str:
    """Markdown of the whole page; `matrix` has a row per (fault, claim or test) that was tried."""
    run = [fault for fault in faults if fault.name in set(matrix["fault"])]
    left = [fault for fault in faults if fault not in run]
    caught = matrix[matrix["caught"]]
    noticed, kinds = set(caught["fault"]), caught.apply(_kind, axis=1)
    by_claims, by_runs = (set(caught["fault"][kinds == kind]) for kind in ("claim", "run"))
    by_runs -= by_claims
    by_tests = noticed - by_claims - by_runs
    judged = set(matrix["fault"][matrix.apply(_kind, axis=1) != "test"])
    missed = [f"`{fault.name}`" for fault in run if fault.name not in noticed]
    lines = [
        "# Sabotage: does the suite notice faults?",
        "",
        f"{len(faults)} deliberate, plausible faults stand in",
        "[`faults.yaml`](../workflow/trust/sabotage/faults.yaml). Each is applied to a copy;",
        "the replications whose measurement or judgement runs the changed lines are measured and",
        "judged again in the smoke tier. A claim catches a fault if its verdict leaves the",
        "expected one. *Claims*: how many do so, of those judged; *tried*: in how many papers, of",
        "those that the fault reaches (one that is noticed need not be tried in the others).",
        "",
        f"**{len(run)} were run: {len(by_claims)} are caught by claims, {len(by_runs)} only because"
        f" a run ends in an error, {len(by_tests & judged)} by a test alone,"
        f" {len(by_tests - judged)} by a test before any claim was tried,"
        f" {len(missed)} by nothing{_listed(missed)}.** {len(left)} were [not run](#not-run) as"
        " they stand today.",
        "",
        "Made by",
        "",
        COMMAND,
        "",
        f"at commit {_commits(matrix)}.",
        "What the last run of a fault found stays here as long as its replacement does, wherever",
        "its lines have moved to; *commit* is the tree in which that was: code around the fault",
        "and the claims may have changed since. All pairs of fault and claim stand in",
        "[`results/reference/sabotage.csv`](../results/reference/sabotage.csv).",
    ]
    for title, prefix in (
        ("Faults in shared/widenets/ntk", "shared/widenets/ntk/"),
        ("Faults in the replications", "replications/"),
        ("Faults in the judgement", JUDGEMENT),
        ("Faults in the runner", RUNNER),
    ):
        rows = [fault for fault in run if fault.file.startswith(prefix)]
        lines += ["", f"## {title}", "", _table(rows, matrix)[:-1] if rows else "None was run."]
    return "\n".join([*lines, "", *_idle(run, matrix), *_not_run(left)]) + "\n"


def _not_run(left: list) -> list[str]:
    """Faults that never ran, or have changed since, by file."""
    if not left:
        return []
    table = pd.DataFrame({"file": f.file, "fault": f"`{f.name}`"} for f in left)
    by_file = table.groupby("file", sort=False)["fault"].agg(", ".join)
    lines = [f"* `{file}`: {names}" for file, names in by_file.items()]
    return ["", "## Not run", "", "Never, or not since they were changed:", "", *lines]


def _kind(row: pd.Series) -> str:
    if row["replication"] == "tests":
        return "test"
    return "run" if row["claim"].startswith("(") else "claim"


def _listed(names: list[str]) -> str:
    return f" ({', '.join(names)})" if names else ""


def _commits(matrix: pd.DataFrame) -> str:
    counts = matrix.groupby("commit")["fault"].nunique().sort_values(ascending=False)
    if len(counts) == 1:
        return f"`{counts.index[0]}`"
    return ", ".join(f"`{commit}` ({count} faults)" for commit, count in counts.items())


def _table(faults: list, matrix: pd.DataFrame) -> str:
    return markdown(pd.DataFrame(_row(fault, matrix) for fault in faults), ["claims", "tried"])


def _row(fault, matrix: pd.DataFrame) -> dict[str, str]:
    rows = matrix[matrix["fault"] == fault.name]
    kinds = rows.apply(_kind, axis=1)
    claims, papers = rows[kinds == "claim"], rows[kinds != "test"]["replication"].nunique()
    reached = rows["reached"].iloc[0]
    caught = rows[rows["caught"] & (kinds != "test")]
    names = [f"`{claim}`" for claim in dict.fromkeys(claims["claim"][claims["caught"]])]
    shown = names[:SHOWN] + (["..."] if len(names) > SHOWN else [])
    shown += ["an error of the run"] if (kinds == "run").any() else []
    shown += [f"`{test}`" for test in rows["claim"][rows["caught"] & (kinds == "test")]]
    return {
        "fault": f"`{fault.name}`",
        "what is wrong": fault.why,
        "file": f"`{fault.file}`",
        "claims": f"{claims['caught'].sum()} of {len(claims)}" if len(claims) else "",
        "tried": f"{papers} of {reached}" if reached else "",
        "in": ", ".join(dict.fromkeys(name.split("_")[0] for name in caught["replication"])),
        "by": ", ".join(shown),
        "commit": ", ".join(f"`{commit}`" for commit in rows["commit"].unique()),
    }


def _idle(faults: list, matrix: pd.DataFrame) -> list[str]:
    """Claims that notice no fault in what is measured, and what each would notice."""
    others = (JUDGEMENT, RUNNER)
    measured = {fault.name for fault in faults if not fault.file.startswith(others)}
    rows = matrix[matrix["fault"].isin(measured) & (matrix.apply(_kind, axis=1) == "claim")]
    decided = {
        (name, claim.name): claim
        for name in rows["replication"].unique()
        for claim in claims_of(name)
        if claim.tier == "smoke"
    }
    tried = rows.groupby(["replication", "claim"], sort=False)["caught"].agg(["sum", "size"])
    tried = tried[tried.index.isin(decided)]  # others were renamed, or moved to another tier, since
    idle = tried[tried["sum"] == 0]
    lines = [
        "## Claims that none of these faults moves",
        "",
        f"Of {len(tried)} claims that the smoke tier decides, {len(tried) - len(idle)} notice one",
        "or more of the faults above in what is measured (those in judgement and runner left out).",
        "Claims that need a larger tier are not judged here.",
    ]
    if len(idle):
        lines += [
            "",
            "The others have a fault of their own built in, the control arm, on which the same",
            "check comes out the other way in every run: that is what they would notice. *Tried*",
            "is the number of faults that reached them.",
            "",
            _claims(idle, decided)[:-1],
        ]
    return lines


def _claims(idle: pd.DataFrame, decided: dict[tuple[str, str], Claim]) -> str:
    rows = []
    for (name, claim), row in idle.iterrows():
        found = decided[name, claim]
        would = f"that `{found.arm}` behaves as `{found.control}` ({found.why})"
        about = {"paper": name.split("_")[0], "claim": f"`{claim}`", "tried": row["size"]}
        rows.append({**about, "what it says": found.statement, "it would notice": would})
    return markdown(pd.DataFrame(rows))
