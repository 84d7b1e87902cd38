"""The states of networks in their three leading components (figures 6 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory._errors import InvalidSetting
from attractory.analysis import Hypercube, StateSpace
from attractory.figures._check import one_of, paired, several
from attractory.figures._drawn import drawn
from attractory.figures._held import axis_labels, check_dimensions, cube_edges, held_by_state
from attractory.figures._settings import font
from attractory.figures._style import (
    BLACK,
    DOUBLE,
    MOST_BITS,
    PALE,
    SINGLE,
    clean_3d,
    legend_below,
    letter,
    new_figure,
    state_styles,
)
from attractory.figures._task import channel_rows, draw_channels
from attractory.models import Trajectory
from attractory.tasks import Trials

NAMED = 16  # so many memory states have an entry in the legend
TOP = 0.95  # height of titles: 3-D panels leave room above
TRAJECTORIES = 30  # so many trials are drawn as lines


@drawn
def state_space(
    space: StateSpace,
    trajectory: Trajectory | None = None,
    trials: Trials | None = None,
    cube: Hypercube | None = None,
) -> Figure:
    """What a network does and where its states are (Jarne 2024, figure 6).

    Parameters
    ----------
    space : StateSpace
        Of one network, with at least three components.
    trajectory : Trajectory, optional
        What the network does in `trials`; panel A is drawn when both are given.
    trials : Trials, optional
        Those of the trajectory.
    cube : Hypercube, optional
        The one fitted to the memory states.

    Returns
    -------
    matplotlib.figure.Figure
        One panel or two.

    Notes
    -----
    A (when trajectory and trials are given): input, target and network output of the first trial,
    a row a channel. B: the states of up to 30 trials in the three leading components (grey lines),
    those of all trials while a memory state is held in that state's colour and marker, and the
    fitted cube (dashed) with its R².
    """
    one_of("space", space, StateSpace)
    check_dimensions([space])
    (fitted,) = paired("cube", None if cube is None else [cube], 1, Hypercube)
    if (trajectory is None) != (trials is None):
        raise InvalidSetting("trajectory and trials belong together; give both or neither")
    if trajectory is None or trials is None:
        figure = new_figure(SINGLE, 88)
        handles = _draw_panel(figure, space, fitted, state_styles(_names([space])))
        _state_legend(figure, handles, 4)
        return figure
    figure = new_figure(DOUBLE, 88)
    halves: Any = figure.subfigures(1, 2, width_ratios=[1, 1.05])
    left, right = halves
    _draw_test(left, trajectory, trials)
    handles = _draw_panel(right, space, fitted, state_styles(_names([space])), "B")
    _state_legend(right, handles, 4)
    return figure


@drawn
def state_spaces(
    spaces: StateSpace | Sequence[StateSpace], cubes: Sequence[Hypercube] | None = None
) -> Figure:
    """States of several networks in their three leading components, a panel each (figure 7).

    Parameters
    ----------
    spaces : StateSpace or sequence of StateSpace
        One for each network.
    cubes : sequence of Hypercube, optional
        In the order of `spaces`.

    Returns
    -------
    matplotlib.figure.Figure
        Drawn as in `state_space`, with one legend for all.
    """
    found = several("spaces", spaces, StateSpace)
    check_dimensions(found)
    fitted = paired("cubes", cubes, len(found), Hypercube)
    columns = 2 if len(found) <= 4 else 3
    rows = -(-len(found) // columns)
    figure = new_figure(DOUBLE, 14 + rows * (74 if columns == 2 else 54))
    styles = state_styles(_names(found))
    handles: dict[str, Line2D] = {}
    for i, (space, cube) in enumerate(zip(found, fitted, strict=True)):
        place = (rows, columns, i + 1)
        which = chr(ord("A") + i) if len(found) <= 26 else str(i + 1)
        handles |= _draw_panel(figure, space, cube, styles, which, place)
    _state_legend(figure, handles, 8)
    return figure


def _draw_test(figure: Any, trajectory: Trajectory, trials: Trials) -> None:
    """Inputs, targets and outputs of the first trial."""
    one_of("trajectory", trajectory, Trajectory)
    one_of("trials", trials, Trials)
    outputs = trajectory.outputs if trajectory.outputs.ndim == 2 else trajectory.outputs[0]
    if outputs.shape != trials.targets.shape[1:]:
        raise InvalidSetting(
            f"trajectory.outputs has shape {outputs.shape} a trial, "
            f"trials.targets {trials.targets.shape[1:]}; they must be equal"
        )
    rows = len(channel_rows(trials))
    panels = figure.subplots(rows, 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    handles = draw_channels(panels, trials, 0, outputs)
    letter(panels[0], 0)
    legend_below(figure, handles, 3)


def _draw_panel(
    figure: Any,
    space: StateSpace,
    cube: Hypercube | None,
    styles: dict[str, tuple[Any, str]],
    which: str = "",
    place: tuple[int, int, int] = (1, 1, 1),
) -> dict[str, Line2D]:
    """One 3-D panel; returns the legend's handles by state."""
    axes = figure.add_subplot(*place, projection="3d")
    for trial in space.coordinates[:TRAJECTORIES]:
        axes.plot(*trial.T[:3], color=PALE, linewidth=0.4, rasterized=True)
    if cube is not None:
        for edge in cube_edges(cube):
            axes.plot(*edge.T, color=BLACK, linewidth=0.7, linestyle=(0, (4, 2)))
        note = f"fitted cube: R² = {cube.r_squared:.3f}"
        axes.text2D(0.55, TOP, note, transform=axes.transAxes, ha="center", fontsize=font(7))
    handles = {}
    for state in held_by_state(space):
        color, marker = styles[state.name]
        look = {"color": color, "marker": marker, "markeredgecolor": BLACK}
        axes.scatter(
            *state.points.T,
            s=15 if marker == "*" else 11,
            color=[color],
            marker=marker,
            edgecolors=BLACK,
            linewidths=0.2,
            depthshade=False,
            rasterized=True,
            label=state.name,
        )
        handles[state.name] = Line2D(
            [],
            [],
            linestyle="none",
            markersize=4,
            markeredgewidth=0.3,
            label=_spaced(state.name),
            **look,
        )
    _label_axes(axes, space, small=place[1] > 2)
    if which:
        axes.text2D(0, TOP, which, transform=axes.transAxes, fontweight="bold", fontsize=font(9))
    return handles


