"""Curves of fixed points of maps that depend on one number, followed through folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from attractory.analysis.dynamics._step import Step

# lengths of steps along a curve
FIRST = 0.02
LARGEST = 0.08
SMALLEST = 1e-6
CORRECTIONS = 8
STRAY = 0.3  # a place may be so far from where the tangent pointed, in steps
BEND = 0.95  # the least cosine between two tangents
MOST_STEPS = 400
CONVERGED = 1e-11
FOLD_BISECTIONS = 40
UPRIGHT = 1e-7  # the parameter's part of a tangent, where a fold is found

ORIGIN, MAXIMUM, LOST = "origin", "maximum", "lost"  # how a curve ends


class Family(Protocol):
    """Maps h -> F(h, a) of a parameter a from 0 to `maximum`."""

    @property
    def maximum(self) -> float: ...

    def at(self, parameter: float) -> Step:
        """The map at this parameter."""

    def growth(self, step: Step, state: np.ndarray, parameter: float) -> np.ndarray:
        """∂F/∂a (unit,) at a state (unit,); step: the map at this parameter."""


@dataclass(frozen=True)
class FollowedCurve:
    """A curve that was followed.

    parameters (place,), states (place, unit): in order along it. folds (fold,): the places where
    the parameter turns back. end: "maximum", "origin" (the parameter is 0), or "lost".
    """

    parameters: np.ndarray
    states: np.ndarray
    folds: np.ndarray
    end: str


class Curve:
    """A curve on its way, by pseudo-arclength continuation (Keller 1977).

    A place is (state, parameter); lengths count √(|Δh|²/units + (Δa/maximum)²).
    """

    def __init__(
        self,
        family: Family,
        state: np.ndarray,
        parameter: float = 0.0,
    ) -> None:
        """From a fixed point at 0 upwards, or at the maximum downwards."""
        self.family = family
        self.maximum = family.maximum
        self.units = len(state)
        of_state = np.full(self.units, 1.0 / self.units)
        self.weights = np.append(of_state, 1.0 / self.maximum**2)
        self.place = np.append(state, parameter)
        direction = 1.0 if parameter == 0 else -1.0
        self.tangent = np.append(np.zeros(self.units), direction)
        self.places: list[np.ndarray] = [self.place]
        self.folds: list[int] = []
        self.end = LOST

    def follow(self) -> FollowedCurve:
        """The whole curve, until the parameter comes to 0 or to the maximum."""
        try:
            self.tangent = self._tangent(self.place, self.tangent)
            self._go()
        except np.linalg.LinAlgError:  # at a place that is singular to the last digit
            self.end = LOST
        places = np.array(self.places)
        return FollowedCurve(
            parameters=places[:, -1],
            states=places[:, :-1],
            folds=np.array(self.folds, int),
            end=self.end,
        )

    def _go(self) -> None:
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

    def _product(self, one: np.ndarray, other: np.ndarray) -> float:
        """The product whose root lengths are."""
        return one @ (self.weights * other)

    def _system(
        self,
        place: np.ndarray,
        border: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The bordered matrix of (h - F(h, a), length along `border`), and the residual."""
        state = place[:-1]
        step = self.family.at(place[-1])
        jacobian = step.jacobians(state[None])[0]
        size = self.units + 1
        matrix = np.empty((size, size))
        matrix[:-1, :-1] = np.eye(self.units) - jacobian
        matrix[:-1, -1] = -self.family.growth(step, state, place[-1])
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
        try:
            here = self._corrected(guess, tangent, length)
            return None if here is None else (here, self._tangent(here, tangent))
        except np.linalg.LinAlgError:
            return None

    def _corrected(
        self,
        guess: np.ndarray,
        tangent: np.ndarray,
        length: float,
    ) -> np.ndarray | None:
        """The place on the curve beside a guess, by Newton's method; None when it is not found."""
        longest_off = (STRAY * length) ** 2
        here = guess.copy()
        for _ in range(CORRECTIONS):
            matrix, residual = self._system(here, tangent)
            along = self._product(tangent, here - guess)
            move = np.linalg.solve(matrix, np.append(residual, along))
            here = here - move
            if not np.isfinite(here).all():
                return None
            off = here - guess
            if self._product(off, off) > longest_off:  # on its way to another branch
                return None
            size = max(1.0, np.abs(here).max())
            if np.abs(move).max() < CONVERGED * size:
                return here
        return None

    def _fold(self, length: float) -> np.ndarray:
        """The place between the present one and `length` further on where the parameter turns."""
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
        """The last place, moved to parameter 0 or to the maximum exactly."""
        at_origin = self.place[-1] <= 0
        parameter = 0.0 if at_origin else self.maximum
        state = self._between_last(parameter)
        step = self.family.at(parameter)
        for _ in range(CORRECTIONS):
            jacobian = step.jacobians(state[None])[0]
            matrix = np.eye(self.units) - jacobian
            residual = state - step(state[None])[0]
            state = state - np.linalg.solve(matrix, residual)
        self.places[-1] = np.append(state, parameter)
        self.end = ORIGIN if at_origin else MAXIMUM

    def _between_last(self, parameter: float) -> np.ndarray:
        """The state at this parameter on the line through the last two places."""
        before = self.places[-2]
        after = self.places[-1]
        share = (parameter - before[-1]) / (after[-1] - before[-1])
        return before[:-1] + share * (after[:-1] - before[:-1])
