"""docs/calibration.md from the tables of `workflow.trust.calibration`."""

import pandas as pd

from workflow.trust.document import percent
from workflow.trust.document import table as markdown

GEOMETRIC = "per_seed geometric"
TOLD = 0.01  # claims whose own noise exceeds this are named

TITLE = """# Calibration: how often a verdict is wrong

Made by `python -m workflow.trust.calibration --publish`; all rows lie in
[`results/reference/calibration`](../results/reference/calibration). The intervals are two-sided at
99 %, so at the very edge of a region a pass should happen in 0.5 % of all measurements; that is the
worst case, since inside the region a pass is right and outside it is rarer.
"""
POSITIONS = """
## Every kind of estimator, at the seeds that claims use

{pairs} pairs of an estimator and a number of seeds decide claims. Each is tried on synthetic
measurements whose noise is *normal*, *skewed* (lognormal, skewness 1.75) or *heavy* (log-logistic,
infinite fourth moment). The truth lies three half-widths of the interval outside the edge of a
one-sided region (*far outside*), one outside, at the edge, one inside, three inside; of the two
directions of the bound the one that passes more often counts. *At the edge* is the mean over the
numbers of seeds, then the worst of them with its 99 % interval. More than 100 seeds are not tried.

"""
EXCEEDED = """
Under normal noise the rate is the nominal one (a little above 0.5 %, because the larger of two
directions is shown), and slopes and jackknives, whose noise is averaged over widths or seeds, keep
it under the others. The exception is the plain mean of skewed numbers: Student's interval is too
short on the side of the long tail, and up to {mean} of measurements at the edge pass. The remedy is
a statistic that is less skewed (`center="geometric"` judges the same numbers by their logarithms,
and stays at {geometric} or below), or more seeds. A correction inside the estimator was tried and
left out: the hull of Student's and of Hall's skewness-corrected interval brings the rate at the
edge, for the claims' own noise with four to sixteen seeds, from 1.2 % to 0.75 % on average, but is
on average 1.4 to 1.7 times as wide with eight seeds or fewer, and 33 of 378 decisions would become
inconclusive.
"""
OWN = """
## The claims' own noise

For every claim with 16 to 200 seeds, its seeds' numbers are the population: as many are drawn with
replacement, and their mean is the truth. Of {claims} such decisions the chance of a pass at the
worse edge is {median} in the median and {mean} on average; {above} exceed 1 %. *Margin* is the
distance of the claim's estimate from the nearest edge of its region in half-widths: the larger it
is, the less it matters what happens at the edge. The twelve highest:

"""
COUNTS = """
## Shares of seeds, and bounds for every draw

Exact, by enumeration. A share of seeds has an exact interval, so a pass at the edge is rarer than
nominal:

"""
WORST = """
`worst` (a bound for every draw) passes if every seed obeys. Chances of a pass, by the share of all
draws that truly obey:

"""
WORST_SAID = """
So a pass with four seeds excludes, at 99 %, only that fewer than 32 % of all draws obey (the note
beside each such estimate says its own number); from eight seeds on it excludes that half of them
disobey. Claims of this kind state theorems, and their seeds mostly obey by orders of magnitude.
"""
RULE = """
## The whole rule, control included

The claim *exponent = -1/2 ± 0.05* judged by `judge`, with one seed's noise a quarter of the
tolerance. *Truth* is the distance from -1/2 in tolerances: 1 is the edge. With a control that
cannot fail no truth passes.

"""
COMPARISON = """
## Comparing two runs

How often `workflow.compare` tells two runs of the same thing apart at a level of 1 %, by seeds (for
a whole comparison the level is divided by twice the number of claims). Shares are exact, the worst
of 19 true shares; before Fisher's test replaced Welch's for them it was 22 % with three seeds and
7 % with four, and for ranges 33 % with two and 10 % with three.

"""


