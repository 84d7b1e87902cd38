"""Where a network ends when it is left alone: stable points, and attractors that keep moving."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from attractory._errors import InvalidSetting, whole_number
from attractory._machine import one_blas_thread, spread
from attractory.analysis._fixed_points import FixedPoints
from attractory.analysis._step import Step

ROWS = 32  # states that a thread takes at a time
NEAR = 1e-3  # so near (max norm, in the size of a state) to a stable point, and coming nearer
WINDOW = 200  # steps over which a moving state is averaged
ALIKE = 0.1  # two means of moving states that are nearer (in the size of a state) are one
MOVING = 1e-5  # a state that moves less in a step (in the size of a state) is not called moving
RECORD = 2048  # steps of an oscillation that are looked at
UNKNOWN, LOST = -1, -2  # instead of an attractor's number
IRREGULAR = 2e-3  # Lyapunov exponent per step from which a motion counts as chaotic


@dataclass(frozen=True)
class Oscillation:
    """An attractor that is no fixed point, as it was seen in a simulation without noise.

    mean (unit,): its mean state; state (unit,): one state on it; speed: mean length of a step
    (2-norm). output_mean, output_low, output_high (output,): the readout along it. period: in
    steps, where it repeats exactly after so many, else None (a closed curve that the steps go
    round without repeating, a torus, or chaos). frequency: of the strongest component, in cycles
    per unit of dt. lyapunov: largest Lyapunov exponent per step (about 0 on a closed curve or a
    torus, below on a cycle of exact period, above in chaos). kind says which of these it looks
    like. hits: how many simulated states ended there.
    """

    mean: np.ndarray
    state: np.ndarray
    speed: float
    output_mean: np.ndarray
    output_low: np.ndarray
    output_high: np.ndarray
    period: int | None
    frequency: float
    lyapunov: float
    hits: int = 0

    @property
    def kind(self) -> Literal["periodic", "quasi-periodic", "chaotic"]:
        if self.period is not None:
            return "periodic"
        return "chaotic" if self.lyapunov > IRREGULAR else "quasi-periodic"


@dataclass(frozen=True)
class Attractors:
    """What a network may end in: the stable fixed points of `points`, and `oscillations`.

    An attractor has a number: that of the fixed point, or len(points) + i for oscillation i.
    lost: how many simulated states had come to none of these when the simulation ended.
    """

    points: FixedPoints
    oscillations: tuple[Oscillation, ...]
    lost: int = 0

    @property
    def numbers(self) -> list[int]:
        """The numbers of all attractors."""
        count = len(self.points)
        return [*self.points.stable.tolist(), *range(count, count + len(self.oscillations))]

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
        `points`. A state has come to a stable point when it is near it and coming nearer; to an
        oscillation when its mean and its speed over two windows are those of the oscillation.
        """
        return one_blas_thread(_follow)(self, states, steps)[0]


@one_blas_thread
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
    moves on after that is looked at as an oscillation. Seen, not proved.
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
    ends, last = _follow(found, given, limit)
    moving = np.flatnonzero(ends == UNKNOWN)
    ends[moving], fresh = _sorted_motions(found, last[moving])
    rows = [row for row, mirrored in fresh if not mirrored]
    each = spread(lambda row: _observed(points.step, last[moving[row]]), rows)
    seen = dict(zip(rows, each, strict=True))
    more = [_mirrored(points.step, seen[row]) if mirrored else seen[row] for row, mirrored in fresh]
    found = Attractors(points, (*found.oscillations, *more))
    counts = np.bincount(ends[ends >= 0], minlength=len(points) + len(found.oscillations))
    oscillations = [
        replace(each, hits=each.hits + int(counts[len(points) + i]))
        for i, each in enumerate(found.oscillations)
    ]
    return Attractors(points, tuple(oscillations), int((ends == LOST).sum()))


def _around(points: FixedPoints, rng: np.random.Generator) -> np.ndarray:
    """Two states next to each unstable fixed point."""
    unstable = points.states[points.n_unstable > 0]
    twice = np.concatenate([unstable, unstable])
    return twice + 0.02 * rng.normal(size=twice.shape)


