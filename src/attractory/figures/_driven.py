"""What is drawn of constant inputs: the slow sets and the fixed points under each of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.lines import Line2D

from attractory._errors import InvalidSetting
from attractory.analysis import FixedPoints, SlowSet, SlowSets, StateSpace
from attractory.figures._check import by_name
from attractory.figures._points import Kind, kinds, projected
from attractory.figures._style import BLACK, GREEN, GREY, ORANGE, SKY, YELLOW, plain

WINE = "#882255"  # of Tol's muted colours, told from those of Okabe & Ito by its lightness
# of the inputs, those first that no usual number of unstable dimensions has
COLORS = (WINE, SKY, BLACK, ORANGE, GREEN, YELLOW)


class Driven(NamedTuple):
    """Under one constant input: its name and colour, slow sets and fixed points, where given."""

    name: str
    color: str
    sets: SlowSets | None
    points: FixedPoints | None


def all_driven(sets: Any, driven: Any, space: StateSpace) -> list[Driven]:
    """Slow sets and fixed points by the name of their input: the same name has one colour."""
    slow = slow_by_name(sets, space)
    points = by_name("driven", driven, FixedPoints)
    for name, each in points.items():
        check_units(f"driven[{name!r}]", each.states, space)
    names = list(dict.fromkeys([*slow, *points]))
    colors = [COLORS[i % len(COLORS)] for i in range(len(names))]
    return [
        Driven(name, color, slow.get(name), points.get(name))
        for name, color in zip(names, colors, strict=True)
    ]


def slow_by_name(sets: Any, space: StateSpace) -> dict[str, SlowSets]:
    """Slow sets of the network of a space by the name of their input."""
    slow = by_name("sets", sets, SlowSets)
    for name, each in slow.items():
        for one in each.sets:
            check_units(f"sets[{name!r}]", one.states, space)
    return slow


def check_units(which: str, states: np.ndarray, space: StateSpace) -> None:
    """InvalidSetting where states (state, unit) are not of the network of a space."""
    units = space.components.shape[1]
    if states.shape[1] != units:
        raise InvalidSetting(
            f"{which} is of {states.shape[1]} units, space of {units}; they must be of one network"
        )


def in_panel(axes: Any, places: np.ndarray) -> Any:
    """Places (place, 3) as the coordinates that a panel of three or two dimensions takes."""
    return places[:, : 3 if axes.name == "3d" else 2].T


def scatter(axes: Any, places: np.ndarray, **look: Any) -> Any:
    """Markers in a panel of three or two dimensions, above its lines."""
    solid = {"depthshade": False} if axes.name == "3d" else {"zorder": 3}
    return axes.scatter(*in_panel(axes, places), **solid, **look)


def draw_set(axes: Any, one: SlowSet, space: StateSpace, color: str) -> None:
    """A line, ring or chain as a line; a plane as its states; a point as a marker."""
    places = projected(space, one.states)
    if one.in_order:
        path = np.concatenate([places, places[:1]]) if one.closed else places
        axes.plot(*in_panel(axes, path), color=color, linewidth=2.0, label=f"slow {one.kind}")
        return
    look = {"color": color, "linewidths": 0, "label": f"slow {one.kind}"}
    scatter(axes, places, s=14 if one.kind == "point" else 5, **look)


def draw_driven(axes: Any, found: list[Driven], space: StateSpace, size: float) -> list[Line2D]:
    """The slow sets and fixed points of each input in its colour.

    The legend's handles: a colour for each input, then a marker for each kind of fixed points.
    """
    handles, markers = [], {}
    for each in found:
        if each.sets is not None:
            for one in each.sets.sets:
                if one.kind != "point" or each.points is None:  # else its fixed points stand there
                    draw_set(axes, one, space, each.color)
        if each.points is not None:
            for kind in _draw_points(axes, each, each.points, space, size):
                label = f"{kind.name}, under input"
                markers[kind.marker] = _handle(label, GREY, kind.marker, False)
        handles.append(
            _handle(_shown(each), each.color, "o" if each.points else "none", bool(each.sets))
        )
    return handles + list(markers.values())


def _draw_points(
    axes: Any, driven: Driven, points: FixedPoints, space: StateSpace, size: float
) -> list[Kind]:
    """Fixed points under one input: in its colour, with the marker of their kind."""
    found = kinds(points)
    for kind in found:
        places = projected(space, points.states[kind.indices])
        look: dict[str, Any] = {"color": driven.color, "marker": kind.marker}
        label = f"{driven.name}: {kind.name}"
        scatter(axes, places, s=size, edgecolors=BLACK, linewidths=0.8, label=label, **look)
    return found


def _shown(driven: Driven) -> str:
    """What the legend says of an input."""
    what = "slow set" if driven.points is None else ""
    if not driven.name:
        return what or "under input"
    return f"{plain(driven.name)}: {what}" if what else plain(driven.name)


def _handle(label: str, color: str, marker: str, line: bool) -> Line2D:
    look: dict[str, Any] = {"markeredgecolor": BLACK, "markeredgewidth": 0.8, "markersize": 4.5}
    look |= {"color": color, "marker": marker, "linestyle": "-" if line else "none"}
    return Line2D([], [], linewidth=2.0, label=label, **look)
