"""Slow sets in state space, and the drift along them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory._errors import InvalidSetting
from attractory.analysis import SlowSet, SlowSets, StateSpace
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._driven import draw_set, slow_by_name
from attractory.figures._held import DRAWN_TRIALS, check_dimensions, label_solid
from attractory.figures._settings import font
from attractory.figures._style import (
    CATEGORIES,
    DOUBLE,
    GREY,
    PALE,
    legend_below,
    letter,
    new_figure,
    plain,
)


@drawn
def slow_sets(
    sets: SlowSets | Sequence[SlowSets] | Mapping[str, SlowSets], space: StateSpace
) -> Figure:
    """Slow sets in the three leading components of a state space, and the drift along them.

    Parameters
    ----------
    sets : SlowSets, sequence of SlowSets or mapping of str to SlowSets
        Those of one network, under one constant input or several (such as the two contexts of a
        task); in a mapping by what the inputs are called.
    space : StateSpace
        Of the same network, with at least three components.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels, the first in three dimensions.

    Notes
    -----
    A: pale lines are trajectories; lines, rings and chains are drawn as lines, planes as their
    states, points as markers; a colour for each input. B: how far a state moves along each of these
    lines in a step, as a share of the trajectories' typical step, by its place from one end to the
    other; dashed: what counts as slow. Where the drift falls through 0 states come to rest.
    """
    one_of("space", space, StateSpace)
    check_dimensions([space])
    found = slow_by_name(sets, space)
    if not found:
        raise InvalidSetting("sets is empty; at least one SlowSets is needed")
    figure = new_figure(DOUBLE, 92)
    axes: Any = figure.add_subplot(1, 2, 1, projection="3d")
    drift: Any = figure.add_subplot(1, 2, 2)
    for trial in space.coordinates[:DRAWN_TRIALS, :, :3]:
        axes.plot(*trial.T, color=PALE, linewidth=0.4, rasterized=True)
    handles = [Line2D([], [], color=PALE, linewidth=0.8, label="trajectory")]
    for i, (name, each) in enumerate(found.items()):
        color = CATEGORIES[i % len(CATEGORIES)]
        for one in each.sets:
            draw_set(axes, one, space, color)
            _draw_drift(drift, one, each.typical_speed, color)
        label = plain(name) or "slow set"
        handles.append(Line2D([], [], color=color, linewidth=2.0, label=label))
    label_solid(axes, space, size=6, pad=-7, zoom=0.86)
    axes.text2D(0, 0.95, "A", transform=axes.transAxes, fontweight="bold", fontsize=font(9))
    _label_drift(drift, max(each.tolerance for each in found.values()))
    letter(drift, 1)
    legend_below(figure, handles, 4)
    return figure


def _draw_drift(axes: Any, one: SlowSet, typical_speed: float, color: str) -> None:
    if not one.in_order:
        return
    lengths = np.linalg.norm(np.diff(one.states, axis=0), axis=1)
    places = np.append(0.0, np.cumsum(lengths))
    axes.plot(places, 100 * one.drift[:, 0] / typical_speed, color=color, linewidth=1.2)


def _label_drift(axes: Any, tolerance: float) -> None:
    for side in (-1, 1):
        axes.axhline(100 * side * tolerance, color=GREY, linestyle="--", linewidth=0.8, zorder=0)
    axes.axhline(0, color=GREY, linewidth=0.5, zorder=0)
    axes.set_xlabel("Place along the set (a.u.)")
    axes.set_ylabel("Drift per step (% of the typical step)")
