"""Where a network ends when it is left alone: stable points, and attractors that keep moving."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from attractory._arguments import as_array, instance_of, optional, takes, whole
from attractory._cores import one_blas_thread, spread
from attractory._errors import InvalidSetting, whole_number
from attractory._result import Result
from attractory.analysis._given import POINTS
from attractory.analysis.dynamics._fixed_points import FixedPoints
from attractory.analysis.dynamics._follow import LOST, ROWS, UNKNOWN, Followed, follow
from attractory.analysis.dynamics._oscillations import (
    ALIKE,
    MOVING,
    Oscillation,
    lasting,
    matching,
    mirrored,
    motion,
)


@dataclass(frozen=True, repr=False)
class Attractors(Result):
    """What a network may end in: the stable fixed points of `points`, and `oscillations`.

    An attractor has a number: that of the fixed point, or len(points) + i for oscillation i.

    Attributes
    ----------
    points : FixedPoints
        The fixed points; the stable ones among them are attractors.
    oscillations : tuple of Oscillation
        The attractors that keep moving.
    lost : int
        How many simulated states had come to none of these when the simulation ended.
    rests : tuple of int
        The fixed points on a kink, whose stability no Jacobian tells, that simulated states came
        to.
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
        known = [self.points.states]
        for oscillation in self.oscillations:
            known.append(oscillation.state)
        largest = 0.0
        for states in known:
            if states.size:
                largest = max(largest, float(np.abs(states).max()))
        return largest or 1.0

    def output(self, number: int) -> np.ndarray:
        """The readout at an attractor.

        Parameters
        ----------
        number : int
            Of the attractor.

        Returns
        -------
        array (output,)
            The readout; its mean over an oscillation.
        """
        count = len(self.points)
        if number < count:
            return self.points.outputs[number]
        return self.oscillations[number - count].output_mean

    def state(self, number: int) -> np.ndarray:
        """The state of an attractor.

        Parameters
        ----------
        number : int
            Of the attractor.

        Returns
        -------
        array (unit,)
            The state; the mean state of an oscillation.
        """
        count = len(self.points)
        if number < count:
            return self.points.states[number]
        return self.oscillations[number - count].mean

    def follow(self, states: np.ndarray, steps: int) -> np.ndarray:
        """The number of the attractor that each state comes to within `steps`.

        Parameters
        ----------
        states : array (state, unit)
            Where to start.
        steps : int
            Length of the simulation in steps.

        Returns
        -------
        array (state,)
            Numbers of attractors; -1: to none of them in that time.

        Notes
        -----
        Noise-free, in float64, under the constant input of `points`. A state has come to a stable
        point when it is in the region around it that is proved to hold what enters it. Where there
        is no such proof: when it is within 1e-6 of the size of a state, coming nearer, and all
        other known fixed points are ten times as far away. It has come to an oscillation when its
        mean and its speed over two windows of 200 steps are like those of the oscillation: seen,
        as the oscillation is.
        """
        return self._followed(states, steps).ends

    def tendency(self, states: np.ndarray, steps: int) -> np.ndarray:
        """As `follow`, where time may run out: then the nearest stable point is a guess.

        Parameters
        ----------
        states : array (state, unit)
            Where to start.
        steps : int
            Length of the simulation in steps.

        Returns
        -------
        array (state,)
            Numbers of attractors. A state that has come to none of them counts for the nearest
            stable point, if it is coming nearer; -1 otherwise.
        """
        followed = self._followed(states, steps)
        unknown = followed.ends == UNKNOWN
        return np.where(unknown, followed.heading, followed.ends)

    @one_blas_thread
    def _followed(self, states: np.ndarray, steps: int) -> Followed:
        return follow(self.points, self.oscillations, self.size, states, steps)


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

    Parameters
    ----------
    points : FixedPoints or Attractors
        Fixed points, or attractors known already, to which others are added.
    states : array (state, unit), optional
        Where to start, such as states of the task; when None, states near every fixed point with
        an unstable dimension.
    steps : int
        Length of the simulation in time constants.
    seed : int
        Of the states near fixed points.

    Returns
    -------
    Attractors
        The stable points and oscillations, seen, not proved.

    Raises
    ------
    InvalidSetting
        When the states are not those of the network, or the number of steps is not allowed.

    Notes
    -----
    What moves on after the simulation is simulated for as long again: it is called an oscillation
    when it still moves about the same place at the same speed, and counts as lost otherwise.
    """
    whole_number("steps", steps)
    rng = np.random.default_rng(seed)
    found = points if isinstance(points, Attractors) else Attractors(points, ())
    points = found.points
    given = _given_states(points, states, rng)
    limit = round(steps / points.step.leak)
    followed = found._followed(given, limit)
    ends = followed.ends
    moving = np.flatnonzero(ends == UNKNOWN)
    still_moving = followed.last[moving]
    motions = _Motions(found, limit)
    ends[moving] = motions.ends_of(still_moving)

    oscillations = (*found.oscillations, *motions.fresh)
    lost = int((ends == LOST).sum())
    return Attractors(
        points=points,
        oscillations=_with_hits(oscillations, ends, len(points)),
        lost=lost,
        rests=_rests(found, ends),
    )


def _given_states(
    points: FixedPoints,
    states: np.ndarray | None,
    rng: np.random.Generator,
) -> np.ndarray:
    if states is None:
        return _around(points, rng)
    given = np.atleast_2d(np.asarray(states, float))
    units = points.step.units
    if given.shape[1] != units:
        raise InvalidSetting(f"states has shape {given.shape}; it must be (state, {units})")
    return given


def _around(points: FixedPoints, rng: np.random.Generator) -> np.ndarray:
    """Two states next to each fixed point that is unstable, or may be: on a kink."""
    unstable = (points.n_unstable > 0) | points.kinked
    states = points.states[unstable]
    twice = np.concatenate([states, states])
    return twice + 0.02 * rng.normal(size=twice.shape)


def _with_hits(
    oscillations: tuple[Oscillation, ...],
    ends: np.ndarray,
    count: int,
) -> tuple[Oscillation, ...]:
    """The oscillations with the hits of these ends added; `count` fixed points come before them."""
    arrived = ends[ends >= 0]
    counts = np.bincount(arrived, minlength=count + len(oscillations))
    counted = []
    for i, oscillation in enumerate(oscillations):
        hits = oscillation.hits + int(counts[count + i])
        counted.append(replace(oscillation, hits=hits))
    return tuple(counted)


def _rests(found: Attractors, ends: np.ndarray) -> tuple[int, ...]:
    """The points on a kink that states came to, those known before among them."""
    rests = set(found.rests)
    for point in np.flatnonzero(found.points.kinked).tolist():
        if (ends == point).any():
            rests.add(point)
    return tuple(sorted(rests))


class _Motions:
    """Moving states sorted into oscillations; `fresh` are those that are new.

    Numbers go on after those known. A state that creeps, has escaped, or does not keep its pace
    for `limit` more steps is LOST. Where the map is odd the negative of an attractor is one too,
    another or itself.
    """

    def __init__(self, found: Attractors, limit: int) -> None:
        self.step = found.points.step
        self.limit = limit
        self.size = found.size
        self.fresh: list[Oscillation] = []
        self.next_number = len(found.points) + len(found.oscillations)
        self.means = [oscillation.mean for oscillation in found.oscillations]
        self.speeds = [oscillation.speed for oscillation in found.oscillations]
        # of each known motion; LOST for one that did not last
        self.numbers = list(range(len(found.points), self.next_number))

    def ends_of(self, states: np.ndarray) -> np.ndarray:
        """The number of each state's attractor (state,)."""
        ends = np.full(len(states), LOST)
        if not len(states):
            return ends
        means, speeds = self._moved(states)
        largest = float(np.abs(np.nan_to_num(states)).max())
        self.size = max(self.size, largest)
        least_speed = MOVING * self.size * np.sqrt(self.step.units)
        for row, (mean, speed) in enumerate(zip(means, speeds, strict=True)):
            escaped = not np.isfinite(mean).all()
            if escaped or speed <= least_speed:
                continue
            match = self._match(mean, speed)
            if match < 0:
                match = self._added(states[row], mean, speed)
            ends[row] = self.numbers[match]
        return ends

    def _moved(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and speed of each state's motion."""
        parts = []
        for first in range(0, len(states), ROWS):
            parts.append(states[first : first + ROWS])
        motions = spread(lambda part: motion(self.step, part), parts)
        means = [mean for mean, _ in motions]
        speeds = [speed for _, speed in motions]
        return np.concatenate(means), np.concatenate(speeds)

    def _match(self, mean: np.ndarray, speed: float) -> int:
        """Which known motion this one is; -1 for none."""
        if not self.means:
            return -1
        found = matching(
            mean[None],
            np.array([speed]),
            np.array(self.means),
            np.array(self.speeds),
            self.size,
        )
        return int(found[0])

    def _added(self, state: np.ndarray, mean: np.ndarray, speed: float) -> int:
        """The index of a motion that is not known yet, and which its mirror image follows."""
        images = self._images(state, mean, speed)
        index = len(self.means)
        self.means.append(mean)
        self.speeds.append(speed)
        if len(images) > 1:
            self.means.append(-mean)
            self.speeds.append(speed)
        if not images:
            self.numbers.append(LOST)
        for image in images:
            self.numbers.append(self.next_number)
            self.fresh.append(image)
            self.next_number += 1
        return index

    def _images(
        self,
        state: np.ndarray,
        mean: np.ndarray,
        speed: float,
    ) -> list[Oscillation]:
        """The oscillation and its mirror image, where that is another; none where it ends."""
        seen = lasting(
            self.step,
            state,
            mean,
            float(speed),
            self.limit,
            self.size,
        )
        if seen is None:
            return []
        to_mirror_image = 2 * np.abs(mean).max()
        if self.step.odd and to_mirror_image > ALIKE * self.size:
            return [seen, mirrored(self.step, seen)]
        return [seen]
