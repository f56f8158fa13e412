"""A made-up report that shows every state a claim can be in, for tests of the page.

`python -m tests.browser.gallery FOLDER` writes it to look at.
"""

import html
import json
import math
import sys
from pathlib import Path

import pandas as pd

from workflow.base.files import write_json, write_text
from workflow.base.records import write_table
from workflow.page import write_views
from workflow.page.content import FORMAT, STATES

SCALES = {
    "place": [0.1, 0.1, 0.8, 0.8],
    "x": {"label": "width $n$", "kind": "log", "base": 10, "ends": [1, 3], "ticks": [100]},
    "y": {"label": r"$\Theta$", "kind": "linear", "ends": [0, 8]},
    "curves": [["#0072b2", False, "erf"], ["#000000", True, "$n^{-1}$"]],
}
# Of n = 10, 100 and 1000 with 8, 4 and 2 up, the middle one from 3 to 5; caps, a seed and a slope.
FIGURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    'viewBox="0 0 400 200" width="400" height="200"><rect width="400" height="200" fill="#fff"/>'
    f"<metadata><rdf:li>{html.escape(json.dumps({'title': '', 'empty': False, 'scales': SCALES}))}"
    '</rdf:li></metadata><defs><clipPath id="area"><rect width="400" height="200"/></clipPath>'
    '<path id="mark" d="M -3 0 C -3 -4 3 -4 3 0 C 3 4 -3 4 -3 0"/></defs>'
    '<path d="M 40 100 L 360 100" clip-path="url(#area)" style="fill: none; stroke: #ececec"/>'
    '<path d="M 200 120 L 200 80" clip-path="url(#area)" style="fill: none; stroke: #0072b2"/>'
    '<path d="M 40 40 L 360 160" clip-path="url(#area)" '
    'style="fill: none; stroke: #000000; stroke-dasharray: 1,1"/>'
    + "".join(
        f'<g clip-path="url(#area)"><use xlink:href="#mark" x="{x}" y="{y}" style="fill: #0072b2'
        f'{"; fill-opacity: 0.25" if seed else ""}"/></g>'
        for x, y, seed in (
            *((40, 20, False), (200, 100, False), (360, 140, False)),
            *((200, 120, False), (200, 80, False), (200, 60, True)),
        )
    )
    + "</svg>"
)
README = """# {title}

A. Author and B. Author, *On wide networks*, 2020, https://example.org/paper

## What is replicated

- the law $f(x) = \\sum_i \\sqrt{{2/n}}\\,\\phi(w_i x)$ of `{name}`,
- and **nothing** else.

| quantity | paper | here |
|-|-|-|
| width | 10^4 | 512 |

## Deviations and why

Widths stop at 512 instead of 10^4, as two cores allow; the exponent does not depend on it.
"""
NAMES = ("alpha2018_kernel", "beta2019_dynamics", "gamma2020_spectrum")
REGIONS = (
    ("−0.5 ± 0.1", -0.6, -0.4),
    ("≤ 0.05", None, 0.05),
    ("≥ 2", 2.0, None),
    ("[0.9, 1.1]", 0.9, 1.1),
)


def report(papers: int = 3, claims: int = 12) -> dict:
    """The report as plain values; states, regions and sizes of the control go round."""
    made = [paper(NAMES[i % 3] + ("" if i < 3 else str(i)), claims) for i in range(papers)]
    states = [claim["state"] for one in made for claim in one["claims"]]
    kinds = [claim["kind"] for one in made for claim in one["claims"]]
    problems = [f"{one['name']}: {text}" for one in made for text in one["problems"]]
    return {
        "format": FORMAT,
        "tier": "laptop",
        "seed": 0,
        "seeds_at_most": 0,
        "git": "0123456789ab",
        "repository": "",
        "started": "2026-01-01T00:00:00+00:00",
        "cpu_seconds": 123.4,
        "max_rss_mb": 456.7,
        "environments": [
            {
                "git": "0123456789ab",
                "python": "3.11.7",
                "machine": "Linux x86_64, 2 cores",
                "versions": {"numpy": "2.4.6"},
            }
        ],
        "data": {"digits.csv": "abc"},
        "states": {state: states.count(state) for state in STATES},
        "kinds": {kind: kinds.count(kind) for kind in ("level", "bound")},
        "as_expected": False,
        "problems": problems,
        "findings": {
            "title": {"says": "Kernels of wide networks stay", "claims": [f"{NAMES[0]}.K1_law"]},
            "holds": {
                "says": "The drift falls as n^(-0.52).",
                "claims": [f"{NAMES[0]}.K1_law", f"{NAMES[0]}.K0_law"],
            },
            "refuted": None,
        },
        "papers": made,
    }


