"""Which attractors the saddles join: a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory._errors import InvalidSetting
from attractory.analysis import Connections
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._points import signs
from attractory.figures._settings import font
from attractory.figures._style import (
    BLACK,
    BLUE,
    DOUBLE,
    GREY,
    SINGLE,
    VERMILLION,
    legend_below,
    new_figure,
    size_of,
)

FEW = 10  # with more attractors the figure is two columns wide
NAMED = 64  # more have no names
CLEAR = 0.25  # a read-out so near to -1, 0 or 1 is called by its sign
OBLIQUE = np.array([[1.0, 0.0], [0.0, 1.0], [0.46, 0.3]])  # where each channel points on paper
APART = 0.09  # least distance of two nodes, in the longer side of the drawing


@drawn
def connections(connections: Connections, names: Sequence[str] | None = None) -> Figure:
    """The graph of attractors that saddles with one unstable dimension join.

    Parameters
    ----------
    connections : Connections
        Fixed points and how they hang together (`analysis.connections`).
    names : sequence of str, optional
        Of the attractors in the order of `connections.attractors.numbers`; their read-outs, as
        signs where they are near -1, 0 or 1, when None.

    Returns
    -------
    matplotlib.figure.Figure
        The graph.

    Notes
    -----
    A node for each attractor: a disc for a stable point, a ring for an oscillation; an edge for
    each pair that a saddle joins (square; with their number when there are several). Up to three
    outputs give a node its place: an oblique view of the read-outs (a spring layout otherwise).
    """
    one_of("connections", connections, Connections)
    graph = connections.graph
    labels = _labels(connections, names)
    places = _places(connections)
    many = len(places) > FEW
    outputs = connections.points.outputs.shape[1]
    size = (DOUBLE if many else SINGLE, 45.0 if outputs == 1 else 120.0 if many else 95.0)
    figure, size = new_figure(*size), size_of(*size)
    axes: Any = figure.add_subplot()
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set_title(_note(connections))
    rows = {number: row for row, number in enumerate(graph.nodes)}
    taken = [places]
    for one, other, joint in graph.edges(data=True):
        curve = _edge(places, rows[one], rows[other])
        _draw_edge(axes, curve, len(joint["saddles"]))
        taken.append(curve)
    handles = _draw_nodes(axes, connections, places)
    _frame(axes, places, outputs, many)
    if len(places) <= NAMED:
        _write_labels(axes, places, labels, np.concatenate(taken), size)
    if graph.number_of_edges():
        label = f"saddle that joins two ({len(connections.edges)})"
        handles.append(_handle("s", VERMILLION, label, markersize=4, markeredgewidth=0.3))
    if handles:
        legend_below(figure, handles, 3 if many else 2)
    return figure


def _note(connections: Connections) -> str:
    """What the graph is."""
    if connections.hypercube is not None:
        return f"the {connections.hypercube}-cube"
    nodes, edges = connections.graph.number_of_nodes(), connections.graph.number_of_edges()
    return (
        f"not an n-cube: {nodes} attractor{'' if nodes == 1 else 's'}, "
        f"{edges} joined pair{'' if edges == 1 else 's'}"
    )


def _labels(connections: Connections, names: Sequence[str] | None) -> list[str]:
    numbers = list(connections.graph.nodes)
    if names is None:
        outputs = [connections.attractors.output(number) for number in numbers]
        return [
            _signs(output) if len(output) else str(number)
            for number, output in zip(numbers, outputs, strict=True)
        ]
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise InvalidSetting("names is not a sequence of texts; a text for each attractor")
    if len(names) != len(numbers):
        raise InvalidSetting(f"names has {len(names)} entries, there are {len(numbers)} attractors")
    return list(names)


def _signs(output: np.ndarray) -> str:
    """(0.98, -1.02, 0.4) as '+ − 0.4'."""
    words = []
    for value in output.tolist():
        near = min((-1, 0, 1), key=lambda sign: abs(sign - value))
        clear = abs(value - near) <= CLEAR
        words.append("−0+"[near + 1] if clear else signs(f"{value:.1f}"))
    return " ".join(words)


def _places(connections: Connections) -> np.ndarray:
    """Where each node is, (node, 2)."""
    graph = connections.graph
    outputs = np.array([connections.attractors.output(number) for number in graph.nodes])
    if not len(outputs):
        return np.empty((0, 2))
    if 1 <= outputs.shape[1] <= len(OBLIQUE):
        return _apart(outputs @ OBLIQUE[: outputs.shape[1]])
    from networkx import spring_layout

    found = spring_layout(graph, seed=0)
    return _apart(np.array([found[number] for number in graph.nodes]))


def _apart(places: np.ndarray) -> np.ndarray:
    """Nodes that are too near to each other are pushed apart."""
    least = APART * max(1e-6, float(np.ptp(places, axis=0).max()))
    if len(places) < 2:
        return places
    # a tiny push in a direction of its own, for nodes at exactly the same place
    angles = 2.4 * np.arange(len(places))
    places = places + 1e-3 * least * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    for _ in range(100):
        between = places[:, None] - places
        distance = np.linalg.norm(between, axis=2) + np.eye(len(places)) * 2 * least
        if distance.min() >= 0.99 * least:
            break
        lack = np.maximum(0.0, least - distance) / 2
        places = places + (between * (lack / distance)[..., None]).sum(axis=1)
    return places


def _edge(places: np.ndarray, one: int, other: int) -> np.ndarray:
    """A line from node to node, or an arc around a node in its way, (place, 2)."""
    start, end = places[one], places[other]
    across = np.array([start[1] - end[1], end[0] - start[0]])
    bend = 0.3 * across if _in_the_way(places, one, other) else 0.0 * across
    share = np.linspace(0, 1, 41)[:, None]
    return start + share * (end - start) + 2 * share * (1 - share) * bend


def _draw_edge(axes: Any, curve: np.ndarray, saddles: int) -> None:
    """The edge, and the saddle at its middle."""
    axes.plot(*curve.T, color=GREY, linewidth=1.0, zorder=1)
    middle = curve[len(curve) // 2]
    axes.plot(
        *middle[:, None], "s", color=VERMILLION, markersize=4,
        markeredgecolor=BLACK, markeredgewidth=0.3, zorder=2,
    )  # fmt: skip
    if saddles > 1:
        axes.annotate(str(saddles), middle, (4, 2), textcoords="offset points", fontsize=font(6.5))


def _in_the_way(places: np.ndarray, one: int, other: int) -> bool:
    """A third node is on the straight line between two."""
    start, line = places[one], places[other] - places[one]
    others = np.delete(places, [one, other], axis=0) - start
    share = np.clip(others @ line / max(1e-12, line @ line), 0, 1)
    distance = np.linalg.norm(others - share[:, None] * line, axis=1)
    return bool((distance < 0.04 * np.ptp(places, axis=0).max()).any())


def _draw_nodes(axes: Any, connections: Connections, places: np.ndarray) -> list[Line2D]:
    count = len(connections.points)
    stable = np.array(list(connections.graph.nodes)) < count
    disc = {"color": BLUE, "markersize": 7, "markeredgewidth": 0.4}
    ring = {"markerfacecolor": "white", "markersize": 8, "markeredgewidth": 1.2}
    handles = []
    for name, own, look in [
        ("stable point", stable, disc),
        ("oscillation, at its mean", ~stable, ring),
    ]:
        if own.any():
            style: dict[str, Any] = {
                "marker": "o", "linestyle": "none", "markeredgecolor": BLACK, **look
            }  # fmt: skip
            axes.plot(*places[own].T, zorder=3, label=name, **style)
            handles.append(Line2D([], [], label=f"{name} ({int(own.sum())})", **style))
    return handles


def _write_labels(
    axes: Any,
    places: np.ndarray,
    labels: Sequence[str],
    taken: np.ndarray,
    size: tuple[float, float],
) -> None:
    """Each label beside its node, on the side where the fewest lines and nodes are (taken: places
    on them); size: of the figure (mm)."""
    wide, high = np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())
    points = 2.7 * min(size[0] / wide, (size[1] - 18) / high)  # a unit of the data, about (pt)
    for place, label in zip(places, labels, strict=True):
        box = np.array([2.2 * len(label) + 2, 4.5])  # half of the label's
        away = points * (taken - place)
        crossed = []
        for x, y in _sides:
            middle = np.array([x * (box[0] + 7), y * (box[1] + 5.5)])
            inside = (np.abs(away - middle) < box + 1).all(axis=1)
            crossed.append(int(inside.sum()))
        x, y = _sides[int(np.argmin(crossed))]
        # the label itself is in the way of the next ones
        row = np.linspace(-1, 1, 9)[:, None] * [box[0], 0] + [x * (box[0] + 7), y * (box[1] + 5.5)]
        taken = np.concatenate([taken, place + row / points])
        axes.annotate(
            label, place, (7.0 * x, 5.5 * y), textcoords="offset points", fontsize=font(7),
            ha=("center", "left", "right")[x], va=("center", "bottom", "top")[y], zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.2, "alpha": 0.8},
        )  # fmt: skip


_sides = ((0, -1), (0, 1), (1, 0), (-1, 0), (1, -1), (-1, 1), (1, 1), (-1, -1))


def _frame(axes: Any, places: np.ndarray, outputs: int, wide: bool) -> None:
    """Room around the nodes; where the outputs point, at the lower left."""
    if not len(places):
        return
    low, high = places.min(axis=0), places.max(axis=0)
    size = max(1e-6, float((high - low).max()))
    low, high = low - 0.12 * size, high + 0.12 * size
    if 1 <= outputs <= len(OBLIQUE):
        lower = 0.05 if outputs == 1 else 0.25
        low = low - ([0.35 * size, 0.0] if wide else [0.0, lower * size])
        _draw_directions(axes, low + 0.02 * size, 0.16 * size, outputs)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))


def _draw_directions(axes: Any, origin: np.ndarray, length: float, outputs: int) -> None:
    arrow = {"arrowstyle": "-|>", "mutation_scale": 6, "linewidth": 0.7, "color": BLACK}
    for channel, toward in enumerate(OBLIQUE[:outputs]):
        tip = origin + length * toward
        axes.annotate("", tip, origin, arrowprops={**arrow, "shrinkA": 0, "shrinkB": 0})
        side = {"va": "bottom"} if channel == 1 else {"va": "center"}
        text = f"output {channel + 1} (a.u.)"
        axes.text(*(tip + 0.12 * length * toward), text, fontsize=font(6.5), ha="left", **side)


def _handle(marker: str, color: str, label: str, **look: Any) -> Line2D:
    shown = {"markeredgecolor": BLACK, **look}
    return Line2D([], [], linestyle="none", marker=marker, color=color, label=label, **shown)
