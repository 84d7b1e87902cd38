"""The fixed points and slow sets of a network in its state space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory._errors import InvalidSetting, shown
from attractory.analysis import Connections, FixedPoints, SlowSets, StateSpace
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._driven import all_driven, draw_driven, in_panel, scatter
from attractory.figures._held import axis_labels, check_dimensions, label_solid
from attractory.figures._points import (
    HOLLOW,
    check_match,
    extent,
    kinds,
    oscillation_places,
    projected,
    sure,
    unstable_segments,
    ways,
)
from attractory.figures._style import (
    BLACK,
    DOUBLE,
    GREY,
    PALE,
    legend_beside,
    new_figure,
)

TRAJECTORY = 3000  # points of the trajectories that are drawn behind
WAY = 250  # points of a way from a saddle to an attractor
SIZE = 22  # area of a marker (pt²)


@drawn
def fixed_points(
    points: FixedPoints | None,
    space: StateSpace,
    connections: Connections | None = None,
    *,
    sets: SlowSets | Sequence[SlowSets] | Mapping[str, SlowSets] | None = None,
    driven: FixedPoints | Sequence[FixedPoints] | Mapping[str, FixedPoints] | None = None,
    dimensions: int = 3,
) -> Figure:
    """Fixed points and slow sets in the leading components of a state space.

    Parameters
    ----------
    points : FixedPoints or None
        Those of one network; None to draw `sets` and `driven` alone.
    space : StateSpace
        Of the same network, with at least three components.
    connections : Connections, optional
        How these points hang together: the ways are drawn, too.
    sets : SlowSets, sequence of SlowSets or mapping of str to SlowSets, optional
        Slow sets under one constant input or several, in a mapping by what the inputs are called.
    driven : FixedPoints, sequence of FixedPoints or mapping of str to FixedPoints, optional
        Fixed points under one constant input or several; those of a name in `sets` have its colour.
    dimensions : int
        In how many components it is drawn, 3 or 2.

    Returns
    -------
    matplotlib.figure.Figure
        One panel.

    Notes
    -----
    Colour and marker tell the number of unstable dimensions; hollow markers are points of which
    the existence or that number is not proved. Short lines: unstable directions of points that
    have one or two, all drawn equally long. Pale lines: the trajectories of the space. With
    `connections`: the ways, simulated without noise, from each saddle that joins two attractors to
    both of them (thin dark lines), and each oscillation as a ring at its mean. With `sets` and
    `driven`: a colour for each input; slow lines, rings and chains as thick lines, planes as their
    states; fixed points with the marker of their kind and a dark edge.
    """
    _check(points, space, connections, dimensions)
    under_input = all_driven(sets, driven, space)
    figure = new_figure(DOUBLE, 102)
    axes: Any = figure.add_subplot(projection="3d" if dimensions == 3 else None)
    behind = [_draw_trajectories(axes, space)]
    if connections is not None:
        behind += _draw_ways(axes, connections, space)
    handles = [] if points is None else _draw_points(axes, points, space)
    handles += _draw_rings(axes, connections, space)
    handles += draw_driven(axes, under_input, space, SIZE)
    _label(axes, space)
    _widen(axes, extent(space, points))
    legend_beside(figure, handles + behind)
    return figure


def _check(
    points: FixedPoints | None,
    space: StateSpace,
    connections: Connections | None,
    dimensions: int,
) -> None:
    if points is not None:
        one_of("points", points, FixedPoints)
    elif connections is not None:
        raise InvalidSetting("points = None is not allowed with connections; give theirs")
    one_of("space", space, StateSpace)
    if connections is not None:
        one_of("connections", connections, Connections)
    if dimensions not in (2, 3):
        raise InvalidSetting(f"dimensions = {shown(dimensions)} is not allowed: 2 or 3")
    check_dimensions([space])
    if points is not None:
        check_match(points, space, connections)


def _label(axes: Any, space: StateSpace) -> None:
    if axes.name == "3d":
        label_solid(axes, space, size=7, pad=-5, zoom=1.02)
        return
    names = axis_labels(space)
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])


def _draw_trajectories(axes: Any, space: StateSpace) -> Line2D:
    """As many trials as fit into TRAJECTORY points, each in full."""
    trials = max(1, TRAJECTORY // space.coordinates.shape[1])
    every = -(-space.coordinates.shape[1] // TRAJECTORY)
    for trial in space.coordinates[:trials, ::every, :3]:
        axes.plot(*in_panel(axes, trial), color=PALE, linewidth=0.4, rasterized=True)
    return Line2D([], [], color=PALE, linewidth=0.8, label="trajectory")


def _draw_ways(axes: Any, connections: Connections, space: StateSpace) -> list[Line2D]:
    found = ways(connections, space, WAY)
    for way in found:
        axes.plot(*in_panel(axes, way), color="#404040", linewidth=0.5, label="way")
    label = f"saddle to attractor ({len(found)})"
    return [Line2D([], [], color="#404040", linewidth=0.5, label=label)] if found else []


def _draw_points(axes: Any, points: FixedPoints, space: StateSpace) -> list[Line2D]:
    places, proved = projected(space, points.states), sure(points)
    segments = unstable_segments(points, space)
    handles = []
    for kind in kinds(points):
        for filled in (True, False):
            own = kind.indices[proved[kind.indices] == filled]
            if len(own):
                scatter(
                    axes,
                    places[own],
                    s=SIZE,
                    marker=kind.marker,
                    color=kind.color if filled else "white",
                    edgecolors=BLACK if filled else kind.color,
                    linewidths=0.3 if filled else 1.0,
                    label=kind.name,
                )
        handles.append(_handle(kind.marker, kind.color, kind.label, markeredgewidth=0.3))
    if not proved.all():
        label = f"{HOLLOW} ({int((~proved).sum())})"
        look = {"markerfacecolor": "white", "markeredgecolor": GREY}
        handles.append(_handle("o", GREY, label, **look))
    if segments:
        for segment in segments:
            axes.plot(
                *in_panel(axes, segment), color=BLACK, linewidth=1.0, label="unstable direction"
            )
        handles.append(Line2D([], [], color=BLACK, linewidth=1.0, label="unstable direction"))
    return handles


def _draw_rings(axes: Any, connections: Connections | None, space: StateSpace) -> list[Line2D]:
    rings = oscillation_places(connections, space)
    if not len(rings):
        return []
    scatter(
        axes,
        rings,
        s=4 * SIZE,
        facecolors="none",
        edgecolors=BLACK,
        linewidths=1.0,
        label="oscillation",
    )
    label = f"oscillation (mean) ({len(rings)})"
    look = {"markerfacecolor": "none", "markersize": 8, "markeredgewidth": 1.0}
    return [_handle("o", BLACK, label, **look)]


def _handle(marker: str, color: str, label: str, **look: Any) -> Line2D:
    shown = {"markersize": 4.5, "markeredgecolor": BLACK, **look}
    return Line2D([], [], linestyle="none", marker=marker, color=color, label=label, **shown)


def _widen(axes: Any, size: float) -> None:
    """A component in which nothing differs but by rounding errors is not blown up."""
    for name in "xyz" if axes.name == "3d" else "xy":
        low, high = getattr(axes, f"get_{name}lim")()
        if high - low < 1e-6 * size:
            getattr(axes, f"set_{name}lim")((low + high - size) / 2, (low + high + size) / 2)
