"""The instrument's own claims: on subjects whose answer is known it gives that answer, in every
seed, and where features are all but frozen it never says that they matter."""

from collections.abc import Callable

from pandas import DataFrame

from replications.your_network.asked_diagnosis import COLUMNS, MARGIN, QUESTIONS, at_end
from replications.your_network.decide import diagnosis_of_seed
from widenets.evidence import Claim, at_least, at_most, per_seed, proportion, worst

_READ = ("subject", *COLUMNS)
SOURCE = "ours: the answer is known by construction"


def _share(*wanted: str) -> Callable[[DataFrame], float]:
    """Share of the subjects of one seed of which one of the diagnoses is said."""

    def share(rows: DataFrame) -> float:
        said = [
            diagnosis_of_seed(of_subject) in wanted for _, of_subject in rows.groupby("subject")
        ]
        return sum(said) / len(said)

    return share


def _said(
    name: str, subject: str, wanted: str, statement: str, why: str, control: str, **others
) -> Claim:
    """The diagnosis of a subject is said in every seed (of noisy labels in more than not), and in
    no seed of the control."""
    return Claim(
        name=f"D_{name}",
        statement=statement,
        source=SOURCE,
        part="diagnosis",
        estimator=others.pop("estimator", worst)(
            _share(wanted), where={"subject": subject}, columns=_READ
        ),
        region=others.pop("region", at_least(1)),
        why=why,
        control=control,
        **others,
    )


def _margin(name: str, subject: str, question: str, statement: str, why: str, **others) -> Claim:
    """One of U1 to U7 on a subject, judged over its seeds as a reader's is."""
    asked = QUESTIONS[question]
    return Claim(
        name=f"D_{name}",
        statement=statement,
        formula=asked.formula,
        source=SOURCE,
        part="diagnosis",
        estimator=per_seed(asked.statistic, where={"subject": subject}, columns=COLUMNS),
        region=others.pop("region", asked.region),
        why=why,
        control=others.pop("control", asked.control),
        **others,
    )


KNOWN_DIAGNOSIS = [
    _said(
        "parity", "parity", "features help",
        "Of a product of two coordinates of thirty the diagnosis says that features help",
        "the network's own kernel puts little weight on degree two, and its other degrees act as "
        "a ridge; a kernel of degree two alone would reach about .08 from the same 400 points. The "
        "lazy network can do no better than its kernel",
        "lazy",
    ),
    _said(
        "easy", "easy", "nothing needs features",
        "Of a linear target and a wide network the diagnosis says that nothing needs features",
        "the kernel interpolates a linear target from 20 points a dimension; a network on permuted "
        "labels learns nothing while its frozen counterpart does",
        "shuffled",
    ),
    _said(
        "shortcut", "shortcut", "harmful features",
        "Of a product that is in the training labels alone the diagnosis says that features do "
        "harm",
        "whoever learns the product pays its square on test points, and frozen features learn but "
        "a part of it",
        "lazy",
    ),
    _said(
        "large_rate", "large_rate", "optimization",
        "Of a rate that is 16 times too large the diagnosis says that the optimization fails",
        "the frozen arm has its own rate; the lazy network runs at the largest at which it trains",
        "lazy",
    ),
    _said(
        "noisy_labels", "noisy_labels", "nothing needs features",
        "Of overfitted noise the diagnosis of most seeds does not say that features do harm, but "
        "that nothing needs them",
        "frozen features overfit as much. In more seeds than not: at the end of training both have "
        "several times the error of a constant, and in a seed of a hundred they differ by more "
        "than the margin",
        "shuffled", estimator=proportion, region=at_least(0.5), tier="laptop",
    ),
    _said(
        "digits", "digits_cnn", "only faster",
        "Of a CNN on 300 digits the diagnosis does not say that features help, but that they are "
        "faster",
        "frozen features at a rate of their own, and their kernel still more, do better than the "
        "network; at the network's rate they are far behind",
        "lazy", tier="paper",
    ),
    Claim(
        name="D_dead_relus",
        statement="Of a network whose units are off on all data, and of no other subject, the "
        "diagnosis says that the start is dead",
        source=SOURCE,
        part="diagnosis",
        arm="dead",
        estimator=worst(_share("dead start"), columns=_READ),
        region=at_least(1),
        why="but for the output bias no gradient is left, for frozen features either; the other "
        "subjects train, or their frozen counterparts do",
        control="theory",
    ),
    Claim(
        name="D_no_false_alarm",
        statement="Of a lazy network the diagnosis never says that features help, do harm or are "
        "faster",
        source=SOURCE,
        part="diagnosis",
        arm="lazy",
        estimator=worst(
            _share("features help", "harmful features", "only faster"), columns=_READ
        ),
        region=at_most(0),
        why="features that do not move can do nothing",
        control="theory",
    ),
    Claim(
        name="D_lazy_is_frozen",
        statement="A network at alpha = 1000 is its frozen counterpart at the same rate, at the "
        "end of training",
        formula=r"$|L^{\alpha=1000}_{test}(T) - L^{frozen}_{test}(T)|$, largest of the subjects",
        source="Chizat et al. 2019: f_alpha -> f_lin as 1 / alpha",
        part="diagnosis",
        arm="lazy",
        estimator=worst(
            lambda rows: max(
                abs(at_end(r, "test") - at_end(r, "same_test")) for _, r in rows.groupby("subject")
            ),
            columns=("subject", *COLUMNS),
        ),
        region=at_most(MARGIN),
        why="the margin of all claims: a control that is not lazy enough would not be one. The "
        "network itself is further than that from it in every seed, by 1 and more where features "
        "do harm",
        control="theory",
    ),
    _margin(
        "parity_by_the_margin", "parity", "U3_features_help",
        "The seeds of a run show by more than the margin that a product needs features",
        "the effect is about .4 of what there is to explain",
    ),
    _margin(
        "noise_no_harm", "noisy_labels", "U4_features_do_no_harm",
        "Overfitting that frozen features share is no harm by features: with the best stopping",
        "both arms fit the same noise",
    ),
    _margin(
        "noise_stop", "noisy_labels", "U7_no_need_to_stop",
        "Overfitted noise is told all the same: there is a best time to stop",
        "noise of the size of the signal, in as many parameters as fit it; a linear target "
        "without noise has no such time: the very last is within the margin of the best",
        region=at_least(MARGIN), control="slow",
    ),
    Claim(
        name="D_alignment",
        statement="The kernel of the network that learns a product turns to it",
        formula=r"$A(K_T, yy^\top) - A(K_0, yy^\top)$, centred",
        source="reported of Fort et al. 2020 and of kernel alignment",
        part="evolution",
        estimator=per_seed(
            lambda rows: at_end(rows, "alignment") - float(rows["alignment"].iloc[0]),
            columns=("step", "alignment"),
            where={"subject": "parity"},
        ),
        region=at_least(0.01),
        why="the region of U8; a frozen kernel stays",
        control="lazy",
    ),
]  # fmt: skip
