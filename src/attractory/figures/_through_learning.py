"""What networks are like at one step of their training after the other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._points import NAMED, number_of_kind, of_kind
from attractory.figures._style import (
    BLUE,
    CATEGORIES,
    DOUBLE,
    MARKERS,
    SINGLE,
    SKY,
    legend_below,
    letter,
    new_figure,
    plain,
)
from attractory.population import Learning, PointsThroughLearning

COLUMNS = 3
NAMES = {
    "mse": "Mean squared error",
    "n_outside": "Outside the circle",
    "n_fixed_points": "Fixed points",
    "n_attractors": "Attractors",
    "n_saddles": "Saddles",
    "n_saddles_of_index_1": "Saddles of index 1",
}  # of measures whose own names are no words


@drawn
def through_learning(
    learning: Learning, points: PointsThroughLearning | None = None, unit: str = "updates"
) -> Figure:
    """Measures at one step of training after the other, a panel each.

    Parameters
    ----------
    learning : Learning
        The measures; where it has distances to the last step, these get a panel, too.
    points : PointsThroughLearning, optional
        Gets a panel with the number of fixed points of each number of unstable dimensions.
    unit : str
        What steps are counted in.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each measure.

    Notes
    -----
    Of several networks each is a thin line, their mean (of those that have a number) a bold one.
    """
    one_of("learning", learning, Learning)
    if points is not None:
        one_of("points", points, PointsThroughLearning)
    panels = [(_label(name, learning.units[name]), learning[name]) for name in learning.names]
    if learning.metric:
        label = f"To the last step\n({plain(learning.metric)}, {learning.metric_unit})"
        panels.append((label, learning.to_last))
    count = len(panels) + (points is not None)
    columns = min(COLUMNS, count)
    rows = math.ceil(count / columns)
    figure = new_figure(SINGLE if columns == 1 else DOUBLE, 10 + 46 * rows)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for unused in grid[count:]:
        unused.remove()
    for axes, (label, values) in zip(grid, panels, strict=False):
        _draw(axes, learning.steps, values)
        axes.set_ylabel(label)
    handles = _handles(len(learning.net))
    if points is not None:
        handles += _draw_counts(grid[count - 1], points)
    for i, axes in enumerate(grid[:count]):
        axes.set_xlabel(f"Training step ({plain(unit)})")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        if count > 1:
            letter(axes, i)
    if handles:
        legend_below(figure, handles, 4)
    return figure


def _label(name: str, unit: str) -> str:
    own, at, epoch = name.partition("@")
    words = NAMES.get(own, own.replace("_", " ").capitalize())
    return f"{plain(words)}{at and plain(f', {epoch}')}\n({unit or 'dimensionless'})"


def _draw(axes: Any, steps: np.ndarray, values: np.ndarray) -> None:
    """values (step, network)."""
    if values.shape[1] > 1:
        axes.plot(steps, values, color=SKY, linewidth=0.5)
    known = np.isfinite(values)
    counts = np.maximum(known.sum(axis=1), 1)
    sums = np.where(known, values, 0.0).sum(axis=1)
    mean = np.where(known.any(axis=1), sums / counts, np.nan)
    axes.plot(steps, mean, color=BLUE, linewidth=1.4, marker="o", markersize=2.5)


def _draw_counts(axes: Any, points: PointsThroughLearning) -> list[Line2D]:
    """How many points there are of each kind; returns the entries of a legend."""
    numbers = [number_of_kind(each) for each in points.points]
    handles = []
    for kind in range(NAMED + 2):
        counts = [int((number == kind).sum()) for number in numbers]
        if any(counts):
            look: dict[str, Any] = {
                "color": CATEGORIES[kind], "marker": MARKERS[kind], "markersize": 3,
                "linewidth": 1.0, "label": of_kind(kind),
            }  # fmt: skip
            axes.plot(points.steps, counts, **look)
            handles.append(Line2D([], [], **look))
    axes.set_ylabel(f"Fixed points of\nnetwork {points.net} (number)")
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_ylim(0, None)
    return handles


def _handles(nets: int) -> list[Line2D]:
    if nets == 1:
        return []
    bold: dict[str, Any] = {"color": BLUE, "linewidth": 1.4, "marker": "o", "markersize": 2.5}
    return [
        Line2D([], [], color=SKY, linewidth=0.5, label="one network"),
        Line2D([], [], label=f"mean of {nets} networks", **bold),
    ]
