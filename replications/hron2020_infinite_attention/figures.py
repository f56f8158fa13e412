"""Figures of attention at infinite width, drawn from the tables alone."""

from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence import style


def figure_heads(heads: DataFrame) -> Figure:
    """When an output of attention is Gaussian: excess kurtosis over networks

    (a) Over its limit
    """
    figure, (axes,) = style.panels(3)
    return figure
