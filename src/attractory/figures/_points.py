"""What is drawn of fixed points: their kinds, their unstable directions, the ways between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting
from attractory.analysis import Attractors, Connections, FixedPoints, StateSpace
from attractory.figures._style import CATEGORIES, MARKERS

NAMED = 4  # so many numbers of unstable dimensions have a look of their own, from 0
PUSH = 1e-3  # length of the push off a saddle, times √units, as in analysis.connections
NEAR = 0.02  # a way ends so near (max norm, in the size of a state) to its attractor
STEPS = 10_000  # in time constants: a way that has not come there ends here
LOOK = 10  # steps between two looks at where a way is
RING = 400  # states that stand for an oscillation
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
    return (states - space.center) @ space.components[:3].T


def extent(space: StateSpace, points: FixedPoints) -> float:
    """The longest side of the box around all that is drawn."""
    places = [space.coordinates[..., :3].reshape(-1, 3), projected(space, points.states)]
    return float(np.ptp(np.concatenate(places), axis=0).max())


def unstable_vectors(points: FixedPoints, point: int) -> np.ndarray:
    """Unit vectors (direction, unit) that span the unstable space of a point.

    A pair of complex eigenvalues gives the real and the imaginary part of its vector.
    """
    values = points.eigenvalues[point]
    return _eigenvectors(points, point, values[(np.abs(values) > 1) & (values.imag >= 0)])


def joining_vector(points: FixedPoints, point: int) -> np.ndarray:
    """The unit vector (unit,) along which a saddle joins two attractors: that of its only real
    eigenvalue above 1."""
    values = points.eigenvalues[point]
    return _eigenvectors(points, point, values[(values.imag == 0) & (values.real > 1)])[0]


def _eigenvectors(points: FixedPoints, point: int, values: np.ndarray) -> np.ndarray:
    """By inverse iteration, as the eigenvalues are known: a solution of linear equations each
    instead of the decomposition of a whole Jacobian."""
    jacobian = points.step.jacobians(points.states[point][None])[0]
    rng = np.random.default_rng(0)  # a start of its own each: one eigenvalue may come twice
    found: list[np.ndarray] = []
    for value in values:
        real = value.imag == 0
        shift = (value.real if real else value) * (1 + 1e-7)
        vector = rng.normal(size=len(jacobian)).astype(jacobian.dtype if real else complex)
        for _ in range(3):
            vector = np.linalg.solve(jacobian - shift * np.eye(len(jacobian)), vector)
            vector = vector / np.linalg.norm(vector)
        found += [vector] if real else [vector.real, vector.imag]
    vectors = np.array(found).reshape(-1, len(jacobian))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@one_blas_thread
def unstable_segments(points: FixedPoints, space: StateSpace) -> list[np.ndarray]:
    """A segment (2, 3) through each point with one or two unstable dimensions, along each of them.

    All are equally long in the three components.
    """
    half = SEGMENT * extent(space, points)
    found = []
    for point in np.flatnonzero((points.n_unstable == 1) | (points.n_unstable == 2)):
        place = projected(space, points.states[point])
        for vector in unstable_vectors(points, int(point)) @ space.components[:3].T:
            length = np.linalg.norm(vector)
            if length > 0:
                found.append(place + half * np.outer([-1, 1], vector / length))
    return found


@one_blas_thread
def ways(connections: Connections, space: StateSpace, most: int) -> list[np.ndarray]:
    """From each saddle of the edges to its two attractors, simulated without noise: (point, 3).

    Each way has at most about `most` points, evenly along it.
    """
    points = connections.points
    saddles = connections.edges[:, 0].tolist()
    if not saddles:
        return []
    push = PUSH * np.sqrt(points.step.units)
    aside = np.array([push * joining_vector(points, saddle) for saddle in saddles])
    middle = points.states[saddles]
    starts = np.stack([middle + aside, middle - aside], axis=1).reshape(-1, points.step.units)
    ends = np.repeat(connections.edges[:, 1:], 2, axis=0)
    paths = _followed(connections.attractors, space, starts, ends)
    origins = np.repeat(projected(space, middle), 2, axis=0)
    return [
        _thinned(np.concatenate([origin[None], path]), most)
        for origin, path in zip(origins, paths, strict=True)
    ]


def _followed(
    found: Attractors, space: StateSpace, states: np.ndarray, ends: np.ndarray
) -> list[np.ndarray]:
    """The way of each state until it is near one of its attractors `ends` (state, 2)."""
    step = found.points.step
    near = NEAR * max(1e-6, float(np.abs(found.points.states).max()))
    targets = {int(number): _states_of(found, int(number)) for number in np.unique(ends)}
    paths: list[list[np.ndarray]] = [[] for _ in states]
    going = np.arange(len(states))
    for t in range(1, round(STEPS / step.leak) + 1):
        states = step(states)
        for i, place in zip(going, projected(space, states), strict=True):
            paths[i].append(place)
        if t % LOOK:
            continue
        left = np.ones(len(going), bool)
        for row, i in enumerate(going):
            for number in ends[i].tolist():
                if np.abs(targets[number] - states[row]).max(axis=1).min() < near:
                    left[row] = False
                    if len(targets[number]) == 1:  # the rest of the way is shorter than a marker
                        paths[i].append(projected(space, targets[number][0]))
        states, going = states[left], going[left]
        if not len(going):
            break
    return [np.array(path) for path in paths]


def _states_of(found: Attractors, number: int) -> np.ndarray:
    """States (state, unit) on an attractor: one of a fixed point, many of an oscillation."""
    count = len(found.points)
    if number < count:
        return found.points.states[number][None]
    states = [found.oscillations[number - count].state[None]]
    for _ in range(RING - 1):
        states.append(found.points.step(states[-1]))
    return np.concatenate(states)


def _thinned(path: np.ndarray, most: int) -> np.ndarray:
    """At most `most` places of a path (place, 3), about evenly along its length, and its end."""
    if len(path) <= most:
        return path
    lengths = np.linalg.norm(np.diff(path, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    wanted = np.linspace(0, along[-1], most)
    return path[np.unique(np.minimum(np.searchsorted(along, wanted), len(path) - 1))]


def check_match(
    points: FixedPoints, space: StateSpace, connections: Connections | None, which: str = ""
) -> None:
    """InvalidSetting when points, space and connections are not those of one network."""
    if space.components.shape[1] != points.step.units:
        raise InvalidSetting(
            f"space{which} is of {space.components.shape[1]} units, points{which} of "
            f"{points.step.units}; they must be of one network"
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
