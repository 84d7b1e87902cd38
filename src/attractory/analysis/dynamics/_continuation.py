"""What becomes of fixed points as a constant input grows: branches and folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from attractory._arguments import as_array, indices, instance_of, optional, positive, takes
from attractory._cores import one_blas_thread, spread
from attractory._errors import InvalidSetting, shown
from attractory._result import Result
from attractory.analysis._given import POINTS
from attractory.analysis.dynamics._checked_pattern import checked_pattern, checked_starts
from attractory.analysis.dynamics._fixed_points import FixedPoints
from attractory.analysis.dynamics._step import Step

# lengths of steps along a branch
FIRST = 0.02
LARGEST = 0.08
SMALLEST = 1e-6
CORRECTIONS = 8
STRAY = 0.3  # a place may be so far from where the tangent pointed, in steps
BEND = 0.95  # the least cosine between two tangents
MOST_STEPS = 400
CONVERGED = 1e-11
FOLD_BISECTIONS = 40
UPRIGHT = 1e-7  # the amplitude's part of a tangent, where a fold is found
SAME = 1e-6  # so near (max norm) is the fixed point that a branch comes back to


@dataclass(frozen=True, repr=False)
class Branch(Result):
    """A curve of fixed points under the input amplitude · pattern.

    Attributes
    ----------
    start : int
        Index of the fixed point without input.
    amplitudes : array (place,)
        The amplitudes, in order along the curve.
    states : array (place, unit)
        The fixed points there.
    outputs : array (place, output)
        Their readout.
    folds : array (fold,)
        Indices of the places where the curve turns back: there two points meet and vanish; a stable
        point stays stable up to the first one unless an oscillation sets in.
    end : str
        "maximum" (it reaches the largest amplitude), "origin" (it comes back to amplitude 0, to the
        fixed point `partner`), or "lost" (it could not be followed further).
    partner : int
        The fixed point without input that the curve ends in; -1 when that is not in the list.
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
        if not len(self.folds):
            return float("inf")
        first = self.folds[0]
        return float(self.amplitudes[first])


@dataclass(frozen=True, repr=False)
class Continuation(Result):
    """Branches of fixed points under inputs from 0 to `maximum` times a pattern.

    Attributes
    ----------
    points : FixedPoints
        The fixed points without input.
    pattern : array (input,)
        The direction of the input.
    maximum : float
        The largest amplitude.
    branches : list of Branch
        One for each point that was followed.
    """

    points: FixedPoints
    pattern: np.ndarray
    maximum: float
    branches: list[Branch]

    def table(self) -> pd.DataFrame:
        """A row for each branch: where it starts, where it folds, how it ends.

        Returns
        -------
        DataFrame
            With the columns point, fold, end and partner.
        """
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
    """Follow fixed points as an input pattern grows from 0 to `maximum` times itself.

    Parameters
    ----------
    points : FixedPoints
        Found without input.
    pattern : array (input,)
        The direction of the input.
    maximum : float
        The largest amplitude.
    starts : sequence of int, optional
        Indices of the points to follow; the stable ones when None.

    Returns
    -------
    Continuation
        A branch for each of them.

    Raises
    ------
    InvalidSetting
        When the pattern, the maximum or a start is not allowed, or the points are not those
        without input.

    Notes
    -----
    By pseudo-arclength continuation, through folds (Keller 1977). A fold is the amplitude at which
    a state disappears: the smallest constant input that makes the network leave it; a pulse that
    ends must be larger (see `pulse_thresholds`).
    """
    direction = checked_pattern(points, pattern)
    if not np.isfinite(maximum) or maximum <= 0:
        raise InvalidSetting(f"maximum = {shown(maximum)} is not allowed: a number above 0")
    chosen = checked_starts(points, starts)

    def branch(start: int) -> Branch:
        return _Curve(points, direction, maximum, start).branch()

    return Continuation(
        points=points,
        pattern=direction,
        maximum=float(maximum),
        branches=spread(branch, chosen.tolist()),
    )


