"""How robust a population is, axis by axis."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from attractory.evaluation import RobustnessCurve
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._robustness import ROWS, label_of, name_values, places
from attractory.figures._style import (
    BLACK,
    CATEGORIES,
    DOUBLE,
    GREY,
    MARKERS,
    SINGLE,
    legend_below,
    letter,
    new_figure,
    plain,
)
from attractory.population import Battery

COLUMNS = 4  # of panels in a row
ROW = 42.0  # height of a row (mm)
LETTERS = 24  # of a line of a label, as wide as a panel


@drawn
def battery(battery: Battery) -> Figure:
    """How the networks of each group do as one condition after the other varies, a panel an axis.

    Parameters
    ----------
    battery : Battery
        Of a population, with or without groups.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each axis.

    Notes
    -----
    Lines: means over the networks of a group; bands: their 95 % intervals. Diamonds on the dotted
    line, the level of the thresholds: where the networks of a group fall below it, filled the mean
    with its 95 % interval, open the median where not every network does. Grey lines: the value as
    trained (dashed) and chance (dash-dotted), where they are known.
    """
    one_of("battery", battery, Battery)
    count = len(battery.curves)
    rows = -(-count // COLUMNS)
    columns = min(count, COLUMNS)
    figure = new_figure(
        SINGLE if columns == 1 else DOUBLE, 22 + ROW * rows * (1.4 if rows == 1 else 1)
    )
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for spare in panels[count:]:
        spare.remove()
    means, thresholds = battery.means(), battery.thresholds()
    for i, (axes, curve) in enumerate(zip(panels, battery.curves, strict=False)):
        _draw_frame(axes, battery, curve)
        _draw_means(axes, curve, _of_axis(means, curve), battery)
        _draw_thresholds(axes, _of_axis(thresholds, curve), battery)
        name_values(axes, curve)
        if np.asarray(places(curve)).dtype.kind in "iu" and isinstance(curve.values, np.ndarray):
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.set_xlabel(textwrap.fill(label_of(curve), LETTERS))
        if count > 1:
            letter(axes, i)
        if i % columns == 0:
            axes.set_ylabel(ROWS[battery.score])
    panels[0].set_ylim(-0.04, 1.04)
    legend_below(figure, _legend(battery, thresholds), 4)
    return figure


def _of_axis(table: pd.DataFrame, curve: RobustnessCurve) -> pd.DataFrame:
    return table[table["axis"] == curve.vary] if len(table) else table


def _draw_frame(axes: Any, battery: Battery, curve: RobustnessCurve) -> None:
    """The level, chance, and the value as trained where it is among those that were tried."""
    axes.axhline(battery.level, color=BLACK, linestyle=":", linewidth=0.8, zorder=0)
    if _shows_chance(battery):
        axes.axhline(battery.chance, color=GREY, linestyle="-.", linewidth=0.8, zorder=0)
    trained, values = curve.trained, curve.values
    numbers = isinstance(values, np.ndarray) and isinstance(trained, (int, float))
    if numbers and min(values) <= trained <= max(values):
        axes.axvline(trained, color=GREY, linestyle="--", linewidth=0.8, zorder=0)


def _draw_means(axes: Any, curve: RobustnessCurve, means: pd.DataFrame, battery: Battery) -> None:
    along = np.asarray(places(curve), float)
    order = np.argsort(along, kind="stable")
    for look, group in zip(_looks(battery), battery.groups or ("",), strict=True):
        rows = means[means["group"] == group]
        mean, low, high = (rows[name].to_numpy()[order] for name in ("mean", "low", "high"))
        axes.plot(along[order], mean, linewidth=1.2, markersize=3, **look)
        axes.fill_between(along[order], low, high, color=look["color"], alpha=0.2, linewidth=0)


def _draw_thresholds(axes: Any, thresholds: pd.DataFrame, battery: Battery) -> None:
    """Diamonds on the level, of groups one above the other where they would hide each other."""
    colors = {
        group: look["color"]
        for group, look in zip(battery.groups or ("",), _looks(battery), strict=True)
    }
    for row in thresholds.to_dict("records"):
        color = colors[row["group"]]
        if np.isfinite(row["mean"]):
            ends = [row["low"], row["high"]]
            axes.plot(ends, [battery.level] * 2, color=color, linewidth=2.4, alpha=0.5)
            axes.plot(row["mean"], battery.level, color=color, **_diamond(color))
        elif np.isfinite(row["median"]) and 2 * row["below_from_start"] < row["networks"]:
            axes.plot(row["median"], battery.level, color=color, **_diamond("white"))


def _diamond(face: str) -> dict[str, Any]:
    return {"marker": "D", "markersize": 5, "markerfacecolor": face, "linestyle": "none"}


def _looks(battery: Battery) -> list[dict[str, Any]]:
    """Colour and marker of each group."""
    count = max(len(battery.groups), 1)
    return [
        {"color": CATEGORIES[i % len(CATEGORIES)], "marker": MARKERS[i % len(MARKERS)]}
        for i in range(count)
    ]


def _shows_chance(battery: Battery) -> bool:
    """Chance is known of trials, not of signs."""
    return battery.score == "correct" and battery.chance is not None


def _legend(battery: Battery, thresholds: pd.DataFrame) -> list[Line2D]:
    counts = [battery.group.count(group) for group in battery.groups] or [len(battery)]
    names = [plain(group) + ", " for group in battery.groups] or [""]
    handles = [
        Line2D([], [], label=f"{name}mean of {count}" if count > 1 else f"{name}one network",
               linewidth=1.2, markersize=3, **look)
        for name, count, look in zip(names, counts, _looks(battery), strict=True)
    ]  # fmt: skip
    thin: dict[str, Any] = {"linewidth": 0.8}
    handles.append(
        Line2D([], [], color=BLACK, linestyle=":", label=f"level {battery.level:.2g}", **thin)
    )
    handles += _diamonds_told(thresholds)
    handles.append(Line2D([], [], color=GREY, linestyle="--", label="as trained", **thin))
    if _shows_chance(battery):
        handles.append(Line2D([], [], color=GREY, linestyle="-.", label="chance", **thin))
    return handles


def _diamonds_told(thresholds: pd.DataFrame) -> list[Line2D]:
    """Those that there are."""
    if not len(thresholds):
        return []
    filled = np.isfinite(thresholds["mean"])
    median = ~filled & np.isfinite(thresholds["median"])
    told = [
        (filled, BLACK, "threshold, mean (95 %)"),
        (median, "white", "threshold, median (not reached by all)"),
    ]
    return [
        Line2D([], [], color=BLACK, label=label, **_diamond(face))
        for there, face, label in told
        if there.any()
    ]
