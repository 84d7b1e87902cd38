"""What is drawn of a state space: states in groups, and the edges of the cube."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib
import numpy as np

from attractory._errors import InvalidSetting, nearest
from attractory._errors import shown as shown_value
from attractory.analysis import Hypercube, StateSpace
from attractory.figures._settings import font
from attractory.figures._style import CATEGORIES, ORDERED_MAP, clean_3d, state_styles
from attractory.tasks import state_names

MOST_LEVELS = 8  # of a condition with a colour each; more are put into quarters
DRAWN_TRIALS = 30  # so many trials are drawn


class Group(NamedTuple):
    """States that look alike: a memory state ('+-+'), an epoch, a level of a condition.

    Its points (point, 3), and the trial and step of each.
    """

    name: str
    points: np.ndarray
    trials: np.ndarray
    steps: np.ndarray


def usual_grouping(space: StateSpace) -> str:
    """Epochs where there are any; else the memory that the targets ask for."""
    return "memory" if space.epoch is None else "epoch"


def grouped(space: StateSpace, by: str | None) -> list[Group]:
    """The states in groups: "memory", "epoch", or the name of a condition; None: the usual one."""
    by = usual_grouping(space) if by is None else by
    if by == "memory":
        return held_by_state(space)
    drawn = np.arange(len(space.coordinates)) < DRAWN_TRIALS
    shown = space.within & drawn[:, None]
    if by == "epoch" and space.epoch is not None:
        wanted = [(name, space.epoch == i) for i, name in enumerate(space.epoch_names)]
    elif by in space.conditions:
        wanted = [
            (name, np.broadcast_to(trials[:, None], shown.shape))
            for name, trials in _levels(space.conditions[by])
        ]
    else:
        known = ["memory", *(["epoch"] if space.epoch is not None else []), *space.conditions]
        raise InvalidSetting(f"by = {shown_value(by)} is not allowed: {nearest(by, known)}")
    found = []
    for name, where in wanted:
        trials, steps = np.nonzero(where & shown)
        if len(trials):
            found.append(Group(name, space.coordinates[trials, steps, :3], trials, steps))
    return found


def _levels(values: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Each value of a condition, or its quarters where there are many, and the trials (trial,)."""
    known = np.unique(values)
    if len(known) <= MOST_LEVELS:
        return [(f"{value:g}".replace("-", "−"), values == value) for value in known]
    ends = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    quarter = np.clip(np.searchsorted(ends, values, side="right") - 1, 0, 3)
    return [(f"{ends[i]:.3g} to {ends[i + 1]:.3g}", quarter == i) for i in range(4)]


def styles_of(groups: Sequence[Group], by: str) -> dict[str, tuple[Any, str]]:
    """A colour and a marker for each group, by name."""
    names = list(dict.fromkeys(group.name for group in groups))
    if by == "memory":
        return state_styles(names)
    colors: Any = [CATEGORIES[i % len(CATEGORIES)] for i in range(len(names))]
    if by != "epoch" and len(names) > 2:  # levels have an order
        colors = matplotlib.colormaps[ORDERED_MAP](np.linspace(0, 0.95, len(names)))
    return {name: (color, "o") for name, color in zip(names, colors, strict=True)}


def title_of(by: str) -> str:
    """What the legend is headed with."""
    return "memory state (sign of each channel)" if by == "memory" else by


def held_by_state(space: StateSpace) -> list[Group]:
    """The points while a memory state is held, state by state.

    A state with a 0 is no memory of a flip-flop (nothing was stored yet) and is left out, unless
    there is no other.
    """
    held = space.held
    codes = np.unique(space.memory[held])
    names = state_names(codes, space.targets.shape[-1])
    found = []
    for code, name in zip(codes, names, strict=True):
        trials, steps = np.nonzero(held & (space.memory == code))
        found.append(Group(name, space.coordinates[trials, steps, :3], trials, steps))
    return [state for state in found if "0" not in state.name] or found


def cube_edges(cube: Hypercube) -> np.ndarray:
    """The edges of the fitted cube in the three leading dimensions, (edge, 2, 3).

    Each joins two vertices  middle + Σ_i sign_i · edges_i / 2  that differ in one sign.
    """
    bits = len(cube.edges)
    signs = 2 * (np.arange(2**bits)[:, None] >> np.arange(bits)[::-1] & 1) - 1
    vertices = cube.middle + signs @ cube.edges / 2
    pairs = [(i, i | 1 << b) for i in range(2**bits) for b in range(bits) if not i >> b & 1]
    return vertices[np.array(pairs)][..., :3]


def check_dimensions(spaces: Sequence[StateSpace]) -> None:
    """InvalidSetting when a space cannot be seen in three dimensions."""
    for i, space in enumerate(spaces):
        dimensions = space.coordinates.shape[-1]
        if dimensions < 3:
            raise InvalidSetting(
                f"state space {i} has {dimensions} dimensions; at least 3 are needed to draw it "
                "(state_space(..., n=3))"
            )


def label_solid(axes: Any, space: StateSpace, size: float, pad: float, zoom: float) -> None:
    """A panel in three dimensions with the names of the components, seen from the usual side."""
    names = axis_labels(space)
    if size < 7:
        names = [name.replace("onent", ".") for name in names]
    for axis, name in zip("xyz", names, strict=True):
        getattr(axes, f"set_{axis}label")(name, fontsize=font(size), labelpad=pad)
    axes.view_init(elev=22, azim=-58)
    axes.set_box_aspect(None, zoom=zoom)
    clean_3d(axes)


def axis_labels(space: StateSpace) -> list[str]:
    """Names of the three leading components with their share of the variance."""
    return [
        f"Component {i + 1} (a.u.; {share:.0%})"
        for i, share in enumerate(space.explained_variance[:3])
    ]
