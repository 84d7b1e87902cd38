"""What is drawn of a state space: states while they are held, and the edges of the cube."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from attractory._errors import InvalidSetting
from attractory.analysis import Hypercube, StateSpace
from attractory.tasks import state_names


class HeldState(NamedTuple):
    """A memory state ('+-+') with its points (point, 3), and the trial and step of each."""

    name: str
    points: np.ndarray
    trials: np.ndarray
    steps: np.ndarray


def held_by_state(space: StateSpace) -> list[HeldState]:
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
        found.append(HeldState(name, space.coordinates[trials, steps, :3], trials, steps))
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


def axis_labels(space: StateSpace) -> list[str]:
    """Names of the three leading components with their share of the variance."""
    return [
        f"Component {i + 1} (a.u.; {share:.0%})"
        for i, share in enumerate(space.explained_variance[:3])
    ]
