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
from attractory.analysis.dynamics._normals import normals

SCAN = 6  # places on a way at which the first exit from a basin is looked for
NEIGHBOURS = 8  # fixed points towards which pushes are tried
BISECTIONS = 14  # of a way on which a push is sought
BEST = 2  # pushes of a start that are turned and tried again
APPROACH = 2000  # steps in which a state on a border is looked for next to a saddle


@dataclass(frozen=True, repr=False)
class Border(Result):
    """Where the straight way from one stable point to another leaves the first one's basin.

    Simulated, not proved.

    Attributes
    ----------
    share : float
        Of the way; 0 is at the first point.
    state : array (unit,)
        The state there.
    beyond : int
        The number of the attractor that states just past it go to; -1: none of the list.
    saddle : int
        The fixed point that a state on the border comes nearest to; -1: none with an unstable
        dimension is approached.
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

    Parameters
    ----------
    points : FixedPoints or Attractors
        The attractors that states may go to.
    start, end : int
        Indices of two stable points.
    steps : int
        Length of the simulation of each state at most, in time constants.
    bisections : int
        The border is known to 2^-bisections of the distance between the points.

    Returns
    -------
    Border
        The place, simulated, not proved.

    Raises
    ------
    InvalidSetting
        When start or end is not a stable point, or both are the same.

    Notes
    -----
    Bisection. A state that has come to no attractor when its time is over counts for the stable
    point that it is nearest to and coming nearer (`Attractors.tendency`).
    """
    known = _known(points)
    for name, index in [("start", start), ("end", end)]:
        _checked_stable(known.points, name, index)
    if start == end:
        raise InvalidSetting(f"end = {end} is not allowed: another stable point than start")
    states = known.points.states
    way = states[end] - states[start]
    limit = _limit(known, steps)
    shares, beyond = _exits(
        known,
        owners=np.array([start]),
        ways=way[None],
        furthest=np.ones(1),
        steps=limit,
        bisections=bisections,
    )
    state = states[start] + shares[0] * way
    return Border(
        share=float(shares[0]),
        state=state,
        beyond=int(beyond[0]),
        saddle=_approached(known.points, state, limit),
    )


@dataclass(frozen=True, repr=False)
class Disturbance(Result):
    """A push that makes a network forget.

    Attributes
    ----------
    start : int
        The stable point pushed off.
    end : int
        The attractor that is reached instead; -1: none of the list.
    vector : array (unit,)
        The push.
    size : float
        Its length (2-norm); infinite when none was found.
    relative : float
        Its share of the distance to the nearest other stable point.
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
    """The smallest push found (2-norm) out of the basin of each of these stable points.

    Parameters
    ----------
    points : FixedPoints or Attractors
        The attractors that states may go to.
    starts : sequence of int, optional
        Indices of stable points; all of them when None.
    steps : int
        Length of the simulation of each state at most, in time constants.
    rounds : int
        How many times a push is turned.

    Returns
    -------
    list of Disturbance
        One for each start. A local minimum: a smaller push may exist.

    Raises
    ------
    InvalidSetting
        When a start is not a stable point, or there is only one.

    Notes
    -----
    The first pushes are towards the nearest other fixed points. Then, `rounds` times, a push is
    turned to the normal of the border where it crosses it (the gradient of where the state goes, by
    the adjoint of the linearised steps), which shortens it. A state that has come to no attractor
    when its time is over counts as in `basin_border`.
    """
    known = _known(points)
    stable = known.points.stable
    chosen = stable if starts is None else np.asarray(starts, int)
    for start in chosen.tolist():
        _checked_stable(known.points, "starts", start)
    if len(stable) < 2:
        raise InvalidSetting(
            f"points has {len(stable)} stable point; a second one is needed to be disturbed into"
        )
    pushes = _Pushes(known, chosen)
    limit = _limit(known, steps)
    for i in range(rounds + 1):
        pushes.measure(limit)
        last = i == rounds
        if last or not pushes.turn():
            break
    return _with_ends(known, list(pushes.best.values()), steps)


class _Pushes:
    """Ways out of basins (way, unit), whose owners are the stable points that they start at.

    sizes (way,): how long the push along each must be. best: the shortest one of each owner.
    """

    def __init__(self, known: Attractors, starts: np.ndarray) -> None:
        self.known = known
        self.distance: dict[int, float] = {}  # to the nearest other stable point
        self.best: dict[int, Disturbance] = {}
        for start in starts.tolist():
            self.distance[start] = _nearest_stable(known.points, start)
            self.best[start] = Disturbance(
                start=start,
                end=-1,
                vector=np.zeros(known.points.step.units),
                size=float("inf"),
                relative=float("inf"),
            )
        self.owners, self.ways = _first_ways(known.points, starts)
        self.sizes = np.full(len(self.owners), np.inf)

    def measure(self, steps: int) -> None:
        """How long the pushes must be; the shortest are noted."""
        furthest = [2 * self.distance[owner] for owner in self.owners.tolist()]
        self.sizes, ends = _exits(
            self.known,
            self.owners,
            self.ways,
            np.array(furthest),
            steps,
            BISECTIONS,
        )
        measured = zip(
            self.owners.tolist(),
            self.ways,
            self.sizes,
            ends,
            strict=True,
        )
        for owner, way, size, end in measured:
            if size < self.best[owner].size:
                self.best[owner] = Disturbance(
                    start=owner,
                    end=int(end),
                    vector=size * way,
                    size=float(size),
                    relative=float(size / self.distance[owner]),
                )

    def turn(self) -> bool:
        """Turn the shortest pushes to the normals of the border; False when there is none."""
        kept = _shortest(self.owners, self.sizes, BEST)
        self.owners = self.owners[kept]
        if not len(self.owners):
            return False
        pushes = self.ways[kept] * self.sizes[kept, None]
        points = self.known.points
        at_border = points.states[self.owners] + pushes
        self.ways = normals(points, at_border, pushes)
        return True


def _with_ends(
    known: Attractors,
    found: list[Disturbance],
    steps: int,
) -> list[Disturbance]:
    """Where a push a little longer leads: right on the border the way takes long."""
    pushed = []
    for each in found:
        state = known.points.states[each.start]
        pushed.append(state + 1.02 * each.vector)
    long = 5 * _limit(known, steps)
    ends = known.tendency(np.array(pushed), long)
    told = []
    for each, end in zip(found, ends, strict=True):
        elsewhere = end not in (-1, each.start)
        told.append(replace(each, end=int(end)) if elsewhere else each)
    return told


def _first_ways(
    points: FixedPoints,
    starts: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors from each start towards its nearest fixed points, and which start each is of."""
    count = min(NEIGHBOURS, len(points) - 1)
    owners = []
    ways = []
    for start in starts.tolist():
        apart = points.states - points.states[start]
        distance = np.linalg.norm(apart, axis=1)
        distance[start] = np.inf
        nearest = np.argsort(distance)[:count]
        for other in nearest:
            owners.append(start)
            ways.append(apart[other] / distance[other])
    return np.array(owners), np.array(ways)


