"""Everything the report says, as plain values: `report.json`, of which every other form is a view.

Its schema is `workflow/schemas/report.schema.json`. Numbers that are not finite are null.
"""

import math
from collections import Counter
from pathlib import Path

import pandas as pd

from widenets.evidence.claim import ASKED, KINDS, UNCLASSIFIED
from workflow.assemble import Outcome, is_withheld, shards_of_parts
from workflow.audit import chosen_seeds
from workflow.base.files import broken
from workflow.base.grid import Seeds, shards
from workflow.base.records import read_table
from workflow.base.subject import title_of
from workflow.base.tree import ROOT, TIERS, Results
from workflow.draw import KINDS as FILES
from workflow.draw import NOTHING, figures
from workflow.judge import claims_of
from workflow.page import picture, shown, sources
from workflow.page.explore import explorables
from workflow.page.finding import finding, first_screen
from workflow.page.markdown import sections

FORMAT = 4  # raise it when a field goes or changes its meaning, and tell the schema of it
# What a reader is told about a claim, worst first: the final verdict seen with the expected one. A
# pass agrees with the source's own value, or with one that was derived here, or is another number
# within the margin, or obeys a bound. Of a reader's own network a claim about which nothing is
# expected is answered: yes, no, or open.
STATES = (
    "fail",
    "unexpected pass",
    "withheld",
    "inconclusive",
    "refuted",
    "within the margin",
    "our derivation",
    "agrees",
    "pass",
    "no",
    "open",
    "yes",
    "not judged",
)
# The order in which their counts are told: surprises, what holds, what does not, what is open.
TOLD = (
    *("fail", "unexpected pass", "withheld", "inconclusive"),
    *("agrees", "our derivation", "within the margin", "pass"),
    *("yes", "refuted", "no", "open", "not judged"),
)
PASSES = ("agrees", "our derivation", "within the margin", "pass")
ANSWERS = {"pass": "yes", "fail": "no", "inconclusive": "open"}
EXPECTED = (*PASSES, "refuted", *ANSWERS.values(), "not judged")
SURPRISES = ("fail", "unexpected pass", "inconclusive")
NUMBERS = (
    *("region_low", "region_high", "estimate", "ci_low", "ci_high"),
    *("control_estimate", "control_ci_low", "control_ci_high"),
    *("prediction", "scale", "rival", "resolves_below", "resolves_above"),
)


def report(
    results: Results,
    outcomes: list[Outcome],
    facts: dict[str, list[dict]],
    provenance: dict,
    answer: dict | None = None,
) -> dict:
    """The whole report; paths of data are relative to the report's folder. answer: to a reader who
    asked about a network of their own (`workflow.reader.answer`)."""
    papers = [paper(results, o, facts[o.replication], provenance["settings"]) for o in outcomes]
    claims = [claim for one in papers for claim in one["claims"]]
    states = Counter(claim["state"] for claim in claims)
    kinds = Counter(claim["kind"] for claim in claims)
    problems = [f"{o.replication}: {text}" for o in outcomes for text in o.problems]
    return {
        "format": FORMAT,
        "tier": results.tier,
        "seed": provenance["settings"]["seed"],
        "seeds_at_most": chosen_seeds(provenance["settings"]).at_most,
        "git": provenance["git"],
        "repository": sources.repository_url(),
        "started": provenance["started"],
        "cpu_seconds": provenance["cpu_seconds"],
        "max_rss_mb": provenance["max_rss_mb"],
        "environments": _environments(facts),
        "data": provenance["data"],
        "states": {state: states[state] for state in TOLD},
        "kinds": {kind: kinds[kind] for kind in (*KINDS, UNCLASSIFIED)},
        "as_expected": all(claim["state"] in EXPECTED for claim in claims) and not problems,
        "problems": problems,
        "findings": first_screen(ROOT / "replications", claims),
        "papers": papers,
        **({"subject": _subject(provenance["settings"]["subject"], answer)} if answer else {}),
        **_taken(provenance["settings"]),
    }


def _taken(settings: dict) -> dict:
    """Which claims alone, or what else than the grid, a run takes; empty of a whole one."""
    found = {key: settings[key] for key in ("claims", "set") if key in settings}
    return {"taken": found} if found else {}


def _subject(subject: str, answer: dict) -> dict:
    """What a reader asked about, and the answer."""
    return {"file": subject, "title": title_of(subject), **answer}


