"""What is claimed of spectral norms: of weights, of first steps, and under decay.

Papers: YSB, Yang, Simon & Bernstein 2023; Jordan et al. 2024 (Muon); Bernstein & Newhouse 2024;
Kosson et al. 2024; Fan et al. 2025; TP5, Yang, Hu et al. 2021. Their texts were not at hand in
full: numbers of theorems and figures are "reported as". "Ours" is derived in the README.
"""

import numpy as np
from pandas import DataFrame

from widenets.evidence import (
    Claim,
    Rival,
    at_most,
    exact,
    last_doubling,
    loglog_slope,
    near,
    per_seed,
    worst,
)

YSB = "Yang, Simon & Bernstein 2023"
OURS = "ours, derived in the README"


def over(column: str, law: str):
    """Mean over a seed's cells of a measurement over its prediction."""
    return per_seed(lambda rows: float((rows[column] / rows[law]).mean()), columns=(column, law))


def _condition(rows: DataFrame) -> float:
    return float((rows["excess"] / rows["excess_law"] / rows["shift"]).mean())


def _farthest_from_one(rows: DataFrame) -> float:
    return float((rows["moved"] - 1).abs().max())


def claim(name: str, statement: str, **fields) -> Claim:
    return Claim(name=name, statement=statement, **fields)


NORMS = [
    claim(
        "O1_norm_of_gaussian_weights",
        "A Gaussian matrix of std in^-1/2 has the norm 1 + sqrt(out/in), less the shift of its "
        "edge by the law of Tracy and Widom",
        formula=r"$\|W\|^2n\approx\mu+\sigma E[TW_1],\ E[TW_1]=-1.2065$",
        source=f"{YSB}, as reported, for 1 + sqrt(out/in); the shift: Johnstone 2001",
        part="norms",
        arm="gaussian",
        estimator=over("norm", "predicted"),
        region=near(1, 0.006),
        why="the next order is in^(-4/3), .0015 at 128, and the root of a mean for the mean of a "
        "root 1e-4; half of the way to the rival, of which the square shape alone is 1.7 % off",
        control="bare_edge",
        kind="level",
        rival=Rival(0.9876, "who leaves the shift of the edge out, at n = 128"),
    ),
    claim(
        "O2_condition_at_every_shape",
        "Weights of std min(1, sqrt(out/in)) in^-1/2 have a norm of sqrt(out/in) times "
        "1 + min(r, 1/r)^1/2 at every shape, so that features keep their size",
        formula=r"$\|W\|=\sqrt r\,(1+\min(r,1/r)^{1/2}),\ r=\mathrm{out}/\mathrm{in}$",
        source=f"{YSB}, the condition, as reported; its constant: {OURS}",
        part="norms",
        arm="spectral",
        estimator=per_seed(_condition, columns=("excess", "excess_law", "shift")),
        region=near(1, 0.01),
        why="over shapes of n x n, 4n x n and n x 4n; the shift of the edge is taken out",
        control="fan_in",
        kind="level",
        rival=Rival(4 / 3, "standard parameterization, std in^-1/2 at every shape"),
    ),
    claim(
        "O2_standard_read_out",
        "The read-out of standard parameterization misses the spectral condition "
        "|W| ~ sqrt(out/in) by sqrt(n)",
        formula=r"$\|w\|/\sqrt{1/n}\sim n^{1/2}$",
        source=f"{YSB}, as reported",
        part="norms",
        arm="read_out",
        estimator=loglog_slope("excess", "width"),
        region=near(0.5, 0.02),
        why="|w| of n entries of variance 1/n is 1 up to O(1/n)",
        control="read_out_spectral",
        kind="exponent",
        rival=Rival(0.0, "who takes 1/sqrt(fan-in) for the right size of every layer"),
    ),
]

