"""The measures of a population, group beside group."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._settings import font
from attractory.figures._style import (
    BLACK,
    CATEGORIES,
    DOUBLE,
    GREY,
    MARKERS,
    legend_below,
    letter,
    new_figure,
    plain,
)
from attractory.population import Measures

COLUMNS = 4  # of panels
PANEL = 46.0  # height of a row of panels (mm)
SPREAD = 0.28  # half of the width, between groups, over which the points of one are spread
LONGEST = 26  # letters beside a panel
ALL = "all networks"  # where there are no groups


@drawn
def measures(measures: Measures) -> Figure:
    """Each measure of every network, group beside group, with means and 95 % intervals.

    Parameters
    ----------
    measures : Measures
        Of a population, in groups or not.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each measure.

    Notes
    -----
    A point is a network; the bold bar is the mean of the group, the line across it the mean's 95 %
    interval (see `Measures.intervals`). Above each panel stands what a larger number means.
    """
    one_of("measures", measures, Measures)
    count = len(measures.names)
    columns = min(count, COLUMNS)
    rows = -(-count // columns)
    figure = new_figure(DOUBLE * max(columns, 2) / COLUMNS, PANEL * rows + 14)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    intervals = measures.intervals()
    for i, name in enumerate(measures.names):
        own = intervals[intervals["measure"] == name]
        _draw_measure(grid[i], measures, name, own)
        if count > 1:
            letter(grid[i], _letters(i))
    for axes in grid[count:]:
        axes.remove()
    legend_below(figure, _legend(), 3)
    return figure


def _letters(which: int) -> str:
    """A to Z, then AA and so on."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return letters[which] if which < 26 else letters[which // 26 - 1] + letters[which % 26]


def _draw_measure(axes: Any, measures: Measures, name: str, intervals: pd.DataFrame) -> None:
    labels = np.array(measures.group or [""] * len(measures))
    rows = intervals[["group", "mean", "low", "high"]].to_numpy()
    for place, (group, *numbers) in enumerate(rows):
        _draw_group(axes, place, measures[name][labels == group], *numbers)
    names = [plain(group) or ALL for group in intervals["group"]]
    turned = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if len(names) > 2 else {}
    axes.set_xticks(np.arange(len(names)), names, **turned)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.set_ylabel(_label(name, measures.units[name]))
    words = plain(measures.larger[name])
    axes.set_title(f"↑ {words}", loc="right", fontsize=font(6.5), color=GREY)


def _draw_group(
    axes: Any, place: int, values: np.ndarray, mean: float, low: float, high: float
) -> None:
    values = np.sort(values[~np.isnan(values)])
    axes.plot(
        place + _beside(values),
        values,
        MARKERS[place % len(MARKERS)],
        color=CATEGORIES[place % len(CATEGORIES)],
        markersize=3,
        alpha=0.7,
        markeredgewidth=0,
    )
    if not np.isnan(mean):
        axes.plot([place - SPREAD, place + SPREAD], [mean, mean], color=BLACK, linewidth=1.4)
        axes.plot([place, place], [low, high], color=BLACK, linewidth=0.8)


def _label(name: str, unit: str) -> str:
    """A measure and its unit, on two lines where one is too long for a panel."""
    words, unit = plain(name.replace("_", " ").replace("@", ", ")), f"({plain(unit)})" * bool(unit)
    between = "\n" if len(words) + len(unit) > LONGEST else " "
    return f"{words}{between}{unit}".strip()


def _beside(values: np.ndarray) -> np.ndarray:
    """How far sorted points stand from the middle of their group: those alike beside each other."""
    if len(values) < 2:
        return np.zeros(len(values))
    # the golden ratio spreads neighbours in the order evenly, whatever their number
    return SPREAD * (2 * (0.5 + 0.6180339887 * np.arange(len(values))) % 2 - 1)


def _legend() -> list[Line2D]:
    point = {"linestyle": "none", "marker": MARKERS[0], "markersize": 3, "markeredgewidth": 0}
    return [
        Line2D([], [], color=GREY, label="network", **point),  # type: ignore[arg-type]
        Line2D([], [], color=BLACK, linewidth=1.4, label="mean"),
        Line2D([], [], color=BLACK, linewidth=0.8, label="95 % interval of the mean"),
    ]
