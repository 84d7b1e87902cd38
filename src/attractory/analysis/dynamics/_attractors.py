"""Where a network ends when it is left alone: stable points, and attractors that keep moving."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from attractory._arguments import as_array, instance_of, optional, takes, whole
from attractory._cores import one_blas_thread, spread
from attractory._errors import InvalidSetting, whole_number
from attractory._result import Result
from attractory.analysis._given import POINTS
from attractory.analysis.dynamics._fixed_points import FixedPoints
from attractory.analysis.dynamics._oscillations import (
    ALIKE,
    MOVING,
    WINDOW,
    Oscillation,
    lasting,
    matching,
    mirrored,
    motion,
)

ROWS = 32  # states that a thread takes at a time
SEEN = 1e-6  # so near (max norm, in the size of a state) to a stable point without a proved region
CLOSE = 0.01  # nearer than that (in the size of a state) it is looked at closely
APART = 10.0  # so many times further away than that point must the next known fixed point be
UNKNOWN, LOST = -1, -2  # instead of an attractor's number


@dataclass(frozen=True, repr=False)
class Attractors(Result):
    """What a network may end in: the stable fixed points of `points`, and `oscillations`.

    An attractor has a number: that of the fixed point, or len(points) + i for oscillation i.
    lost: how many simulated states had come to none of these when the simulation ended. rests: the
    fixed points on a kink, whose stability no Jacobian tells, that simulated states came to.
    """

    points: FixedPoints
    oscillations: tuple[Oscillation, ...]
    lost: int = 0
    rests: tuple[int, ...] = ()

    @property
    def numbers(self) -> list[int]:
        """The numbers of all attractors."""
        count = len(self.points)
        moving = range(count, count + len(self.oscillations))
        return [*self.points.stable.tolist(), *self.rests, *moving]

    @property
    def size(self) -> float:
        """The size of a state: the largest value of any unit in those known."""
        known = [self.points.states, *(each.state for each in self.oscillations)]
        return max((float(np.abs(s).max()) for s in known if s.size), default=0.0) or 1.0

    def output(self, number: int) -> np.ndarray:
        """The readout (output,) at an attractor; its mean over an oscillation."""
        count = len(self.points)
        if number < count:
            return self.points.outputs[number]
        return self.oscillations[number - count].output_mean

    def state(self, number: int) -> np.ndarray:
        """The state (unit,) of an attractor; the mean state of an oscillation."""
        count = len(self.points)
        return (
            self.points.states[number] if number < count else self.oscillations[number - count].mean
        )

    def follow(self, states: np.ndarray, steps: int) -> np.ndarray:
        """The number of the attractor that each state (state, unit) comes to within `steps`.

        -1: to none of them in that time. Noise-free, in float64, under the constant input of
        `points`. A state has come to a stable point when it is in the region around it that is
        proved to hold what enters it. Where there is no such proof: when it is within 1e-6 of the
        size of a state, coming nearer, and all other known fixed points are ten times as far away.
        It has come to an oscillation when its mean and its speed over two windows of 200 steps are
        like those of the oscillation: seen, as the oscillation is.
        """
        return one_blas_thread(_follow)(self, states, steps).ends

    def tendency(self, states: np.ndarray, steps: int) -> np.ndarray:
        """As `follow`, where time may run out: a state (state, unit) that has come to none of them
        counts for the nearest stable point, if it is coming nearer: a guess."""
        ways = one_blas_thread(_follow)(self, states, steps)
        return np.where(ways.ends == UNKNOWN, ways.heading, ways.ends)


points_or_attractors = instance_of(FixedPoints, Attractors, hint=POINTS)


@one_blas_thread
@takes(points=points_or_attractors, states=optional(as_array), seed=whole())
def attractors(
    points: FixedPoints | Attractors,
    states: np.ndarray | None = None,
    steps: int = 6000,
    seed: int = 0,
) -> Attractors:
    """The attractors that states end in, stable points and oscillations.

    points: fixed points, or attractors known already, to which others are added.
    states (state, unit): where to start, such as states of the task; when None, states near every
    fixed point with an unstable dimension. steps: length of the simulation in time constants. What
    moves on after that is simulated for as long again: it is called an oscillation when it still
    moves about the same place at the same speed, and counts as lost otherwise. Seen, not proved.
    """
    whole_number("steps", steps)
    rng = np.random.default_rng(seed)
    found = points if isinstance(points, Attractors) else Attractors(points, ())
    points = found.points
    given = _around(points, rng) if states is None else np.atleast_2d(np.asarray(states, float))
    if given.shape[1] != points.step.units:
        raise InvalidSetting(
            f"states has shape {given.shape}; it must be (state, {points.step.units})"
        )
    limit = round(steps / points.step.leak)
    ways = _follow(found, given, limit)
    ends = ways.ends
    moving = np.flatnonzero(ends == UNKNOWN)
    ends[moving], more = _sorted_motions(found, ways.last[moving], limit)
    found = Attractors(points, (*found.oscillations, *more), rests=found.rests)
    kinked = np.flatnonzero(points.kinked).tolist()
    rests = {*found.rests, *(point for point in kinked if (ends == point).any())}
    counts = np.bincount(ends[ends >= 0], minlength=len(points) + len(found.oscillations))
    oscillations = [
        replace(each, hits=each.hits + int(counts[len(points) + i]))
        for i, each in enumerate(found.oscillations)
    ]
    lost = int((ends == LOST).sum())
    return Attractors(points, tuple(oscillations), lost, tuple(sorted(rests)))


def _around(points: FixedPoints, rng: np.random.Generator) -> np.ndarray:
    """Two states next to each fixed point that is unstable, or may be: on a kink."""
    unstable = points.states[(points.n_unstable > 0) | points.kinked]
    twice = np.concatenate([unstable, unstable])
    return twice + 0.02 * rng.normal(size=twice.shape)


class _Ways(NamedTuple):
    """ends (state,): the number of each state's attractor (-1: none). last (state, unit): where it
    was then. heading (state,): the nearest stable point, if it was coming nearer (else -1)."""

    ends: np.ndarray
    last: np.ndarray
    heading: np.ndarray


def _follow(found: Attractors, states: np.ndarray, steps: int) -> _Ways:
    if not len(states):
        return _Ways(np.empty(0, int), states, np.empty(0, int))
    parts = [states[i : i + ROWS] for i in range(0, len(states), ROWS)]
    done = spread(lambda part: _follow_part(found, part, steps), parts)
    return _Ways(*(np.concatenate(each) for each in zip(*done, strict=True)))


def _follow_part(found: Attractors, states: np.ndarray, steps: int) -> _Ways:
    step, count = found.points.step, len(states)
    means = np.array([o.mean for o in found.oscillations]).reshape(-1, step.units)
    speeds = np.array([o.speed for o in found.oscillations])
    size, arrivals = found.size, _Arrivals(found.points, found.size)
    made = _Ways(np.full(count, UNKNOWN), states.copy(), np.full(count, UNKNOWN))
    going, matched = np.arange(count), np.full(count, -1)
    near = _Near(matched, np.full(count, np.inf))
    total, travelled = np.zeros_like(states), np.zeros(count)
    for t in range(1, steps + 1):
        with np.errstate(all="ignore"):  # states may run away: they come to none
            moved = step(states)
            if len(means):
                travelled += np.linalg.norm(moved - states, axis=1)
                total += moved
        states = moved
        if t % (WINDOW // 4) and t < steps:
            continue
        before, near = near, arrivals.nearest(states)
        nearer = (near.point == before.point) & (near.distance <= before.distance)
        arrived = arrivals.at(states, near, nearer)
        if t % WINDOW == 0:
            if len(means):
                same = matching(total / WINDOW, travelled / WINDOW, means, speeds, size)
                settled = (same >= 0) & (same == matched) & (arrived < 0)
                arrived[settled] = len(found.points) + same[settled]
                matched = same
            total, travelled = np.zeros_like(states), np.zeros(len(states))
        made.ends[going], made.last[going] = arrived, states
        made.heading[going] = np.where(nearer, near.point, UNKNOWN)
        left = (arrived < 0) & np.isfinite(states).all(axis=1)
        states, going, matched = states[left], going[left], matched[left]
        near = _Near(near.point[left], near.distance[left])
        total, travelled = total[left], travelled[left]
        if not len(going):
            break
    return made


class _Near(NamedTuple):
    """The nearest stable point of each state (-1: there is none), and its distance (max norm)."""

    point: np.ndarray
    distance: np.ndarray


class _Arrivals:
    """When a state has come to a stable point."""

    def __init__(self, points: FixedPoints, size: float) -> None:
        self.points, self.size = points, size
        # a point on a kink may attract, too
        self.numbers = np.concatenate([points.stable, np.flatnonzero(points.kinked)])
        self.targets = points.states[self.numbers]
        # from each stable point to the nearest other fixed point
        self.apart = {
            i: float(np.sort(np.abs(points.states - points.states[i]).max(axis=1), axis=0)[1])
            if len(points) > 1
            else np.inf
            for i in self.numbers.tolist()
        }

    def nearest(self, states: np.ndarray) -> _Near:
        if not len(self.targets):
            return _Near(np.full(len(states), UNKNOWN), np.full(len(states), np.inf))
        distances = np.abs(states[:, None] - self.targets).max(axis=2)
        nearest = distances.argmin(axis=1)
        return _Near(self.numbers[nearest], distances[np.arange(len(states)), nearest])

    def at(self, states: np.ndarray, near: _Near, nearer: np.ndarray) -> np.ndarray:
        """The point that each state has come to, -1 for none."""
        arrived = np.full(len(states), UNKNOWN)
        for row in np.flatnonzero(near.distance < CLOSE * self.size):
            point, distance = int(near.point[row]), float(near.distance[row])
            region = self.points.regions[point]
            if region is not None:
                there = region.holds(states[row])
            else:
                alone = APART * distance <= self.apart[point]
                there = bool(nearer[row]) and distance < SEEN * self.size and alone
            arrived[row] = point if there else UNKNOWN
        return arrived


def _sorted_motions(
    found: Attractors, states: np.ndarray, limit: int
) -> tuple[np.ndarray, list[Oscillation]]:
    """The number of each moving state's attractor, and the oscillations that are new.

    Numbers go on after those known. A state that creeps, has escaped, or does not keep its pace
    for `limit` more steps is LOST. Where the map is odd the negative of an attractor is one too,
    another or itself.
    """
    step, count = found.points.step, len(found.points)
    ends = np.full(len(states), LOST)
    fresh: list[Oscillation] = []
    if not len(states):
        return ends, fresh
    parts = [states[i : i + ROWS] for i in range(0, len(states), ROWS)]
    motions = spread(lambda part: motion(step, part), parts)
    means, speeds = (np.concatenate(each) for each in zip(*motions, strict=True))
    size = max(found.size, float(np.abs(np.nan_to_num(states)).max()))
    known = [(o.mean, o.speed) for o in found.oscillations]
    numbers = list(range(count, count + len(known)))  # LOST for a motion that did not last
    for row, (mean, speed) in enumerate(zip(means, speeds, strict=True)):
        if not np.isfinite(mean).all() or speed <= MOVING * size * np.sqrt(step.units):
            continue
        match = -1
        if known:
            apart, pace = np.array([m for m, _ in known]), np.array([v for _, v in known])
            match = int(matching(mean[None], np.array([speed]), apart, pace, size)[0])
        if match < 0:
            match = len(known)
            seen = lasting(step, states[row], mean, float(speed), limit, size)
            images = [] if seen is None else [seen]
            if seen is not None and step.odd and 2 * np.abs(mean).max() > ALIKE * size:
                images.append(mirrored(step, seen))
            first = count + len(found.oscillations) + len(fresh)
            known += [(mean, speed), (-mean, speed)][: max(1, len(images))]
            numbers += list(range(first, first + len(images))) or [LOST]
            fresh += images
        ends[row] = numbers[match]
    return ends, fresh
