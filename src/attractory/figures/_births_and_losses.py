"""What becomes of fixed points in the course of training."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from attractory._arguments import indices
from attractory._errors import InvalidSetting
from attractory.analysis import Fate, FixedPoints
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._points import HOLLOW, NAMED, number_of_kind, of_kind, sure
from attractory.figures._style import (
    BLACK,
    CATEGORIES,
    DOUBLE,
    GREY,
    MARKERS,
    PALE,
    legend_below,
    letter,
    new_figure,
    plain,
)
from attractory.population import PointsThroughLearning

MOST = 3  # outputs that are drawn, unless they are named
MIXED = -1  # the kind of a curve whose two points are of different kinds
_events: dict[str, dict[str, Any]] = {
    "born at a fold": {"marker": "<", "color": BLACK},
    "lost at a fold": {"marker": ">", "color": BLACK},
    "born at a pitchfork": {"marker": "<", "color": BLACK, "markerfacecolor": "white"},
    "lost at a pitchfork": {"marker": ">", "color": BLACK, "markerfacecolor": "white"},
    "unexplained": {"marker": "x", "color": GREY},
}


@drawn
def births_and_losses(
    found: PointsThroughLearning, outputs: Any = None, unit: str = "updates"
) -> Figure:
    """Fixed points through training: read-out against step, with births and losses.

    Parameters
    ----------
    found : PointsThroughLearning
        The points at each step, and what becomes of them.
    outputs : sequence of int, optional
        The outputs that get a panel; the first three when None.
    unit : str
        What steps are counted in.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each output.

    Notes
    -----
    Markers are the points at the kept steps, by their number of unstable dimensions; hollow, where
    that or the point itself is not proved. Lines are the curves that were followed on the straight
    line between the weights; one has the colour of its points, and is grey where the two that it
    leads from and to are of different kinds. A pair is born where a curve has its outermost turn.
    """
    one_of("found", found, PointsThroughLearning)
    chosen = _channels(found, outputs)
    figure = new_figure(DOUBLE, 40 + 44 * len(chosen))
    panels = figure.subplots(len(chosen), 1, sharex=True, squeeze=False).ravel()
    for i, (axes, channel) in enumerate(zip(panels, chosen, strict=True)):
        _draw_curves(axes, found, channel)
        for step, points in zip(found.steps, found.points, strict=True):
            _draw_points(axes, step, points, channel)
        axes.set_ylabel(f"Output {channel + 1} (a.u.)")
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        if len(chosen) > 1:
            letter(axes, i)
    panels[-1].set_xlabel(f"Training step ({plain(unit)})")
    legend_below(figure, _legend(found), 3)
    return figure


def _channels(found: PointsThroughLearning, outputs: Any) -> list[int]:
    count = found.points[0].outputs.shape[1]
    if outputs is None:
        return list(range(min(MOST, count)))
    chosen: list[int] = indices("outputs", outputs).tolist()
    if not chosen or not all(0 <= each < count for each in chosen):
        raise InvalidSetting(f"outputs = {chosen} is not allowed: from 0 to {count - 1}")
    return chosen


def _draw_curves(axes: Any, found: PointsThroughLearning, channel: int) -> None:
    ends = zip(pairwise(found.steps), pairwise(found.points), found.fates, strict=True)
    for (first, last), (before, after), fates in ends:
        for fate in fates:
            steps, values = first + fate.shares * (last - first), fate.outputs[:, channel]
            if fate.kind == "unexplained":
                axes.plot(steps[:1], values[:1], **_event(fate.kind))
                continue
            for part, kind in _parts(fate, before, after):
                color = PALE if kind == MIXED else CATEGORIES[kind]
                axes.plot(steps[part], values[part], color=color, linewidth=0.8, zorder=2)
            if fate.kind != "goes on":
                turn = _turn(fate)
                axes.plot(steps[turn], values[turn], **_event(fate.kind))


def _parts(fate: Fate, before: FixedPoints, after: FixedPoints) -> list[tuple[slice, int]]:
    """The pieces of a curve, and the kind of the points that each leads to."""
    kinds = [_kind(before, point) for point in fate.before]
    kinds += [_kind(after, point) for point in fate.after]
    if fate.kind == "goes on":
        return [(slice(None), kinds[0] if kinds[0] == kinds[1] else MIXED)]
    turn = _turn(fate)
    return [(slice(None, turn + 1), kinds[0]), (slice(turn, None), kinds[1])]


def _kind(points: FixedPoints, point: int) -> int:
    return MIXED if point < 0 else int(number_of_kind(points)[point])


def _turn(fate: Fate) -> int:
    """The place of the outermost turn, where a pair is born or lost."""
    away = np.abs(fate.shares - fate.shares[0])
    return int(away.argmax())


def _draw_points(axes: Any, step: float, points: FixedPoints, channel: int) -> None:
    kinds, proved = number_of_kind(points), sure(points)
    for kind in np.unique(kinds)[::-1]:  # stable ones on top
        for filled in (True, False):
            own = (kinds == kind) & (proved == filled)
            if own.any():
                values = points.outputs[own, channel]
                axes.plot(np.full(len(values), step), values, **_point(int(kind), filled))


def _point(kind: int, filled: bool = True) -> dict[str, Any]:
    color = CATEGORIES[kind]
    return {
        "linestyle": "none", "marker": MARKERS[kind], "markersize": 4, "color": color,
        "markerfacecolor": color if filled else "white", "markeredgewidth": 0.5,
        "markeredgecolor": BLACK if filled else color, "zorder": 4, "clip_on": False,
    }  # fmt: skip


def _event(kind: str) -> dict[str, Any]:
    return {
        "linestyle": "none", "markersize": 3.2, "markeredgewidth": 0.7, "zorder": 5,
        **_events[kind],
    }  # fmt: skip


def _mixed(found: PointsThroughLearning) -> bool:
    """Whether there is a curve whose colour tells no kind."""
    return any(
        kind == MIXED
        for (before, after), fates in zip(pairwise(found.points), found.fates, strict=True)
        for fate in fates
        if fate.kind != "unexplained"
        for _, kind in _parts(fate, before, after)
    )


def _legend(found: PointsThroughLearning) -> list[Line2D]:
    there = np.unique(np.concatenate([number_of_kind(each) for each in found.points]))
    handles = []
    for kind in range(NAMED + 2):
        if kind in there:
            look = {**_point(kind), "clip_on": True}
            handles.append(Line2D([], [], label=of_kind(kind), **look))
    if not all(sure(each).all() for each in found.points):
        look = {**_point(0, filled=False), "clip_on": True, "markeredgecolor": GREY}
        handles.append(Line2D([], [], label=HOLLOW, **look))
    if _mixed(found):
        handles.append(
            Line2D([], [], color=PALE, linewidth=0.8, label="of one kind before, another after")
        )
    happened = {fate.kind for fates in found.fates for fate in fates}
    for event in _events:
        if event in happened:
            handles.append(Line2D([], [], label=event, **_event(event)))
    return handles
