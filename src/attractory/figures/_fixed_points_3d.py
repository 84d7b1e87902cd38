"""Fixed points that turn under the reader's hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from attractory._errors import InvalidSetting
from attractory.analysis import Connections, FixedPoints, StateSpace
from attractory.figures._check import paired, several
from attractory.figures._held import check_dimensions
from attractory.figures._points import (
    Kind,
    check_match,
    kinds,
    oscillation_places,
    projected,
    read_out,
    sure,
    unstable_segments,
    ways,
)
from attractory.figures._style import BLACK, GREY
from attractory.figures._turning import MAX_POINTS, broken_line, layout, trajectory, xyz

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as PlotlyFigure

WAY = 60  # points of a way from a saddle to an attractor, where there is room for so many
# plotly draws these as characters: those that every font has, and how large they must be
_symbols = {
    "o": ("circle", 5), "s": ("square", 5), "^": ("diamond", 5), "D": ("cross", 9),
    "v": ("diamond-open", 5), "P": ("x", 5),
}  # fmt: skip


def fixed_points_3d(
    points: FixedPoints | Sequence[FixedPoints],
    space: StateSpace | Sequence[StateSpace],
    connections: Connections | Sequence[Connections] | None = None,
) -> PlotlyFigure:
    """The fixed points of one network or several in three dimensions, to be turned by hand.

    Parameters
    ----------
    points : FixedPoints or sequence of FixedPoints
        Those of each network.
    space : StateSpace or sequence of StateSpace
        Of each network, in the same order.
    connections : Connections or sequence of Connections, optional
        How the points of each network hang together.

    Returns
    -------
    plotly.graph_objects.Figure
        What `fixed_points` draws; a menu chooses the network.

    Notes
    -----
    Pointing at a point tells its number, unstable dimensions, whether they are proved, read-out and
    largest modulus of an eigenvalue. The figure holds the points themselves and about 4000 points
    of lines a network.
    """
    import plotly.graph_objects as go

    found = several("points", points, FixedPoints)
    spaces = several("space", space, StateSpace)
    if len(spaces) != len(found):
        raise InvalidSetting(f"space has {len(spaces)} entries, there are {len(found)} networks")
    joined = [connections] if isinstance(connections, Connections) else connections
    known = paired("connections", joined, len(found), Connections)
    check_dimensions(spaces)
    figure = go.Figure()
    owners: list[int] = []
    for i, (one, its_space, its) in enumerate(zip(found, spaces, known, strict=True)):
        check_match(one, its_space, its, f"[{i}]" if len(found) > 1 else "")
        traces = [trajectory(its_space, MAX_POINTS // 3), *_lines(one, its_space, its)]
        traces += [*markers(one, its_space), *_rings(its, its_space)]
        for trace in traces:
            figure.add_trace(go.Scatter3d(visible=i == 0, **trace))
        owners += [i] * len(traces)
    figure.update_layout(**layout(spaces, owners, "fixed points"))
    return figure


def markers(points: FixedPoints, space: StateSpace) -> list[dict[str, Any]]:
    """The points of each kind; those that are not proved in a hollow marker of their own."""
    places, proved = projected(space, points.states), sure(points)
    traces = []
    for kind in kinds(points):
        for filled in (True, False):
            own = kind.indices[proved[kind.indices] == filled]
            if len(own):
                traces.append(_marked(points, places, kind, own, filled))
    return traces


def _marked(
    points: FixedPoints, places: np.ndarray, kind: Kind, own: np.ndarray, filled: bool
) -> dict[str, Any]:
    symbol, size = _symbols[kind.marker]
    line = {"color": BLACK if filled else kind.color, "width": 1 if filled else 2}
    thin = symbol in ("cross", "diamond-open", "x")  # nothing inside of them to be left white
    if thin:
        symbol, line = symbol if filled else "circle-open", {"width": 0}
    return {
        **xyz(places[own]),
        "mode": "markers",
        "marker": {
            "color": kind.color if filled or thin else "white",
            "symbol": symbol,
            "size": size,
            "line": line,
        },
        "name": f"{kind.name}{'' if filled else ', not proved'} ({len(own)})",
        "text": [_told(points, int(i)) for i in own],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _told(points: FixedPoints, point: int) -> str:
    """What is said of a point that is pointed at."""
    count = int(points.n_unstable[point])
    words = [f"point {point}"]
    if points.kinked[point]:
        words.append("on a kink: no Jacobian here")
    else:
        words.append(
            f"{count} unstable dimension{'' if count == 1 else 's'}"
            + ("" if points.decided[point] else " (undecided)")
        )
        words.append("certified" if points.certified[point] else "not certified")
    if points.outputs.shape[1]:
        words.append(f"read-out {read_out(points.outputs[point])}")
    if not points.kinked[point]:
        words.append(f"largest |λ| {abs(points.eigenvalues[point, 0]):.3f}")
    return "<br>".join(words)


def _lines(
    points: FixedPoints, space: StateSpace, connections: Connections | None
) -> list[dict[str, Any]]:
    drawn = [("unstable direction", BLACK, 5, unstable_segments(points, space))]
    if connections is not None:
        room = MAX_POINTS // 2 // max(1, 2 * len(connections.edges))
        found = ways(connections, space, min(WAY, max(6, room)))
        drawn.append(("saddle to attractor", GREY, 2, found))
    return [
        {
            **xyz(broken_line(pieces)),
            "hoverinfo": "skip",
            "mode": "lines",
            "line": {"color": color, "width": width},
            "name": name,
        }
        for name, color, width, pieces in drawn
        if pieces
    ]


def _rings(connections: Connections | None, space: StateSpace) -> list[dict[str, Any]]:
    places = oscillation_places(connections, space)
    if connections is None or not len(places):
        return []
    found = connections.attractors.oscillations
    return [
        {
            **xyz(places),
            "mode": "markers",
            "marker": {"color": BLACK, "symbol": "circle-open", "size": 10},
            "name": f"oscillation (mean) ({len(places)})",
            "text": [
                f"{each.kind} oscillation<br>mean read-out {read_out(each.output_mean)}"
                for each in found
            ],
            "hovertemplate": "%{text}<extra></extra>",
        }
    ]
