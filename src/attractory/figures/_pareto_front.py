"""The trials than which no other is better in both of two objectives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory._errors import InvalidSetting
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._settings import font
from attractory.figures._style import BLUE, SINGLE, VERMILLION, legend_below, new_figure
from attractory.figures._tried import WAYS, as_pixels, complete, is_skewed, score_label
from attractory.population import TriedSettings

MOST_NUMBERED = 8  # trials on the front that are named by their numbers
APART = 0.06  # shares of the panel between two that are named
OTHERS: dict[str, Any] = {"marker": "o", "markersize": 3, "color": BLUE, "linestyle": "none"}
ON_FRONT: dict[str, Any] = {"marker": "D", "markersize": 4.5, "color": VERMILLION}


@drawn
def pareto_front(tried: TriedSettings, scores: Sequence[str] | None = None) -> Figure:
    """Two objectives of all complete trials, and the trials that none beats in all objectives.

    Parameters
    ----------
    tried : TriedSettings
        Of a tuning of several objectives: `tuning.tried()`.
    scores : sequence of str, optional
        Which two; None: the first two.

    Returns
    -------
    matplotlib.figure.Figure
        A single panel.

    Raises
    ------
    InvalidSetting
        For an unknown objective, for another number than two, and where no trial is complete.

    Notes
    -----
    Diamonds are on the Pareto front: no other trial is at least as good in all objectives, and
    better in one. Of two objectives the line is the border of what they beat; of more there is no
    such line, and a diamond may seem to be beaten where it is better in an objective that is not
    drawn. Up to 8 of them have their trial's number.
    """
    one_of("tried", tried, TriedSettings)
    names = [tried.score(name) for name in (scores or tried.scores[:2])]
    if len(set(names)) != 2:
        raise InvalidSetting(f"scores: {len(set(names))} given, allowed: two objectives")
    known = complete(tried, names[0]) & complete(tried, names[1])
    along, up = (tried.numbers(name) for name in names)
    best = np.isin(tried.rows["number"].to_numpy(), tried.front) & known
    figure = new_figure(SINGLE, 84)
    axes = figure.subplots()
    rest = known & ~best
    axes.plot(along[rest], up[rest], alpha=0.6, markeredgewidth=0,
              rasterized=as_pixels(rest.sum()), **OTHERS)  # fmt: skip
    for axis, name in zip((axes.xaxis, axes.yaxis), names, strict=True):
        way = WAYS[tried.directions[name]].replace("↑", "more is").replace("↓", "less is")
        axis.set_label_text(score_label(name) + (f", {way}" if way else ""))
        if is_skewed(tried, name):
            axes.set(**{f"{axis.axis_name}scale": "log"})
    _draw_front(axes, tried, names, best)
    legend_below(figure, _legend(bool(rest.any()), len(tried.scores)), 3)
    return figure


def _draw_front(axes: Any, tried: TriedSettings, names: list[str], best: np.ndarray) -> None:
    order = np.flatnonzero(best)
    order = order[np.argsort(tried.numbers(names[0])[order], kind="stable")]
    along, up = (tried.numbers(name)[order] for name in names)
    if len(tried.scores) == 2:
        # between two points on the front lies what the worse one of each objective allows
        where = "post" if tried.directions[names[0]] == "minimize" else "pre"
        axes.plot(along, up, drawstyle=f"steps-{where}", color=VERMILLION, linewidth=0.8)
    axes.plot(along, up, linestyle="none", markeredgecolor="white", markeredgewidth=0.4, **ON_FRONT)
    if len(order) <= MOST_NUMBERED:
        aside = [-1 if tried.directions[name] == "minimize" else 1 for name in names]
        _number(axes, tried.rows["number"].to_numpy()[order], along, up, aside)


def _number(
    axes: Any, trials: np.ndarray, along: np.ndarray, up: np.ndarray, aside: list[int]
) -> None:
    """The numbers of trials on their better side; of points too near to each other one has it."""
    axes.margins(0.08)
    axes.autoscale_view()
    places = axes.transLimits.transform(axes.transScale.transform(np.stack([along, up], axis=1)))
    named: list[np.ndarray] = []
    for trial, x, y, place in zip(trials, along, up, places, strict=True):
        if all(np.abs(place - other).max() >= APART for other in named):
            named.append(place)
            axes.annotate(
                str(trial), (x, y), (3 * aside[0], 3 * aside[1]), textcoords="offset points",
                ha="right" if aside[0] < 0 else "left", va="top" if aside[1] < 0 else "bottom",
                fontsize=font(6.5),
            )  # fmt: skip


def _legend(others: bool, objectives: int) -> list[Line2D]:
    line = {"linewidth": 0.8} if objectives == 2 else {"linestyle": "none"}
    handles = [Line2D([], [], label="on the Pareto front", **ON_FRONT, **line)]
    if others:
        handles.append(Line2D([], [], label="other complete trials", **OTHERS))
    return handles
