"""Fixed points through training, that turn under the reader's hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from attractory.analysis import StateSpace
from attractory.figures._check import one_of
from attractory.figures._fixed_points_3d import markers
from attractory.figures._held import check_dimensions
from attractory.figures._points import check_match, projected
from attractory.figures._turning import MAX_POINTS, layout, trajectory
from attractory.population import PointsThroughLearning

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as PlotlyFigure

ROOM: dict[str, Any] = {"height": 680, "margin": {"l": 20, "r": 20, "t": 50, "b": 60}}  # a slider's
MARGIN = 0.05  # around all that is drawn at any step, in its range


def points_through_learning_3d(
    found: PointsThroughLearning, space: StateSpace, unit: str = "updates"
) -> PlotlyFigure:
    """The fixed points of a network in three dimensions, with a slider over the steps of training.

    Parameters
    ----------
    found : PointsThroughLearning
        The points at each step.
    space : StateSpace
        Whose three leading components are the axes at every step, with its trajectory in the
        background: that of the network at the last step, as a rule.
    unit : str
        What steps are counted in.

    Returns
    -------
    plotly.graph_objects.Figure
        The slider chooses the step; the axes stay.

    Notes
    -----
    Pointing at a point tells what `fixed_points_3d` tells. The figure holds the points of all steps
    and about 1300 points of the trajectory.
    """
    import plotly.graph_objects as go

    one_of("found", found, PointsThroughLearning)
    one_of("space", space, StateSpace)
    check_dimensions([space])
    for i, points in enumerate(found.points):
        check_match(points, space, None, f"[{i}]")
    last = len(found.steps) - 1
    figure = go.Figure(go.Scatter3d(**trajectory(space, MAX_POINTS // 3)))
    owners = [-1]  # the step that each trace is of; the trajectory is of all
    for i, points in enumerate(found.points):
        for trace in markers(points, space):
            figure.add_trace(go.Scatter3d(visible=i == last, **trace))
            owners.append(i)
    figure.update_layout(**layout([space], owners, "fixed points"))
    figure.update_layout(
        scene=_ranges(found, space), sliders=[_slider(found, owners, unit)], **ROOM
    )
    return figure


def _ranges(found: PointsThroughLearning, space: StateSpace) -> dict[str, Any]:
    """The same axes at all steps."""
    states = np.concatenate([points.states for points in found.points])
    drawn = np.concatenate([projected(space, states), space.coordinates[..., :3].reshape(-1, 3)])
    low, high = np.nanmin(drawn, axis=0), np.nanmax(drawn, axis=0)
    room = MARGIN * (high - low)
    return {
        f"{axis}axis": {"range": [float(start), float(end)]}
        for axis, start, end in zip("xyz", low - room, high + room, strict=True)
    }


def _slider(found: PointsThroughLearning, owners: list[int], unit: str) -> dict[str, Any]:
    steps = [
        {
            "label": f"{step:g}",
            "method": "restyle",
            "args": [{"visible": [owner in (-1, i) for owner in owners]}],
        }
        for i, step in enumerate(found.steps)
    ]
    return {
        "steps": steps,
        "active": len(steps) - 1,
        "currentvalue": {"prefix": "Training step: ", "suffix": f" {unit}"},
        "pad": {"t": 20},
    }
