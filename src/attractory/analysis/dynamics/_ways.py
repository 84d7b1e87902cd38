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
def ways(known: Attractors, edges: np.ndarray, space: StateSpace, most: int) -> list[np.ndarray]:
    """The two ways of each edge (edge, 3), one after the other; see `Connections.ways`."""
    points = known.points
    saddles = edges[:, 0].tolist()
    if not saddles:
        return []
    push = PUSH * np.sqrt(points.step.units)
    aside = np.array([push * _joining_vector(points, saddle) for saddle in saddles])
    middle = points.states[saddles]
    starts = np.stack([middle + aside, middle - aside], axis=1).reshape(-1, points.step.units)
    ends = np.repeat(edges[:, 1:], 2, axis=0)
    paths = _followed(known, space, starts, ends)
    origins = np.repeat(space.project(middle), 2, axis=0)
    return [
        _thinned(np.concatenate([origin[None], path]), most)
        for origin, path in zip(origins, paths, strict=True)
    ]


def _joining_vector(points: FixedPoints, point: int) -> np.ndarray:
    """The unit vector (unit,) along which a saddle joins two attractors: that of its only real
    eigenvalue above 1."""
    values = points.eigenvalues[point]
    joining = values[(values.imag == 0) & (values.real > 1)]
    return eigenvectors(points.step, points.states[point], joining)[0]


def _followed(
    known: Attractors, space: StateSpace, states: np.ndarray, ends: np.ndarray
) -> list[np.ndarray]:
    """The places on the way of each state until it is near one of its attractors `ends`
    (state, 2)."""
    step = known.points.step
    targets = {int(number): _states_of(known, int(number)) for number in np.unique(ends)}
    near = NEAR * max(1e-6, float(np.abs(known.points.states).max()))
    paths: list[list[np.ndarray]] = [[] for _ in states]
    going = np.arange(len(states))
    for t in range(1, round(STEPS / step.leak) + 1):
        states = step(states)
        for i, place in zip(going, space.project(states), strict=True):
            paths[i].append(place)
        if t % LOOK:
            continue
        left = np.ones(len(going), bool)
        for row, i in enumerate(going):
            for number in ends[i].tolist():
                if np.abs(targets[number] - states[row]).max(axis=1).min() < near:
                    left[row] = False
                    if len(targets[number]) == 1:  # the rest of the way is shorter than a marker
                        paths[i].append(space.project(targets[number][0]))
        states, going = states[left], going[left]
        if not len(going):
            break
    return [np.array(path) for path in paths]


def _states_of(known: Attractors, number: int) -> np.ndarray:
    """States (state, unit) on an attractor: one of a fixed point, many of an oscillation."""
    count = len(known.points)
    if number < count:
        return known.points.states[number][None]
    states = [known.oscillations[number - count].state[None]]
    for _ in range(RING - 1):
        states.append(known.points.step(states[-1]))
    return np.concatenate(states)


def _thinned(path: np.ndarray, most: int) -> np.ndarray:
    """At most `most` places of a path (place, n), about evenly along its length, and its end."""
    if len(path) <= most:
        return path
    lengths = np.linalg.norm(np.diff(path, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    wanted = np.linspace(0, along[-1], most)
    return path[np.unique(np.minimum(np.searchsorted(along, wanted), len(path) - 1))]