def paper(results: Results, one: Outcome, facts: list[dict], settings: dict) -> dict:
    """One replication: its text, claims, figures, parts and cost."""
    name = one.replication
    folder = ROOT / "replications" / name
    title, citation, deviations, text = readme(folder / "README.md")
    costs = [_cost(record) for record in facts]
    seeds = chosen_seeds(settings)
    table = table_of(results, one)
    where = _where(name, results.tier, seeds, one, {cost["shard"] for cost in costs})
    claims = [claim(row, folder, where) for row in one.checks.to_dict("records")]
    absent = absent_arms(name, results.tier, seeds)
    drawn = [_figure(results, one, folder, absent) for one in figures(name, results.tier, seeds)]
    there = {one["name"] for one in drawn if "svg" not in one["missing"]}
    there -= {one["name"] for one in drawn if one["remark"] == NOTHING}
    columns = set(table.columns) - {"part", "arm", "seed"} if table is not None else set()
    listed = claims_of(name, settings.get("subject", ""))
    reads = {one.name: shown.read_by(one.estimator, columns) for one in listed}
    _link(folder, claims, drawn, reads, table)
    return {
        "name": name,
        "title": title or name,
        "citation": citation,
        "deviations": deviations,
        "readme": text,
        "problems": one.problems,
        "finding": finding(folder, claims, there),
        "claims": claims,
        "figures": drawn,
        "explorables": explorables(folder, table, there),
        "parts": [_part(name, part, folder, where) for part in where],
        "costs": costs,
        "cpu_seconds": round(sum(cost["cpu_seconds"] for cost in costs), 2),
        "max_rss_mb": max((cost["max_rss_mb"] for cost in costs), default=0),
    }


def _where(
    name: str, tier: str, seeds: Seeds, one: Outcome, measured: set[str]
) -> dict[str, list[str]]:
    """{part: measured shards that its cells lie in} of parts of which there are rows."""
    parts = shards_of_parts(name, tier, seeds)
    if one.rows is None:
        return parts
    there = set(one.rows["part"])
    return {part: [s for s in parts[part] if s in measured] for part in parts if part in there}


def claim(row: dict, folder: Path, where: dict[str, list[str]]) -> dict:
    """One row of checks.csv with its state, its lines of code and its rows of data."""
    values = {key: "" if _empty(value) else value for key, value in row.items()}
    values |= {key: number(row[key]) for key in NUMBERS}
    values["n_seeds"] = int(row["n_seeds"])
    source = shown.used_by_claim(folder / "claims.py", row["claim"])
    values["tags"] = values["tags"].split()
    for key in ("of_seeds", "control_of_seeds"):
        values[key] = [float(number) for number in str(values[key]).split()]
    return {
        **values,
        "id": f"{row['replication']}.{row['claim']}",
        "state": told(row),
        "origin": sources.origin(row["source"]),
        "unit": unit(row),
        "code": sources.claim_lines(folder / "claims.py", row["claim"]),
        "constants": dict(source.constants),
        "estimators": shown.estimators(source.names),
        "control_said": shown.said_of_arm(folder, row["part"], row["control_arm"]),
        "rows": f"data/{row['replication']}/{row['part']}.csv" if row["part"] in where else "",
        "shards": where.get(row["part"], []),
    }


def _link(
    folder: Path, claims: list[dict], drawn: list[dict], reads: dict, table: pd.DataFrame | None
) -> None:
    """Tell each claim the figures that show it, or why none does, and each figure its claims."""
    found = shown.links(folder, claims, drawn, reads)
    for one in claims:
        places = found[one["claim"]]
        one["panels"] = [{"figure": figure, "panel": letter} for figure, letter in places]
        one["unpictured"] = "" if places else shown.unpictured(one, table)
    for one in drawn:
        one["claims"] = [c["claim"] for c in claims if one["name"] in dict(found[c["claim"]])]
        for panel in one["panels"]:
            place = (one["name"], panel["letter"])
            panel["claims"] = [c["claim"] for c in claims if place in found[c["claim"]]]
            del panel["shows"]


def state(row: dict) -> str:
    """What to call the pair of final and expected verdict."""
    final, expected = row["final"], row["expected"]
    if final == "not judged":
        return final
    if is_withheld(row.get("reason")):
        return "withheld"
    if expected == ASKED:
        return ANSWERS[final]
    if final == "fail" and expected == "fail":
        return "refuted"
    return "unexpected pass" if final == "pass" and expected == "fail" else final