SIGN_STEPS = [
    claim(
        "O3_sign_of_one_sample",
        "The sign of a gradient of one sample has rank one too and moves its input by sqrt(2/pi) "
        "of the most that its size allows",
        formula=r"$\mathrm{rms}(Sh)=n\sqrt{2/\pi}\,\mathrm{rms}(h)$",
        source=f"{OURS}; {YSB} for the gradient itself",
        part="alignment",
        arm="one_sample",
        estimator=over("moved", "width"),
        region=near(np.sqrt(2 / np.pi), 0.015),
        why="E|h| / rms(h) of Gaussian features, 1/(4n) = .001 from its limit",
        control="eight_samples",
        kind="level",
        rival=Rival(1.0, "who takes the sign to be as aligned as the gradient"),
    ),
    claim(
        "O4_sign_step_of_any_batch",
        "The sign step of B Gaussian samples moves each of them by 2/(pi B) (1 - 1/n) + 1/n of "
        "the largest square possible, at every n and B",
        formula=r"$(\mathrm{rms}(Sh)/n)^2=\frac2{\pi B}(1-\frac1n)+\frac1n$",
        source=OURS,
        part="alignment",
        arm="seen",
        estimator=over("aligned", "predicted"),
        region=near(1, 0.03),
        why="exact in the mean at every size: noise alone, at B = n for n = 32, 64, 128",
        control="fresh",
        kind="level",
        rival=Rival(0.615, "who has one law for inputs that were seen and fresh ones, 1/n"),
    ),
    claim(
        "O5_popular_adam_is_aligned",
        "Adam's update is aligned with the features, so that its step grows like n",
        source="popular: said of the whole training where the rate 1/n of hidden layers is "
        "explained; libraries of muP say it without a condition on the batch",
        part="alignment",
        arm="large_batch",
        estimator=loglog_slope("moved", "width"),
        region=near(1, 0.25),
        why="half of the way to an unaligned step",
        control="small_batch",
        kind="exponent",
        expected="fail",
        rival=Rival(0.5, "an unaligned step of n entries"),
        reason="it holds for batches of a few samples (B = 4 passes); at B = n, with centred "
        "features of full rank, 2/(pi B) + 1/n leaves n^1/2",
    ),
    claim(
        "O6_relu_features_stay_aligned",
        "ReLU features, which have a mean, keep a sign step aligned for any batch, by "
        "(2/pi^2) arcsin(1/pi)",
        formula=r"$(\mathrm{rms}(Sh)/n)^2/E\,\mathrm{rms}(h)^2\to\frac2{\pi^2}\arcsin\frac1\pi$",
        source=OURS,
        part="alignment",
        arm="relu",
        estimator=over("aligned", "predicted"),
        region=near(1, 0.05),
        why="with its 1/n, exact for many samples; the batch of 16 n leaves 1/(16 n). Half of the "
        "way to the rival",
        control="relu_independent",
        kind="level",
        rival=Rival(0.9, "who leaves the 1/n out, at n = 128"),
        tier="laptop",
    ),
    claim(
        "O6_low_rank_features_stay_aligned",
        "Features of rank R keep a sign step aligned for any batch, as R samples would",
        formula=r"$(\mathrm{rms}(Sh)/n)^2\to\frac2{\pi R}(1-\frac1n)+\frac1n$",
        source=OURS,
        part="alignment",
        arm="low_rank",
        estimator=over("aligned", "predicted"),
        region=near(1, 0.04),
        why="predicted from the second moments of the drawn features, arcsin included; left is "
        "1/(16 n) of the batch. A quarter of the way to 2/(pi R) alone, 16 % less at n = 128",
        control="other_rank",
        kind="level",
        rival=Rival(0.841, "who leaves the 1/n of directions that are not seen out"),
    ),
]