def paper(name: str, claims: int) -> dict:
    code = {"path": f"replications/{name}/experiment.py", "first": 7, "last": 8}
    text = "def drift(*, arm, width, seeds):\n    yield {'seed': 0, 'drift': 1 < 2}"
    title = f"Author & Author: {name.partition('_')[2]} of wide networks ({name[:4]})"
    return {
        "name": name,
        "title": title,
        "citation": "A. Author and B. Author, *On wide networks*, 2020",
        "deviations": "Widths stop at 512 instead of $10^4$, as two cores allow.",
        "readme": README.format(title=title, name=name),
        "problems": ["record main is stale: the grid has changed"] if "gamma" in name else [],
        "finding": {
            "says": "The drift falls as n^(-0.52), and $x_i$ with it.",
            "number": f"{name}.K1_law",
            "figure": "figure_1",
            "printed": "0.5 (Figure 2)",
        }
        if "alpha" in name
        else None,
        "claims": [claim(name, number) for number in range(claims)],
        "explorables": [
            {
                **{"title": "Drift by width", "says": "Move it.", "slider": "width", "log": "x"},
                "labels": {
                    **{"slider": "width", "curves": "depth", "x": "time", "y": "drift"},
                    "theory": "the law 1/n",
                },
                "figure": "figure_1",
                "points": [
                    [
                        *(width, depth, time, time / width, time / width / 2, time / width * 2),
                        1.1 * time / width if depth == 1 else None,
                    ]
                    for width in (64, 128)
                    for depth in (1, 2)
                    for time in (1, 10, 100)
                ],
            }
        ],
        "figures": [figure(name, 1, []), figure(name, 2, ["svg", "pdf", "csv"])],
        "parts": [
            {
                "name": "drift",
                "rows": f"data/{name}/drift.csv",
                "shards": ["main"],
                "code": {**code, "text": text},
            }
        ],
        "costs": [
            {
                **{"shard": "main", "cpu_seconds": 41.2, "seconds": 43.0, "max_rss_mb": 456.7},
                **{"rows": 96, "seeds": 8, "code": "c0de", "cells": "ce11", "sha256": "5a"},
            }
        ],
        "cpu_seconds": 41.2,
        "max_rss_mb": 456.7,
    }


