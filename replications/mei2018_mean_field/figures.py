"""Figures of the mean-field papers redrawn from the tables alone."""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence import style


def figure_error(chaos: DataFrame, fluctuations: DataFrame) -> Figure:
    """Networks tend to the limit, with fluctuations far below those of independent neurons

    (a) Root mean square of f_N - f_t against the width, at t = 16 and 4: N^(-1/2) (dotted). Neurons
    spread evenly at the start, where drawn, err by 1/N. The control (dashed) is held against the
    limit at 3/2 of the time. (b) N Var f_t against time: measured at N = 256 on the central limit
    theorem with its constant (black); N independent draws of rho_t would have the gray curve,
    one and a half to two decades above.
    """
    figure, (axes,) = style.panels(2)
    theory = chaos[chaos["arm"] == "theory"]
    for index, time in enumerate((16.0, 4.0)):
        rows = theory[theory["time"] == time]
        look = {"x": "width", "y": "error", "geometric": True}
        style.seeds_and_mean(axes[0], rows, label=f"t = {time:g}", index=index, **look)
    even = chaos[chaos["arm"] == "stratified"]
    if len(even):
        style.seeds_and_mean(axes[0], even, label="spread evenly, t = 4", index=2, **look)
    late = chaos[(chaos["arm"] == "late") & (chaos["time"] == 16.0)]
    label = "limit of t = 24 at t = 16"
    style.seeds_and_mean(axes[0], late, label=label, control=True, **look)
    widths = sorted(theory["width"].unique())
    first = rows[rows["width"] == widths[0]]["error"].mean()
    style.guide_slope(axes[0], widths, slope=-0.5, through=(widths[0], first), label=r"$N^{-1/2}$")
    axes[0].set(xlabel="width N", ylabel=r"rms of $f_N-f_\infty$", title="(a) law of large numbers")
    style.logarithmic(axes[0], "xy", ticks=widths)
    wide = theory[theory["width"] == 256]
    label = "networks, N = 256"
    style.seeds_and_mean(axes[1], wide, x="time", y="n_variance", label=label, geometric=True)
    curve = fluctuations[fluctuations["time"] > 0].groupby("time")[["clt", "independent"]].mean()
    style.theory_line(axes[1], curve.index, curve["clt"], label="central limit theorem")
    apart = {"color": style.CONTROL, "linestyle": "--", "marker": "x"}
    axes[1].plot(curve.index, curve["independent"], label="independent neurons", **apart)
    axes[1].set(xlabel="time t", ylabel=r"$N\,\mathrm{Var}\,f_t$", title="(b) fluctuations")
    style.logarithmic(axes[1], "xy", ticks=[1, 4, 16, 60])
    style.legend_below(figure, columns=4)
    return figure


def figure_kernel(drift: DataFrame) -> Figure:
    """Wide does not mean lazy: the kernel moves as much at every width

    (a) Relative change of the tangent kernel until t = 60, (b) distance of the network from its own
    linearization. Mean field stays at the limit (black); masses N^(-1/2) (dashed) are the NTK's.
    """
    figure, (axes,) = style.panels(2)
    panels = (
        ("drift", r"$\|\Theta_t-\Theta_0\|/\|\Theta_0\|$", "(a) kernel"),
        ("distance", r"rms of $f_N-f_N^{lin}$", "(b) linearization"),
    )
    for axis, (column, label, title) in zip(axes, panels, strict=True):
        for arm, name in (("theory", "masses 1/N"), ("ntk", r"masses $N^{-1/2}$")):
            rows, control = drift[drift["arm"] == arm], arm == "ntk"
            look = {"x": "width", "y": column, "label": name, "control": control}
            style.seeds_and_mean(axis, rows, geometric=True, **look)
        widths = sorted(drift["width"].unique())
        limit = [drift[drift["arm"] == "theory"][f"{column}_limit"].mean()] * len(widths)
        style.theory_line(axis, widths, limit, label="limit")
        axis.set(xlabel="width N", ylabel=label, title=title)
        style.logarithmic(axis, "xy", ticks=widths)
        axis.legend()
    return figure


