"""How the readout of a reservoir was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory._errors import InvalidSetting, shown
from attractory.figures._drawn import drawn
from attractory.figures._style import DOUBLE, GREY, legend_below, letter, new_figure
from attractory.figures._training import color_bar, colors_of, decimal_ticks

NEEDED = {"ridges": 2, "errors": 3, "standard_deviations": 2}  # and their numbers of axes
LEAST_SHARE = 1e-8  # of the largest standard deviation: below it float32 states are rounded


@drawn
def ridge_readout(report: Mapping[str, Any]) -> Figure:
    """Cross-validated error of the readout by its ridge (A), and how wide the states are (B).

    Parameters
    ----------
    report : dict of arrays (net, …)
        `Run.rule_report` of a run by the rule `Reservoir`: ridges (net, ridge), errors (net, ridge,
        output), standard_deviations (net, unit).

    Returns
    -------
    matplotlib.figure.Figure
        Two panels.

    Raises
    ------
    InvalidSetting
        For the report of another rule.

    Notes
    -----
    A: mean squared error over all outputs on the parts of the trials that were left out; a circle
    where it is least. Each output has a ridge of its own, which need not be there. A ridge of 0 has
    no place on the axis. B: standard deviations of the states along their principal axes; those
    below 1e-8 of the largest are rounding errors, and left out. A colour is a network.
    """
    found = _checked(report)
    nets = np.arange(len(found["ridges"]))
    figure = new_figure(DOUBLE, 66)
    panels = figure.subplots(1, 2)
    for net, color in zip(nets, colors_of(len(nets)), strict=True):
        _draw_errors(panels[0], found["ridges"][net], found["errors"][net].mean(axis=1), color)
        deviations = found["standard_deviations"][net]
        kept = deviations[deviations > LEAST_SHARE * deviations.max(initial=0)]
        panels[1].plot(np.arange(1, len(kept) + 1), kept, color=color, linewidth=1)
    panels[0].set(xlabel="Ridge (share of the mean variance)", ylabel="Cross-validated MSE (a.u.²)")
    panels[0].set(xscale="log", yscale="log")
    decimal_ticks(panels[0])
    panels[1].set(xlabel="Principal axis of the states", ylabel="Standard deviation (a.u.)")
    panels[1].set_yscale("log")
    for i, axes in enumerate(panels):
        letter(axes, i)
    if len(nets) > 1:
        color_bar(figure, panels, nets)
    ring = {"marker": "o", "markersize": 4, "markerfacecolor": "white", "linestyle": "none"}
    least = Line2D([], [], color=GREY, label="least error", **ring)  # type: ignore[arg-type]
    legend_below(figure, [least], 1)
    return figure


def _draw_errors(axes: Any, ridges: np.ndarray, errors: np.ndarray, color: Any) -> None:
    drawn_here = (ridges > 0) & np.isfinite(errors)
    order = np.argsort(ridges[drawn_here])
    x, y = ridges[drawn_here][order], errors[drawn_here][order]
    axes.plot(x, y, color=color, linewidth=1)
    if len(y):
        least = int(np.argmin(y))
        axes.plot(
            x[least], y[least], "o",
            markersize=4, markerfacecolor="white", markeredgecolor=color, zorder=4,
        )  # fmt: skip


def _checked(report: Any) -> dict[str, np.ndarray]:
    """The arrays that are drawn; InvalidSetting where they are not those of a reservoir."""
    if not isinstance(report, Mapping):
        raise InvalidSetting(
            f"report is of type {type(report).__name__}; the rule_report of a run is needed"
        )
    for name, axes in NEEDED.items():
        if name not in report or np.ndim(report[name]) != axes:
            raise InvalidSetting(
                f"report has no {shown(name)} of {axes} axes; needed: the rule_report of a run by "
                "the rule Reservoir"
            )
    return {name: np.asarray(report[name], float) for name in NEEDED}