POLAR_STEPS = [
    claim(
        "O7_polar_step_on_fresh_inputs",
        "Muon's step moves a fresh input by sqrt(B/n) of its size (B <= n samples), and one that "
        "it has seen by all of it",
        formula=r"$\mathrm{rms}(Oh)=\sqrt{B/n}\,\mathrm{rms}(h)$",
        source=OURS,
        part="polar",
        arm="fresh",
        estimator=over("moved", "expected"),
        region=near(1, 0.02),
        why="a partial isometry of rank B keeps B of n squares of a Gaussian input, exact in the "
        "mean; the root of a mean over 32 inputs is 1/(4 32 B) from that",
        control="seen",
        kind="level",
        rival=Rival(0.427, "who takes the share B/n itself, at n = 64 and 128"),
    ),
    claim(
        "O8_only_unit_rms_moves_every_layer",
        "With the scale sqrt(out/in) Muon's step moves each input of its batch by its own size in "
        "layers of any shape, for batches of at most min(in, out)",
        formula=r"$\mathrm{rms}(\sqrt{r}\,Oh)=\mathrm{rms}(h)$",
        source="Bernstein & Newhouse 2024, as reported",
        part="polar",
        arm="unit",
        estimator=worst(_farthest_from_one, columns=("moved",)),
        region=at_most(1e-9),
        why="a polar factor is an isometry on inputs of its gradient while they are no more than "
        "its rank: rounding alone",
        control="shape_scaling",
        kind="bound",
        rival=Rival(1.0, "sqrt(max(1, out/in)), twice as far at n x 4n"),
    ),
    claim(
        "O9_spectral_scale_needs_a_rate",
        "The scale sqrt(max(out, in)) moves hidden features by n^1/2, so that its rate has to "
        "fall like n^-1/2; sqrt(out/in) needs none",
        source="a public thread of a training library: the one is called unprincipled under muP",
        part="polar",
        arm="hidden_spectral",
        estimator=loglog_slope("moved", "width"),
        region=near(0.5, 0.02),
        why="an isometry times sqrt(n): rounding alone",
        control="hidden_unit",
        kind="exponent",
        rival=Rival(0.0, "who uses one rate at all widths with it"),
    ),
    claim(
        "O10_popular_one_scale_for_every_layer",
        "With the scale sqrt(max(1, out/in)) one rate of Muon serves every layer at every width",
        source="public threads of optimizer libraries: a constant optimal rate, said of all layers",
        part="polar",
        arm="last_layer",
        estimator=loglog_slope("moved", "width"),
        region=near(0, 0.1),
        why="no power of n is left where it holds; it does in the hidden layers it is meant for",
        control="last_layer_unit",
        kind="exponent",
        expected="fail",
        rival=Rival(0.5, "an isometry on n features, divided by one output"),
        reason="a read-out in Muon moves by n^1/2: out/in = 1/n, which max(1, .) hides",
    ),
    claim(
        "O11_popular_frobenius_norm",
        "Muon's update has a Frobenius norm of about 1 at any size, so that no rate has to change",
        source="a public thread of a training script",
        part="polar",
        arm="full_rank",
        estimator=loglog_slope("frobenius", "width"),
        region=near(0, 0.1),
        why="no power of n is left where it holds",
        control="rank_16",
        kind="exponent",
        expected="fail",
        rival=Rival(0.5, "sqrt(rank)"),
        reason="it is sqrt(rank), constant for gradients of a fixed rank alone; what is 1 at any "
        "size is the spectral norm",
    ),
    claim(
        "O18_embedding_in_muon",
        "An embedding of V tokens under Muon with the scale sqrt(out/in) moves tokens by sqrt(n/V) "
        "of their size (rms over tokens) as long as n < V",
        formula=r"$\mathrm{rms}(dW e_v)=\sqrt{n/V}\,\mathrm{rms}(e_v)$",
        source=OURS,
        part="polar",
        arm="embedding",
        estimator=loglog_slope("moved", "width"),
        region=near(0.5, 0.02),
        why="n of V squares are kept on average over tokens, exactly",
        control="wide_embedding",
        kind="exponent",
        rival=Rival(0.0, "what holds for n > V, and for a few tokens in a batch"),
    ),
    claim(
        "O12_iteration_lowest",
        "Of singular values from .75 / 3.4445^k to 1, k steps of Muon's iteration leave none below "
        ".6818",
        formula=r"$p(x)=3.4445x-4.775x^3+2.0315x^5,\ \min p=p(1.0501)$",
        source=f"coefficients: Jordan et al. 2024; {OURS}",
        part="iteration",
        arm="quintic",
        estimator=exact("lowest", resolution=1e-3),
        region=near(0.6818, 0.0039),
        why="p maps [.6818, 1.2024] into itself, its least value there is that at its minimum, "
        ".68183; less than a quarter of the way to the rival",
        control="cubic",
        kind="level",
        rival=Rival(0.7, "the band [.7, 1.2], as reported"),
    ),
    claim(
        "O12_iteration_highest",
        "Of singular values from .75 / 3.4445^k to 1, k steps of Muon's iteration leave none above "
        "1.2024",
        formula=r"$\max p=p(.5545)=1.2024$",
        source=f"coefficients: Jordan et al. 2024; {OURS}",
        part="iteration",
        arm="quintic",
        estimator=exact("highest", resolution=1e-3),
        region=near(1.2024, 0.0012),
        why="the value at the maximum of p, which starts above .75 / 3.4445^k pass",
        control="cubic",
        kind="level",
        rival=Rival(1.2, "the band [.7, 1.2], as reported"),
    ),
]