def figure_noise(noise: DataFrame) -> Figure:
    """The noise of stochastic descent is a matter of the step and not of the width

    Root mean square of one-sample descent minus descent at t = 16, (a) against the step at N = 16:
    eps^(1/2) (dotted), beside the error of the steps themselves (dashed); (b) against the width:
    all neurons see the same sample. It would average out if each had a sample of its own (dashed).
    """
    figure, (axes,) = style.panels(2)
    theory = noise[noise["arm"] == "theory"]
    panels = (
        ("eps", theory[theory["width"] == 16], "discretization", "descent in smaller steps", 0.5),
        ("width", theory[theory["eps"] == 0.05], "own_samples", "a sample for each neuron", -0.5),
    )
    for axis, (x, rows, arm, name, slope) in zip(axes, panels, strict=True):
        style.seeds_and_mean(axis, rows, x=x, y="noise", label="one sample a step", geometric=True)
        control = noise[noise["arm"] == arm]
        look = {"label": name, "control": True, "geometric": True}
        style.seeds_and_mean(axis, control, x=x, y="noise", **look)
        places = sorted(rows[x].unique())
        of = rows if slope > 0 else control
        through = (places[0], of[of[x] == places[0]]["noise"].mean())
        label = r"$\varepsilon^{1/2}$" if slope > 0 else r"$N^{-1/2}$"
        style.guide_slope(axis, places, slope=slope, through=through, label=label)
        axis.set(xlabel={"eps": r"step $\varepsilon$", "width": "width N"}[x])
        style.logarithmic(axis, "xy", ticks=places)
        axis.legend()
    axes[0].set(ylabel=r"rms of $f^{SGD}-f^{GD}$", title="(a) step")
    axes[1].set(title="(b) width")
    return figure


def figure_paths(paths: DataFrame) -> Figure:
    """Particles of both signs find the spikes; those of one sign cannot

    Redraws Figure 1 of Chizat & Bach (as reported): paths of 48 particles in the plane of place and
    signed mass (times their number), from uniform places with mass 0.09 (points) to the end
    (filled). Vertical lines are the spikes; (b) has one sign only.
    """
    figure, (axes,) = style.panels(2, share_y=True)
    places = (0.15, 0.45, 0.8)
    titles = {"theory": "(a) both signs", "positive": "(b) one sign"}
    for axis, (arm, title) in zip(axes, titles.items(), strict=True):
        rows = paths[(paths["arm"] == arm) & (paths["seed"] == paths["seed"].min())]
        for _, path in rows.groupby("particle"):
            path = path.sort_values("step")
            color = style.COLORS[0 if path["mass"].iloc[0] > 0 else 1]
            scaled = path["mass"] * rows["particle"].nunique()
            jumps = np.abs(np.diff(path["place"], prepend=path["place"].iloc[0])) > 0.5
            axis.plot(path["place"].mask(jumps), scaled, color=color, linewidth=0.6)
            axis.plot(path["place"].iloc[0], scaled.iloc[0], ".", color=color, markersize=2)
            axis.plot(path["place"].iloc[-1], scaled.iloc[-1], "o", color=color, markersize=3)
        for index, place in enumerate(places):
            label = None if index else "spikes"
            axis.axvline(place, color=style.THEORY, linewidth=0.6, linestyle=":", label=label)
        axis.set(xlabel=r"place $\theta$", title=title)
        axis.legend(loc="lower right")
    axes[0].set(ylabel=r"$s\,r^2$")
    return figure


