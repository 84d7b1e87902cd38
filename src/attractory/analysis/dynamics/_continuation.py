"""What becomes of fixed points as a constant input grows: branches and folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from attractory._arguments import as_array, indices, instance_of, optional, positive, takes, whole
from attractory._cores import one_blas_thread, spread
from attractory._errors import InvalidSetting, shown, whole_number
from attractory._result import Result
from attractory.analysis._given import POINTS
from attractory.analysis.dynamics._attractors import Attractors, points_or_attractors
from attractory.analysis.dynamics._fixed_points import FixedPoints
from attractory.analysis.dynamics._step import FunctionStep, Step

FIRST, LARGEST, SMALLEST = 0.02, 0.08, 1e-6  # lengths of steps along a branch
CORRECTIONS = 8
STRAY = 0.3  # a place may be so far from where the tangent pointed, in steps
BEND = 0.95  # the least cosine between two tangents
MOST_STEPS = 400
CONVERGED = 1e-11


@dataclass(frozen=True, repr=False)
class Branch(Result):
    """A curve of fixed points under the input amplitude · pattern.

    start: index of the fixed point without input. amplitudes (place,), states (place, unit),
    outputs (place, output), in order along the curve. folds: indices of the places where it turns
    back: there two points meet and vanish; a stable point stays stable up to the first one unless
    an oscillation sets in. end: "maximum" (it
    reaches the largest amplitude), "origin" (it comes back to amplitude 0, to the fixed point
    `partner`, -1 when that is not in the list), or "lost" (it could not be followed further).
    """

    start: int
    amplitudes: np.ndarray
    states: np.ndarray
    outputs: np.ndarray
    folds: np.ndarray
    end: str
    partner: int

    @property
    def fold(self) -> float:
        """Amplitude of the first fold, where the state disappears; inf when there is none."""
        return float(self.amplitudes[self.folds[0]]) if len(self.folds) else float("inf")


@dataclass(frozen=True, repr=False)
class Continuation(Result):
    """Branches of fixed points under inputs from 0 to `maximum` times a pattern (input,)."""

    points: FixedPoints
    pattern: np.ndarray
    maximum: float
    branches: list[Branch]

    def table(self) -> pd.DataFrame:
        """A row for each branch: where it starts, where it folds, how it ends."""
        return pd.DataFrame(
            {
                "point": [branch.start for branch in self.branches],
                "fold": [branch.fold for branch in self.branches],
                "end": [branch.end for branch in self.branches],
                "partner": [branch.partner for branch in self.branches],
            }
        )


@one_blas_thread
@takes(
    points=instance_of(FixedPoints, hint=POINTS),
    pattern=as_array,
    maximum=positive,
    starts=optional(indices),
)
def continuation(
    points: FixedPoints,
    pattern: Any,
    maximum: float = 1.0,
    starts: Sequence[int] | np.ndarray | None = None,
) -> Continuation:
    """Follow fixed points as the input pattern (input,) grows from 0 to `maximum` times itself.

    points: found without input. starts: indices of the points to follow; the stable ones when
    None. By pseudo-arclength continuation (Keller 1977), through folds. A fold is the amplitude at
    which a state disappears: the smallest constant input that makes the network leave it; a pulse
    that ends must be larger (see `pulse_thresholds`).
    """
    direction = _checked_pattern(points, pattern)
    if not np.isfinite(maximum) or maximum <= 0:
        raise InvalidSetting(f"maximum = {shown(maximum)} is not allowed: a number above 0")
    chosen = _checked_starts(points, starts)
    branches = spread(
        lambda start: _Curve(points, direction, maximum, start).branch(), chosen.tolist()
    )
    return Continuation(points, direction, float(maximum), branches)


def _checked_starts(points: FixedPoints, starts: Any) -> np.ndarray:
    """The points that are followed, the stable ones where none are named."""
    chosen = points.stable if starts is None else np.asarray(starts, int)
    for start in chosen.tolist():
        if not 0 <= start < len(points):
            raise InvalidSetting(
                f"starts: {start} is not allowed: 0 to {len(points) - 1}, indices of points"
            )
    return chosen


class _Curve:
    """A branch on its way. A place is (state, amplitude); lengths count √(|Δh|²/units + Δa²)."""

    def __init__(self, points: FixedPoints, pattern: np.ndarray, maximum: float, start: int):
        self.points, self.pattern, self.maximum, self.start = points, pattern, maximum, start
        self.units = points.step.units
        self.weights = np.append(np.full(self.units, 1.0 / self.units), 1.0 / maximum**2)
        self.place = np.append(points.states[start], 0.0)
        self.tangent = self._tangent(self.place, np.append(np.zeros(self.units), 1.0))
        self.places: list[np.ndarray] = [self.place]
        self.folds: list[int] = []
        self.end, self.partner = "lost", -1

    def branch(self) -> Branch:
        length = FIRST
        for _ in range(MOST_STEPS):
            made = self._next(self.place, self.tangent, length)
            if made is None:
                length /= 2
                if length < SMALLEST:
                    break
                continue
            place, tangent = made
            bent = self.tangent @ (self.weights * tangent) < BEND
            if bent and length > 100 * SMALLEST:  # look closer
                length /= 2
                continue
            if self.tangent[-1] * tangent[-1] < 0:
                self.folds.append(len(self.places))
                self.places.append(self._fold(length))
            self.places.append(place)
            self.place, self.tangent = place, tangent
            length = min(1.5 * length, LARGEST)
            if not 0 < place[-1] < self.maximum:
                self._finish()
                break
        places = np.array(self.places)
        states = places[:, :-1]
        return Branch(
            start=self.start,
            amplitudes=places[:, -1],
            states=states,
            outputs=self.points.step.outputs(states),
            folds=np.array(self.folds, int),
            end=self.end,
            partner=self.partner,
        )

    def _step(self, amplitude: float) -> Step:
        return self.points.step.with_inputs(amplitude * self.pattern)

    def _system(self, place: np.ndarray, border: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The bordered matrix of (h - F(h, a·pattern), length along `border`), and the residual."""
        step, state = self._step(place[-1]), place[:-1]
        matrix = np.empty((self.units + 1, self.units + 1))
        matrix[:-1, :-1] = np.eye(self.units) - step.jacobians(state[None])[0]
        matrix[:-1, -1] = -step.input_jacobian(state) @ self.pattern
        matrix[-1] = self.weights * border
        return matrix, state - step(state[None])[0]

    def _tangent(self, place: np.ndarray, along: np.ndarray) -> np.ndarray:
        matrix, _ = self._system(place, along)
        tangent = np.linalg.solve(matrix, np.append(np.zeros(self.units), 1.0))
        return tangent / np.sqrt(tangent @ (self.weights * tangent))

    def _next(
        self, place: np.ndarray, tangent: np.ndarray, length: float
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """The place so far along the curve and the tangent there; None when it is not found."""
        guess = place + length * tangent
        here = guess.copy()
        for _ in range(CORRECTIONS):
            matrix, residual = self._system(here, tangent)
            along = tangent @ (self.weights * (here - guess))
            try:
                move = np.linalg.solve(matrix, np.append(residual, along))
            except np.linalg.LinAlgError:
                return None
            here = here - move
            if not np.isfinite(here).all():
                return None
            off = here - guess
            if off @ (self.weights * off) > (STRAY * length) ** 2:  # on its way to another branch
                return None
            if np.abs(move).max() < CONVERGED * max(1.0, np.abs(here).max()):
                return here, self._tangent(here, tangent)
        return None

    def _fold(self, length: float) -> np.ndarray:
        """The place between the present one and `length` further on where the amplitude turns."""
        low, high = 0.0, length
        best = self.place
        for _ in range(40):
            middle = (low + high) / 2
            made = self._next(self.place, self.tangent, middle)
            if made is None:
                break
            best = made[0]
            if made[1][-1] * self.tangent[-1] > 0:
                low = middle
            else:
                high = middle
            if abs(made[1][-1]) < 1e-7:
                break
        return best

    def _finish(self) -> None:
        """The last place, moved to amplitude 0 or to the maximum exactly."""
        amplitude = 0.0 if self.place[-1] <= 0 else self.maximum
        step = self._step(amplitude)
        before, after = self.places[-2], self.places[-1]
        share = (amplitude - before[-1]) / (after[-1] - before[-1])
        state = before[:-1] + share * (after[:-1] - before[:-1])
        for _ in range(CORRECTIONS):
            matrix = np.eye(self.units) - step.jacobians(state[None])[0]
            state = state - np.linalg.solve(matrix, state - step(state[None])[0])
        self.places[-1] = np.append(state, amplitude)
        self.end = "origin" if amplitude == 0.0 else "maximum"
        if amplitude == 0.0:
            apart = np.abs(self.points.states - state).max(axis=1)
            nearest = int(apart.argmin())
            self.partner = nearest if apart[nearest] < 1e-6 else -1


@one_blas_thread
@takes(
    points=points_or_attractors,
    pattern=as_array,
    starts=optional(indices),
    maximum=positive,
    settle=whole(1),
)
def pulse_thresholds(
    points: FixedPoints | Attractors,
    pattern: Any,
    duration: int,
    starts: Sequence[int] | np.ndarray | None = None,
    maximum: float = 2.0,
    settle: int = 5000,
) -> pd.DataFrame:
    """The smallest amplitude of a pulse of `duration` steps that takes a network out of a state.

    For each stable point (or those of `starts`): amplitude · pattern (input,) for the pulse, then
    silence for up to `settle` time constants; a state still on its way then counts for the stable
    point that it is nearest to and coming nearer (`Attractors.tendency`). Columns: point, threshold
    (inf: none up to `maximum`), end (the attractor that is reached, -1 for none of the list). To
    1/4096 of `maximum`, the first of several where larger pulses lead back. Networks only.
    """
    known = points if isinstance(points, Attractors) else Attractors(points, ())
    points = known.points
    step = points.step
    direction = _checked_pattern(points, pattern)
    if isinstance(step, FunctionStep):
        raise InvalidSetting("points: pulses can be given to networks only, not to a step(h, x)")
    whole_number("duration", duration)
    chosen = _checked_starts(points, starts)
    limit = round(settle / step.leak)

    def ends_of(amplitudes: np.ndarray, which: np.ndarray) -> np.ndarray:
        states = points.states[which]
        for _ in range(duration):
            states = step.driven(states, amplitudes[:, None] * direction + step.inputs)
        return known.tendency(states, limit)

    grid = np.linspace(0, maximum, 17)[1:]
    scanned = ends_of(np.tile(grid, len(chosen)), np.repeat(chosen, len(grid)))
    ends = scanned.reshape(len(chosen), len(grid))
    left = ends != chosen[:, None]
    first, rows = left.argmax(axis=1), np.arange(len(chosen))
    high, reached = grid[first], ends[rows, first]
    low = high - grid[0]
    for _ in range(8):
        middle = (low + high) / 2
        there = ends_of(middle, chosen)
        out = there != chosen
        high, reached = np.where(out, middle, high), np.where(out, there, reached)
        low = np.where(out, low, middle)
    gone = left.any(axis=1)
    return pd.DataFrame(
        {
            "point": chosen,
            "threshold": np.where(gone, high, np.inf),
            "end": np.where(gone, reached, chosen),
        }
    )


def _checked_pattern(points: FixedPoints, pattern: Any) -> np.ndarray:
    if points.inputs is None:
        raise InvalidSetting("points: they were found for a step without an input; give inputs=")
    direction = np.asarray(pattern, np.float64)
    if direction.shape != points.inputs.shape or not np.isfinite(direction).all():
        raise InvalidSetting(
            f"pattern = {shown(pattern)} is not allowed: {len(points.inputs)} finite numbers, "
            "one for each input"
        )
    if not direction.any():
        raise InvalidSetting("pattern is 0 in every input; at least one must not be")
    if points.inputs.any():
        raise InvalidSetting("points: they must be those without input (inputs = 0)")
    return direction
