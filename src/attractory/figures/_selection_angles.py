"""How the line of slow states and its selection vectors lie to axes of task variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory._errors import InvalidSetting
from attractory.analysis import SelectionAngles
from attractory.figures._check import by_own_name
from attractory.figures._drawn import drawn
from attractory.figures._settings import font
from attractory.figures._style import (
    BLACK,
    CATEGORIES,
    DOUBLE,
    MARKERS,
    legend_below,
    letter,
    new_figure,
    plain,
)

MOST_AXES = 12  # whose names have room below a panel
SPREAD = 0.5  # of the place of an axis, over which its inputs are spread


@drawn
def selection_angles(
    angles: SelectionAngles | Sequence[SelectionAngles] | Mapping[str, SelectionAngles],
) -> Figure:
    """Angles of the line and of the selection vectors with axes.

    Parameters
    ----------
    angles : SelectionAngles, sequence of SelectionAngles or mapping of str to SelectionAngles
        With the same axes (up to 12), under one constant input or several: a colour each. In a
        mapping by what the inputs are called, otherwise by what the task calls them.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels.

    Notes
    -----
    A: the direction of the line and those along which states carry the variables. B: the selection
    vector and the directions that read the variables from the states. Points: states; bars: their
    median; dashed: 5 % of random directions are nearer (of random planes at states where the
    slowest modes are a complex pair).
    """
    found = by_own_name("angles", angles, SelectionAngles)
    first = next(iter(found.values()))
    if any(each.axes != first.axes for each in found.values()):
        raise InvalidSetting("angles are with other axes in some; all must be with the same")
    if len(first.axes) > MOST_AXES:
        raise InvalidSetting(
            f"angles are with {len(first.axes)} axes; at most {MOST_AXES} are drawn"
        )
    figure = new_figure(DOUBLE, 82)
    panels = figure.subplots(1, 2, sharey=True)
    handles = []
    for i, (name, each) in enumerate(found.items()):
        look: dict[str, Any] = {
            "color": CATEGORIES[i % len(CATEGORIES)],
            "marker": MARKERS[i % len(MARKERS)],
        }
        shift = SPREAD * ((i + 0.5) / len(found) - 0.5)
        _draw(panels[0], each.line, shift, look)
        _draw(panels[1], each.selection, shift, look)
        handles.append(
            Line2D([], [], **look, linestyle="none", markersize=4, label=plain(name) or "states")
        )
    for axes, title in zip(panels, ("line", "selection vector"), strict=True):
        _draw_chance(axes, list(found.values()))
        axes.set_title(title, fontsize=font(7))
    panels[0].set_ylabel("Angle (°)")
    letter(panels[0], 0)
    letter(panels[1], 1)
    dashed = Line2D([], [], color=BLACK, linestyle="--", linewidth=0.8, label="chance (95 %)")
    legend_below(figure, [*handles, dashed], 4)
    return figure


def _draw(axes: Any, angles: np.ndarray, shift: float, look: dict[str, Any]) -> None:
    """Points (state, axis), spread a little, and their medians."""
    rng = np.random.default_rng(0)  # how points are spread is the same each time
    known = angles[np.isfinite(angles).all(axis=1)]
    for axis, values in enumerate(known.T):
        spread = rng.uniform(-0.06, 0.06, len(values))
        axes.plot(
            axis + shift + spread, values, **look, linestyle="none", markersize=3,
            markeredgewidth=0, alpha=0.6, rasterized=len(values) > 1000,
        )  # fmt: skip
        if len(values):
            axes.plot(
                [axis + shift - 0.12, axis + shift + 0.12], [np.median(values)] * 2,
                color=look["color"], linewidth=2,
            )  # fmt: skip


def _draw_chance(axes: Any, found: list[SelectionAngles]) -> None:
    """Of lines, of planes, or of both."""
    chances = np.concatenate([each.chance[each.known] for each in found])
    for row in np.unique(chances, axis=0):
        for axis, chance in enumerate(row):
            axes.plot(
                [axis - 0.4, axis + 0.4], [chance] * 2, color=BLACK, linestyle="--", linewidth=0.8
            )
    names = [plain(name) for name in found[0].axes]
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(-3, 93), yticks=[0, 30, 60, 90])