def told(row: dict) -> str:
    """The state as a reader is told it: a pass by whether its interval contains the prediction, and
    if so by whose prediction it is."""
    found = state(row)
    if found != "pass":
        return found
    if row.get("agrees") == "yes":
        return "our derivation" if sources.is_derived(row["source"]) else "agrees"
    return "within the margin" if row.get("agrees") == "no" else found


def unit(row: dict) -> float | None:
    """What the resolving power of a level is a share of: its prediction, or its scale at 0."""
    if row["kind"] != "level":
        return None
    return number(row["scale"]) or abs(row["prediction"])


def number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def readme(path: Path) -> tuple[str, str, str, str]:
    """(title, citation, section on deviations, whole text); empty where there is none."""
    if not path.exists():
        return "", "", "", ""
    text = path.read_text(encoding="utf-8")
    found = list(sections(text))
    title = next((heading for heading, _ in found if heading), "")
    first = next((body for _, body in found if body), "")
    deviations = [body for heading, body in found if "deviat" in heading.lower()]
    return title, first.split("\n\n")[0], "\n\n".join(deviations), text


def table_of(results: Results, one: Outcome) -> pd.DataFrame | None:
    """All rows of a replication, of an incomplete one those of its complete arms; None where its
    table is missing or damaged."""
    if one.rows is not None:
        return one.rows
    path = results.table(one.replication)
    return None if not path.exists() or broken(path.with_suffix(".json")) else read_table(path)


def data_of_parts(results: Results, one: Outcome) -> dict[str, pd.DataFrame]:
    """The rows of each part, without the columns that it does not use."""
    table = table_of(results, one)
    if table is None:
        return {}
    return {
        str(part): rows.dropna(axis="columns", how="all")
        for part, rows in table.groupby("part", sort=False)
    }


def absent_arms(name: str, tier: str, seeds: Seeds) -> dict[str, set[str]]:
    """{part: arms that larger tiers measure and this one does not}."""
    here, ever = _arms(name, tier, seeds), {}
    seeds = seeds._replace(claims=(), changes=())  # which may be of this tier alone
    for larger in TIERS[TIERS.index(tier) + 1 :]:
        for part, arms in _arms(name, larger, seeds).items():
            ever.setdefault(part, set()).update(arms)
    return {part: arms - here.get(part, set()) for part, arms in ever.items()}


def _arms(name: str, tier: str, seeds: Seeds) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for cell in (cell for cells in shards(name, tier, seeds).values() for cell in cells):
        found.setdefault(cell.part, set()).add(cell.arm)
    return found


def _figure(results: Results, figure, folder: Path, absent: dict[str, set[str]]) -> dict:
    drawn = results.figures(folder.name)
    missing = [kind for kind in FILES if not (drawn / f"{figure.name}.{kind}").exists()]
    svg = drawn / f"{figure.name}.svg"
    words = shown.used(folder / "figures.py", figure.name).words
    text = svg.read_text(encoding="utf-8") if svg.exists() else ""
    return {
        **figure._asdict(),
        "panels": picture.panels(text),
        "parts": list(figure.parts),
        "files": {kind: f"data/{folder.name}/{figure.name}.{kind}" for kind in FILES},
        "missing": missing,
        "remark": picture.description(text),
        "absent": sorted({arm for part in figure.parts for arm in words & absent.get(part, set())}),
        "code": sources.function_lines(folder / "figures.py", figure.name),
    }


def _part(name: str, part: str, folder: Path, where: dict) -> dict:
    return {
        "name": part,
        "rows": f"data/{name}/{part}.csv",
        "shards": where[part],
        "code": sources.function_lines(folder / "experiment.py", part),
    }


def _cost(record: dict) -> dict:
    keys = ("shard", "cpu_seconds", "seconds", "max_rss_mb", "rows", "code", "cells", "sha256")
    return {**{key: record[key] for key in keys}, "seeds": len(record["seeds"])}


def _environments(facts: dict[str, list[dict]]) -> list[dict]:
    """The different environments that the records were measured in, without the hosts' names."""
    found: list[dict] = []
    for record in (record for records in facts.values() for record in records):
        keys = ("git", "python", "machine", "versions")
        environment = {key: record[key] for key in keys}
        if environment not in found:
            found.append(environment)
    return found


def _empty(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
