from matplotlib.figure import Figure


def figure_1(scatter):
    """Scatter against width.

    The points lie on a line of slope -1/2.
    """
    figure = Figure(figsize=(3, 2))
    axes = figure.subplots()
    axes.loglog(scatter["width"], scatter["size"], "o")
    return figure
