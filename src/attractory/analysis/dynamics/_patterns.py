"""All fixed points of a small piecewise linear network: one system of equations a sign pattern."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from attractory.analysis.dynamics._determinant import approximate_inverses
from attractory.analysis.dynamics._kinks import linear_pieces, units_on_kinks
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
    return step.activation.piecewise_linear and pieces**step.units <= MOST_PATTERNS


def solve_patterns(step: RateStep) -> Candidates:
    """Solve (I - S W) h = S c + t for each pattern of slopes S and heights t, and keep what fits.

    Every fixed point solves the system of the pieces that its drives are on. The error of a
    solution is bounded by that of an approximate inverse (Rump 2010, section 10.5), and a pattern
    is dropped where a drive is off its piece by more than that.
    """
    lines = np.array(linear_pieces(step))
    kept: list[tuple[np.ndarray, ...]] = []
    undecided = 0
    for pieces in _chunks(len(lines), step.units):
        found, singular = _solved(step, lines, pieces)
        undecided += singular
        kept.append(found)
    states, error, inside, pieces = (np.concatenate(part) for part in zip(*kept, strict=True))
    return Candidates(states, error, inside, pieces, undecided)


def all_are_known(step: RateStep, candidates: Candidates, points: Points) -> bool:
    """Is every candidate one of the points, each of which is alone where it is?"""
    if candidates.undecided:
        return False
    known = [point for point in points.all if point.certificate.exists]
    for state, error, pieces in zip(
        candidates.states, candidates.error, candidates.pieces, strict=True
    ):
        if not any(
            _in_ball(point.state, point.certificate.unique_radius, state, float(error))
            or (point.kinked and _solves(step, point.state, pieces))
            for point in known
        ):
            return False
    return True


def _in_ball(center: np.ndarray, radius: float, state: np.ndarray, error: float) -> bool:
    return float(np.abs(state - center).max()) * SLACK + error < radius


def _solves(step: RateStep, state: np.ndarray, pieces: np.ndarray) -> bool:
    """Are the drives of this fixed point on these pieces, or on a kink next to them?

    Then it is the solution of their system, which has only one.
    """
    kinks = np.array([-np.inf, *sorted(step.activation.kinks), np.inf])
    drive = step.drive(state)
    within = (drive > kinks[pieces]) & (drive < kinks[pieces + 1])
    gaps = np.minimum(np.abs(drive - kinks[pieces]), np.abs(drive - kinks[pieces + 1]))
    kinked = units_on_kinks(step, state)
    clear = within & ~kinked
    beside = kinked & (gaps <= np.abs(drive[:, None] - kinks[1:-1]).min(axis=1))
    return bool((clear | beside).all())


def _chunks(pieces: int, units: int) -> Iterator[np.ndarray]:
    """All patterns (pattern, unit) of pieces, some at a time."""
    for start in range(0, pieces**units, CHUNK):
        numbers = np.arange(start, min(start + CHUNK, pieces**units))
        yield numbers[:, None] // pieces ** np.arange(units) % pieces


def _solved(
    step: RateStep, lines: np.ndarray, pieces: np.ndarray
) -> tuple[tuple[np.ndarray, ...], int]:
    """States, errors, whether inside, pieces of what fits; how many systems may be singular."""
    slope, height = lines[pieces, 0], lines[pieces, 1]
    weights, units = np.abs(step.recurrent), step.units
    magnitude = np.abs(step.input_weights) @ np.abs(step.inputs) + np.abs(step.bias)
    gamma = sum_error(units + len(step.inputs) + 6)
    system = np.eye(units) - slope[:, :, None] * step.recurrent
    right = slope * step.constant + height
    right_size = slope * magnitude + np.abs(height)
    inverse, worst = approximate_inverses(system)
    regular = worst < 1.0
    sizes, system_size = np.abs(inverse), np.abs(system) + np.eye(units)
    states = (inverse @ right[:, :, None])[:, :, 0]
    residual = np.abs(right - (system @ states[:, :, None])[:, :, 0])
    residual = residual + gamma * (right_size + (system_size @ np.abs(states)[:, :, None])[:, :, 0])
    error = (sizes @ residual[:, :, None])[:, :, 0].max(axis=1)
    error = np.where(regular, error / np.maximum(1.0 - worst, TINY) * SLACK + TINY, np.inf)
    drive = states @ step.recurrent.T + step.constant
    drive_error = weights.sum(1) * error[:, None] + gamma * (np.abs(states) @ weights.T + magnitude)
    edges = np.array([-np.inf, *sorted(step.activation.kinks), np.inf])
    above = drive - edges[pieces]
    below = edges[pieces + 1] - drive
    room = np.minimum(above, below)
    with np.errstate(invalid="ignore"):
        off = (room < -drive_error * SLACK).any(axis=1)
        inside = (room > drive_error * SLACK).all(axis=1)
    fits = regular & ~off
    found = (states[fits], error[fits], inside[fits], pieces[fits])
    return found, int((~regular).sum())
