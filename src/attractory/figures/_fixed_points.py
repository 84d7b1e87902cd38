"""The fixed points of a network in its state space."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory.analysis import Connections, FixedPoints, StateSpace
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._held import check_dimensions, label_solid
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
    points: FixedPoints, space: StateSpace, connections: Connections | None = None
) -> Figure:
    """Fixed points in the three leading components of a state space.

    Parameters
    ----------
    points : FixedPoints
        Those of one network.
    space : StateSpace
        Of the same network, with at least three components.
    connections : Connections, optional
        How these points hang together: the ways are drawn, too.

    Returns
    -------
    matplotlib.figure.Figure
        One panel in three dimensions.

    Notes
    -----
    Colour and marker tell the number of unstable dimensions; hollow markers are points of which
    the existence or that number is not proved. Short lines: unstable directions of points that
    have one or two, all drawn equally long. Pale lines: the trajectories of the space. With
    `connections`: the ways, simulated without noise, from each saddle that joins two attractors to
    both of them (thin dark lines), and each oscillation as a ring at its mean.
    """
    one_of("points", points, FixedPoints)
    one_of("space", space, StateSpace)
    if connections is not None:
        one_of("connections", connections, Connections)
    check_dimensions([space])
    check_match(points, space, connections)
    figure = new_figure(DOUBLE, 102)
    axes: Any = figure.add_subplot(projection="3d")
    handles = [_draw_trajectories(axes, space)]
    if connections is not None:
        handles += _draw_ways(axes, connections, space)
    handles = _draw_points(axes, points, space) + _draw_rings(axes, connections, space) + handles
    label_solid(axes, space, size=7, pad=-5, zoom=1.02)
    _widen(axes, extent(space, points))
    legend_beside(figure, handles)
    return figure


def _draw_trajectories(axes: Any, space: StateSpace) -> Line2D:
    """As many trials as fit into TRAJECTORY points, each in full."""
    trials = max(1, TRAJECTORY // space.coordinates.shape[1])
    every = -(-space.coordinates.shape[1] // TRAJECTORY)
    for trial in space.coordinates[:trials, ::every, :3]:
        axes.plot(*trial.T, color=PALE, linewidth=0.4, rasterized=True)
    return Line2D([], [], color=PALE, linewidth=0.8, label="trajectory")


def _draw_ways(axes: Any, connections: Connections, space: StateSpace) -> list[Line2D]:
    found = ways(connections, space, WAY)
    for way in found:
        axes.plot(*way.T, color="#404040", linewidth=0.5, label="way")
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
                axes.scatter(
                    *places[own].T,
                    s=SIZE,
                    marker=kind.marker,
                    color=kind.color if filled else "white",
                    edgecolors=BLACK if filled else kind.color,
                    linewidths=0.3 if filled else 1.0,
                    depthshade=False,
                    label=kind.name,
                )
        handles.append(_handle(kind.marker, kind.color, kind.label, markeredgewidth=0.3))
    if not proved.all():
        label = f"{HOLLOW} ({int((~proved).sum())})"
        look = {"markerfacecolor": "white", "markeredgecolor": GREY}
        handles.append(_handle("o", GREY, label, **look))
    if segments:
        for segment in segments:
            axes.plot(*segment.T, color=BLACK, linewidth=1.0, label="unstable direction")
        handles.append(Line2D([], [], color=BLACK, linewidth=1.0, label="unstable direction"))
    return handles


def _draw_rings(axes: Any, connections: Connections | None, space: StateSpace) -> list[Line2D]:
    rings = oscillation_places(connections, space)
    if not len(rings):
        return []
    axes.scatter(
        *rings.T,
        s=4 * SIZE,
        facecolors="none",
        edgecolors=BLACK,
        linewidths=1.0,
        depthshade=False,
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
    for name in "xyz":
        low, high = getattr(axes, f"get_{name}lim")()
        if high - low < 1e-6 * size:
            getattr(axes, f"set_{name}lim")((low + high - size) / 2, (low + high + size) / 2)
