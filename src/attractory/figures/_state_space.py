"""The states of networks in their three leading components (figures 6 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory._errors import InvalidSetting
from attractory.analysis import Hypercube, StateSpace
from attractory.figures._check import one_of, paired, several
from attractory.figures._drawn import drawn
from attractory.figures._held import (
    DRAWN_TRIALS,
    check_dimensions,
    cube_edges,
    grouped,
    label_solid,
    styles_of,
    title_of,
    usual_grouping,
)
from attractory.figures._settings import font
from attractory.figures._style import (
    BLACK,
    DOUBLE,
    MOST_BITS,
    PALE,
    SINGLE,
    legend_below,
    letter,
    new_figure,
)
from attractory.figures._task import channel_rows, draw_channels
from attractory.models import Trajectory
from attractory.tasks import Trials

NAMED = 16  # so many memory states have an entry in the legend
TOP = 0.95  # height of titles: 3-D panels leave room above


@drawn
def state_space(
    space: StateSpace,
    trajectory: Trajectory | None = None,
    trials: Trials | None = None,
    cube: Hypercube | None = None,
    by: str | None = None,
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
    by : str, optional
        What the colours tell apart: "memory" (the sign that the target asks of each channel, while
        it is held), "epoch", or the name of a condition (of up to 8 values, else its quarters).
        Epochs when None, or the memory of a task without epochs.

    Returns
    -------
    matplotlib.figure.Figure
        One panel or two.

    Notes
    -----
    A (when trajectory and trials are given): input, target and network output of the first trial,
    a row a channel. B: the states of up to 30 trials in the three leading components (grey lines),
    groups of states in a colour each (of a memory those of all trials while a state is held), and
    the fitted cube (dashed) with its R².
    """
    one_of("space", space, StateSpace)
    check_dimensions([space])
    (fitted,) = paired("cube", None if cube is None else [cube], 1, Hypercube)
    if (trajectory is None) != (trials is None):
        raise InvalidSetting("trajectory and trials belong together; give both or neither")
    look = Look.of([space], by)
    if trajectory is None or trials is None:
        figure = new_figure(SINGLE, 88)
        handles = _draw_panel(figure, space, fitted, look)
        _legend(figure, handles, 4, look.by)
        return figure
    figure = new_figure(DOUBLE, 88)
    halves: Any = figure.subfigures(1, 2, width_ratios=[1, 1.05])
    left, right = halves
    _draw_test(left, trajectory, trials)
    handles = _draw_panel(right, space, fitted, look, "B")
    _legend(right, handles, 4, look.by)
    return figure


@drawn
def state_spaces(
    spaces: StateSpace | Sequence[StateSpace],
    cubes: Sequence[Hypercube] | None = None,
    by: str | None = None,
) -> Figure:
    """States of several networks in their three leading components, a panel each (figure 7).

    Parameters
    ----------
    spaces : StateSpace or sequence of StateSpace
        One for each network.
    cubes : sequence of Hypercube, optional
        In the order of `spaces`.
    by : str, optional
        What the colours tell apart, as in `state_space`.

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
    look = Look.of(found, by)
    handles: dict[str, Line2D] = {}
    for i, (space, cube) in enumerate(zip(found, fitted, strict=True)):
        place = (rows, columns, i + 1)
        which = chr(ord("A") + i) if len(found) <= 26 else str(i + 1)
        handles |= _draw_panel(figure, space, cube, look, which, place)
    _legend(figure, handles, 8, look.by)
    return figure


class Look(NamedTuple):
    """By what states are grouped, and the colour and marker of each group."""

    by: str
    styles: dict[str, tuple[Any, str]]

    @classmethod
    def of(cls, spaces: Sequence[StateSpace], by: str | None) -> Look:
        meant = usual_grouping(spaces[0]) if by is None else by
        groups = [group for space in spaces for group in grouped(space, meant)]
        return cls(meant, styles_of(groups, meant))


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
    look: Look,
    which: str = "",
    place: tuple[int, int, int] = (1, 1, 1),
) -> dict[str, Line2D]:
    """One 3-D panel; returns the legend's handles by state."""
    axes = figure.add_subplot(*place, projection="3d")
    for trial in space.coordinates[:DRAWN_TRIALS]:
        axes.plot(*trial.T[:3], color=PALE, linewidth=0.4, rasterized=True)
    if cube is not None:
        for edge in cube_edges(cube):
            axes.plot(*edge.T, color=BLACK, linewidth=0.7, linestyle=(0, (4, 2)))
        note = f"fitted cube: R² = {cube.r_squared:.3f}"
        axes.text2D(0.55, TOP, note, transform=axes.transAxes, ha="center", fontsize=font(7))
    handles = {}
    memory = look.by == "memory"
    for state in grouped(space, look.by):
        color, marker = look.styles[state.name]
        spot = {"color": color, "marker": marker, "markeredgecolor": BLACK}
        axes.scatter(
            *state.points.T,
            s=(15 if marker == "*" else 11) if memory else 2,
            color=[color],
            marker=marker,
            edgecolors=BLACK,
            linewidths=0.2 if memory else 0,  # steps of a trial lie close: without edges a line
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
            label=_spaced(state.name) if memory else state.name,
            **spot,
        )
    small = place[1] > 2
    label_solid(axes, space, size=6 if small else 7, pad=-7, zoom=0.8 if small else 0.92)
    if which:
        axes.text2D(0, TOP, which, transform=axes.transAxes, fontweight="bold", fontsize=font(9))
    return handles


def _legend(figure: Any, handles: dict[str, Line2D], columns: int, by: str) -> None:
    """The groups in order, or how many there are when they are too many to name."""
    if by != "memory":
        shown = list(handles.values())
        legend_below(figure, shown, min(columns, len(shown)), title_of(by))
        return
    if len(handles) <= NAMED and all(len(name) <= MOST_BITS for name in handles):
        order = sorted(handles, key=lambda name: ["-0+".index(sign) for sign in name])
        shown = [handles[name] for name in order]
        legend_below(figure, shown, min(columns, len(shown)), title_of(by))
        return
    many = f"{len(handles)} memory state{'s' * (len(handles) > 1)}"
    text = f"{many}, coloured in binary order"
    legend_below(figure, [Line2D([], [], linestyle="none", label=text)], 1)


def _spaced(name: str) -> str:
    """'+-+' as '+ − +'."""
    return " ".join(name.replace("-", "−"))
