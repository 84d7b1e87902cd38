"""Motions that go on: what is seen of them in a simulation, and when they are alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from attractory._result import Result
from attractory.analysis.dynamics._step import Step

WINDOW = 200  # steps over which a moving state is averaged
ALIKE = 0.1  # two means of moving states that are nearer (in the size of a state) are one
ALIKE_SPEED = 0.3  # share by which their mean speeds may differ
MOVING = 1e-5  # a state that moves less in a step (in the size of a state) is not called moving
STEADY = 0.05  # share by which the mean speed of a motion may differ when it is looked at again
TURNED = 0.5  # a motion whose mean moves by more of the way travelled goes somewhere
REPEATS = 1e-7  # in the size of the motion: a state that comes so near again repeats
RECORD = 2048  # steps of an oscillation that are looked at
IRREGULAR = 2e-3  # Lyapunov exponent per step from which a motion counts as chaotic


@dataclass(frozen=True, repr=False)
class Oscillation(Result):
    """A motion that was seen to go on, in a simulation without noise.

    Attributes
    ----------
    mean : array (unit,)
        Its mean state.
    state : array (unit,)
        One state on it.
    speed : float
        Mean length of a step (2-norm).
    output_mean, output_low, output_high : array (output,)
        The readout along it.
    period : int or None
        In steps, where it repeats to 1e-7 of its size after so many; None else (a closed curve that
        the steps go round without repeating, a torus, or chaos).
    frequency : float
        Of the strongest component, in cycles per unit of dt.
    lyapunov : float
        Largest Lyapunov exponent per step: about 0 on a closed curve or a torus, below on a cycle
        of exact period, above in chaos.
    hits : int
        How many simulated states ended there.

    Notes
    -----
    This is no proof that the motion goes on for ever: its mean place and its mean speed (to 5 %,
    unless it is chaotic) were the same after as many steps again as it had been simulated for.
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
        """Which it looks like, by its period and its largest Lyapunov exponent."""
        if self.period is not None:
            return "periodic"
        if self.lyapunov > IRREGULAR:
            return "chaotic"
        return "quasi-periodic"


def lasting(
    step: Step,
    state: np.ndarray,
    mean: np.ndarray,
    speed: float,
    limit: int,
    size: float,
) -> Oscillation | None:
    """The oscillation that a moving state is on; None when it is only on its way somewhere.

    After `limit` more steps it must move about the same mean as before, at the same speed. What
    spirals in slowly gets slower; what creeps has gone somewhere, on a way not much shorter than
    the way travelled.
    """
    later = state[None]
    for _ in range(limit):
        later = step(later)
    means, speeds = motion(step, later)
    later_mean = means[0]
    later_speed = speeds[0]
    if not later_speed > MOVING * size * np.sqrt(step.units):
        return None
    moved = later_mean - mean
    change = float(np.linalg.norm(moved))
    went_somewhere = change > TURNED * speed * limit
    elsewhere = np.abs(moved).max() > ALIKE * size
    if went_somewhere or elsewhere:
        return None
    seen = observed(step, later[0])
    steady = abs(float(later_speed) / speed - 1) < STEADY
    if steady or seen.kind == "chaotic":
        return seen
    return None


def motion(
    step: Step,
    states: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean state (state, unit) and mean length of a step (state,) over some time."""
    steps = 4 * WINDOW
    total = np.zeros_like(states)
    travelled = np.zeros(len(states))
    with np.errstate(all="ignore"):
        for _ in range(steps):
            moved = step(states)
            travelled += np.linalg.norm(moved - states, axis=1)
            total += moved
            states = moved
    mean = total / steps
    speed = travelled / steps
    return mean, speed


def matching(
    mean: np.ndarray,
    speed: np.ndarray,
    means: np.ndarray,
    speeds: np.ndarray,
    size: float,
) -> np.ndarray:
    """The oscillation that moves about the same place at the same speed, -1 for none."""
    apart = np.abs(mean[:, None] - means).max(axis=2)
    same_place = apart < ALIKE * size
    ratio = speed[:, None] / speeds
    same_speed = np.abs(ratio - 1) < ALIKE_SPEED
    alike = same_place & same_speed
    distances = np.where(
        alike,
        apart,
        np.inf,
    )
    nearest = distances.argmin(axis=1)
    return np.where(
        alike.any(axis=1),
        nearest,
        -1,
    )


def observed(step: Step, state: np.ndarray) -> Oscillation:
    """The oscillation that this state is on."""
    record = np.empty((RECORD, step.units))
    for t in range(RECORD):
        state = step(state[None])[0]
        record[t] = state
    moves = np.diff(record, axis=0)
    speed = float(np.linalg.norm(moves, axis=1).mean())
    outputs = step.outputs(record)
    return Oscillation(
        mean=record.mean(axis=0),
        state=record[-1],
        speed=speed,
        output_mean=outputs.mean(axis=0),
        output_low=outputs.min(axis=0),
        output_high=outputs.max(axis=0),
        period=_period(record),
        frequency=_strongest_frequency(record) / step.dt,
        lyapunov=_largest_exponent(step, record),
    )


def _period(record: np.ndarray) -> int | None:
    """After how many steps the last of the recorded states repeats; None where it does not."""
    size = float(np.abs(record).max())
    apart = np.abs(record[:-1] - record[-1])
    distances = apart.max(axis=1)
    back = distances[::-1]  # index k: k + 1 steps ago
    repeats = np.flatnonzero(back < REPEATS * size)
    if not len(repeats):
        return None
    return int(repeats[0]) + 1


def mirrored(step: Step, seen: Oscillation) -> Oscillation:
    """The oscillation that is the negative of one of an odd map."""
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
    window = np.hanning(len(record))
    spectrum = np.fft.rfft(centered * window[:, None], axis=0)
    power = (np.abs(spectrum) ** 2).sum(1)
    power[0] = 0.0
    strongest = power.argmax()
    return float(strongest / len(record))


def _largest_exponent(
    step: Step,
    record: np.ndarray,
) -> float:
    """Growth rate of a small disturbance along recorded states, per step.

    Of the transposed product of the Jacobians, which has the same; the first fifth of the way (the
    end of the record) turns the vector into the direction that grows fastest.
    """
    row = np.ones((1, step.units)) / np.sqrt(step.units)
    growth = []
    for state in record[::-1]:
        row = step.pull_back(state[None], row)
        length = max(float(np.linalg.norm(row)), 1e-300)
        growth.append(np.log(length))
        row = row / length
    first = len(growth) // 5
    return float(np.mean(growth[first:]))
