"""The ways from saddles to attractors, in a state space: what is drawn of connections."""

from __future__ import annotations

import numpy as np

from attractory._cores import one_blas_thread
from attractory.analysis.dynamics._attractors import Attractors
from attractory.analysis.dynamics._directions import eigenvectors
from attractory.analysis.dynamics._fixed_points import FixedPoints
from attractory.analysis.states._state_space import StateSpace

PUSH = 1e-3  # length of the first push off a saddle, times √units
NEAR = 0.02  # a way ends so near (max norm, in the size of a state) to its attractor
STEPS = 10_000  # in time constants: a way that has not come there ends here
LOOK = 10  # steps between two looks at where a way is
RING = 400  # states that stand for an oscillation


@one_blas_thread
def ways(
    known: Attractors,
    edges: np.ndarray,
    space: StateSpace,
    most: int,
) -> list[np.ndarray]:
    """The two ways of each edge (edge, 3), one after the other; see `Connections.ways`."""
    points = known.points
    saddles = edges[:, 0].tolist()
    if not saddles:
        return []
    units = points.step.units
    push = PUSH * np.sqrt(units)
    vectors = [_joining_vector(points, saddle) for saddle in saddles]
    aside = np.array([push * vector for vector in vectors])
    middle = points.states[saddles]
    both_sides = np.stack([middle + aside, middle - aside], axis=1)
    starts = both_sides.reshape(-1, units)
    ends = np.repeat(
        edges[:, 1:],
        2,
        axis=0,
    )
    paths = _followed(known, space, starts, ends)
    origins = np.repeat(
        space.project(middle),
        2,
        axis=0,
    )
    whole = []
    for origin, path in zip(origins, paths, strict=True):
        from_saddle = np.concatenate([origin[None], path])
        whole.append(_thinned(from_saddle, most))
    return whole


def _joining_vector(
    points: FixedPoints,
    point: int,
) -> np.ndarray:
    """The unit vector (unit,) along which a saddle joins two attractors: that of its only real
    eigenvalue above 1."""
    values = points.eigenvalues[point]
    real = values.imag == 0
    growing = values.real > 1
    joining = values[real & growing]
    vectors = eigenvectors(
        points.step,
        points.states[point],
        joining,
    )
    return vectors[0]


def _followed(
    known: Attractors,
    space: StateSpace,
    states: np.ndarray,
    ends: np.ndarray,
) -> list[np.ndarray]:
    """The places on the way of each state until it is near one of its attractors `ends`
    (state, 2)."""
    step = known.points.step
    targets = {}
    for number in np.unique(ends).tolist():
        targets[number] = _states_of(known, number)
    largest = float(np.abs(known.points.states).max())
    near = NEAR * max(1e-6, largest)
    paths: list[list[np.ndarray]] = [[] for _ in states]
    going = np.arange(len(states))
    limit = round(STEPS / step.leak)
    for t in range(1, limit + 1):
        states = step(states)
        places = space.project(states)
        for i, place in zip(going, places, strict=True):
            paths[i].append(place)
        if t % LOOK:
            continue
        left = np.ones(len(going), bool)
        for row, i in enumerate(going):
            for number in ends[i].tolist():
                target = targets[number]
                distances = np.abs(target - states[row]).max(axis=1)
                if not distances.min() < near:
                    continue
                left[row] = False
                if len(target) == 1:  # the rest of the way is shorter than a marker
                    paths[i].append(space.project(target[0]))
        states = states[left]
        going = going[left]
        if not len(going):
            break
    return [np.array(path) for path in paths]


def _states_of(
    known: Attractors,
    number: int,
) -> np.ndarray:
    """States (state, unit) on an attractor: one of a fixed point, many of an oscillation."""
    count = len(known.points)
    if number < count:
        state = known.points.states[number]
        return state[None]
    oscillation = known.oscillations[number - count]
    states = [oscillation.state[None]]
    for _ in range(RING - 1):
        following = known.points.step(states[-1])
        states.append(following)
    return np.concatenate(states)


def _thinned(path: np.ndarray, most: int) -> np.ndarray:
    """At most `most` places of a path (place, n), about evenly along its length, and its end."""
    if len(path) <= most:
        return path
    moves = np.diff(path, axis=0)
    lengths = np.linalg.norm(moves, axis=1)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    wanted = np.linspace(
        0,
        along[-1],
        most,
    )
    places = np.searchsorted(along, wanted)
    last = len(path) - 1
    chosen = np.unique(np.minimum(places, last))
    return path[chosen]
