"""States simulated without noise until each has come to an attractor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attractory._cores import spread
from attractory.analysis.dynamics._fixed_points import FixedPoints
from attractory.analysis.dynamics._oscillations import WINDOW, Oscillation, matching
from attractory.analysis.dynamics._step import AnyStep

ROWS = 32  # states that a thread takes at a time
SEEN = 1e-6  # so near (max norm, in the size of a state) to a stable point without a proved region
CLOSE = 0.01  # nearer than that (in the size of a state) it is looked at closely
APART = 10.0  # so many times further away than that point must the next known fixed point be
LOOK = WINDOW // 4  # steps after which states are looked at
UNKNOWN, LOST = -1, -2  # instead of an attractor's number


@dataclass(frozen=True)
class Followed:
    """Where states have come to.

    ends (state,): the number of each state's attractor (-1: none). last (state, unit): where it
    was then. heading (state,): the nearest stable point, if it was coming nearer (else -1).
    """

    ends: np.ndarray
    last: np.ndarray
    heading: np.ndarray


def follow(
    points: FixedPoints,
    oscillations: Sequence[Oscillation],
    size: float,
    states: np.ndarray,
    steps: int,
) -> Followed:
    """The attractor that each state (state, unit) comes to within `steps`; size: of a state."""
    if not len(states):
        nothing = np.empty(0, int)
        return Followed(ends=nothing, last=states, heading=nothing)

    def follow_part(part: np.ndarray) -> Followed:
        return _Way(points, oscillations, size, part).followed(steps)

    parts = []
    for first in range(0, len(states), ROWS):
        parts.append(states[first : first + ROWS])
    done = spread(follow_part, parts)
    return Followed(
        ends=np.concatenate([part.ends for part in done]),
        last=np.concatenate([part.last for part in done]),
        heading=np.concatenate([part.heading for part in done]),
    )


class _Way:
    """States on their way; those that have arrived are followed no further."""

    def __init__(
        self,
        points: FixedPoints,
        oscillations: Sequence[Oscillation],
        size: float,
        states: np.ndarray,
    ) -> None:
        count = len(states)
        self.step = points.step
        self.states = states
        self.going = np.arange(count)  # the index that each state had at the start
        self.arrivals = _Arrivals(points, size)
        self.near = _Near(
            point=np.full(count, -1),
            distance=np.full(count, np.inf),
        )
        self.windows = _Windows(points.step, oscillations, len(points), size, count)
        self.made = Followed(
            ends=np.full(count, UNKNOWN),
            last=states.copy(),
            heading=np.full(count, UNKNOWN),
        )

    def followed(self, steps: int) -> Followed:
        for t in range(1, steps + 1):
            self._move()
            if t % LOOK and t < steps:
                continue
            self._look(at_window_end=t % WINDOW == 0)
            if not len(self.going):
                break
        return self.made

    def _move(self) -> None:
        with np.errstate(all="ignore"):  # states may run away: they come to none
            moved = self.step(self.states)
            self.windows.add(self.states, moved)
        self.states = moved

    def _look(self, at_window_end: bool) -> None:
        """Note where the states are, and leave out those that have arrived or escaped."""
        before = self.near
        near = self.arrivals.nearest(self.states)
        same_point = near.point == before.point
        nearer = same_point & (near.distance <= before.distance)
        arrived = self.arrivals.at(self.states, near, nearer)
        if at_window_end:
            self.windows.settle(arrived)
        self.made.ends[self.going] = arrived
        self.made.last[self.going] = self.states
        self.made.heading[self.going] = np.where(nearer, near.point, UNKNOWN)

        finite = np.isfinite(self.states).all(axis=1)
        left = (arrived < 0) & finite
        self.states = self.states[left]
        self.going = self.going[left]
        self.near = _Near(
            point=near.point[left],
            distance=near.distance[left],
        )
        self.windows.keep(left)


class _Windows:
    """The motion of states over a window, compared with the oscillations that are known."""

    def __init__(
        self,
        step: AnyStep,
        oscillations: Sequence[Oscillation],
        n_points: int,
        size: float,
        count: int,
    ) -> None:
        means = [oscillation.mean for oscillation in oscillations]
        speeds = [oscillation.speed for oscillation in oscillations]
        self.means = np.array(means).reshape(-1, step.units)
        self.speeds = np.array(speeds)
        self.n_points = n_points
        self.size = size
        self.matched = np.full(count, -1)  # the oscillation that each was like in the window before
        self.total = np.zeros((count, step.units))
        self.travelled = np.zeros(count)

    def add(self, states: np.ndarray, moved: np.ndarray) -> None:
        """Count a step of all states."""
        if len(self.means):
            self.travelled += np.linalg.norm(moved - states, axis=1)
            self.total += moved

    def settle(self, arrived: np.ndarray) -> None:
        """At the end of a window: enter in `arrived` who was like one oscillation for two."""
        if len(self.means):
            alike = matching(
                self.total / WINDOW,
                self.travelled / WINDOW,
                self.means,
                self.speeds,
                self.size,
            )
            twice = (alike >= 0) & (alike == self.matched)
            settled = twice & (arrived < 0)
            arrived[settled] = self.n_points + alike[settled]
            self.matched = alike
        self.total = np.zeros_like(self.total)
        self.travelled = np.zeros_like(self.travelled)

    def keep(self, left: np.ndarray) -> None:
        """Go on with these states alone."""
        self.matched = self.matched[left]
        self.total = self.total[left]
        self.travelled = self.travelled[left]


@dataclass(frozen=True)
class _Near:
    """The nearest stable point of each state (-1: there is none), and its distance (max norm)."""

    point: np.ndarray
    distance: np.ndarray


class _Arrivals:
    """When a state has come to a stable point."""

    def __init__(self, points: FixedPoints, size: float) -> None:
        self.points = points
        self.size = size
        # a point on a kink may attract, too
        kinked = np.flatnonzero(points.kinked)
        self.numbers = np.concatenate([points.stable, kinked])
        self.targets = points.states[self.numbers]
        self.apart: dict[int, float] = {}
        for number in self.numbers.tolist():
            self.apart[number] = _to_next(points, number)

    def nearest(self, states: np.ndarray) -> _Near:
        count = len(states)
        if not len(self.targets):
            return _Near(
                point=np.full(count, UNKNOWN),
                distance=np.full(count, np.inf),
            )
        away = states[:, None] - self.targets
        distances = np.abs(away).max(axis=2)
        nearest = distances.argmin(axis=1)
        return _Near(
            point=self.numbers[nearest],
            distance=distances[np.arange(count), nearest],
        )

    def at(self, states: np.ndarray, near: _Near, nearer: np.ndarray) -> np.ndarray:
        """The point that each state has come to, -1 for none."""
        arrived = np.full(len(states), UNKNOWN)
        close = near.distance < CLOSE * self.size
        for row in np.flatnonzero(close):
            point = int(near.point[row])
            region = self.points.regions[point]
            if region is not None:
                there = region.holds(states[row])
            else:
                distance = float(near.distance[row])
                there = bool(nearer[row]) and self._seen_at(point, distance)
            if there:
                arrived[row] = point
        return arrived

    def _seen_at(self, point: int, distance: float) -> bool:
        """Is a state at this distance from a point that is alone there, as far as can be seen?"""
        alone = APART * distance <= self.apart[point]
        return distance < SEEN * self.size and alone


def _to_next(points: FixedPoints, point: int) -> float:
    """From a fixed point to the nearest other one (max norm)."""
    if len(points) < 2:
        return np.inf
    away = points.states - points.states[point]
    distances = np.abs(away).max(axis=1)
    return float(np.sort(distances)[1])
