"""What the paper claims, what is popularly said of it, and how both are checked.

Theorem and figure numbers are those of arXiv 1901.08584 as they are usually cited; the text of the
paper was not at hand, so none is certain.
"""

from widenets.evidence import (
    Claim,
    at_least,
    at_most,
    loglog_slope,
    near,
    ordering,
    per_seed,
    worst,
)

CLEAN = {"samples": 180, "fraction": 0.0}


def _farthest(rows):
    return (rows["residual"] - rows["predicted"]).abs().max()


CLAIMS = [
    Claim(
        name="A1_bound_holds",
        statement="The test loss stays below the bound, whatever share of the labels is random",
        formula=r"$L_D \leq \sqrt{2\,y^\top (H^\infty)^{-1} y / n}$",
        source="reported as Theorem 5.1, its leading term",
        part="complexity",
        estimator=worst(
            lambda rows: (rows["loss"] / rows["bound"]).max(), columns=("loss", "bound")
        ),
        region=at_most(1),
        why="min(1, |f - y|) is 1-Lipschitz, at most 1 and 0 at f = y; where test and training "
        "labels differ in law, the loss is that of a guess and the bound promises nothing",
        control="unrelated",
    ),
    Claim(
        name="A2_true_from_random",
        statement="The bound says something for true labels, and nothing for random ones",
        formula=r"$2\,y^\top H^{-1} y < n$",
        source="reported as Figure 2; the bound of 2 for coins is ours, by Jensen",
        part="complexity",
        estimator=per_seed("bound", where=CLEAN),
        region=at_most(1),
        why="no loss exceeds 1; coins have 2 tr H^-1 / n >= 2 n / tr H = 4, a bound of at least 2",
        control="random",
    ),
    Claim(
        name="A3_grows_with_noise",
        statement="The bound grows with the share of random labels",
        source="reported as Figure 2",
        part="complexity",
        estimator=ordering("bound", by="fraction", increasing=True, where={"samples": 180}),
        region=at_least(0.5),
        why="its mean square grows from y'H^-1 y to tr H^-1, in most draws by more than it "
        "scatters; coins replaced by coins have no order",
        control="random",
    ),
    Claim(
        name="A4_projections",
        statement="Random labels put a tenth of their energy on the top tenth of eigenvectors",
        formula=r"$\mathbb{E}\,(v_i^\top y)^2 = 1$",
        source="reported as Figure 1 (b)",
        part="complexity",
        arm="random",
        estimator=per_seed("top_tenth", where=CLEAN),
        region=near(0.1, 0.05),
        why="coins have covariance 1, and 18 directions of 180 scatter by a third of their mean in "
        "one draw; true labels lie where the eigenvalues are large",
        control="theory",
    ),
    Claim(
        name="A4_coins_are_not_predicted",
        statement="What random labels have taught is worth nothing on fresh points: the test loss "
        "is at least that of a guess",
        formula=r"$\mathbb{E}_y \min(1, |f - y|) \geq 1/2$ for coins y and every f",
        source="ours: the loss of the training points would be 0",
        part="complexity",
        arm="random",
        estimator=per_seed("loss", where=CLEAN),
        region=at_least(0.5),
        why="the mean over y = 1 and y = -1 is 1 - |f|/2 for |f| <= 1 and at least 1/2 beyond",
        control="theory",
    ),
    Claim(
        name="A5_convergence",
        statement="A wide network's residual is that of the kernel at every step",
        formula=r"$\|y-u(k)\|=\sqrt{\sum_i (1-\eta\lambda_i)^{2k}(v_i^\top y)^2}\pm\epsilon$",
        source="reported as Theorem 4.1",
        part="descent",
        estimator=per_seed(_farthest, columns=("residual", "predicted")),
        region=at_most(0.05),
        why="a relative error d of an eigenvalue changes its mode by at most d / e, and d is about "
        "2 / sqrt(m / 2): 6 % at m = 2048, more than 1 at m = 4",
        control="narrow",
    ),
    Claim(
        name="A5_popular_any_labels",
        statement="What is wide enough for true labels is wide enough for random ones",
        source="popular reading of Theorem 4.1, whose width does not depend on the labels",
        part="descent",
        arm="random",
        estimator=per_seed(_farthest, columns=("residual", "predicted")),
        region=at_most(0.05),
        why="the region of A5, at its width",
        control="theory",
        tier="laptop",
        expected="fail",
        reason="coins lie on small eigenvalues, so that weights move far and the kernel with them; "
        "with the kernel of the start the curve would be met within .01",
    ),
    Claim(
        name="A6_popular_rate",
        statement="The bound falls like n^(-1/2)",
        source="popular reading of Theorem 5.1",
        part="complexity",
        estimator=loglog_slope("bound", "samples", where={"fraction": 0.0}),
        region=near(-0.5, 0.1),
        why="the root of 1 / n, if the numerator does not grow; for a linear function it is at "
        "most 4 |beta|^2, because x.x' / 4 is a term of H (compare Theorem 6.1, as reported)",
        control="linear",
        expected="fail",
        reason="y'H^-1 y grows with n: labels of +-1 are no function of bounded norm",
    ),
]
