"""How well networks do under other conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

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
    plain,
)

ROWS = {
    "correct": "Trials correct (share)",
    "accuracy": "Sign accuracy (share)",
    "mse": "MSE (a.u.²)",
}
LEAST_RANGE = 0.9  # an axis of shares reaches down to here at least: less would magnify noise

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
    """Correct trials, sign accuracy and squared error as a condition varies, a column each.

    Parameters
    ----------
    curves : RobustnessCurve or sequence of RobustnessCurve
        One for each condition; scores (value,) or (net, value).

    Returns
    -------
    matplotlib.figure.Figure
        Three rows of panels, a column for each condition.

    Notes
    -----
    Each network is a thin line, their mean a bold one; the dashed line marks the value that the
    task was given with. What is no number, such as a range, stands at places of its own.
    """
    found = several("curves", curves, RobustnessCurve)
    for curve in found:
        _check_values(curve)
    figure = new_figure(SINGLE if len(found) == 1 else DOUBLE, 122)
    grid = figure.subplots(len(ROWS), len(found), sharex="col", sharey="row", squeeze=False)
    for i, curve in enumerate(found):
        for row, score in enumerate(ROWS):
            _draw_scores(grid[row, i], curve, getattr(curve, score))
        name_values(grid[-1, i], curve)
        grid[-1, i].set_xlabel(label_of(curve))
        if len(found) > 1:
            letter(grid[0, i], i)
    for row, (score, label) in enumerate(ROWS.items()):
        grid[row, 0].set_ylabel(label)
        if score == "mse":
            grid[row, 0].set_ylim(0, None)
        else:
            _as_shares(grid[row, 0], [getattr(curve, score) for curve in found])
    nets = max(np.atleast_2d(curve.mse).shape[0] for curve in found)
    legend_below(figure, _legend(nets), 3)
    return figure


def label_of(curve: RobustnessCurve) -> str:
    """Of the condition, with its unit."""
    return curve.label or _conditions.get(curve.vary, f"{curve.vary} (task's unit)")


def _draw_scores(axes: Any, curve: RobustnessCurve, scores: np.ndarray) -> None:
    """scores (value,) or (net, value)."""
    nets, along = np.atleast_2d(scores), places(curve)
    if len(nets) > 1:
        for one in nets:
            axes.plot(along, one, color=SKY, linewidth=0.5, alpha=0.8)
    if isinstance(curve.values, np.ndarray) and isinstance(curve.trained, (int, float)):
        axes.axvline(curve.trained, color=GREY, linestyle="--", linewidth=0.8, zorder=0)
    axes.plot(along, nets.mean(axis=0), color=BLUE, linewidth=1.6, marker="o", markersize=3)


def places(curve: RobustnessCurve) -> np.ndarray:
    """Where the values stand: numbers where they are, others one beside the other."""
    if isinstance(curve.values, np.ndarray):
        return curve.values
    return np.arange(len(curve.values))


def name_values(axes: Any, curve: RobustnessCurve) -> None:
    if not isinstance(curve.values, np.ndarray):
        names = [_in_words(value) for value in curve.values]
        axes.set_xticks(places(curve), [plain(name) for name in names])


def _in_words(value: Any) -> str:
    """A range as '200-400', anything else as it is."""
    is_range = isinstance(value, tuple) and len(value) == 2
    return "–".join(f"{end:g}" for end in value) if is_range else str(value)


def _as_shares(axes: Any, scores: Sequence[np.ndarray]) -> None:
    """An axis from below the lowest share to 1, which no share is above."""
    known = np.concatenate([np.ravel(each) for each in scores])
    known = known[np.isfinite(known)]
    lowest = float(known.min()) if len(known) else 0.0
    bottom = np.floor(10 * min(lowest, LEAST_RANGE)) / 10
    marks = MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(bottom, 1.0)
    margin = 0.04 * (1.0 - bottom)  # half of a marker
    axes.set_yticks([mark for mark in marks if bottom <= mark <= 1.0])
    axes.set_ylim(bottom - margin, 1.0 + margin)


def _legend(nets: int) -> list[Line2D]:
    trained = Line2D([], [], color=GREY, linestyle="--", linewidth=0.8, label="as trained")
    bold = {"color": BLUE, "linewidth": 1.6, "marker": "o", "markersize": 3}
    if nets == 1:
        return [Line2D([], [], label="network", **bold), trained]  # type: ignore[arg-type]
    thin = Line2D([], [], color=SKY, linewidth=0.5, label="one network")
    mean = Line2D([], [], label=f"mean of {nets} networks", **bold)  # type: ignore[arg-type]
    return [thin, mean, trained]


def _check_values(curve: RobustnessCurve) -> None:
    if isinstance(curve.values, tuple):
        return
    values = np.asarray(curve.values)
    if values.ndim != 1 or values.dtype.kind not in "biuf":
        raise InvalidSetting(
            f"the curve over {shown(curve.vary)} has values of shape {values.shape} and type "
            f"{values.dtype}; only a row of numbers can be drawn"
        )