def _follow(found: Attractors, states: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The number of each state's attractor (-1: none), and the last states."""
    if not len(states):
        return np.empty(0, int), states
    parts = [states[i : i + ROWS] for i in range(0, len(states), ROWS)]
    done = spread(lambda part: _follow_part(found, part, steps), parts)
    return np.concatenate([ends for ends, _ in done]), np.concatenate([last for _, last in done])


def _follow_part(
    found: Attractors, states: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    step, stable = found.points.step, found.points.stable
    targets = found.points.states[stable]
    means = np.array([o.mean for o in found.oscillations]).reshape(-1, step.units)
    speeds = np.array([o.speed for o in found.oscillations])
    size = found.size
    ends, last = np.full(len(states), -1), states.copy()
    going, before = np.arange(len(states)), np.full(len(states), np.inf)
    matched = np.full(len(states), -1)
    total, travelled = np.zeros_like(states), np.zeros(len(states))
    for t in range(1, steps + 1):
        moved = step(states)
        if len(means):
            travelled += np.linalg.norm(moved - states, axis=1)
            total += moved
        states = moved
        if t % (WINDOW // 4) and t < steps:
            continue
        arrived = np.full(len(states), -1)
        if len(stable):
            nearest, distance = _nearest(states, targets)
            there = (distance < NEAR * size) & (distance <= before)
            arrived[there], before = stable[nearest[there]], distance
        if t % WINDOW == 0:
            if len(means):
                same = _matching(total / WINDOW, travelled / WINDOW, means, speeds, size)
                settled = (same >= 0) & (same == matched) & (arrived < 0)
                arrived[settled] = len(found.points) + same[settled]
                matched = same
            total, travelled = np.zeros_like(states), np.zeros(len(states))
        ends[going], last[going] = arrived, states
        left = (arrived < 0) & np.isfinite(states).all(axis=1)
        states, going, before, matched = states[left], going[left], before[left], matched[left]
        total, travelled = total[left], travelled[left]
        if not len(going):
            break
    return ends, last


def _sorted_motions(
    found: Attractors, states: np.ndarray
) -> tuple[np.ndarray, list[tuple[int, bool]]]:
    """The number of each moving state's attractor, and the new ones: (row, whether mirrored).

    Numbers go on after those known. A state that creeps or has escaped is LOST. Where the map is
    odd the negative of an attractor is one too, another or itself.
    """
    step = found.points.step
    ends = np.full(len(states), LOST)
    fresh: list[tuple[int, bool]] = []
    if not len(states):
        return ends, fresh
    parts = [states[i : i + ROWS] for i in range(0, len(states), ROWS)]
    motions = spread(lambda part: _motion(step, part), parts)
    means, speeds = (np.concatenate(each) for each in zip(*motions, strict=True))
    size = max(found.size, float(np.abs(np.nan_to_num(states)).max()))
    known = [(each.mean, each.speed) for each in found.oscillations]
    for row, (mean, speed) in enumerate(zip(means, speeds, strict=True)):
        if not np.isfinite(mean).all() or speed <= MOVING * size * np.sqrt(step.units):
            continue
        match = -1
        if known:
            apart, pace = np.array([m for m, _ in known]), np.array([v for _, v in known])
            match = int(_matching(mean[None], np.array([speed]), apart, pace, size)[0])
        if match < 0:
            match = len(known)
            known.append((mean, speed))
            fresh.append((row, False))
            if step.odd and 2 * np.abs(mean).max() > ALIKE * size:
                known.append((-mean, speed))
                fresh.append((row, True))
        ends[row] = len(found.points) + match
    return ends, fresh


def _motion(step: Step, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean state (state, unit) and mean length of a step (state,) over some time."""
    total, travelled = np.zeros_like(states), np.zeros(len(states))
    with np.errstate(all="ignore"):
        for _ in range(4 * WINDOW):
            moved = step(states)
            travelled += np.linalg.norm(moved - states, axis=1)
            total += moved
            states = moved
    return total / (4 * WINDOW), travelled / (4 * WINDOW)


def _matching(
    mean: np.ndarray, speed: np.ndarray, means: np.ndarray, speeds: np.ndarray, size: float
) -> np.ndarray:
    """The oscillation that moves about the same place at the same speed, -1 for none."""
    apart = np.abs(mean[:, None] - means).max(axis=2)
    alike = (apart < ALIKE * size) & (np.abs(speed[:, None] / speeds - 1) < 0.3)
    return np.where(alike.any(axis=1), np.where(alike, apart, np.inf).argmin(axis=1), -1)


def _observed(step: Step, state: np.ndarray) -> Oscillation:
    """The oscillation that this state is on."""
    record = np.empty((RECORD, step.units))
    for t in range(RECORD):
        record[t] = state = step(state[None])[0]
    size = float(np.abs(record).max())
    speed = float(np.linalg.norm(np.diff(record, axis=0), axis=1).mean())
    outputs = step.outputs(record)
    back = np.abs(record[:-1] - record[-1]).max(axis=1)[::-1]  # index k: k + 1 steps ago
    repeats = np.flatnonzero(back < 1e-7 * size)
    return Oscillation(
        mean=record.mean(axis=0),
        state=record[-1],
        speed=speed,
        output_mean=outputs.mean(axis=0),
        output_low=outputs.min(axis=0),
        output_high=outputs.max(axis=0),
        period=int(repeats[0]) + 1 if len(repeats) else None,
        frequency=_strongest_frequency(record) / step.dt,
        lyapunov=_largest_exponent(step, record),
    )


def _mirrored(step: Step, seen: Oscillation) -> Oscillation:
    twice = 2 * step.outputs(np.zeros(step.units))  # the readout has a bias
    return replace(
        seen,
        mean=-seen.mean,
        state=-seen.state,
        output_mean=twice - seen.output_mean,
        output_low=twice - seen.output_high,
        output_high=twice - seen.output_low,
    )


def _strongest_frequency(record: np.ndarray) -> float:
    """Of the component with the greatest variance, in cycles per step."""
    centered = record - record.mean(axis=0)
    power = (np.abs(np.fft.rfft(centered * np.hanning(len(record))[:, None], axis=0)) ** 2).sum(1)
    power[0] = 0.0
    return float(power.argmax() / len(record))


def _largest_exponent(step: Step, record: np.ndarray) -> float:
    """Growth rate of a small disturbance along recorded states, per step.

    Of the transposed product of the Jacobians, which has the same; the first fifth of the way (the
    end of the record) turns the vector into the direction that grows fastest.
    """
    row = np.ones((1, step.units)) / np.sqrt(step.units)
    growth = []
    for state in record[::-1]:
        row = step.pull_back(state[None], row)
        length = float(np.linalg.norm(row))
        growth.append(np.log(max(length, 1e-300)))
        row = row / max(length, 1e-300)
    return float(np.mean(growth[len(growth) // 5 :]))


def _nearest(states: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest target of each state, and its distance (max norm)."""
    distances = np.abs(states[:, None] - targets).max(axis=2)
    nearest = distances.argmin(axis=1)
    return nearest, distances[np.arange(len(states)), nearest]
