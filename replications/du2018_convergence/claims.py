"""What the paper claims, what is popularly said of it, and how both are checked.

Theorem and lemma numbers are those of arXiv 1810.02054 as they are usually cited; the text of the
paper was not at hand, so none is certain.
"""

import numpy as np

from widenets.evidence import (
    Claim,
    at_least,
    at_most,
    between,
    exact,
    loglog_slope,
    near,
    ordering,
    per_seed,
    proportion,
    worst,
    worst_ratio,
)

WIDE, WIDEST = 2048, 4096
CLT = "sums over m independent neurons fluctuate like m^(-1/2); "
ROUNDING = 1e-10


def _slope_in_angle(rows):
    return float(np.polyfit(np.log(rows["angle"]), np.log(rows["smallest"]), 1)[0])


def _shortfall(rows):
    """3/4 - lambda_min(H(0)) / lambda_0, where the width is the sufficient one."""
    enough = (rows["width"] >= rows["sufficient_width"]).all()
    return float(0.75 - rows["smallest_ratio"].min()) if enough else np.nan


def _per_layer(rows, low: int, high: int) -> float:
    """Change of log lambda_min(K^(H)) per layer between two depths."""
    logs = np.log(rows.set_index("depth")["smallest_last"])
    return float((logs[high] - logs[low]) / (high - low))


def _steps_growth(rows) -> float:
    steps = rows.set_index("depth")["steps_needed"]
    return float(steps[16] / steps[2])


def _error_growth(rows) -> float:
    errors = rows.set_index("depth")["error"]
    return float(errors[16] / errors[2])


def _level(measured: str, predicted: str):
    """Mean measured / predicted of one seed at the large widths."""
    return per_seed(
        lambda rows: (rows[measured] / rows[predicted]).mean(),
        columns=(measured, predicted),
        where={"width": lambda width: width >= WIDE},
    )


def _margin(column: str = "margin"):
    """Worst margin over widths and seeds; negative where the bound holds at every step."""
    return worst(lambda rows: rows[column].max(), columns=(column,))


BROKEN = proportion(lambda rows: (rows["margin"] > 0).all(), columns=("margin",))
LATE_RATE = per_seed(
    lambda rows: rows["late_rate"].mean(),
    columns=("late_rate",),
    where={"width": lambda width: width >= WIDEST},
)

