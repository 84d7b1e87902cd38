"""The direction in which a border between two basins is crossed most quickly."""

from __future__ import annotations

import numpy as np

from attractory.analysis.dynamics._fixed_points import FixedPoints

ADJOINT = 600  # steps over which the normal of a border is found
GROWN = 10.0  # two states next to a border have parted when their distance has grown so
BESIDE = 0.01  # how much nearer to home the second state is, in the length of the push
LEAST = 1e-300  # of a length that is divided by


def normals(
    points: FixedPoints,
    states: np.ndarray,
    pushes: np.ndarray,
) -> np.ndarray:
    """Unit normals (state, unit) of the border at states next to it, pointing along the pushes.

    A state and one a little nearer to home go together until the border parts them; the adjoint of
    the linearised steps takes the direction in which they part back to where they began.
    """
    visited, apart, parted = _parted(points, states, pushes)
    step = points.step
    for t in reversed(range(len(visited))):
        rows = np.flatnonzero(parted > t)
        places = visited[t][rows]
        back = step.pull_back(places, apart[rows])
        apart[rows] = back / _lengths(back)
    along = (apart * pushes).sum(1)
    sign = np.where(along > 0, 1.0, -1.0)
    lengths = _lengths(apart)
    return sign[:, None] * apart / lengths


def _parted(
    points: FixedPoints,
    states: np.ndarray,
    pushes: np.ndarray,
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """The states step by step, the difference to the others when they part, and the step of it."""
    step = points.step
    gap = BESIDE * np.linalg.norm(pushes, axis=1)
    grown = GROWN * gap
    here = states
    beside = states - BESIDE * pushes
    apart = here - beside
    parted = np.full(len(states), ADJOINT)
    visited = []
    for t in range(ADJOINT):
        visited.append(here)
        here = step(here)
        beside = step(beside)
        difference = here - beside
        distance = np.linalg.norm(difference, axis=1)
        together = parted == ADJOINT
        fresh = together & (distance > grown)
        parted[fresh] = t + 1
        apart[fresh] = difference[fresh]
        if (parted < ADJOINT).all():
            break
    together = parted == ADJOINT
    parted[together] = len(visited)
    apart[together] = (here - beside)[together]
    return visited, apart, parted


def _lengths(vectors: np.ndarray) -> np.ndarray:
    """Lengths to divide by (vector, 1), above 0."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.maximum(LEAST, lengths)
