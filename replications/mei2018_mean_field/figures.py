"""Figures of the mean-field papers redrawn from the tables alone."""

from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence import style


def figure_error(chaos: DataFrame) -> Figure:
    """x

    yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
    """
    figure, ((axis,),) = style.panels(1)
    return figure