READ_OUT = [
    claim(
        "O15_multiplier_replaces_the_rate",
        "Under Adam the multiplier 1/n of the read-out makes its rate 1/n redundant",
        source="a public thread of a training script, true as it stands; TP5, reported as table 8",
        part="read_out",
        arm="multiplier",
        estimator=loglog_slope("moved", "width"),
        region=near(0, 0.05),
        why="the sum of n features that are aligned with their own signs, over n",
        control="multiplier_and_rate",
        kind="exponent",
        rival=Rival(-1.0, "who scales the rate as well"),
    ),
    claim(
        "O16_epsilon_that_does_not_shrink",
        "With an epsilon above the gradient Adam's step of a read-out with the multiplier 1/n "
        "falls like 1/n",
        formula=r"$df\sim n^{-1}$ for $\epsilon=1$, $n^0$ for $\epsilon\sim1/n$",
        source="Everett et al. 2024, as reported",
        part="read_out",
        arm="eps",
        estimator=loglog_slope("change", "width", summary="mean"),
        region=near(-1, 0.05),
        why="the step is the gradient, h/n, up to h/n itself, so that df = |h|^2/n^2, of which "
        "the mean over networks is 1/n. Correction: h/n beside epsilon, 1/n of the step, + .01 in "
        "the slope",
        control="scaled_eps",
        kind="exponent",
        rival=Rival(0.0, "who takes Adam to be free of the scale of gradients"),
    ),
]

