"""Borders between the basins of attractors, and the smallest disturbance that crosses one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from attractory._arguments import indices, optional, takes, whole
from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting, shown
from attractory._result import Result
from attractory.analysis.dynamics._attractors import Attractors, points_or_attractors
from attractory.analysis.dynamics._fixed_points import FixedPoints

SCAN = 6  # places on a way at which the first exit from a basin is looked for
NEIGHBOURS = 8  # fixed points towards which pushes are tried
ADJOINT = 600  # steps over which the normal of a border is found
GROWN = 10.0  # two states next to a border have parted when their distance has grown so


@dataclass(frozen=True, repr=False)
class Border(Result):
    """Where the straight way from one stable point to another leaves the first one's basin.

    Simulated, not proved. share: of the way (0: at the first point); state (unit,) there; beyond:
    the number of the attractor that states just past it go to (-1: none of the list); saddle: the
    fixed point that a state on the border comes nearest to (-1: none with an unstable dimension is
    approached).
    """

    share: float
    state: np.ndarray
    beyond: int
    saddle: int


@one_blas_thread
@takes(points=points_or_attractors, start=whole(), end=whole())
def basin_border(
    points: FixedPoints | Attractors, start: int, end: int, steps: int = 5000, bisections: int = 30
) -> Border:
    """The border between the basins of two stable points on the straight line that joins them.

    start, end: indices of stable points. Bisection, each state simulated for up to `steps` time
    constants; one that has come to no attractor by then counts for the stable point that it is
    nearest to and coming nearer (`Attractors.tendency`). The border is known to 2^-bisections of
    the distance between the points.
    """
    known = _known(points)
    for name, index in [("start", start), ("end", end)]:
        _checked_stable(known.points, name, index)
    if start == end:
        raise InvalidSetting(f"end = {end} is not allowed: another stable point than start")
    states = known.points.states
    way = states[end] - states[start]
    limit = _limit(known, steps)
    shares, beyond = _exits(known, np.array([start]), way[None], np.ones(1), limit, bisections)
    state = states[start] + shares[0] * way
    return Border(float(shares[0]), state, int(beyond[0]), _approached(known.points, state, limit))


@dataclass(frozen=True, repr=False)
class Disturbance(Result):
    """A push that makes a network forget.

    start, end: the stable point pushed off and the attractor that is reached instead (-1: none of
    the list). vector (unit,): the push; size: its length (2-norm), infinite when none was found;
    relative: its share of the distance to the nearest other stable point.
    """

    start: int
    end: int
    vector: np.ndarray
    size: float
    relative: float


@one_blas_thread
@takes(points=points_or_attractors, starts=optional(indices))
def smallest_disturbances(
    points: FixedPoints | Attractors,
    starts: Sequence[int] | np.ndarray | None = None,
    steps: int = 2000,
    rounds: int = 4,
) -> list[Disturbance]:
    """The smallest push found (2-norm) out of the basin of each of these stable points (all: None).

    The first pushes are towards the nearest other fixed points. Then, `rounds` times, a push is
    turned to the normal of the border where it crosses it (the gradient of where the state goes, by
    the adjoint of the linearised steps), which shortens it. A local minimum: a smaller push may
    exist. Each state is simulated for up to `steps` time constants, as in `basin_border`.
    """
    known = _known(points)
    chosen = known.points.stable if starts is None else np.asarray(starts, int)
    for start in chosen.tolist():
        _checked_stable(known.points, "starts", start)
    if len(known.points.stable) < 2:
        raise InvalidSetting(
            f"points has {len(known.points.stable)} stable point; a second one is needed to be "
            "disturbed into"
        )
    scale = {start: _nearest_stable(known.points, start) for start in chosen.tolist()}
    best = {
        start: Disturbance(start, -1, np.zeros(known.points.step.units), float("inf"), float("inf"))
        for start in chosen.tolist()
    }
    owners, ways = _first_ways(known.points, chosen)
    limit = _limit(known, steps)
    for i in range(rounds + 1):
        furthest = np.array([2 * scale[owner] for owner in owners.tolist()])
        sizes, ends = _exits(known, owners, ways, furthest, limit, 14)
        for owner, way, size, end in zip(owners.tolist(), ways, sizes, ends, strict=True):
            if size < best[owner].size:
                relative = float(size / scale[owner])
                best[owner] = Disturbance(owner, int(end), size * way, float(size), relative)
        if i == rounds:
            break
        kept = _shortest(owners, sizes, 2)
        owners, pushes = owners[kept], ways[kept] * sizes[kept, None]
        if not len(owners):
            break
        ways = _normals(known.points, known.points.states[owners] + pushes, pushes)
    return _with_ends(known, list(best.values()), steps)


def _with_ends(known: Attractors, found: list[Disturbance], steps: int) -> list[Disturbance]:
    """Where a push a little longer leads: right on the border the way takes long."""
    pushed = [known.points.states[each.start] + 1.02 * each.vector for each in found]
    ends = known.tendency(np.array(pushed), 5 * _limit(known, steps))
    return [
        replace(each, end=int(end)) if end not in (-1, each.start) else each
        for each, end in zip(found, ends, strict=True)
    ]


def _first_ways(points: FixedPoints, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors from each start towards its nearest fixed points, and which start each is of."""
    owners, ways = [], []
    for start in starts.tolist():
        apart = points.states - points.states[start]
        distance = np.linalg.norm(apart, axis=1)
        distance[start] = np.inf
        for other in np.argsort(distance)[: min(NEIGHBOURS, len(points) - 1)]:
            owners.append(start)
            ways.append(apart[other] / distance[other])
    return np.array(owners), np.array(ways)


