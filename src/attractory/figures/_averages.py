"""Averages over the trials of each condition, through time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from attractory._arguments import indices
from attractory._errors import InvalidSetting, shown
from attractory.analysis import ConditionAverages
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._looks import handles_of, looks_of, with_unit
from attractory.figures._settings import font
from attractory.figures._style import (
    DOUBLE,
    GREY,
    SINGLE,
    legend_below,
    letter,
    new_figure,
    plain,
)

MOST_PANELS = 12
USUAL_PANELS = 4
COLUMNS = 4
NEW_LINE = "\n"


@drawn
def condition_averages(
    averages: ConditionAverages, units: int | Sequence[int] | None = None
) -> Figure:
    """Averages of units, or of outputs, in each condition through time, a panel each.

    Parameters
    ----------
    averages : ConditionAverages
        By at most two conditions: the colour tells the first, the line the second (of up to 4
        values).
    units : int or sequence of int, optional
        Which units, or outputs, up to 12; when None, all outputs, or the 4 units whose averages
        differ most between conditions.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each unit. Lines: averages; bands: ± their standard error.
    """
    one_of("averages", averages, ConditionAverages)
    shown_units = _units(averages, units)
    columns = min(COLUMNS, len(shown_units))
    rows = -(-len(shown_units) // columns)
    figure = new_figure(SINGLE if columns == 1 else DOUBLE, 24 + 44 * rows)
    grid = figure.subplots(rows, columns, sharex=True, squeeze=False)
    for i, axes in enumerate(grid.flat):
        if i >= len(shown_units):
            axes.set_axis_off()
            continue
        _draw(axes, averages, int(shown_units[i]))
        if len(shown_units) > 1:
            letter(axes, i)
        if i + columns >= len(shown_units):
            axes.set_xlabel(time_label(averages.align, narrow=columns > 3))
            axes.xaxis.set_tick_params(labelbottom=True)
    for axes in grid[:, 0]:
        axes.set_ylabel("Output (a.u.)" if averages.of == "outputs" else "State (a.u.)")
    handles = handles_of(averages)
    if handles:
        legend_below(figure, handles, 3 if columns == 1 else 6, with_unit(averages.by[0]))
    return figure


def time_label(align: str | None, narrow: bool = False) -> str:
    """Of an axis of time after a moment of the trials."""
    if align is None:
        return "Time (ms)"
    return f"Time from{NEW_LINE if narrow else ' '}{plain(align)} onset (ms)"


def _units(averages: ConditionAverages, units: int | Sequence[int] | None) -> np.ndarray:
    """Those that are drawn; InvalidSetting for others than there are, or too many."""
    count = averages.averages.shape[-1]
    if units is None and averages.of == "outputs":
        return np.arange(min(count, MOST_PANELS))
    if units is None:
        means = np.nan_to_num(averages.averages)
        return np.argsort(-means.var(axis=0).sum(axis=0), kind="stable")[:USUAL_PANELS]
    found = indices("units", units)
    if not 1 <= len(found) <= MOST_PANELS:
        raise InvalidSetting(f"units has {len(found)} entries; 1 to {MOST_PANELS} are drawn")
    if found.min() < 0 or found.max() >= count:
        raise InvalidSetting(f"units = {shown(units)} is not allowed: each from 0 to {count - 1}")
    return found


def _draw(axes: Any, averages: ConditionAverages, unit: int) -> None:
    time = averages.time_ms
    for i, look in enumerate(looks_of(averages)):
        mean, error = averages.averages[i, :, unit], averages.sem[i, :, unit]
        axes.plot(time, mean, color=look.color, linestyle=look.line, linewidth=1)
        axes.fill_between(
            time, mean - error, mean + error, color=look.color, alpha=0.25, linewidth=0
        )
    if averages.align is not None and time[0] < 0 < time[-1]:
        axes.axvline(0, color=GREY, linewidth=0.6, zorder=0)
    named = averages.of == "outputs" and unit < len(averages.names)
    kind = "output" if averages.of == "outputs" else "unit"
    axes.set_title(plain(averages.names[unit]) if named else f"{kind} {unit}", fontsize=font(7))
