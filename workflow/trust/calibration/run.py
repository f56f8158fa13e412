"""`python -m workflow.trust.calibration`: how often is a verdict wrong, where the truth is known?

For every kind of estimator that a claim uses, at every number of seeds that it has there, synthetic
measurements of known truth are judged (`widenets.evidence.calibration`); then the claims' own
noise is resampled, the whole rule is run with its control, and two runs of the same thing are
compared. `--publish` keeps the tables in results/reference/calibration and renews
docs/calibration.md.
"""

import argparse
import inspect
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from widenets.evidence import calibration
from widenets.evidence.calibration import KINDS, NOISES, POSITIONS
from widenets.evidence.intervals import clopper_pearson, student_t
from workflow.base import drift
from workflow.base.files import UserError, write_text
from workflow.base.records import read_table, write_table
from workflow.base.tree import ROOT, TIERS, replications
from workflow.host.terminal import announce
from workflow.judge import claims_of
from workflow.reference import folder_of
from workflow.trust.calibration.page import page

MOST_SEEDS = 100  # more are closer to nominal, and their draws cost more
EXACT = ("proportion", "worst")  # counted, not drawn
DETERMINISTIC = ("exact", "asymptotic")  # no draws: nothing to calibrate
OF_SEEDS = (  # Student-t over one number per seed
    *("per_seed", "loglog_slope", "corrected_slope", "last_doubling", "extrapolated"),
    *("paired_difference", "jackknife"),
)
ENOUGH = 16  # seeds of a claim whose own noise is resampled
LEVEL_OF_COMPARISON = 0.01  # for one estimate; a comparison divides it by twice the claims


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--draws", type=int, default=2000, help="synthetic data sets for each row")
    parser.add_argument("--publish", action="store_true", help="keep the tables as the reference")
    arguments = parser.parse_args()
    if arguments.draws < 100:
        raise UserError(f"--draws: found {arguments.draws}, wanted at least 100")
    used = pairs()
    tables = {
        "pairs": used,
        "rates": rates_table(used, arguments.draws),
        "own_noise": own_noise_table(arguments.draws),
        "whole_rule": whole_rule_table(arguments.draws),
        "comparison": comparison_table(arguments.draws),
    }
    if arguments.publish:
        publish(tables)
    announce(page(tables))


def publish(tables: dict[str, pd.DataFrame], root: Path = ROOT) -> None:
    for name, table in tables.items():
        write_table(root / "results" / "reference" / "calibration" / f"{name}.csv", table)
    write_text(root / "docs" / "calibration.md", page(tables))


# How often right networks are called wrong: workflow.trust.conformance mup.
BY_FALSE_NAMES = {"farthest"}


def kind_of(estimator) -> str:
    """The constructor that made an estimator, and its setting: `per_seed geometric`."""
    estimator = inspect.unwrap(estimator)
    constructor = estimator.__qualname__.partition(".")[0]
    settings = inspect.getclosurevars(estimator).nonlocals
    if settings.get("summary"):
        return f"{constructor} nested {settings['summary']}"
    setting = settings.get("center") or settings.get("reduce")
    return f"{constructor} {setting}" if setting else constructor


def judged_claims() -> Iterator[tuple[str, str, dict]]:
    """(tier, kind of estimator, row of checks.csv) of every claim that a reference decides."""
    for tier in TIERS:
        path = folder_of(tier) / "checks.csv"
        if not path.exists():
            continue
        checks = read_table(path)
        rows = {(row["replication"], row["claim"]): row for row in checks.to_dict("records")}
        for name in replications():
            for claim in claims_of(name):
                row = rows.get((name, claim.name))
                kind = kind_of(claim.estimator)
                judged = row is not None and row["final"] != "not judged"
                if judged and kind not in BY_FALSE_NAMES:
                    yield tier, kind, row


def pairs() -> pd.DataFrame:
    """Every (kind, seeds) that the references decide claims with, and how many."""
    found = [(kind, int(row["n_seeds"]), tier) for tier, kind, row in judged_claims()]
    table = pd.DataFrame(found, columns=["kind", "seeds", "tier"])
    counted = table.groupby(["kind", "seeds", "tier"]).size().unstack(fill_value=0).reset_index()
    return counted.rename_axis(columns=None)


def rates_table(used: pd.DataFrame, draws: int) -> pd.DataFrame:
    """Rates of the three verdicts per kind, seeds, noise and position of the truth.

    Of the two directions of a bound the one that passes more often at the edge counts.
    """
    rows = []
    for kind, seeds in used[["kind", "seeds"]].itertuples(index=False):
        if kind in DETERMINISTIC or seeds > MOST_SEEDS:
            continue
        if kind in EXACT:
            rows += list(_counted_rates(kind, seeds))
            continue
        for errors in NOISES:
            rows += list(_drawn_rates(kind, seeds, errors, draws))
        announce(f"{kind}, {seeds} seeds")
    return pd.DataFrame(rows)


def _counted_rates(kind: str, seeds: int) -> Iterator[dict]:
    same = {"kind": kind, "seeds": seeds, "errors": "any", "bound": "", "draws": 0}
    if kind == "proportion":
        for position in POSITIONS:
            yield {**same, "position": position, **calibration.proportion_rates(seeds, position)}
    else:
        for share in (0.01, 0.1, 0.5, 0.9, 0.99):
            position = f"{share:.0%} of draws obey"
            yield {**same, "position": position, **calibration.worst_rates(seeds, share)}