DECAY = [
    claim(
        "O14_update_on_noise",
        "Adam's update on noise has the rms sqrt((1-b)/(1+b)), b the first momentum",
        source="Kosson et al. 2024, as reported",
        part="decay",
        arm="update",
        estimator=over("update", "update_law"),
        region=near(1, 0.02),
        why="the moving average of white noise; the second moment (.999) adds 3/8 of .001",
        control="update_fifth",
        kind="level",
        rival=Rival(1.335, "who takes sqrt(1-b), the mean over the four momenta"),
    ),
    claim(
        "O14_popular_one_fifth",
        "On white noise the rms of Adam's update is .2 at any momentum",
        source="ours, against reading the factor .2, by which Muon's updates are matched to those "
        "of Adam, as free of the momentum",
        part="decay",
        arm="mostly",
        estimator=per_seed("update"),
        region=near(0.2, 0.015),
        why="half of the way to the rival is .02",
        control="twelve_thirteenths",
        kind="level",
        expected="fail",
        rival=Rival(0.16, "sqrt((1-b)/(1+b)) at b = .95"),
        reason="it is .16 at b = .95 (.229 at b = .9, close to the .2 in use); .2 is exact at "
        "b = 12/13, which passes",
    ),
    claim(
        "O19_weight_at_rest",
        "Under AdamW weights of pure noise have the rms sqrt(rate / (2 decay)) times a factor "
        "of the momentum that is near 1, exact in rate x decay",
        formula=r"$\frac{w^2}{\eta/2\lambda}=\frac{(1-b)(1+ab)}{(1+b)(1-ab)(1-\eta\lambda/2)}$",
        source=f"Kosson et al. 2024, as reported, without the factor; the factor: {OURS}",
        part="decay",
        arm="weight",
        estimator=over("weight", "weight_law"),
        region=near(1, 0.015),
        why="exact for a linear process; .958 of the simple law at rate x decay = .01. "
        "Correction: Adam's normaliser fluctuates, + (1 - beta_2) / 2 = .0005; more is chance",
        control="weight_simple",
        kind="level",
        rival=Rival(0.958, "the simple law sqrt(rate / (2 decay))"),
    ),
    claim(
        "O20_popular_turn",
        "AdamW's weights turn by sqrt(2 rate decay) a step",
        source="popular: said of Adam with momentum",
        part="decay",
        arm="turn",
        estimator=per_seed("turn"),
        region=near(1, 0.1),
        why="momentum divides the step by four",
        control="turn_without_momentum",
        kind="level",
        expected="fail",
        rival=Rival(0.239, "sqrt((1-b)/(1+b)) over the rms at rest, b = .9"),
        reason="it holds without momentum (passes); with b = .9 steps are .23 as large and go on "
        "in one direction for ten steps",
    ),
    claim(
        "O20_memory",
        "A weight remembers itself over k steps by more than (1 - rate decay)^k: momentum adds "
        "its own memory",
        formula=r"$\frac{(1-b^2)a^{k+1}-(1-a^2)b^{k+1}}{(a-b)(1+ab)},\ a=1-\eta\lambda$",
        source=OURS,
        part="decay",
        arm="weight",
        estimator=over("memory", "memory_law"),
        region=near(1, 0.015),
        why="exact; .891 at a lag of 20 steps, rate x decay = .01",
        control="weight_simple",
        kind="level",
        rival=Rival(0.918, "(1 - rate decay)^k"),
    ),
    claim(
        "O21_coupled_decay_knows_the_scale",
        "Adam with L2 in its gradient, unlike AdamW, lets weights grow like the root of the "
        "gradient's scale s, so that fixed L2 under muP acts as a decay that grows with n",
        formula=r"$\mathrm{rms}(w)=\sqrt{\eta s/2\lambda}$",
        source=OURS,
        part="decay",
        arm="coupled",
        estimator=loglog_slope("weight", "gradient"),
        region=near(0.5, 0.05),
        why="lambda w / s is what is left of the pull; its own part in the second moment is "
        "rate lambda / 2s, .008 at most",
        control="decoupled",
        kind="exponent",
        rival=Rival(0.0, "who takes Adam to be free of the scale of gradients"),
        tier="laptop",
    ),
]

