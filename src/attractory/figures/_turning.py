"""State spaces that turn under the reader's hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_hex

from attractory.analysis import Hypercube, StateSpace
from attractory.figures._check import paired, several
from attractory.figures._held import (
    Group,
    axis_labels,
    check_dimensions,
    cube_edges,
    grouped,
    styles_of,
    usual_grouping,
)
from attractory.figures._style import BLACK, PALE
from attractory.tasks import state_names

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as PlotlyFigure

MAX_POINTS = 4000  # of a network: half on its trajectory, half while states are held
_symbols = {
    "o": "circle", "s": "square", "^": "diamond", "D": "cross", "v": "diamond-open", "P": "circle",
    "X": "square-open", "*": "diamond",
}  # fmt: skip


def state_space_3d(
    spaces: StateSpace | Sequence[StateSpace],
    cubes: Sequence[Hypercube] | Hypercube | None = None,
    by: str | None = None,
) -> PlotlyFigure:
    """The states of one network or several in three dimensions, to be turned by hand (figs 6, 7).

    Parameters
    ----------
    spaces : StateSpace or sequence of StateSpace
        One for each network, with at least three components.
    cubes : Hypercube or sequence of Hypercube, optional
        Those fitted to the memory states, in the order of `spaces`.
    by : str, optional
        What the colours tell apart, as in `state_space`.

    Returns
    -------
    plotly.graph_objects.Figure
        Trajectory, points in groups (of a memory while a state is held), the fitted cube; a menu
        chooses the network.

    Notes
    -----
    Pointing at a spot tells the memory state and the time step. At most 4000 points a network,
    coordinates rounded to 4 digits. The figure needs no connection.
    """
    import plotly.graph_objects as go

    found = several("spaces", spaces, StateSpace)
    check_dimensions(found)
    cubes = [cubes] if isinstance(cubes, Hypercube) else cubes
    fitted = paired("cubes", cubes, len(found), Hypercube)
    by = usual_grouping(found[0]) if by is None else by
    groups = [grouped(space, by) for space in found]
    styles = styles_of([group for each in groups for group in each], by)
    figure = go.Figure()
    owners: list[int] = []
    for i, (space, cube) in enumerate(zip(found, fitted, strict=True)):
        traces = [trajectory(space, MAX_POINTS // 2), *_points(groups[i], styles, by)]
        traces += [_cube(cube)] if cube is not None else []
        for trace in traces:
            figure.add_trace(go.Scatter3d(visible=i == 0, **trace))
        owners += [i] * len(traces)
    figure.update_layout(**layout(found, owners, "memory state" if by == "memory" else by))
    return figure


def trajectory(space: StateSpace, most: int) -> dict[str, Any]:
    """The first trials as one broken line of at most about so many points."""
    steps = space.coordinates.shape[1]
    trials = min(len(space.coordinates), max(1, most // min(steps, 250)))
    every = -(-trials * steps // most)
    kept = np.arange(0, steps, every)
    points = np.full((trials, len(kept) + 1, 3), np.nan)
    points[:, :-1] = space.coordinates[:trials, kept, :3]
    codes = np.pad(space.memory[:trials, kept], ((0, 0), (0, 1))).ravel()
    names = state_names(codes, space.targets.shape[-1])
    times = np.tile(np.append(kept, 0), trials)
    return {
        **xyz(points.reshape(-1, 3)),
        "customdata": [[name, int(step)] for name, step in zip(names, times, strict=True)],
        "hovertemplate": "target %{customdata[0]}<br>step %{customdata[1]}<extra></extra>",
        "mode": "lines",
        "line": {"color": PALE, "width": 2},
        "name": "trajectory",
    }


def _points(
    groups: Sequence[Group], styles: dict[str, tuple[Any, str]], by: str
) -> list[dict[str, Any]]:
    every = -(-sum(len(state.points) for state in groups) // (MAX_POINTS // 2))
    kind = "state" if by == "memory" else by
    traces = []
    for state in groups:
        color, marker = styles[state.name]
        traces.append(
            {
                **xyz(state.points[::every]),
                "customdata": [[int(step)] for step in state.steps[::every]],
                "hovertemplate": f"{kind} {state.name}<br>step %{{customdata[0]}}<extra></extra>",
                "mode": "markers",
                "marker": {
                    "color": to_hex(color),
                    "symbol": _symbols[marker],
                    "size": 4,
                    "line": {"color": BLACK, "width": 2 if marker == "*" else 0},  # yellow on white
                },
                "name": (" ".join(state.name.replace("-", "−")) if by == "memory" else state.name),
            }
        )
    return traces


def _cube(cube: Hypercube) -> dict[str, Any]:
    edges = cube_edges(cube)
    return {
        **xyz(broken_line(list(edges))),
        "hoverinfo": "skip",
        "mode": "lines",
        "line": {"color": BLACK, "width": 2},
        "name": f"fitted cube, R² {cube.r_squared:.3f}",
    }


def broken_line(pieces: Sequence[np.ndarray]) -> np.ndarray:
    """Pieces (point, 3) one after the other, with a row of NaN after each."""
    gap = np.full((1, 3), np.nan)
    return np.concatenate([part for piece in pieces for part in (piece, gap)])


def xyz(points: np.ndarray) -> dict[str, list[float | None]]:
    """points (point, 3) as lists of rounded numbers, None where a line is broken."""
    return {
        axis: [None if np.isnan(value) else round(float(value), 4) for value in column]
        for axis, column in zip("xyz", points.T, strict=True)
    }


def _scene(space: StateSpace) -> dict[str, Any]:
    names = axis_labels(space)
    return {
        f"{axis}axis": {"title": {"text": name}} for axis, name in zip("xyz", names, strict=True)
    }


def layout(spaces: Sequence[StateSpace], owners: Sequence[int], legend: str) -> dict[str, Any]:
    """Axes, legend, and a menu of the networks where there are several.

    owners (trace,): the network that each trace belongs to.
    """
    made = {
        "template": "plotly_white",
        "scene": {**_scene(spaces[0]), "camera": {"eye": {"x": 1.5, "y": -1.8, "z": 0.9}}},
        "legend": {"title": {"text": legend}, "itemsizing": "constant"},
        "margin": {"l": 0, "r": 0, "t": 50, "b": 20},
        "height": 600,
    }
    return {**made, "updatemenus": [_menu(spaces, owners)]} if len(spaces) > 1 else made


def _menu(spaces: Sequence[StateSpace], owners: Sequence[int]) -> dict[str, Any]:
    """A menu that shows the traces of one network, and that network's axes."""
    buttons = []
    for i, space in enumerate(spaces):
        titles = {f"scene.{axis}.title": value["title"] for axis, value in _scene(space).items()}
        visible = [owner == i for owner in owners]
        buttons.append(
            {"label": f"network {i}", "method": "update", "args": [{"visible": visible}, titles]}
        )
    return {"buttons": buttons, "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom"}
