"""All fixed points of a small piecewise linear network: one system of equations a sign pattern."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from attractory.analysis.dynamics._batched import times
from attractory.analysis.dynamics._determinant import approximate_inverses
from attractory.analysis.dynamics._exact import linear_pieces
from attractory.analysis.dynamics._kinks import units_on_kinks
from attractory.analysis.dynamics._point import Point
from attractory.analysis.dynamics._rounding import SLACK, TINY, sum_error
from attractory.analysis.dynamics._search import Points
from attractory.analysis.dynamics._step import RateStep

MOST_PATTERNS = 1 << 14  # so many systems of equations take a few seconds
CHUNK = 512  # patterns that are solved together


@dataclass(frozen=True)
class Candidates:
    """Solutions that may be fixed points: the linear piece of each unit allows them, or nearly.

    states (candidate, unit) within error (candidate,) (max norm) of the solution; inside
    (candidate,): it is a fixed point, its drives are clearly within their pieces. pieces
    (candidate, unit): which piece of phi each unit is on. undecided: how many patterns have a
    system that may be singular.
    """

    states: np.ndarray
    error: np.ndarray
    inside: np.ndarray
    pieces: np.ndarray
    undecided: int


def has_few_patterns(step: RateStep) -> bool:
    """Is phi made of lines, and are there few enough ways to be on them?"""
    pieces = len(step.activation.kinks) + 1
    patterns = pieces**step.units
    return step.activation.piecewise_linear and patterns <= MOST_PATTERNS


def solve_patterns(step: RateStep) -> Candidates:
    """Solve (I - S W) h = S c + t for each pattern of slopes S and heights t, and keep what fits.

    Every fixed point solves the system of the pieces that its drives are on. The error of a
    solution is bounded by that of an approximate inverse (Rump 2010, section 10.5), and a pattern
    is dropped where a drive is off its piece by more than that.
    """
    lines = np.array(linear_pieces(step))
    kept: list[Candidates] = []
    for pieces in _chunks(len(lines), step.units):
        fitting = _fitting(step, lines, pieces)
        kept.append(fitting)
    return Candidates(
        states=np.concatenate([part.states for part in kept]),
        error=np.concatenate([part.error for part in kept]),
        inside=np.concatenate([part.inside for part in kept]),
        pieces=np.concatenate([part.pieces for part in kept]),
        undecided=sum(part.undecided for part in kept),
    )


def all_are_known(
    step: RateStep,
    candidates: Candidates,
    points: Points,
) -> bool:
    """Is every candidate one of the points, each of which is alone where it is?"""
    if candidates.undecided:
        return False
    known = [point for point in points.all if point.certificate.exists]
    for state, error, pieces in zip(
        candidates.states,
        candidates.error,
        candidates.pieces,
        strict=True,
    ):
        if not _is_known(step, state, float(error), pieces, known):
            return False
    return True


def _is_known(
    step: RateStep,
    state: np.ndarray,
    error: float,
    pieces: np.ndarray,
    known: list[Point],
) -> bool:
    """Is the solution within `error` of the state, on these pieces, one of the known points?"""
    for point in known:
        alone = point.certificate.unique_radius
        if _in_ball(point.state, alone, state, error):
            return True
        if point.kinked and _solves(step, point.state, pieces):
            return True
    return False


def _in_ball(
    center: np.ndarray,
    radius: float,
    state: np.ndarray,
    error: float,
) -> bool:
    distance = float(np.abs(state - center).max())
    return distance * SLACK + error < radius


def _solves(
    step: RateStep,
    state: np.ndarray,
    pieces: np.ndarray,
) -> bool:
    """Are the drives of this fixed point on these pieces, or on a kink next to them?

    Then it is the solution of their system, which has only one.
    """
    edges = _edges(step)
    drive = step.drive(state)
    low = edges[pieces]
    high = edges[pieces + 1]
    within = (drive > low) & (drive < high)
    kinked = units_on_kinks(step, state)
    clear = within & ~kinked

    to_low = np.abs(drive - low)
    to_high = np.abs(drive - high)
    to_own_edge = np.minimum(to_low, to_high)
    to_kinks = np.abs(drive[:, None] - edges[1:-1])
    nearest_is_own = to_own_edge <= to_kinks.min(axis=1)
    beside = kinked & nearest_is_own
    return bool((clear | beside).all())


def _edges(step: RateStep) -> np.ndarray:
    """Where the pieces of phi begin and end: the first at -inf, the last at inf."""
    kinks = sorted(step.activation.kinks)
    return np.array([-np.inf, *kinks, np.inf])


def _chunks(
    pieces: int,
    units: int,
) -> Iterator[np.ndarray]:
    """All patterns (pattern, unit) of pieces, some at a time."""
    patterns = pieces**units
    place_values = pieces ** np.arange(units)
    for start in range(0, patterns, CHUNK):
        end = min(start + CHUNK, patterns)
        numbers = np.arange(start, end)
        yield numbers[:, None] // place_values % pieces


@dataclass(frozen=True)
class _Solutions:
    """states (pattern, unit), each within error (pattern,) of the solution of its system.

    regular (pattern,): the system is proved to have one; the error is inf where it is not.
    """

    states: np.ndarray
    error: np.ndarray
    regular: np.ndarray


def _fitting(
    step: RateStep,
    lines: np.ndarray,
    pieces: np.ndarray,
) -> Candidates:
    """The solutions of these patterns (pattern, unit) that fit, or may, to their pieces."""
    from_inputs = np.abs(step.input_weights) @ np.abs(step.inputs)
    magnitude = from_inputs + np.abs(step.bias)
    gamma = sum_error(step.units + len(step.inputs) + 6)
    solutions = _solutions(
        step,
        lines,
        pieces,
        magnitude,
        gamma,
    )
    room, drive_error = _room(
        step,
        pieces,
        solutions,
        magnitude,
        gamma,
    )
    with np.errstate(invalid="ignore"):
        off = np.any(room < -drive_error * SLACK, axis=1)
        inside = np.all(room > drive_error * SLACK, axis=1)
    fits = solutions.regular & ~off
    singular = ~solutions.regular
    return Candidates(
        states=solutions.states[fits],
        error=solutions.error[fits],
        inside=inside[fits],
        pieces=pieces[fits],
        undecided=int(singular.sum()),
    )


def _solutions(
    step: RateStep,
    lines: np.ndarray,
    pieces: np.ndarray,
    magnitude: np.ndarray,
    gamma: float,
) -> _Solutions:
    """Solve (I - S W) h = S c + t for each pattern.

    With X about the inverse and ‖I - X A‖ <= q < 1, the solution is within ‖X‖ |residual| / (1 - q)
    of X times the right side.
    """
    slope = lines[pieces, 0]
    height = lines[pieces, 1]
    identity = np.eye(step.units)
    system = identity - slope[:, :, None] * step.recurrent
    system_size = np.abs(system) + identity
    right = slope * step.constant + height
    right_size = slope * magnitude + np.abs(height)

    inverse, worst = approximate_inverses(system)
    states = times(inverse, right)
    residual = np.abs(right - times(system, states))
    terms = right_size + times(system_size, np.abs(states))
    residual = residual + gamma * terms

    regular = worst < 1.0
    moved = times(np.abs(inverse), residual).max(axis=1)
    room = np.maximum(1.0 - worst, TINY)
    error = np.where(
        regular,
        moved / room * SLACK + TINY,
        np.inf,
    )
    return _Solutions(states, error, regular)


def _room(
    step: RateStep,
    pieces: np.ndarray,
    solutions: _Solutions,
    magnitude: np.ndarray,
    gamma: float,
) -> tuple[np.ndarray, np.ndarray]:
    """How far each drive is within its piece, and its error, (pattern, unit) each."""
    states = solutions.states
    weights = np.abs(step.recurrent)
    drive = states @ step.recurrent.T + step.constant
    by_state = weights.sum(1) * solutions.error[:, None]
    terms = np.abs(states) @ weights.T + magnitude
    drive_error = by_state + gamma * terms

    edges = _edges(step)
    above = drive - edges[pieces]
    below = edges[pieces + 1] - drive
    return np.minimum(above, below), drive_error