def _label_axes(axes: Any, space: StateSpace, small: bool) -> None:
    names = [name.replace("onent", ".") if small else name for name in axis_labels(space)]
    size = font(6 if small else 7)
    axes.set_xlabel(names[0], fontsize=size, labelpad=-7)
    axes.set_ylabel(names[1], fontsize=size, labelpad=-7)
    axes.set_zlabel(names[2], fontsize=size, labelpad=-7)
    axes.view_init(elev=22, azim=-58)
    axes.set_box_aspect(None, zoom=0.8 if small else 0.92)
    clean_3d(axes)


def _state_legend(figure: Any, handles: dict[str, Line2D], columns: int) -> None:
    """The states in order, or how many there are when they are too many to name."""
    if len(handles) <= NAMED and all(len(name) <= MOST_BITS for name in handles):
        order = sorted(handles, key=lambda name: ["-0+".index(sign) for sign in name])
        shown = [handles[name] for name in order]
        legend_below(figure, shown, min(columns, len(shown)), "memory state (sign of each channel)")
        return
    many = f"{len(handles)} memory state{'s' * (len(handles) > 1)}"
    text = f"{many}, coloured in binary order"
    legend_below(figure, [Line2D([], [], linestyle="none", label=text)], 1)


def _names(spaces: Sequence[StateSpace]) -> list[str]:
    return [state.name for space in spaces for state in held_by_state(space)]


def _spaced(name: str) -> str:
    """'+-+' as '+ − +'."""
    return " ".join(name.replace("-", "−"))
