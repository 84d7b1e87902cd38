"""Averages of states along the axes of task variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from attractory._errors import InvalidSetting, nearest, shown
from attractory.analysis import ConditionAverages, TaskAxes
from attractory.figures._check import one_of, several
from attractory.figures._drawn import drawn
from attractory.figures._looks import handles_of, in_words, looks_of, with_unit
from attractory.figures._settings import font
from attractory.figures._style import DOUBLE, SINGLE, legend_below, letter, new_figure, plain

MOST_COLUMNS = 4


@drawn
def task_axes(
    axes_of_task: TaskAxes,
    averages: ConditionAverages | Sequence[ConditionAverages],
    x: str | None = None,
    columns: str | None = None,
) -> Figure:
    """Averages of states along two axes of task variables (Mante et al. 2013, figures 2 and 5).

    Parameters
    ----------
    axes_of_task : TaskAxes
        The axes.
    averages : ConditionAverages or sequence of ConditionAverages
        Of states of the same network, a row of panels each. The colour tells their first condition,
        whose axis is the vertical one (where it is a variable of the axes), the line the next.
    x : str, optional
        The variable of the horizontal axis, the first when None.
    columns : str, optional
        The condition whose values have a column each, such as "context". All are in one when None.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each of the averages and value of `columns`. Dots: the end of each step; a
        circle: the first.
    """
    one_of("axes_of_task", axes_of_task, TaskAxes)
    rows = [
        _row(axes_of_task, one, x, columns)
        for one in several("averages", averages, ConditionAverages)
    ]
    values = list(dict.fromkeys(value for row in rows for value in row.values))
    if len(values) > MOST_COLUMNS:
        raise InvalidSetting(
            f"columns = {shown(columns)} has {len(values)} values; at most {MOST_COLUMNS} are drawn"
        )
    width = SINGLE if len(values) == 1 else DOUBLE
    figure = new_figure(width, 22 + len(rows) * min(64, (width - 15) / len(values)))
    grid = figure.subplots(len(rows), len(values), sharex=True, sharey="row", squeeze=False)
    for i, row in enumerate(rows):
        for j, value in enumerate(values):
            _draw(grid[i, j], row, value)
            if grid.size > 1:
                letter(grid[i, j], i * len(values) + j)
            if columns is not None:
                grid[i, j].set_title(f"{plain(columns)} = {in_words(value)}", fontsize=font(7))
        grid[i, 0].set_ylabel(f"{plain(row.names[1])} axis (a.u.)")
    for panel in grid[-1]:
        panel.set_xlabel(f"{plain(rows[0].names[0])} axis (a.u.)")
    _legend(figure, rows, columns, 3 if len(values) == 1 else 6)
    return figure


class Row(NamedTuple):
    """What is drawn in a row of panels.

    names: the variables of the two axes; positions: (condition, time, 2); of: the value of the
    condition that the columns tell apart (condition,); values: those that there are.
    """

    averages: ConditionAverages
    names: tuple[str, str]
    positions: np.ndarray
    of: np.ndarray
    values: list[Any]
    looks: list[Any]


def _row(
    axes_of_task: TaskAxes, averages: ConditionAverages, x: str | None, columns: str | None
) -> Row:
    if averages.of != "states":
        raise InvalidSetting("averages are of outputs; those of states lie in state space")
    names = _two_variables(axes_of_task, averages, x)
    if columns is not None and columns not in averages.by:
        raise InvalidSetting(
            f"columns = {shown(columns)} is not what the averages are by; "
            + nearest(columns, averages.by)
        )
    which = [axes_of_task.variables.index(name) for name in names]
    positions = axes_of_task.project(averages.averages)[..., which]
    of = np.zeros(len(positions)) if columns is None else averages.conditions[columns]
    looks = looks_of(averages, columns)
    return Row(averages, names, positions, of, list(dict.fromkeys(of.tolist())), looks)


def _two_variables(
    axes_of_task: TaskAxes, averages: ConditionAverages, x: str | None
) -> tuple[str, str]:
    """Those of the horizontal and of the vertical axis."""
    known = axes_of_task.variables
    first = known[0] if x is None else x
    if first not in known:
        raise InvalidSetting(f"x = {shown(x)} is no variable of the axes; {nearest(first, known)}")
    others = [name for name in known if name != first]
    if not others:
        raise InvalidSetting(f"the axes are of {first} alone; two variables are needed")
    own = [name for name in averages.by[:1] if name in others]
    return first, (own or others)[0]


def _draw(panel: Any, row: Row, value: Any) -> None:
    small = {"marker": "o", "markersize": 1.6, "markeredgewidth": 0}
    for positions, of, look in zip(row.positions, row.of, row.looks, strict=True):
        if of != value:
            continue
        panel.plot(*positions.T, color=look.color, linestyle=look.line, linewidth=0.8, **small)
        first = positions[np.isfinite(positions[:, 0])][:1]
        panel.plot(
            *first.T, "o", markersize=4, markerfacecolor="white", markeredgecolor=look.color,
            markeredgewidth=0.8,
        )  # fmt: skip


def _legend(figure: Any, rows: list[Row], columns: str | None, across: int) -> None:
    """One for all rows where they have the same values; else each value with its condition."""
    labels = [[str(one.get_label()) for one in handles_of(row.averages, columns)] for row in rows]
    same = all(each == labels[0] for each in labels)
    if same:
        by_row = [[name for name in row.averages.by if name != columns] for row in rows]
        colored = dict.fromkeys(names[0] for names in by_row if names)
        title = ", ".join(with_unit(name) for name in colored)
        handles = handles_of(rows[0].averages, columns)
    else:
        title = ""
        each = [one for row in rows for one in handles_of(row.averages, columns, named=True)]
        handles = list({str(one.get_label()): one for one in each}.values())
    if handles:
        legend_below(figure, handles, across, title)