def claim(paper_name: str, number: int) -> dict:
    shift = 4 if "beta" in paper_name else 0  # so that all are there
    state = STATES[(number // 2 + shift) % len(STATES)] if number % 2 == 0 else "pass"
    state = "withheld" if "gamma" in paper_name and number % 2 else state
    level = state in ("agrees", "our derivation", "within the margin")
    region, low, high = REGIONS[0 if level else number % 4]
    inside = {"−0.5 ± 0.1": -0.52, "≤ 0.05": 0.02, "≥ 2": 2.3}.get(region, 1.01)
    outside = {"−0.5 ± 0.1": 0.1, "≤ 0.05": 0.4 * 10 ** (number % 9), "≥ 2": 1.2}.get(region, 5.0)
    fails = state in ("fail", "refuted", "no")
    value, control = (outside, inside) if fails else (inside, outside)
    half = 0.3 * abs(inside) if state == "inconclusive" else 0.04 * abs(value)
    final = {"refuted": "fail", "unexpected pass": "pass", "withheld": "inconclusive"}
    final |= dict.fromkeys(("agrees", "our derivation", "within the margin"), "pass")
    final |= {"yes": "pass", "no": "fail", "open": "inconclusive"}
    gone = state == "withheld"
    passes = final.get(state, state) == "pass"
    return {
        "id": f"{paper_name}.K{number}_law",
        "replication": paper_name,
        "claim": f"K{number}_law",
        "statement": "The kernel's drift falls as $n^{-1/2}$ with the width, <here> & elsewhere",
        "source": f"Theorem {number + 1}, eq. (3.{number})",
        "region": region,
        "region_low": low,
        "region_high": high,
        "estimate": None if gone else value,
        "ci_low": None if gone else value - half,
        "ci_high": None if gone else value + half,
        "n_seeds": 0 if number % 5 == 4 else 8,
        "verdict": final.get(state, state),
        "control_arm": "standard",
        "control_estimate": None if gone else control,
        "control_ci_low": None if gone else control - 0.05 * abs(control),
        "control_ci_high": None if gone else control + 0.05 * abs(control),
        "control_verdict": "pass" if fails else "fail",
        "final": final.get(state, state),
        "expected": "asked"
        if state in ("yes", "no", "open")
        else ("fail" if state in ("refuted", "unexpected pass") else "pass"),
        "reason": "" if state == "pass" else f"a reason why it is {state}",
        "kind": "level" if level else "bound",
        "prediction": (low + high) / 2 if level else None,
        "scale": None,
        "unit": abs(low + high) / 2 if level else None,
        "rival": 2 * high - low if level else None,
        "rival_who": "who takes the law $n^{-1/4}$ of the readout" if level else "",
        "resolves_below": high - value - half if passes and high is not None else None,
        "resolves_above": value - half - low if passes and low is not None else None,
        "agrees": {"agrees": "yes", "our derivation": "yes", "within the margin": "no"}.get(
            state, ""
        ),
        "interval": "t over seeds",
        "tier": "paper" if state == "not judged" else "smoke",
        "part": "drift",
        "arm": "theory",
        "formula": r"$\frac{\|\Theta_t-\Theta_0\|_F}{\|\Theta_0\|_F} = O(n^{-1/2})$"
        if number % 2
        else "E f² = Σ² − σ_b²",
        "why": "the drift is a mean of $n$ terms",
        "note": "",
        "of_seeds": [] if gone else [value + half * i / 4 for i in (-5, -2, -1, 0, 1, 1, 2, 4)],
        "control_of_seeds": [] if gone else [control * (1 + i / 20) for i in range(-3, 5)],
        "tags": ["kernel", "width"] if number % 3 == 0 else ["spectrum"],
        "state": state,
        "origin": "ours" if state == "our derivation" else "paper",
        "code": {
            "path": f"replications/{paper_name}/claims.py",
            "first": 12,
            "last": 14,
            "text": 'Claim(\n    name="K_law",\n)',
        },
        "constants": {"WINDOW": "{'width': lambda width: width >= 64}"},
        "estimators": [
            {
                **{"name": "loglog_slope", "path": "shared/estimators.py", "first": 1, "last": 9},
                "says": "Slope of log y over log x.",
            }
        ],
        "control_said": "standard: outputs divided by the width" if number % 2 else "",
        "panels": [{"figure": "figure_1", "panel": "ab"[number % 2]}] if number % 3 else [],
        "unpictured": "" if number % 3 else "one number of each seed",
        "rows": f"data/{paper_name}/drift.csv",
        "shards": ["main"],
    }


def figure(paper_name: str, number: int, missing: list[str]) -> dict:
    kinds = ("svg", "pdf", "csv")
    return {
        "name": f"figure_{number}",
        "title": f"Drift against width ({number}).",
        "caption": "Redraws figure 2 of the paper; the points lie on the line $n^{-1/2}$.",
        "parts": ["drift"],
        "files": {kind: f"data/{paper_name}/figure_{number}.{kind}" for kind in kinds},
        "missing": missing,
        "remark": "",
        "absent": ["erf"] if number == 1 else [],
        "claims": ["K1_law", "K2_law", "K4_law"] if number == 1 else [],
        "panels": [
            {
                **{
                    "letter": "a",
                    "marked": True,
                    "title": "drift",
                    "box": [0, 0, 0.5, 1],
                    "empty": False,
                },
                "claims": ["K2_law"],
            },
            {
                **{
                    "letter": "b",
                    "marked": False,
                    "title": "scaled",
                    "box": [0.5, 0, 0.5, 1],
                    "empty": False,
                },
                "claims": ["K1_law"],
            },
            {
                **{
                    "letter": "c",
                    "marked": False,
                    "title": "",
                    "box": [0.5, 0, 0.5, 1],
                    "empty": True,
                },
                "claims": [],
            },
        ]
        if number == 1
        else [],
        "code": {
            "path": f"replications/{paper_name}/figures.py",
            "first": 3,
            "last": 4,
            "text": "def figure_1(drift):\n    ...",
        },
    }


def write(folder: Path, made: dict) -> Path:
    """The report with its data folder; returns index.html."""
    for one in made["papers"]:
        for drawn in one["figures"]:
            for kind in set(drawn["files"]) - set(drawn["missing"]):
                write_text(folder / drawn["files"][kind], FIGURE if kind == "svg" else "a,b\n")
        write_text(folder / "data" / one["name"] / "grid.yaml", "smoke: []\n")
        for part in one["parts"]:
            write_text(folder / part["rows"], f"seed,drift\n0,{math.pi}\n")
    write_text(folder / "data" / "checks.csv", "replication,claim\n")
    write_text(folder / "data" / "CITATION.cff", "cff-version: 1.2.0\n")
    write_views(folder, made, folder)
    return folder / "index.html"


def write_results(folder: Path, moved: float = 0.0) -> None:
    """A folder of results as `workflow.compare` reads it; every third estimate moves."""
    rows = [one for made in report()["papers"] for one in made["claims"]]
    for number, row in enumerate(rows):
        shift = moved if number % 3 == 0 else 0.0
        row["of_seeds"] = [value + shift for value in row["of_seeds"]]
        for key in ("of_seeds", "control_of_seeds"):
            row[key] = " ".join(map(str, row[key]))
        for key in ("estimate", "ci_low", "ci_high"):
            if row[key] is not None:
                row[key] += shift
        if row["final"] == "pass" and number % 6 == 3 and moved:
            row["final"] = "fail"
    added = ("id", "state", "origin", "unit", "code", "rows", "shards", "constants", "estimators")
    columns = [key for key in rows[0] if key not in (*added, "control_said", "panels")]
    table = pd.DataFrame(rows)[columns]
    ends = {"region_low": -math.inf, "region_high": math.inf}
    write_table(folder / "checks.csv", table.fillna(ends))
    record = {"replication": NAMES[0], "shard": "main", "code": "c", "cells": "d", "seeds": [0]}
    costs = {"cpu_seconds": 10.0 + 100 * moved, "max_rss_mb": 100.0, "versions": {"jax": "0.10"}}
    write_json(
        folder / "provenance.json",
        {"settings": {"tier": "laptop"}, "git": "0123", "records": [{**record, **costs}]},
    )


if __name__ == "__main__":
    print(write(Path(sys.argv[1]), report()))
