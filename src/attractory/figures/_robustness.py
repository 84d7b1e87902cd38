"""How well networks do under other conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory._errors import InvalidSetting, shown
from attractory.evaluation import RobustnessCurve
from attractory.figures._check import several
from attractory.figures._drawn import drawn
from attractory.figures._style import (
    BLUE,
    DOUBLE,
    GREY,
    SINGLE,
    SKY,
    legend_below,
    letter,
    new_figure,
)

_conditions = {
    "noise": "Input noise, s.d. (a.u.)",
    "amplitude": "Pulse amplitude (a.u.)",
    "pulse": "Pulse width (steps)",
    "delay": "Delay of the answer (steps)",
    "steps": "Trial length (steps)",
    "dt": "Time step (ms)",
}


@drawn
def robustness(curves: RobustnessCurve | Sequence[RobustnessCurve]) -> Figure:
    """Sign accuracy (top) and mean squared error (bottom) as a condition varies, a column each.

    Parameters
    ----------
    curves : RobustnessCurve or sequence of RobustnessCurve
        One for each condition; scores (value,) or (net, value).

    Returns
    -------
    matplotlib.figure.Figure
        Two rows of panels, a column for each condition.

    Notes
    -----
    Each network is a thin line, their mean a bold one; the dashed line marks the value that the
    task was given with.
    """
    found = several("curves", curves, RobustnessCurve)
    for curve in found:
        _check_values(curve)
    figure = new_figure(SINGLE if len(found) == 1 else DOUBLE, 92)
    grid = figure.subplots(2, len(found), sharex="col", sharey="row", squeeze=False)
    for i, curve in enumerate(found):
        _draw_scores(grid[0, i], curve, curve.accuracy)
        _draw_scores(grid[1, i], curve, curve.mse)
        grid[1, i].set_xlabel(_label(curve))
        if len(found) > 1:
            letter(grid[0, i], i)
    grid[0, 0].set_ylabel("Sign accuracy (share)")
    grid[1, 0].set_ylabel("MSE (a.u.²)")
    grid[0, 0].set_ylim(None, 1.01)
    grid[1, 0].set_ylim(0, None)
    nets = max(np.atleast_2d(curve.mse).shape[0] for curve in found)
    legend_below(figure, _legend(nets), 3)
    return figure


def _label(curve: RobustnessCurve) -> str:
    """Of the condition, with its unit."""
    return curve.label or _conditions.get(curve.vary, f"{curve.vary} (task's unit)")


def _draw_scores(axes: Any, curve: RobustnessCurve, scores: np.ndarray) -> None:
    """scores (value,) or (net, value)."""
    nets = np.atleast_2d(scores)
    if len(nets) > 1:
        for one in nets:
            axes.plot(curve.values, one, color=SKY, linewidth=0.5, alpha=0.8)
    if isinstance(curve.trained, (int, float)):
        axes.axvline(curve.trained, color=GREY, linestyle="--", linewidth=0.8, zorder=0)
    axes.plot(curve.values, nets.mean(axis=0), color=BLUE, linewidth=1.6, marker="o", markersize=3)


def _legend(nets: int) -> list[Line2D]:
    trained = Line2D([], [], color=GREY, linestyle="--", linewidth=0.8, label="as trained")
    bold = {"color": BLUE, "linewidth": 1.6, "marker": "o", "markersize": 3}
    if nets == 1:
        return [Line2D([], [], label="network", **bold), trained]  # type: ignore[arg-type]
    thin = Line2D([], [], color=SKY, linewidth=0.5, label="one network")
    mean = Line2D([], [], label=f"mean of {nets} networks", **bold)  # type: ignore[arg-type]
    return [thin, mean, trained]


def _check_values(curve: RobustnessCurve) -> None:
    values = np.asarray(curve.values)
    if values.ndim != 1 or values.dtype.kind not in "biuf":
        raise InvalidSetting(
            f"the curve over {shown(curve.vary)} has values of shape {values.shape} and type "
            f"{values.dtype}; only a row of numbers can be drawn"
        )