def _shortest(
    owners: np.ndarray,
    sizes: np.ndarray,
    count: int,
) -> np.ndarray:
    """Indices of the `count` shortest finite pushes of each owner."""
    kept: list[int] = []
    finite = np.isfinite(sizes)
    for owner in np.unique(owners):
        own = np.flatnonzero((owners == owner) & finite)
        by_size = np.argsort(sizes[own])
        shortest = own[by_size[:count]]
        kept += shortest.tolist()
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
    home = known.points.states[owners]
    columns = np.arange(len(ways))
    shares = np.linspace(0, 1, SCAN + 1)[1:]
    scan = shares[:, None] * furthest
    everywhere = home + scan[..., None] * ways
    ends = known.tendency(everywhere.reshape(-1, ways.shape[1]), steps)
    ends = ends.reshape(SCAN, len(ways))
    left = ends != owners

    first = left.argmax(axis=0)
    outside = scan[first, columns]
    beyond = ends[first, columns]
    inside = np.where(first > 0, scan[first - 1, columns], 0.0)
    for _ in range(bisections):
        middle = (inside + outside) / 2
        reached = known.tendency(home + middle[:, None] * ways, steps)
        out = reached != owners
        outside = np.where(out, middle, outside)
        beyond = np.where(out, reached, beyond)
        inside = np.where(out, inside, middle)
    found = left.any(axis=0)
    return np.where(found, outside, np.inf), beyond


def _approached(
    points: FixedPoints,
    state: np.ndarray,
    steps: int,
) -> int:
    """The unstable fixed point that a trajectory from here comes nearest to, compared with how near
    it is at the start; -1 for none."""
    unstable = np.flatnonzero(points.n_unstable > 0)
    if not len(unstable):
        return -1
    saddles = points.states[unstable]
    first = np.linalg.norm(saddles - state, axis=1)
    nearest = first.copy()
    here = state[None]
    for _ in range(min(steps, APPROACH)):
        here = points.step(here)
        distance = np.linalg.norm(saddles - here[0], axis=1)
        nearest = np.minimum(nearest, distance)
    best = int(np.argmin(nearest))
    typical = np.linalg.norm(saddles[best]) + first[best]
    approached = nearest[best] < 0.1 * typical
    return int(unstable[best]) if approached else -1


def _nearest_stable(points: FixedPoints, start: int) -> float:
    """Distance (2-norm) from a stable point to the nearest other one."""
    others = points.stable[points.stable != start]
    apart = points.states[others] - points.states[start]
    distances = np.linalg.norm(apart, axis=1)
    return float(distances.min())


def _known(points: FixedPoints | Attractors) -> Attractors:
    if isinstance(points, Attractors):
        return points
    return Attractors(points, ())


def _limit(known: Attractors, steps: int) -> int:
    return round(steps / known.points.step.leak)


def _checked_stable(
    points: FixedPoints,
    name: str,
    index: int,
) -> None:
    if index not in points.stable:
        raise InvalidSetting(
            f"{name} = {shown(index)} is not allowed: the index of a stable point, one of "
            f"{points.stable.tolist()}"
        )