MATRICES = [
    claim(
        "O22_fixed_decay_keeps_the_norm",
        "At rest under muP's rate 1/n and noise a fixed decay keeps the norm of hidden weights",
        formula=r"$\|W\|\sim n^{-q/2}$ for $\lambda\sim n^q$",
        source=f"{OURS}; TP5 leaves the decay fixed",
        part="matrices",
        arm="fixed_decay",
        estimator=loglog_slope("corrected", "width"),
        region=near(0, 0.05),
        why="the shift of the edge and the factor of O19, each alone +.04, are taken out; "
        "left is n^(-4/3)",
        control="root_decay",
        kind="exponent",
        rival=Rival(-0.25, "a decay that grows like sqrt(n)"),
        tier="laptop",
    ),
    claim(
        "O22_independent_decay_keeps_the_turn",
        "A decay that grows like n (independent of the rate) keeps the turn of weights per step",
        formula=r"$\|dW\|/\|W\|\sim n^{-(1-q)/2}$",
        source="Wang & Aitchison 2024, Kosson et al. 2025, as reported",
        part="matrices",
        arm="linear_decay",
        estimator=loglog_slope("turn", "width"),
        region=near(0, 0.05),
        why="sqrt(2 rate decay) up to the factors of O19, the same at all n",
        control="turn_root_decay",
        kind="exponent",
        rival=Rival(-0.25, "a decay that grows like sqrt(n)"),
    ),
    claim(
        "O22_level_of_the_norm",
        "Under AdamW on white noise the spectral norm of n x n weights at rest is 2 sqrt(n) times "
        "their rms, which is sqrt(rate / (2 decay)) times O19's factor of the momentum (.958 "
        "here), less the shift of the edge",
        source=OURS,
        part="matrices",
        arm="level",
        estimator=over("norm", "predicted"),
        region=near(1, 0.02),
        why="entries are independent, so that the edge is that of O1; next order n^(-4/3), .01 at "
        "32; less than half of the way to the rival",
        control="level_bare",
        kind="level",
        rival=Rival(0.954, "who leaves the shift of the edge out, n = 32"),
    ),
    claim(
        "O23_signal_at_rest",
        "Under gradients whose signs are those of one rank-one matrix at every step, the norm at "
        "rest is n / decay: a decay that grows like n keeps it",
        formula=r"$\|W\|\sim n^{1-q}$",
        source=OURS,
        part="matrices",
        arm="signal",
        estimator=loglog_slope("norm", "width"),
        region=near(0, 0.03),
        why="W = S / decay with |S| = n for signs S of rank one (of independent ones it is "
        "2 sqrt(n)). Correction: rounding of doubles alone; seven times the "
        "memory leaves exp(-7) = .001 of a common factor",
        control="signal_root",
        kind="exponent",
        rival=Rival(-0.5, "the noise equilibrium, n^(-q/2)"),
    ),
    claim(
        "O24_popular_three_quarters",
        "The top singular value under AdamW grows like d^.75",
        formula=r"$\|W\|\sim\sqrt{\eta/\lambda}\,d^{.75}$",
        source="Fan et al. 2025, abstract, read as a law",
        part="matrices",
        arm="noise_top",
        estimator=last_doubling("norm", "width", sizes=(32, 64)),
        region=near(0.75, 0.1),
        why="nearly half of the way to either end, 1/2 of noise and 1 of a signal",
        control="mixed_top",
        kind="exponent",
        expected="fail",
        rival=Rival(0.5, "pure noise, 2 sqrt(n) s"),
        reason="a mixture of signal A and noise s has the local exponent n/(n + n*), n* = (s/A)^2, "
        "anything from 1/2 to 1: an arm with n* = 15 passes between 32 and 64",
        tier="laptop",
    ),
    claim(
        "O24_signal_in_noise",
        "With a signal A above the noise s the top singular value is A n + s^2 / A",
        formula=r"$\|W\|=An+s^2/A,\ n>(s/A)^2$",
        source=f"{OURS}, from Benaych-Georges & Nadakuditi 2012, as reported, for additive spikes "
        "of rectangular matrices",
        part="matrices",
        arm="spike",
        estimator=over("norm", "predicted"),
        region=near(1, 0.045),
        why="corrections 1/n at n = 64; less than half of the way to the rival",
        control="spike_signal",
        kind="level",
        rival=Rival(0.902, "who adds nothing for the noise, A n"),
    ),
]

