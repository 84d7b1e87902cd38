"""What is drawn of fixed points: their kinds, their unstable directions, where they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from attractory._errors import InvalidSetting
from attractory.analysis import Connections, FixedPoints, StateSpace
from attractory.figures._style import CATEGORIES, MARKERS

NAMED = 4  # so many numbers of unstable dimensions have a look of their own, from 0
SEGMENT = 0.05  # length of an unstable direction to each side, in the extent of what is drawn
HOLLOW = "undecided or not proved"


class Kind(NamedTuple):
    """Fixed points (indices) of one number of unstable dimensions, of all from NAMED on, or those
    on a kink, which have no such number."""

    name: str
    color: str
    marker: str
    indices: np.ndarray

    @property
    def label(self) -> str:
        return f"{self.name} ({len(self.indices)})"


def kinds(points: FixedPoints) -> list[Kind]:
    """The points by their number of unstable dimensions: 0, 1, 2, 3, more; then those on a kink;
    those kinds that there are."""
    found = []
    for k in range(NAMED + 1):
        own = points.n_unstable >= NAMED if k == NAMED else points.n_unstable == k
        if own.any():
            numbers = points.n_unstable[own]
            name = _name(int(numbers.min()), int(numbers.max()))
            found.append(Kind(name, CATEGORIES[k], MARKERS[k], np.flatnonzero(own)))
    if points.kinked.any():
        k = NAMED + 1
        found.append(Kind("on a kink", CATEGORIES[k], MARKERS[k], np.flatnonzero(points.kinked)))
    return found


def number_of_kind(points: FixedPoints) -> np.ndarray:
    """The kind of each point (point,), where all networks of a figure tell the same ones apart:
    0, 1, 2, 3 unstable dimensions, NAMED for more, NAMED + 1 on a kink."""
    return np.where(points.kinked, NAMED + 1, np.minimum(points.n_unstable, NAMED))


def of_kind(number: int) -> str:
    """What such a kind is called."""
    if number > NAMED:
        return "on a kink"
    return f"{NAMED} or more unstable dimensions" if number == NAMED else _name(number, number)


def eigenvalues_of(points: FixedPoints, indices: np.ndarray) -> np.ndarray:
    """The eigenvalues at these points, one after the other; on a kink those of each side."""
    found = []
    for i in indices.tolist():
        beside = [side.eigenvalues for side in points.sides(i)] if points.kinked[i] else []
        found += beside or [points.eigenvalues[i]]
    return np.concatenate(found)


def sure(points: FixedPoints) -> np.ndarray:
    """(point,): proved, and with a proved number of unstable dimensions."""
    return points.certified & points.decided


def projected(space: StateSpace, states: np.ndarray) -> np.ndarray:
    """States (…, unit) in the three leading components, (…, 3)."""
    return space.project(states)[..., :3]


def extent(space: StateSpace, points: FixedPoints | None) -> float:
    """The longest side of the box around trajectories and points."""
    drawn = space.coordinates[..., :3].reshape(-1, 3)
    if points is not None:
        drawn = np.concatenate([drawn, projected(space, points.states)])
    within = np.isfinite(drawn).all(axis=1)  # a trial that is over has no place
    return float(np.ptp(drawn[within], axis=0).max())


def unstable_segments(points: FixedPoints, space: StateSpace) -> list[np.ndarray]:
    """A segment (2, 3) through each point with one or two unstable dimensions, along each of them.

    All are equally long in the three components.
    """
    half = SEGMENT * extent(space, points)
    found = []
    for point in np.flatnonzero((points.n_unstable == 1) | (points.n_unstable == 2)):
        place = projected(space, points.states[point])
        for vector in points.unstable_vectors(int(point)) @ space.components[:3].T:
            length = np.linalg.norm(vector)
            if length > 0:
                found.append(place + half * np.outer([-1, 1], vector / length))
    return found


def ways(connections: Connections, space: StateSpace, most: int) -> list[np.ndarray]:
    """The ways from saddles to attractors in the three leading components, (place, 3) each."""
    return [way[:, :3] for way in connections.ways(space, most)]


def check_match(
    points: FixedPoints, space: StateSpace, connections: Connections | None, which: str = ""
) -> None:
    """InvalidSetting when points, space and connections are not those of one network."""
    units = points.states.shape[1]
    if space.components.shape[1] != units:
        raise InvalidSetting(
            f"space{which} is of {space.components.shape[1]} units, points{which} of "
            f"{units}; they must be of one network"
        )
    if connections is None or connections.points is points:
        return
    if not np.array_equal(connections.points.states, points.states):
        raise InvalidSetting(
            f"connections{which} are of other fixed points than those of points{which}"
        )


def oscillation_places(connections: Connections | None, space: StateSpace) -> np.ndarray:
    """The mean state of each oscillation, (oscillation, 3)."""
    found = () if connections is None else connections.attractors.oscillations
    means = np.array([each.mean for each in found]).reshape(len(found), space.components.shape[1])
    return projected(space, means)


def signs(number: str) -> str:
    """A number with a real minus sign."""
    return number.replace("-", "−")


def read_out(values: Sequence[float] | np.ndarray, digits: int = 2) -> str:
    """(0.98, −1.02, 0.00) for a reader."""
    return (
        "(" + ", ".join(signs(f"{round(float(v), digits) + 0.0:.{digits}f}") for v in values) + ")"
    )


def _name(low: int, high: int) -> str:
    if high == 0:
        return "stable"
    if high == low:
        return f"{low} unstable dimension{'s' if low > 1 else ''}"
    return f"{low}–{high} unstable dimensions"