CLAIMS = [
    Claim(
        name="D1_closed_form",
        statement="The expectation of the initial Gram matrix is its closed form",
        formula=r"$H^\infty_{ij} = x_i^\top x_j\,(\pi - \arccos x_i^\top x_j)/2\pi$",
        source="Assumption 3.1 and equation (6), reported",
        part="closed_form",
        estimator=per_seed("squared_score", center="geometric"),
        region=near(1, 0.5),
        why="the mean squared z-score over pairs has expectation 1; at 20000 neurons an error of "
        "1 % of H would add more than 0.5",
        control="without_product",
    ),
    Claim(
        name="D2_two_points",
        statement="The least eigenvalue vanishes linearly in the angle of the closest inputs",
        formula=r"$\lambda_0 = \frac12 - \cos\varphi\,\frac{\pi-\varphi}{2\pi}\simeq\varphi/2\pi$",
        source="consequence of Theorem 3.1, two inputs",
        part="two_points",
        estimator=exact(_slope_in_angle, resolution=1e-3, columns=("angle", "smallest")),
        region=near(1, 0.02),
        why="next term of the closed form is phi^2 / 4, 0.8 % of the slope at phi = 0.01; the "
        "kernel of the output weights vanishes quadratically",
        control="output_weights",
    ),
    Claim(
        name="D2_positive",
        statement="H_inf is positive definite if no two inputs are parallel",
        formula=r"$\lambda_0 > 0$",
        source="reported as Theorem 3.1",
        part="parallel",
        estimator=per_seed("smallest"),
        region=at_least(ROUNDING),
        why="strictly positive, that is above the rounding of float64 eigenvalues",
        control="duplicates",
    ),
    Claim(
        name="D2_pairs_beyond_dimension",
        statement="More antipodal pairs than dimensions make H_inf singular",
        formula=r"$\lambda_0 = 0$ for $P > d$ pairs $\{x, -x\}$",
        source="this replication, from the closed form",
        part="parallel",
        arm="many_antipodal",
        estimator=per_seed("smallest"),
        region=at_most(ROUNDING),
        why="H(x, -x) = 0 decouples the signs, and the odd combinations have rank d",
        control="antipodal",
    ),
    Claim(
        name="D2_popular_iff",
        statement="H_inf is singular as soon as two inputs are parallel",
        formula=r"$x_i = \pm x_j \Rightarrow \lambda_0 = 0$",
        source="popular converse of Theorem 3.1",
        part="parallel",
        arm="antipodal",
        estimator=per_seed("smallest"),
        region=at_most(ROUNDING),
        why="zero up to rounding",
        control="duplicates",
        expected="fail",
        reason="antipodal inputs are parallel but H(x, -x) = 0: they do not share active neurons",
        tags=("popular",),
    ),
    Claim(
        name="D3_size_on_the_sphere",
        statement="For n = d points on the sphere the least eigenvalue is close to 1/4",
        formula=r"$\lambda_0 \simeq \frac14 + \frac14(1-\sqrt{n/d})^2 - \frac1{2\pi d}$",
        source="this replication: degree-one part of H_inf with Marchenko-Pastur edges",
        part="sphere_spectrum",
        estimator=per_seed("smallest_ratio"),
        region=near(1, 0.02),
        why="degrees beyond the first add O(sqrt(n) / d), 3 % of 1/4 at most at n = d = 1000; for "
        "n = 10 d they are of order one",
        control="more_points",
        tier="laptop",
    ),
    Claim(
        name="D4_concentration",
        statement="The initial Gram matrix concentrates around its limit",
        formula=r"$\|H(0) - H^\infty\|_2 \propto m^{-1/2}$",
        source="reported as Lemma 3.1",
        part="concentration",
        estimator=loglog_slope("distance", "width"),
        region=near(-0.5, 0.06),
        why=CLT + "the mean is unbiased at every width",
        control="twice_limit",
    ),
    Claim(
        name="D4_concentration_correlated",
        statement="The initial Gram matrix concentrates around its limit, n = 5 d",
        formula=r"$\|H(0) - H^\infty\|_2 \propto m^{-1/2}$",
        source="reported as Lemma 3.1",
        part="concentration",
        arm="correlated",
        estimator=loglog_slope("distance", "width"),
        region=near(-0.5, 0.06),
        why=CLT + "the mean is unbiased at every width",
        control="twice_limit",
        tier="laptop",
    ),
    Claim(
        name="D5_sufficient_width",
        statement="Width n^2 / lambda_0^2 suffices to keep 3/4 of the least eigenvalue",
        formula=r"$\lambda_{\min}(H(0)) \geq \frac34\lambda_0$",
        source="reported as Lemma 3.1",
        part="concentration",
        arm="sufficient",
        estimator=worst(_shortfall, columns=("width", "smallest_ratio", "sufficient_width")),
        region=at_most(0),
        why="the shortfall 3/4 - lambda_min(H(0)) / lambda_0 of every draw; the constant and the "
        "logarithm of the lemma are set to 1, which asks for more; copies of a neuron do not count",
        control="copied_neurons",
    ),
    Claim(
        name="D5_popular_necessary",
        statement="Below width n^2 / lambda_0^2 the least eigenvalue falls short of 3/4",
        formula=r"$m < n^2/\lambda_0^2 \Rightarrow \lambda_{\min}(H(0)) < \frac34\lambda_0$",
        source="popular reading of Lemma 3.1 as a requirement",
        part="concentration",
        estimator=per_seed(
            lambda rows: (0.75 - rows["smallest_ratio"]).min(),
            columns=("smallest_ratio",),
            where={"width": (1, 2048)},
        ),
        region=at_least(0),
        why="a shortfall is positive; 2048 is less than 1/10 of n^2 / lambda_0^2 here",
        control="narrow",
        expected="fail",
        reason="the lemma is sufficient only; already m ~ n keeps 3/4 of the least eigenvalue",
        tags=("popular",),
    ),
    Claim(
        name="D6_distance_bound",
        statement="Every neuron stays within the radius that the proof allows",
        formula=r"$\max_r\|w_r(k)-w_r(0)\| \leq \sqrt n\,\|y-u(0)\|/(\sqrt m\,\lambda_0)$",
        source="reported as Lemma 3.3 (flow; the constant of Corollary 4.1 is 4 times larger)",
        part="descent",
        estimator=worst_ratio("distance", "distance_bound"),
        region=at_most(1),
        why="an upper bound, taken with the smaller constant of gradient flow",
        control="mean_field",
    ),
    Claim(
        name="D7_distance_exponent",
        statement="The largest distance of a neuron from its start falls like m^(-1/2)",
        formula=r"$\max_r\|w_r(k)-w_r(0)\| \propto m^{-1/2}$",
        source="reported as Lemma 3.3; Figure 1(c)",
        part="descent",
        estimator=loglog_slope("distance", "width"),
        region=near(-0.5, 0.05),
        why="a neuron receives a fixed push through an output weight m^(-1/2); the maximum over "
        "neurons moves the exponent by less than 0.02",
        control="mean_field",
    ),
    Claim(
        name="D7_distance_exponent_correlated",
        statement="The largest distance of a neuron from its start falls like m^(-1/2), n = 5 d",
        formula=r"$\max_r\|w_r(k)-w_r(0)\| \propto m^{-1/2}$",
        source="reported as Lemma 3.3; Figure 1(c)",
        part="descent",
        arm="correlated",
        estimator=loglog_slope("distance", "width"),
        region=near(-0.5, 0.05),
        why="as for n = d",
        control="mean_field",
        tier="laptop",
    ),
    Claim(
        name="D7_distance_level",
        statement="The largest distance is that of first-order theory, without a free constant",
        formula=r"$\max_r(\alpha^\top S_r G S_r\alpha/m)^{1/2}$, $\alpha=(H^\infty)^{-1}(y-u(0))$",
        source="this replication, from gradient (3)",
        part="descent",
        estimator=_level("distance", "distance_limit"),
        region=near(1, 0.08),
        why="corrections are O(m^(-1/2)) with a constant of order one: 2 % at m = 2048",
        control="mean_field",
    ),
    Claim(
        name="D8_drift_exponent",
        statement="The distance of all weights together does not depend on the width",
        formula=r"$\|W(k)-W(0)\|_F / \|y-u(0)\| \propto m^0$",
        source="consequence of Lemma 3.3; Arora et al. 2019",
        part="descent",
        estimator=loglog_slope("drift_per_residual", "width"),
        region=near(0, 0.04),
        why="m neurons of squared distance 1/m, per unit of the initial residual, whose draw is "
        "noise here; O(m^(-1/2)) corrections tilt the slope by -0.02",
        control="mean_field",
    ),
    Claim(
        name="D8_drift_level",
        statement="The distance of all weights together is that of first-order theory",
        formula=r"$\|W(k)-W(0)\|_F = ((y-u(0))^\top (H^\infty)^{-1} (y-u(0)))^{1/2}$",
        source="Arora et al. 2019; this replication",
        part="descent",
        estimator=_level("drift", "drift_limit"),
        region=near(1, 0.05),
        why="corrections are O(m^(-1/2)) with a constant of order one: 2 % at m = 2048",
        control="mean_field",
    ),
    Claim(
        name="D8_popular_vanishing",
        statement="The distance of the parameters from their start is O(m^(-1/2))",
        formula=r"$\|\theta(k)-\theta(0)\|_2 \propto m^{-1/2}$",
        source="popular statement of lazy training",
        part="descent",
        estimator=loglog_slope("drift_per_residual", "width"),
        region=near(-0.5, 0.05),
        why="the exponent as stated",
        control="amplified",
        expected="fail",
        reason="true of one neuron, or relative to |theta(0)|; the sum over m neurons is O(1). It "
        "does hold if the output is multiplied by sqrt(m)",
        tags=("popular",),
    ),
    Claim(
        name="D9_changes_exponent",
        statement="The share of activation patterns that change falls like m^(-1/2)",
        formula=r"$\#\{(r,i): 1[w_r(k)^\top x_i>0]\neq 1[w_r(0)^\top x_i>0]\}/mn\propto m^{-1/2}$",
        source="reported as Lemma 3.2; Figure 1(b)",
        part="descent",
        estimator=loglog_slope("changes", "width"),
        region=near(-0.5, 0.05),
        why="a Gaussian preactivation lies within a shift of order m^(-1/2) of its kink",
        control="mean_field",
    ),
    Claim(
        name="D9_changes_level",
        statement="The share of pattern changes is that of first-order theory",
        formula=r"$\frac{\varphi(0)}{2\sqrt m}\,E[S]$, with neurons sticking to their kinks",
        source="this replication",
        part="descent",
        estimator=_level("changes", "changes_limit"),
        region=near(1, 0.08),
        why="corrections are O(m^(-1/2)), 2 % at m = 2048, and 4 % at every width because pushes "
        "turn while training, which the formula leaves out (exact limit: 0.956, see the notes)",
        control="mean_field",
    ),
    Claim(
        name="D10_kernel_bound",
        statement="The Gram matrix moves by at most O(m^(-1/2)) in training",
        formula=r"$\|H(k)-H(0)\|_2 = O(m^{-1/2})$",
        source="reported as Lemma 3.2",
        part="descent",
        estimator=loglog_slope("kernel_change", "width"),
        region=at_most(-0.45),
        why="one-sided: the theorem bounds; the exponent is steeper where the signs a_r cancel",
        control="mean_field",
        tier="laptop",
    ),
    Claim(
        name="D10_popular_equal",
        statement="The Gram matrix moves by an amount proportional to m^(-1/2)",
        formula=r"$\|H(k)-H(0)\|_2 \propto m^{-1/2}$",
        source="popular reading of Lemma 3.2 as a rate",
        part="descent",
        arm="correlated",
        estimator=loglog_slope("kernel_change", "width"),
        region=near(-0.5, 0.05),
        why="the exponent as stated",
        control="orthogonal",
        expected="fail",
        reason="for n > d the random signs a_r cancel much of the leading term, and the m^(-3/4) "
        "fluctuations beside it steepen the exponent; it is -1/2 where a sample moves its own "
        "patterns only",
        tier="laptop",
        tags=("popular",),
    ),
    Claim(
        name="D10_popular_smooth_rate",
        statement="The Gram matrix of a ReLU network moves by an amount proportional to 1/m",
        formula=r"$\|H(k)-H(0)\|_2 \propto m^{-1}$",
        source="popular transfer of the rate of smooth activations",
        part="descent",
        estimator=loglog_slope("kernel_change", "width"),
        region=near(-1, 0.1),
        why="the exponent as stated, which smooth activations have",
        control="smooth",
        expected="fail",
        reason="patterns change at kinks: the rate lies between m^(-3/4) and m^(-1/2)",
        tier="laptop",
        tags=("popular",),
    ),
    Claim(
        name="D11_bound_at_every_step",
        statement="The loss lies below the linear rate of the theorem at every step",
        formula=r"$\|y-u(k)\|^2 \leq (1-\eta\lambda_0/2)^k\,\|y-u(0)\|^2$ for all $k$",
        source="reported as Theorem 4.1",
        part="descent",
        estimator=_margin(),
        region=at_most(0),
        why="largest log ratio of loss and bound over k >= 1, widths and seeds",
        control="narrow",
    ),
    Claim(
        name="D11_distinct_inputs",
        statement="The bound needs inputs that are not repeated with other labels",
        formula=r"$\|y-u(k)\|^2 \leq (1-\eta\lambda_0/2)^k\,\|y-u(0)\|^2$ for all $k$",
        source="reported as Theorem 4.1, assumption of Theorem 3.1",
        part="descent",
        estimator=_margin(),
        region=at_most(0),
        why="lambda_0 of the distinct inputs; two labels at one input cannot both be fitted",
        control="conflict",
    ),
    Claim(
        name="D12_late_rate",
        statement="Late in training the loss contracts by the limit kernel, in the end by "
        "its least eigenvalue",
        formula=r"$\|r(k+1)\|^2/\|r(k)\|^2 \to (1-\eta\lambda_0)^2$",
        source="this replication; four times the exponent of Theorem 4.1",
        part="descent",
        estimator=LATE_RATE,
        region=near(1, 0.05),
        why="lambda_min(H(k)) deviates from lambda_0 by a few per cent at m >= 4096; half the "
        "output has a quarter of the kernel",
        control="half_output",
        tier="laptop",
    ),
    Claim(
        name="D12_popular_bound_is_rate",
        statement="The loss contracts by 1 - eta lambda_0 / 2 per step",
        formula=r"$\log$ contraction / $2\log(1-\eta\lambda_0) = 1/4$",
        source="popular reading of Theorem 4.1 as a rate",
        part="descent",
        estimator=per_seed(
            lambda rows: rows["late_rate"].mean(),
            columns=("late_rate",),
            where={"width": 1024},
        ),
        region=near(0.25, 0.05),
        why="the theorem's exponent is a quarter of that of the limit, whose contraction in the "
        "same steps is within 3 % of its least eigenvalue's",
        control="half_output",
        expected="fail",
        reason="Theorem 4.1 gives half of lambda_0 away and bounds the squared residual by a "
        "first power: a bound, not the rate",
        tags=("popular",),
    ),
    Claim(
        name="D13_popular_necessary_width",
        statement="Below width n^6 / (lambda_0^4 delta^3) the bound is lost",
        formula=r"$m < n^6/(\lambda_0^4\delta^3) \Rightarrow$ bound broken in a majority of draws",
        source="popular reading of the width of Theorem 4.1 as a requirement",
        part="descent",
        estimator=BROKEN,
        region=at_least(0.5),
        why="share of draws in which the bound is broken at all widths; n^6 / lambda_0^4 exceeds "
        "10^11 here even for delta = 1",
        control="narrow",
        expected="fail",
        reason="the width is sufficient only; m of the order of n is enough",
        tags=("popular",),
    ),
    Claim(
        name="D14_larger_steps",
        statement="The bound holds up to steps just below 2 / lambda_max",
        formula=r"$\eta = 1.9/\lambda_{\max}(H^\infty) \gg \lambda_0/n^2$",
        source="Theorem 4.1 with a larger step; limit of linear stability",
        part="descent",
        arm="nearly_unstable",
        estimator=_margin(),
        region=at_most(0),
        why="the linear model is stable below 2 / lambda_max, and m = 4096 keeps lambda_max(H(k)) "
        "within the 5 % that are left; at 4 / lambda_max the loss grows",
        control="unstable",
    ),
    Claim(
        name="D14_popular_necessary_step",
        statement="Steps much larger than lambda_0 / n^2 break the bound",
        formula=r"$\eta \gg \lambda_0/n^2 \Rightarrow$ bound broken in a majority of draws",
        source="popular reading of the step of Theorem 4.1 as a requirement",
        part="descent",
        arm="nearly_unstable",
        estimator=BROKEN,
        region=at_least(0.5),
        why="share of draws in which the bound is broken; the step exceeds 1000 lambda_0 / n^2",
        control="unstable",
        expected="fail",
        reason="the step is sufficient only; the edge of stability 2 / lambda_max decides",
        tags=("popular",),
    ),
    Claim(
        name="D15_flow_bound",
        statement="Under gradient flow the loss lies below exp(-lambda_0 t)",
        formula=r"$\|y-u(t)\|^2 \leq e^{-\lambda_0 t}\,\|y-u(0)\|^2$",
        source="reported as Theorem 3.2",
        part="descent",
        arm="small_steps",
        estimator=_margin("margin_flow"),
        region=at_most(0),
        why="Euler steps of at most 0.2 / lambda_max; half the output has a quarter of the kernel "
        "and must break the bound",
        control="half_output",
    ),
    Claim(
        name="D15_flow_rate",
        statement="Under gradient flow the late rate is twice that of the theorem",
        formula=r"$-\frac{d}{dt}\log\|r(t)\|^2 \to 2\lambda_0$",
        source="this replication",
        part="descent",
        arm="small_steps",
        estimator=LATE_RATE,
        region=near(1, 0.05),
        why="as D12",
        control="half_output",
        tier="laptop",
    ),
    Claim(
        name="D16_both_layers_bound",
        statement="The bound holds as well if both layers are trained",
        formula=r"$\|y-u(k)\|^2 \leq (1-\eta\lambda_0/2)^k\,\|y-u(0)\|^2$",
        source="reported as Theorem 3.3",
        part="descent",
        arm="both_layers",
        estimator=_margin(),
        region=at_most(0),
        why="lambda_0 of the first layer; training the output weights adds a positive kernel",
        control="narrow",
    ),
    Claim(
        name="D16_both_layers_rate",
        statement="With both layers trained the late rate is that of the summed kernels",
        formula=r"$\lambda_{\min}(H^\infty + E\,\sigma\sigma^\top)$",
        source="this replication",
        part="descent",
        arm="both_layers",
        estimator=per_seed(
            lambda rows: rows["late_rate_joint"].mean(),
            columns=("late_rate_joint",),
            where={"width": lambda width: width >= WIDEST},
        ),
        region=near(1, 0.05),
        why="as D12, with the kernel of all trained weights; the control trains the first layer "
        "alone, in steps so small that the summed kernel's descent would converge as well",
        control="small_steps",
        tier="laptop",
    ),
    Claim(
        name="D17_any_labels",
        statement="The bound holds for structured labels as for random ones",
        formula=r"$y = \sqrt d\,\beta^\top x$",
        source="Theorem 4.1 asks only for labels of order one",
        part="descent",
        arm="linear_labels",
        estimator=_margin(),
        region=at_most(0),
        why="labels do not enter the contraction",
        control="conflict",
    ),
    Claim(
        name="D18_scale_over_root_width",
        statement="Pattern changes depend on label scale c and width through c / sqrt(m) only",
        formula=r"changes$(c, m)$ constant along $c\propto\sqrt m$",
        source="this replication; lazy training",
        part="labels",
        estimator=loglog_slope("changes", "width"),
        region=near(0, 0.04),
        why="first order gives c / sqrt(m), and the next order is a function of it too; at fixed c "
        "the exponent is -1/2",
        control="fixed_labels",
    ),
    Claim(
        name="D19_wider_is_faster",
        statement="The wider the network, the smaller the loss after 100 epochs",
        formula=r"$\|r(100)\|^2/\|(1-\eta H^\infty)^{100}r(0)\|^2$ decreasing in $m$",
        source="Figure 1(a)",
        part="epochs",
        estimator=ordering(
            "loss_excess",
            by="width",
            increasing=False,
            where={"epoch": 100, "width": (100, 200, 500, 1000)},
        ),
        region=at_least(0.5),
        why="in a majority of draws; in the infinitely wide network the width has no effect",
        control="limit",
    ),
    Claim(
        name="D19_limit_of_wide",
        statement="Wide networks reach the loss of the infinitely wide one",
        formula=r"$\|r(100)\|^2/\|(1-\eta H^\infty)^{100}r(0)\|^2 \to 1$",
        source="Figure 1(a)",
        part="epochs",
        estimator=per_seed("loss_excess", where={"epoch": 100, "width": 8000}, center="geometric"),
        region=between(1 / 1.5, 1.5),
        why="100 contractions of 1 - eta lambda: an error of 1 % in lambda_min is 20 % of the loss",
        control="mean_field",
        tier="laptop",
    ),
    Claim(
        name="S1_exponential_in_depth",
        statement="For fully connected smooth networks the least eigenvalue falls exponentially "
        "with depth",
        formula=r"$\frac{d}{dH}\log\lambda_{\min}(K^{(H)})\to\log\chi$, "
        r"$\chi=c_\sigma E\sigma'(z)^2=\tanh 1$ for cos",
        source="Du et al. 2019 (1811.03804), reported as Theorem 5.1",
        part="deep_kernel",
        arm="fully_connected",
        estimator=per_seed(
            lambda rows: _per_layer(rows, 16, 32), columns=("depth", "smallest_last")
        ),
        region=near(np.log(np.tanh(1)), 0.01),
        why="correlations tend to 1 and every layer shrinks their differences by chi < 1",
        control="relu",
        tags=("deep",),
    ),
    Claim(
        name="S1_popular_relu",
        statement="For fully connected ReLU networks the least eigenvalue falls exponentially "
        "with depth",
        formula="the rate per layer at H = 16..32 is that at H = 4..8",
        source="popular transfer of Theorem 5.1 of 1811.03804 to ReLU",
        part="deep_kernel",
        arm="relu",
        estimator=per_seed(
            lambda rows: _per_layer(rows, 16, 32) / _per_layer(rows, 4, 8),
            columns=("depth", "smallest_last"),
        ),
        region=near(1, 0.2),
        why="an exponential has a constant rate; early layers deviate by 10 % for cos",
        control="fully_connected",
        expected="fail",
        reason="ReLU is critical (chi = 1): the decay is a power of the depth",
        tags=("popular", "deep"),
    ),
    Claim(
        name="S2_residual_polynomial",
        statement="With residual branches of size 1/H the least eigenvalue falls like H^(-2)",
        formula=r"$\lambda_{\min}(K^{(H)}) \propto H^{-2}$",
        source="Du et al. 2019 (1811.03804), reported as Theorem 6.1",
        part="deep_kernel",
        arm="residual",
        estimator=loglog_slope("smallest_last", "depth", where={"depth": lambda depth: depth >= 8}),
        region=near(-2, 0.1),
        why="the branch enters with 1/H^2 and the skip carries a Gram matrix that converges; "
        "corrections are O(1/H)",
        control="fully_connected",
        tags=("deep",),
    ),
    Claim(
        name="S3_concentration",
        statement="The last hidden layer's Gram matrix of finite deep networks concentrates",
        formula=r"$\|K^{(H)}_m - K^{(H)}\|_2 \propto m^{-1/2}$ at $H = 4$",
        source="lemmas behind Theorem 5.1 of 1811.03804, reported",
        part="deep_gram",
        arm="fully_connected",
        estimator=loglog_slope("error", "width", where={"depth": 4}),
        region=near(-0.5, 0.15),
        why=CLT
        + "layers add fluctuations of the same order, and corrections of order 1/m, 0.05 of "
        "the exponent from 64 neurons on; against another limit the distance stays",
        control="other_limit",
        tier="laptop",
        tags=("deep",),
    ),
    Claim(
        name="S3_depth_needs_width",
        statement="At one width the error of a fully connected network over lambda_min grows "
        "exponentially with depth",
        formula=r"error at $H = 16$ over $H = 2$, $m = 256$",
        source="Du et al. 2019 (1811.03804), width of Theorem 5.1, reported as 2^O(H)",
        part="deep_gram",
        arm="fully_connected",
        estimator=per_seed(
            _error_growth, columns=("depth", "error"), where={"width": 256, "depth": (2, 16)}
        ),
        region=at_least(10),
        why="lambda_min falls like chi^H, by a factor of 45 over 14 layers, while the fluctuations "
        "of K do not fall; the width that is needed goes with the square",
        control="residual",
        tier="laptop",
        tags=("deep",),
    ),
    Claim(
        name="S3_residual_is_spared",
        statement="At one width the error of a residual network over lambda_min does not grow with "
        "depth",
        formula=r"error at $H = 16$ over $H = 2$, $m = 256$",
        source="Du et al. 2019 (1811.03804), width of Theorem 6.1, reported as polynomial in H",
        part="deep_gram",
        arm="residual",
        estimator=per_seed(
            _error_growth, columns=("depth", "error"), where={"width": 256, "depth": (2, 16)}
        ),
        region=at_most(3),
        why="branches of size 1/H add fluctuations of order 1/H each, so that K and its error have "
        "the same factor H^(-2)",
        control="fully_connected",
        tier="laptop",
        tags=("deep",),
    ),
    Claim(
        name="S4_bound_fully_connected",
        statement="Deep fully connected networks, all layers trained, obey the linear bound",
        formula=r"$L(k) \leq (1-\eta\lambda_{\min}(K^{(H)})/2)^k L(0)$",
        source="Du et al. 2019 (1811.03804), reported as Theorem 5.1",
        part="deep_descent",
        arm="fully_connected",
        estimator=_margin(),
        region=at_most(0),
        why="at a tenth of 1 / lambda_max of the tangent kernel; above 2 / lambda_max it must fail",
        control="unstable",
        tier="laptop",
        tags=("deep",),
    ),
    Claim(
        name="S4_bound_residual",
        statement="Deep residual networks, all layers trained, obey the linear bound",
        formula=r"$L(k) \leq (1-\eta\lambda_{\min}(K^{(H)})/2)^k L(0)$",
        source="Du et al. 2019 (1811.03804), reported as Theorem 6.1",
        part="deep_descent",
        arm="residual",
        estimator=_margin(),
        region=at_most(0),
        why="at a tenth of 1 / lambda_max of the tangent kernel; above 2 / lambda_max it must fail",
        control="unstable",
        tier="laptop",
        tags=("deep",),
    ),
    Claim(
        name="S5_depth_hurts",
        statement="Depth multiplies the steps that a fully connected network needs",
        formula="steps to 1 % of the loss at H = 16 over H = 2, infinite width",
        source="Du et al. 2019 (1811.03804), abstract",
        part="deep_kernel",
        arm="fully_connected",
        estimator=per_seed(_steps_growth, columns=("depth", "steps_needed"), center="geometric"),
        region=at_least(3),
        why="the condition number grows like chi^(-H), a factor of 45 over 14 layers",
        control="residual",
        tags=("deep",),
    ),
    Claim(
        name="S5_residual_is_spared",
        statement="Depth does not multiply the steps that a residual network needs",
        formula="steps to 1 % of the loss at H = 16 over H = 2, infinite width",
        source="Du et al. 2019 (1811.03804), abstract",
        part="deep_kernel",
        arm="residual",
        estimator=per_seed(_steps_growth, columns=("depth", "steps_needed"), center="geometric"),
        region=at_most(1.3),
        why="skip and branches of size 1/H leave the condition number bounded",
        control="fully_connected",
        tags=("deep",),
    ),
    Claim(
        name="S6_convolutional_residual",
        statement="With residual branches of size 1/H the least eigenvalue of a convolutional "
        "network falls like H^(-2) too",
        formula=r"$\lambda_{\min}(K^{(H)}) \propto H^{-2}$, $K^{(H)}$ of the last convolution",
        source="Du et al. 2019 (1811.03804), reported as Theorem 7.1",
        part="conv_kernel",
        arm="residual",
        estimator=loglog_slope("smallest_last", "depth", where={"depth": lambda depth: depth >= 8}),
        region=near(-2, 0.1),
        why="as S2: the branch enters with 1/H^2 and the skip carries covariances that converge; "
        "without the skip every layer multiplies differences by chi < 1 and averages positions",
        control="plain",
        tier="laptop",
        tags=("deep",),
    ),
]