def page(tables: dict[str, pd.DataFrame]) -> str:
    rates, own = tables["rates"], tables["own_noise"]
    above = (own["pass_at_edge"] > TOLD).mean()
    said = {
        "claims": len(own),
        "median": percent(own["pass_at_edge"].median()),
        "mean": percent(own["pass_at_edge"].mean()),
        "above": percent(above),
    }
    return "".join(
        (
            TITLE,
            POSITIONS.format(pairs=len(tables["pairs"])),
            markdown(positions(rates[rates["draws"] > 0])),
            EXCEEDED.format(
                mean=_worst(rates, "per_seed mean"), geometric=_worst(rates, GEOMETRIC)
            ),
            OWN.format(**said),
            markdown(highest(own)),
            COUNTS,
            markdown(shares(rates)),
            WORST,
            markdown(bounds(rates)),
            WORST_SAID,
            RULE,
            markdown(whole_rule(tables["whole_rule"])),
            COMPARISON,
            markdown(comparison(tables["comparison"])),
        )
    )


def positions(rates: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (kind, errors), found in rates.groupby(["kind", "errors"], sort=False):
        at = dict(list(found.groupby("position")))
        edge = at["at the edge"]
        worst = edge.loc[edge["pass"].idxmax()]
        rows.append(
            {
                "estimator": kind,
                "noise": errors,
                "seeds": _span(edge["seeds"]),
                "pass far outside": percent(at["far outside"]["pass"].max()),
                "pass just outside": percent(at["just outside"]["pass"].max()),
                "pass at the edge": percent(edge["pass"].mean()),
                "worst": f"{percent(worst['pass'])} [{percent(worst['pass_low'])}, "
                f"{percent(worst['pass_high'])}] with {worst['seeds']}",
                "pass just inside": percent(at["just inside"]["pass"].mean()),
                "pass well inside": percent(at["well inside"]["pass"].min()),
                "fail far outside": percent(at["far outside"]["fail"].min()),
            }
        )
    return pd.DataFrame(rows)


def _worst(rates: pd.DataFrame, kind: str) -> str:
    """Highest rate at the edge over all noises and seeds."""
    chosen = rates[(rates["kind"] == kind) & (rates["position"] == "at the edge")]
    return percent(chosen["pass"].max())


def _span(seeds: pd.Series) -> str:
    return str(seeds.min()) if seeds.min() == seeds.max() else f"{seeds.min()} to {seeds.max()}"


def highest(own: pd.DataFrame) -> pd.DataFrame:
    chosen = own.sort_values("pass_at_edge", ascending=False).head(12)
    return pd.DataFrame(
        {
            "replication": chosen["replication"],
            "claim": chosen["claim"],
            "tier": chosen["tier"],
            "seeds": chosen["seeds"],
            "skewness": chosen["skewness"].round(1),
            "pass at the edge": chosen["pass_at_edge"].map(percent),
            "margin": chosen["margin"].round(1),
        }
    )


def shares(rates: pd.DataFrame) -> pd.DataFrame:
    return _by_seeds(rates[rates["kind"] == "proportion"], "truth", "position")


def bounds(rates: pd.DataFrame) -> pd.DataFrame:
    return _by_seeds(rates[rates["kind"] == "worst"], "truth", "position")


def _by_seeds(rates: pd.DataFrame, title: str, rows: str) -> pd.DataFrame:
    wide = rates.pivot_table(index=rows, columns="seeds", values="pass", sort=False)
    wide = wide[sorted(wide.columns)].map(percent)
    wide.columns = [f"{seeds} seeds" for seeds in wide.columns]
    return wide.rename_axis(title).reset_index()


def whole_rule(found: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "control": found["control"],
            "seeds": found["seeds"],
            "truth": found["offset"],
            **{name: found[name].map(percent) for name in ("pass", "fail", "inconclusive")},
        }
    )


def comparison(found: pd.DataFrame) -> pd.DataFrame:
    titles = {"mean": "mean over seeds", "range": "range of seeds", "share": "share of seeds"}
    kinds = found["kind"].map(titles) + found["errors"].map(
        lambda errors: "" if errors == "worst share" else f", {errors} noise"
    )
    wide = found.assign(estimate=kinds).pivot_table(
        index="estimate", columns="seeds", values="moved", sort=False
    )
    wide = wide.map(percent)
    wide.columns = [f"{seeds} seeds" for seeds in wide.columns]
    return wide.reset_index()