RELATIVE = [
    claim(
        "O28_aligned_update_on_noise",
        "Given the rms at rest of O22, an aligned update on weights of noise changes features at "
        "a rate free of n if the decay is fixed",
        formula=r"$\mathrm{rms}(dWh)/\mathrm{rms}(Wh)\sim n^{(q-1)/2+a_d-a_W}$",
        source="TP5's assumption, a_d = 1 and a_W = 1/2; the formula is ours",
        part="relative",
        arm="aligned",
        estimator=loglog_slope("change", "width"),
        region=near(0, 0.05),
        why="the rms at rest puts (q - 1) / 2 in, the alignment is measured; the 1/n of O4, an "
        "exponent of -.02, is taken out; left is the noise of draws",
        control="aligned_root",
        kind="exponent",
        rival=Rival(0.25, "a decay that grows like sqrt(n), Fan et al.'s"),
    ),
    claim(
        "O28_both_of_noise",
        "Given the rms at rest of O22, if neither update nor weights are aligned, the decay has to "
        "grow like n for the relative change of features to be free of n",
        source="Wang & Aitchison 2024, Kosson et al. 2025: independent decay; the formula is ours",
        part="relative",
        arm="both_noise",
        estimator=loglog_slope("change", "width"),
        region=near(0, 0.03),
        why="the rms at rest puts (q - 1) / 2 in; that two Gaussian matrices are aligned alike is "
        "measured: left is the noise of draws",
        control="both_noise_root",
        kind="exponent",
        rival=Rival(-0.25, "a decay that grows like sqrt(n)"),
    ),
    claim(
        "O28_both_of_signal",
        "Given the weights at rest of O23, if update and weights are both aligned, the decay has "
        "to grow like n for the relative change of features to be free of n",
        source=OURS,
        part="relative",
        arm="both_signal",
        estimator=loglog_slope("change", "width"),
        region=near(0, 0.03),
        why="weights at rest put q - 1 in; that update and weights are aligned alike is measured: "
        "what is left of one is left of the other",
        control="both_signal_root",
        kind="exponent",
        rival=Rival(-0.5, "a decay that grows like sqrt(n)"),
    ),
]

MUON = [
    claim(
        "O29_muon_keeps_the_norm",
        "Muon with decay keeps the norm of square weights at every width with one rate and decay",
        source=OURS,
        part="muon",
        arm="muon",
        tier="laptop",
        estimator=loglog_slope("corrected", "width"),
        region=near(0, 0.05),
        why="steps are isometries of any size; the shift of the edge is taken out",
        control="muon_spectral",
        kind="exponent",
        rival=Rival(0.5, "the scale sqrt(max(out, in))"),
    ),
    claim(
        "O29_level_of_muons_norm",
        "Under Muon with decay the spectral norm of a square weight without a signal comes to the "
        "edge of a sum of free rotations: sqrt(2 rate / decay) to first order in rate x decay, "
        ".864 of that at rate x decay = 1/2",
        formula=r"$\min_s[2s+\sum_k(\sqrt{s^2+c_k^2}-s)],\ c_k=\eta(1-\eta\lambda)^k$",
        source=f"{OURS}: a sum of free rotations, Akemann & Ostrand 1976 as reported",
        part="muon",
        arm="muon_large",
        tier="laptop",
        estimator=per_seed("corrected"),
        region=near(1, 0.015),
        why="at n = 64, the shift of this edge (.9 %) taken out; next order n^(-4/3), .004. It "
        "does not tell sqrt(2 rate / decay) sqrt(1 - rate decay / 2), which is 1.003",
        control="muon_first_order",
        kind="level",
        rival=Rival(1.158, "who takes the first order, sqrt(2 rate / decay)"),
    ),
]

CLAIMS = [*NORMS, *SIGN_STEPS, *POLAR_STEPS, *READ_OUT, *DECAY, *MATRICES, *RELATIVE, *MUON]