def _shortest(owners: np.ndarray, sizes: np.ndarray, count: int) -> np.ndarray:
    """Indices of the `count` shortest finite pushes of each owner."""
    kept: list[int] = []
    for owner in np.unique(owners):
        own = np.flatnonzero((owners == owner) & np.isfinite(sizes))
        kept += own[np.argsort(sizes[own])[:count]].tolist()
    return np.array(kept, int)


def _exits(
    known: Attractors,
    owners: np.ndarray,
    ways: np.ndarray,
    furthest: np.ndarray,
    steps: int,
    bisections: int,
) -> tuple[np.ndarray, np.ndarray]:
    """How far along each way (way, unit) the basin of its owner ends first, and what is beyond.

    inf where it does not end within `furthest` (way,).
    """
    home, count = known.points.states[owners], len(ways)

    def ends_of(sizes: np.ndarray) -> np.ndarray:
        return known.tendency(home + sizes[:, None] * ways, steps)

    scan = np.linspace(0, 1, SCAN + 1)[1:, None] * furthest
    everywhere = home + scan[..., None] * ways
    ends = known.tendency(everywhere.reshape(-1, ways.shape[1]), steps).reshape(SCAN, count)
    left = ends != owners
    first, columns = left.argmax(axis=0), np.arange(count)
    outside, beyond = scan[first, columns], ends[first, columns]
    inside = np.where(first > 0, scan[first - 1, columns], 0.0)
    for _ in range(bisections):
        middle = (inside + outside) / 2
        reached = ends_of(middle)
        out = reached != owners
        outside, beyond = np.where(out, middle, outside), np.where(out, reached, beyond)
        inside = np.where(out, inside, middle)
    return np.where(left.any(axis=0), outside, np.inf), beyond


def _normals(points: FixedPoints, states: np.ndarray, pushes: np.ndarray) -> np.ndarray:
    """Unit normals (state, unit) of the border at states next to it, pointing along the pushes.

    A state and one a little nearer to home go together until the border parts them; the adjoint of
    the linearised steps takes the direction in which they part back to where they began.
    """
    step = points.step
    gap = 0.01 * np.linalg.norm(pushes, axis=1)
    here, beside = states, states - 0.01 * pushes
    apart, parted = here - beside, np.full(len(states), ADJOINT)
    visited = []
    for t in range(ADJOINT):
        visited.append(here)
        here, beside = step(here), step(beside)
        fresh = (parted == ADJOINT) & (np.linalg.norm(here - beside, axis=1) > GROWN * gap)
        parted[fresh], apart[fresh] = t + 1, (here - beside)[fresh]
        if (parted < ADJOINT).all():
            break
    unparted = parted == ADJOINT
    parted[unparted], apart[unparted] = len(visited), (here - beside)[unparted]
    for t in reversed(range(len(visited))):
        rows = np.flatnonzero(parted > t)
        back = step.pull_back(visited[t][rows], apart[rows])
        apart[rows] = back / np.maximum(1e-300, np.linalg.norm(back, axis=1, keepdims=True))
    sign = np.where((apart * pushes).sum(1) > 0, 1.0, -1.0)
    return sign[:, None] * apart / np.maximum(1e-300, np.linalg.norm(apart, axis=1, keepdims=True))


def _approached(points: FixedPoints, state: np.ndarray, steps: int) -> int:
    """The unstable fixed point that a trajectory from here comes nearest to, compared with how near
    it is at the start; -1 for none."""
    unstable = np.flatnonzero(points.n_unstable > 0)
    if not len(unstable):
        return -1
    first = np.linalg.norm(points.states[unstable] - state, axis=1)
    nearest, here = first.copy(), state[None]
    for _ in range(min(steps, 2000)):
        here = points.step(here)
        nearest = np.minimum(nearest, np.linalg.norm(points.states[unstable] - here[0], axis=1))
    best = int(np.argmin(nearest))
    typical = np.linalg.norm(points.states[unstable[best]]) + first[best]
    return int(unstable[best]) if nearest[best] < 0.1 * typical else -1


def _nearest_stable(points: FixedPoints, start: int) -> float:
    """Distance (2-norm) from a stable point to the nearest other one."""
    others = points.stable[points.stable != start]
    return float(np.linalg.norm(points.states[others] - points.states[start], axis=1).min())


def _known(points: FixedPoints | Attractors) -> Attractors:
    return points if isinstance(points, Attractors) else Attractors(points, ())


def _limit(known: Attractors, steps: int) -> int:
    return round(steps / known.points.step.leak)


def _checked_stable(points: FixedPoints, name: str, index: int) -> None:
    if index not in points.stable:
        raise InvalidSetting(
            f"{name} = {shown(index)} is not allowed: the index of a stable point, one of "
            f"{points.stable.tolist()}"
        )