def _drawn_rates(kind: str, seeds: int, errors: str, draws: int) -> Iterator[dict]:
    found = calibration.intervals(kind, seeds=seeds, errors=errors, draws=draws)
    counts = pd.DataFrame(calibration.rates(found, KINDS[kind].truth(errors)))
    edge = counts[counts["position"] == "at the edge"].set_index("bound")["pass"]
    for row in counts[counts["bound"] == edge.idxmax()].to_dict("records"):
        share = {name: row[name] / draws for name in ("pass", "fail", "inconclusive")}
        _, low, high = clopper_pearson(row["pass"], draws)
        ends = {"pass_low": low, "pass_high": high}
        yield {
            "kind": kind,
            "seeds": seeds,
            "errors": errors,
            "draws": draws,
            **row,
            **share,
            **ends,
        }


def own_noise_table(draws: int) -> pd.DataFrame:
    """Chance of a pass at the edge, per claim, with its own seeds' numbers as the population.

    As many seeds as the claim has are drawn with replacement; their mean is the truth. The worse
    edge counts. Only claims with `ENOUGH` seeds show what their noise looks like.
    """
    rng = np.random.default_rng(draws)
    rows = []
    for tier, kind, row in judged_claims():
        if kind.split()[0] not in OF_SEEDS:
            continue
        if kind == "per_seed median":  # judged by order statistics, whatever the noise is
            continue
        values = np.array(str(row["of_seeds"]).split(), dtype=float)
        if kind == "per_seed geometric":
            values = np.log(values)
        if not ENOUGH <= values.size <= 2 * MOST_SEEDS or np.unique(values).size < ENOUGH:
            continue
        truth = values.mean()
        resampled = [student_t(rng.choice(values, values.size)) for _ in range(draws)]
        below = sum(one.high <= truth for one in resampled)
        above = sum(one.low >= truth for one in resampled)
        rows.append(
            {
                **{key: row[key] for key in ("replication", "claim")},
                **{"tier": tier, "kind": kind, "seeds": values.size, "draws": draws},
                "skewness": float(stats.skew(values, bias=False)),
                "pass_at_edge": max(below, above) / draws,
                "margin": _margin(row),
            }
        )
    return pd.DataFrame(rows)


def _margin(row: dict) -> float:
    """Distance of the estimate from the nearest edge, in half-widths of its interval."""
    half = (row["ci_high"] - row["ci_low"]) / 2
    edges = (float(row["region_low"]), float(row["region_high"]))
    return min(abs(row["estimate"] - edge) for edge in edges) / half


def whole_rule_table(draws: int) -> pd.DataFrame:
    """`judge` with its control: truth from the centre of a region to twice its half width."""
    rows = []
    for control, far in (("fails", 0.0), ("passes", calibration.EXPONENT)):
        for seeds in (4, 8, 16):
            for offset in (0.0, 0.5, 1.0, 1.5, 2.0):
                counts = calibration.whole_rule(
                    offset=offset, seeds=seeds, noise=0.25, draws=draws // 4, control=far
                )
                total = sum(counts.values())
                shares = {name: count / total for name, count in counts.items()}
                rows.append({"control": control, "seeds": seeds, "offset": offset, **shares})
                rows[-1]["draws"] = total
    return pd.DataFrame(rows)


def comparison_table(draws: int) -> pd.DataFrame:
    """How often `workflow.compare` tells two runs of the same thing apart, at a level of 1 %."""
    rows = []
    for seeds in (2, 3, 4, 6, 8, 16, 32):
        for kind in ("mean", "range"):
            for errors in NOISES:
                rate = _moved(kind, seeds, errors, draws)
                rows.append({"kind": kind, "seeds": seeds, "errors": errors, "moved": rate})
        shares = np.linspace(0.05, 0.95, 19)
        worst = max(_moved_shares(seeds, share) for share in shares)
        rows.append({"kind": "share", "seeds": seeds, "errors": "worst share", "moved": worst})
    return pd.DataFrame(rows)


def _moved(kind: str, seeds: int, errors: str, draws: int) -> float:
    rng = np.random.default_rng([seeds, *kind.encode(), *errors.encode()])
    found = 0
    for pair in NOISES[errors].draw(rng, (draws, 2, seeds)):
        if kind == "mean":
            both = [drift.Interval(*student_t(values), seeds) for values in pair]
        else:
            both = [drift.Interval(v.max(), v.min(), v.max(), seeds, "range") for v in pair]
        found += drift.difference(*both, LEVEL_OF_COMPARISON, same_draws=False)[0] == "moved"
    return found / draws


def _moved_shares(seeds: int, share: float) -> float:
    """Exact: all pairs of counts, weighted by their chances."""
    both = [drift.Interval(*clopper_pearson(k, seeds), seeds, "share") for k in range(seeds + 1)]
    chances = stats.binom.pmf(np.arange(seeds + 1), seeds, share)
    return sum(
        chances[i] * chances[j]
        for i, old in enumerate(both)
        for j, new in enumerate(both)
        if drift.difference(old, new, LEVEL_OF_COMPARISON, same_draws=False)[0] == "moved"
    )
