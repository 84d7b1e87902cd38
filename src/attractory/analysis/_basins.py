"""Borders between the basins of attractors, and the smallest disturbance that crosses one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attractory._errors import InvalidSetting
from attractory.analysis._attractors import Attractors
from attractory.analysis._fixed_points import FixedPoints

BISECTIONS = 30
SCAN = 8  # places on a way at which the first exit from a basin is looked for


@dataclass(frozen=True)
class Border:
    """Where the straight way from one stable point to another leaves the first one's basin.

    share: of the way (0: at the first point); state (unit,) there; beyond: the number of the
    attractor that states just past it go to (-1: none of the list); saddle: the fixed point that a state on
    the border comes nearest to (-1: none with an unstable dimension is approached).
    """

    share: float
    state: np.ndarray
    beyond: int
    saddle: int


def basin_border(
    points: FixedPoints | Attractors, start: int, end: int, steps: int = 5000, bisections: int = BISECTIONS
) -> Border:
    """The border between the basins of two stable points on the straight line that joins them.

    start, end: indices of stable points. Bisection, each state simulated for up to `steps` time
    constants; the border is known to 2^-bisections of the distance between the points.
    """
    known = points if isinstance(points, Attractors) else Attractors(points, ())
    points = known.points
    for name, index in [("start", start), ("end", end)]:
        _checked_stable(points, name, index)
    if start == end:
        raise InvalidSetting(f"end = {end} is not allowed: another stable point than start")
    way = points.states[end] - points.states[start]
    (share,), (beyond,) = _exits(known, start, way[None], np.ones(1), steps, bisections)
    state = points.states[start] + share * way
    return Border(float(share), state, int(beyond), _approached(points, state, steps))


@dataclass(frozen=True)
class Disturbance:
    """A push that makes a network forget.

    start, end: the stable point pushed off and the one that is reached instead. vector (unit,): the
    push; size: its length (2-norm); relative: its share of the distance to the nearest other
    stable point.
    """

    start: int
    end: int
    vector: np.ndarray
    size: float
    relative: float


def smallest_disturbance(
    points: FixedPoints | Attractors, start: int, steps: int = 5000, rounds: int = 5, seed: int = 0
) -> Disturbance:
    """The smallest push found (2-norm) that takes the state of a stable point out of its basin.

    From ways to the other points and random ones; then, `rounds` times, each way is turned to the
    normal of the border where it crosses it (the gradient of where the state goes, by the adjoint
    of the linearised dynamics), which shortens it. A local minimum: a smaller one may exist.
    """
    known = points if isinstance(points, Attractors) else Attractors(points, ())
    points = known.points
    _checked_stable(points, "start", start)
    home = points.states[start]
    others = np.delete(np.arange(len(points)), start)
    near = others[np.argsort(np.linalg.norm(points.states[others] - home, axis=1))][:12]
    rng = np.random.default_rng(seed)
    scale = _nearest_stable(points, start)
    ways = np.concatenate(
        [points.states[near] - home, rng.normal(size=(4, points.step.units))]
    )
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    best: tuple[float, np.ndarray, int] | None = None
    for _ in range(rounds + 1):
        sizes, ends = _exits(known, start, ways, np.full(len(ways), 2 * scale), steps, 16)
        found = np.isfinite(sizes)
        if not found.any():
            break
        ways, sizes, ends = ways[found], sizes[found], ends[found]
        order = np.argsort(sizes)[: max(3, len(ways) // 2)]
        ways, sizes, ends = ways[order], sizes[order], ends[order]
        if best is None or sizes[0] < best[0]:
            best = float(sizes[0]), sizes[0] * ways[0], int(ends[0])
        elif sizes[0] > best[0] * (1 - 1e-3):
            break
        ways = np.array(
            [_normal(points, home + s * w, s * w, steps) for w, s in zip(ways, sizes, strict=True)]
        )
    if best is None:
        raise InvalidSetting(
            f"start = {start}: no push up to {2 * scale:.3g} was found that leaves its basin"
        )
    size, vector, end = best
    return Disturbance(start, end, vector, size, size / scale)


def _exits(
    known: Attractors,
    start: int,
    ways: np.ndarray,
    furthest: np.ndarray,
    steps: int,
    bisections: int,
) -> tuple[np.ndarray, np.ndarray]:
    """How far along each way (way, unit) the basin of `start` ends first, and what is beyond.

    inf where it does not end within `furthest` (way,).
    """
    home = known.points.states[start]
    limit = round(steps / getattr(known.points.step, "leak", 1.0))

    def goes_to(sizes: np.ndarray) -> np.ndarray:
        return known.follow(home + sizes[:, None] * ways, limit)

    scan = np.linspace(0, 1, SCAN + 1)[1:, None] * furthest
    ends = np.array([goes_to(sizes) for sizes in scan])
    left = ends != start
    first = left.argmax(axis=0)
    columns = np.arange(len(ways))
    outside, beyond = scan[first, columns], ends[first, columns]
    inside = np.where(first > 0, scan[first - 1, columns], 0.0)
    for _ in range(bisections):
        middle = (inside + outside) / 2
        ends_there = goes_to(middle)
        out = ends_there != start
        outside, beyond = np.where(out, middle, outside), np.where(out, ends_there, beyond)
        inside = np.where(out, inside, middle)
    return np.where(left.any(axis=0), outside, np.inf), beyond


def _normal(points: FixedPoints, state: np.ndarray, push: np.ndarray, steps: int) -> np.ndarray:
    """The normal of the border (unit,) at a state next to it, pointing along the push.

    A state and one a little nearer to home go together until the border parts them; the adjoint of
    the linearised steps takes the direction in which they part back to where they began.
    """
    step = points.step
    pair = np.stack([state, state - 1e-3 * push])
    visited = []
    for _ in range(steps):
        visited.append(pair[0])
        pair = step(pair)
        gap = float(np.linalg.norm(pair[0] - pair[1]))
        if gap > 0.1 * np.linalg.norm(push) or len(visited) == 2000:
            break
    normal = pair[0] - pair[1]
    for at in reversed(visited):
        normal = step.jacobians(at[None])[0].T @ normal
        normal /= max(1e-300, float(np.linalg.norm(normal)))
    return normal if normal @ push > 0 else -normal


def _approached(points: FixedPoints, state: np.ndarray, steps: int) -> int:
    """The unstable fixed point that a trajectory from here comes nearest to, compared with how near
    it is at the start; -1 for none."""
    unstable = np.flatnonzero(points.n_unstable > 0)
    if not len(unstable):
        return -1
    first = np.linalg.norm(points.states[unstable] - state, axis=1)
    nearest = first.copy()
    here = state[None]
    for _ in range(min(steps, 2000)):
        here = points.step(here)
        nearest = np.minimum(nearest, np.linalg.norm(points.states[unstable] - here[0], axis=1))
    best = int(np.argmin(nearest))
    return int(unstable[best]) if nearest[best] < 0.2 * max(first[best], 1e-12) else -1


def _nearest_stable(points: FixedPoints, start: int) -> float:
    """Distance (2-norm) from a stable point to the nearest other one."""
    others = points.stable[points.stable != start]
    if not len(others):
        raise InvalidSetting(
            f"start = {start} is the only stable point; there is no basin to leave it for"
        )
    return float(np.linalg.norm(points.states[others] - points.states[start], axis=1).min())


def _checked_stable(points: FixedPoints, name: str, index: int) -> None:
    if index not in points.stable:
        raise InvalidSetting(
            f"{name} = {index!r} is not allowed: the index of a stable point, one of "
            f"{points.stable.tolist()}"
        )