class _Curve:
    """A branch on its way. A place is (state, amplitude); lengths count √(|Δh|²/units + Δa²)."""

    def __init__(
        self,
        points: FixedPoints,
        pattern: np.ndarray,
        maximum: float,
        start: int,
    ) -> None:
        self.points = points
        self.pattern = pattern
        self.maximum = maximum
        self.start = start
        self.units = points.step.units
        of_state = np.full(self.units, 1.0 / self.units)
        self.weights = np.append(of_state, 1.0 / maximum**2)
        self.place = np.append(points.states[start], 0.0)
        upwards = np.append(np.zeros(self.units), 1.0)
        self.tangent = self._tangent(self.place, upwards)
        self.places: list[np.ndarray] = [self.place]
        self.folds: list[int] = []
        self.end = "lost"
        self.partner = -1

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
            bent = self._product(self.tangent, tangent) < BEND
            if bent and length > 100 * SMALLEST:  # look closer
                length /= 2
                continue
            self._go_to(place, tangent, length)
            length = min(1.5 * length, LARGEST)
            within = 0 < place[-1] < self.maximum
            if not within:
                self._finish()
                break
        return self._made()

    def _go_to(
        self,
        place: np.ndarray,
        tangent: np.ndarray,
        length: float,
    ) -> None:
        turned = self.tangent[-1] * tangent[-1] < 0
        if turned:
            self.folds.append(len(self.places))
            self.places.append(self._fold(length))
        self.places.append(place)
        self.place = place
        self.tangent = tangent

    def _made(self) -> Branch:
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

    def _product(self, one: np.ndarray, other: np.ndarray) -> float:
        """The product whose root lengths are."""
        return one @ (self.weights * other)

    def _step(self, amplitude: float) -> Step:
        return self.points.step.with_inputs(amplitude * self.pattern)

    def _system(
        self,
        place: np.ndarray,
        border: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The bordered matrix of (h - F(h, a·pattern), length along `border`), and the residual."""
        state = place[:-1]
        step = self._step(place[-1])
        jacobian = step.jacobians(state[None])[0]
        size = self.units + 1
        matrix = np.empty((size, size))
        matrix[:-1, :-1] = np.eye(self.units) - jacobian
        matrix[:-1, -1] = -step.input_jacobian(state) @ self.pattern
        matrix[-1] = self.weights * border
        moved = step(state[None])[0]
        return matrix, state - moved

    def _tangent(self, place: np.ndarray, along: np.ndarray) -> np.ndarray:
        matrix, _ = self._system(place, along)
        right = np.append(np.zeros(self.units), 1.0)
        tangent = np.linalg.solve(matrix, right)
        return tangent / np.sqrt(self._product(tangent, tangent))

    def _next(
        self,
        place: np.ndarray,
        tangent: np.ndarray,
        length: float,
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """The place so far along the curve and the tangent there; None when it is not found."""
        guess = place + length * tangent
        longest_off = (STRAY * length) ** 2
        here = guess.copy()
        for _ in range(CORRECTIONS):
            matrix, residual = self._system(here, tangent)
            along = self._product(tangent, here - guess)
            try:
                move = np.linalg.solve(matrix, np.append(residual, along))
            except np.linalg.LinAlgError:
                return None
            here = here - move
            if not np.isfinite(here).all():
                return None
            off = here - guess
            if self._product(off, off) > longest_off:  # on its way to another branch
                return None
            size = max(1.0, np.abs(here).max())
            if np.abs(move).max() < CONVERGED * size:
                return here, self._tangent(here, tangent)
        return None

    def _fold(self, length: float) -> np.ndarray:
        """The place between the present one and `length` further on where the amplitude turns."""
        low = 0.0
        high = length
        best = self.place
        for _ in range(FOLD_BISECTIONS):
            middle = (low + high) / 2
            made = self._next(self.place, self.tangent, middle)
            if made is None:
                break
            best, tangent = made
            growth = tangent[-1]
            if growth * self.tangent[-1] > 0:
                low = middle
            else:
                high = middle
            if abs(growth) < UPRIGHT:
                break
        return best

    def _finish(self) -> None:
        """The last place, moved to amplitude 0 or to the maximum exactly."""
        at_origin = self.place[-1] <= 0
        amplitude = 0.0 if at_origin else self.maximum
        state = self._between_last(amplitude)
        step = self._step(amplitude)
        for _ in range(CORRECTIONS):
            jacobian = step.jacobians(state[None])[0]
            matrix = np.eye(self.units) - jacobian
            residual = state - step(state[None])[0]
            state = state - np.linalg.solve(matrix, residual)
        self.places[-1] = np.append(state, amplitude)
        self.end = "origin" if at_origin else "maximum"
        if at_origin:
            apart = np.abs(self.points.states - state).max(axis=1)
            nearest = int(apart.argmin())
            self.partner = nearest if apart[nearest] < SAME else -1

    def _between_last(self, amplitude: float) -> np.ndarray:
        """The state at this amplitude on the line through the last two places."""
        before = self.places[-2]
        after = self.places[-1]
        share = (amplitude - before[-1]) / (after[-1] - before[-1])
        return before[:-1] + share * (after[:-1] - before[:-1])