def figure_particles(deconvolution: DataFrame) -> Figure:
    """A few particles get trapped, many do not, if their support is rich

    Redraws the idea of Figure 3 of Chizat & Bach (as reported): J at the end over its optimum,
    less one, of every start, against the number of particles; below the line a start succeeds.
    Starts in one arc and with one sign (dashed: the best nonnegative measure) stay above.
    """
    figure, ((axis,),) = style.panels(1)
    names = {
        ("few", "some", "theory"): "both signs, anywhere",
        ("arc",): "both signs, one arc",
        ("positive",): "one sign, anywhere",
    }
    floor = 1e-5
    for index, (arms, label) in enumerate(names.items()):
        rows = deconvolution[deconvolution["arm"].isin(arms)]
        shifted = rows["particles"] * 1.12 ** (index - 1)
        points = {"linestyle": "none", "alpha": 0.5, "label": label, **style.arm_style(index)}
        axis.plot(shifted, rows["excess"].clip(lower=floor), **points)
    positive = deconvolution["excess"].add(1) / deconvolution["ratio_positive"]
    best = positive.mean() - 1
    axis.axhline(best, color=style.CONTROL, linestyle="--", label="best nonnegative measure")
    axis.axhline(0.02, color=style.THEORY, linewidth=1.0, label="2 %")
    axis.set(xlabel="particles m", ylabel=r"$J/J^*-1$")
    style.logarithmic(axis, "xy", ticks=sorted(deconvolution["particles"].unique()))
    style.legend_below(figure, columns=2)
    return figure


def figure_gaussians(radii: DataFrame) -> Figure:
    """In high dimension the lengths of the weights follow one equation

    Redraws the reduction of Figures 1 and 2 of Mei, Montanari & Nguyen (as reported): (a) mean
    length of the weights under stochastic descent for two isotropic Gaussians against the reduced
    dynamics (black); batches of one at the same step (dashed) leave it. (b) Ratio of the two at the
    last time against 1/d.
    """
    figure, (axes,) = style.panels(2)
    theory = radii[radii["arm"] == "theory"]
    for index, dimension in enumerate(sorted(theory["dimension"].unique())):
        rows = theory[theory["dimension"] == dimension]
        label = f"d = {dimension:g}"
        style.seeds_and_mean(axes[0], rows, x="time", y="radius", label=label, index=index)
    curve = theory.groupby("time")["predicted"].mean()
    style.theory_line(axes[0], curve.index, curve, label="reduced dynamics")
    single = radii[(radii["arm"] == "one_sample") & (radii["dimension"] == 40)]
    look = {"label": "one sample, d = 40", "control": True}
    style.seeds_and_mean(axes[0], single, x="time", y="radius", **look)
    axes[0].set(xlabel="time t", ylabel=r"mean of $|w|$", title="(a) lengths")
    last = theory[theory["time"] == theory["time"].max()]
    last = last.assign(inverse=1 / last["dimension"], ratio=last["radius"] / last["predicted"])
    style.seeds_and_mean(axes[1], last, x="inverse", y="ratio", label="networks")
    style.theory_line(axes[1], [0, last["inverse"].max()], [1, 1], label="limit")
    axes[1].set(xlabel="1/d", ylabel="measured / reduced", title="(b) dimension")
    for axis in axes:
        axis.legend()
    return figure


def figure_orders(rate: DataFrame, lazy: DataFrame) -> Figure:
    """How the rate has to grow with the width, and how fast a scaled output becomes lazy

    (a) Motion of a weight until t = 16 with the rate eps N: the same at every width; dashed: with
    the rate eps N^1/2. (b) Change of the limit's kernel against the scale alpha of the output:
    alpha^-2 (dotted) if a neuron and its negative are equally likely, else 1/alpha (dashed).
    """
    figure, (axes,) = style.panels(2)
    arms = {"theory": r"rate $\epsilon N$", "root": r"rate $\epsilon N^{1/2}$"}
    style.arms_against(axes[0], rate, "width", "moved", arms, control="root")
    axes[0].set(xlabel="width N", ylabel=r"rms of $w_t-w_0$", title="(a) motion")
    arms = {"symmetric": "symmetric start", "shifted": "shifted start"}
    look = {"control": "shifted", "slope": -2, "law": r"$\alpha^{-2}$"}
    style.arms_against(axes[1], lazy, "alpha", "drift", arms, **look)
    label = r"$\|\Theta_t-\Theta_0\|/\|\Theta_0\|$"
    axes[1].set(xlabel=r"scale $\alpha$", ylabel=label, title="(b) kernel")
    return figure
