"""The chances of alarms and of false passes, against fresh draws of known laws."""

import numpy as np
import pytest
from scipy import stats

from widenets.evidence.alarms import alarm, false_pass
from widenets.evidence.intervals import clopper_pearson, student_t

DRAWS = 4000


def row(estimate, control, *, region, n, kind="t over seeds", expected="pass", rival=np.nan):
    """A judged row: (value, low, high) of both arms."""
    ends = ("estimate", "ci_low", "ci_high")
    return {
        **dict(zip(ends, estimate, strict=True)),
        **{f"control_{key}": end for key, end in zip(ends, control, strict=True)},
        **dict(zip(("region_low", "region_high"), region, strict=True)),
        **{"of_seeds": np.nan, "control_of_seeds": np.nan, "n_seeds": n, "interval": kind},
        **{"expected": expected, "rival": rival},
    }


def interval_of(mean, spread, n):
    """The t interval of n seeds whose mean and standard deviation are these."""
    values = np.linspace(-1, 1, n)
    return student_t(mean + spread * values / values.std(ddof=1))


FAR_AWAY = (50.0, 49.0, 51.0)


@pytest.mark.parametrize("n", [4, 16, 64])
@pytest.mark.parametrize("margin", [0.3, 1.0, 1.6])
def test_alarm_is_the_share_of_fresh_runs_that_differ(n, margin):
    generator = np.random.default_rng([n, int(10 * margin)])
    today = interval_of(0.1, 1.0, n)
    edge = margin * 4 / np.sqrt(n) + 0.1
    fresh = [student_t(generator.normal(0.1, 1.0, n)) for _ in range(DRAWS)]
    differ = np.mean([not (-edge <= one.low and one.high <= edge) for one in fresh])
    chance = alarm(row(today, FAR_AWAY, region=(-edge, edge), n=n))
    # At n = 4 both ends often cross together; the bound by the two single chances is then above.
    assert chance == pytest.approx(differ, abs=0.03) or (n == 4 and chance >= differ - 0.03)


@pytest.mark.parametrize("draws", [1, 4])
def test_a_centre_known_from_a_few_runs_is_as_uncertain_as_they_are(draws):
    """Of all true centres for which `draws` runs gave the mean 0, the share of fresh runs whose
    interval of 16 seeds crosses the edge, 4.5 standard errors away."""
    generator = np.random.default_rng(draws)
    n, edge, error = 16, 4.5 / 4, 1 / 4
    true = generator.uniform(-2, 2, 2_000_000)
    mean = true + error / np.sqrt(draws) * generator.standard_normal(true.size)
    true = true[np.abs(mean) < 0.02]
    spread = np.sqrt(generator.chisquare(n - 1, true.size) / (n - 1))
    end = true + error * generator.standard_normal(true.size)
    end += stats.t.ppf(0.995, n - 1) * error * spread
    differ = np.mean(end > edge)
    today = row(interval_of(0.0, 1.0, n), FAR_AWAY, region=(-np.inf, edge), n=n)
    assert alarm(today | {"draws": draws}) == pytest.approx(differ, abs=0.004)
    assert alarm(today) < differ - 0.004


def test_a_control_that_may_pass_is_an_alarm():
    exact = (0.0, 0.0, 0.0)
    near = row(exact, interval_of(1.0, 0.9, 16), region=(-0.2, 0.2), n=16)
    far = row(exact, interval_of(9.0, 0.9, 16), region=(-0.2, 0.2), n=16)
    assert alarm(near) > 0.2
    assert alarm(far) < 1e-6


def test_a_refutation_is_in_danger_at_the_edge_it_lies_beyond():
    exact = (0.0, 0.0, 0.0)
    of_arm = interval_of(1.0, 0.9, 16)
    assert alarm(row(of_arm, exact, region=(-0.2, 0.2), n=16, expected="fail")) > 0.2
    assert alarm(row(of_arm, exact, region=(-0.2, -0.1), n=16, expected="fail")) > 0.2  # control


def test_shares_are_counted():
    generator = np.random.default_rng(3)
    n, share, edge = 40, 0.75, 0.5
    today = (share, *clopper_pearson(30, n)[1:])
    counts = generator.binomial(n, share, DRAWS)
    differ = np.mean([clopper_pearson(count, n).low < edge for count in counts])
    control = (0.05, *clopper_pearson(2, n)[1:])
    found = row(today, control, region=(edge, np.inf), n=n, kind="Clopper-Pearson")
    assert alarm(found) == pytest.approx(differ, abs=0.03)


def test_logarithms_are_told_from_numbers():
    low, high = np.exp(interval_of(0.0, 1.0, 8)[1:])
    found = {"control": (1e9, 9e8, 2e9), "region": (0.05, 20.0), "n": 8}
    kind = "t over logarithms of seeds"
    of_logs = alarm(row((1.0, low, high), kind=kind, **found))
    mirrored = alarm(
        row((0.0, np.log(low), np.log(high)), (9e8, 8e8, 1e9), region=(-2.9957, 2.9957), n=8)
    )
    assert of_logs == pytest.approx(mirrored, rel=1e-3)


def test_exact_numbers_never_differ_and_ranges_have_no_chance():
    exact = (0.0, 0.0, 0.0)
    assert alarm(row(exact, (1.0, 1.0, 1.0), region=(-0.2, 0.2), n=0)) == 0
    assert np.isnan(alarm(row(exact, FAR_AWAY, region=(-1, 1), n=8, kind="range of seeds")))


def test_false_pass_is_the_share_of_passes_with_the_rival_true():
    generator = np.random.default_rng(5)
    n, rival, edge = 8, 2.0, 1.6
    today = interval_of(0.0, 0.6, n)
    fresh = [student_t(generator.normal(rival, 0.6, n)) for _ in range(20 * DRAWS)]
    passes = np.mean([-edge <= one.low and one.high <= edge for one in fresh])
    chance = false_pass(row(today, FAR_AWAY, region=(-edge, edge), n=n, rival=rival))
    assert 0 < chance == pytest.approx(passes, abs=2e-4)
    assert np.isnan(false_pass(row(today, FAR_AWAY, region=(-edge, edge), n=n)))


@pytest.mark.parametrize("n, away", [(8, 8.18), (6, 14.75), (32, 9.92), (8, 3.0)])
def test_a_chance_is_a_number_at_any_distance(n, away):
    """scipy's noncentral t has none at the first three."""
    today = interval_of(0.0, 1.0, n)
    edge = away / np.sqrt(n)
    chance = alarm(row(today, FAR_AWAY, region=(-edge, edge), n=n))
    assert 0 <= chance < 0.2 or away == 3.0
    assert np.isfinite(chance)


def test_ends_of_a_union_of_intervals_have_centres_of_their_own():
    """A tensor at -.2 and one at .2, each as sure as .01: the far end is no scatter of the near."""
    low, high = interval_of(-0.2, 0.01, 16), interval_of(0.2, 0.01, 16)
    both = (low.value, low.low, high.high)
    union = {"n": 16, "kind": "union of t intervals of all tensors"}
    assert alarm(row(both, FAR_AWAY, region=(-0.25, 0.25), **union)) < 1e-6
    assert alarm(row(both, FAR_AWAY, region=(-0.25, 0.25), n=16)) > 0.1
    assert alarm(row(both, FAR_AWAY, region=(-0.25, high.high + 0.001), **union)) > 0.1
