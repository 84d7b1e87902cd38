"""The few numbers by which every fixed point of a rate network is known, where few are enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from attractory.analysis.dynamics._rounding import EPS, SLACK, TINY, sum_error
from attractory.analysis.dynamics._step import RateStep
from attractory.kernels import Activation

FEW_UNITS = 6  # so many units are their own coordinates: with more, boxes soon are too many
LARGEST_RANK = 3  # of recurrent weights whose span is searched
NEGLIGIBLE = 1e-4  # share of the weights (row sums) that may lie outside of the span


@dataclass(frozen=True)
class Boxes:
    """Boxes in the space of the coordinates: middle ± radius, (box, coordinate) each."""

    middle: np.ndarray
    radius: np.ndarray

    def __len__(self) -> int:
        return len(self.middle)

    def __getitem__(self, which: np.ndarray | slice) -> Boxes:
        return Boxes(self.middle[which], self.radius[which])

    def joined(self, other: Boxes) -> Boxes:
        return Boxes(
            middle=np.concatenate([self.middle, other.middle]),
            radius=np.concatenate([self.radius, other.radius]),
        )

    def halves(self, along: np.ndarray) -> Boxes:
        """Both halves of each box, cut across one of its coordinates, along (box,)."""
        rows = np.arange(len(self))
        half = self.radius.copy()
        half[rows, along] /= 2
        shift = np.zeros_like(half)
        shift[rows, along] = half[rows, along]
        # both halves reach a little over the middle, so that rounding leaves no gap
        rounding = 4 * EPS * np.abs(self.middle)
        radius = half * (1 + 1e-12) + rounding + TINY
        lower = self.middle - shift
        upper = self.middle + shift
        return Boxes(
            middle=np.concatenate([lower, upper]),
            radius=np.concatenate([radius, radius]),
        )


@dataclass(frozen=True)
class Coordinates:
    """κ = Rᵀ h, by which a fixed point is h = phi(L κ + c + ε).

    W = L Rᵀ + E: left L (unit, coordinate), right R (unit, coordinate), error (unit,): row sums of
    |E|, rounding included, so that |ε| <= error · max|h|. Where there are few units R = I and
    E = 0: the units themselves are the coordinates. magnitude (unit,): |W_in| |x| + |b|, for the
    rounding of c.
    """

    activation: Activation
    left: np.ndarray
    right: np.ndarray
    error: np.ndarray
    constant: np.ndarray
    magnitude: np.ndarray
    terms: int

    @classmethod
    def of(cls, step: RateStep) -> Self | None:
        """The coordinates of a network with few units or recurrent weights of low rank, else None.

        Each network has W = U S Vᵀ; what lies outside of its leading directions is an error that
        is bounded, whatever it is. So a product of factors counts as of low rank, with the rounding
        that it was stored with.
        """
        span = _span_of(step.recurrent)
        if span is None:
            return None
        by_inputs = np.abs(step.input_weights) @ np.abs(step.inputs)
        return cls(
            activation=step.activation,
            left=span.left,
            right=span.right,
            error=span.error,
            constant=step.constant,
            magnitude=by_inputs + np.abs(step.bias),
            terms=len(step.inputs) + span.left.shape[1] + 4,
        )

    @property
    def size(self) -> int:
        return self.left.shape[1]

    def drives(
        self,
        boxes: Boxes,
        largest: float,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The drive L κ + c + ε of each unit in each box, as middle ± radius, (box, unit) each.

        largest: a bound of max|h| at the fixed points looked for.
        """
        middle = boxes.middle @ self.left.T + self.constant
        sizes = np.abs(self.left).T
        terms = np.abs(boxes.middle) @ sizes + self.magnitude
        rounding = sum_error(self.terms) * terms
        outside = self.error * largest if self.error.any() else 0.0
        reach = boxes.radius @ sizes
        radius = (reach + rounding + outside) * SLACK + TINY
        return middle, radius

    def of_states(self, states: np.ndarray) -> np.ndarray:
        """κ of states (state, unit)."""
        return states @ self.right


@dataclass(frozen=True)
class _Span:
    """L, R and the row sums of |W - L Rᵀ|, rounding included."""

    left: np.ndarray
    right: np.ndarray
    error: np.ndarray


def _span_of(recurrent: np.ndarray) -> _Span | None:
    """Few units as they are; else the leading directions of the weights, if they are enough."""
    units = len(recurrent)
    if units <= FEW_UNITS:
        return _Span(
            left=recurrent,
            right=np.eye(units),
            error=np.zeros(units),
        )
    return _leading_directions(recurrent)


def _leading_directions(recurrent: np.ndarray) -> _Span | None:
    """The span of the lowest rank that leaves little of the weights, or None."""
    directions, scales, to = np.linalg.svd(recurrent)
    row_sums = np.abs(recurrent).sum(1)
    allowed = NEGLIGIBLE * float(row_sums.max())
    for rank in range(1, LARGEST_RANK + 1):
        left = directions[:, :rank] * scales[:rank]
        right = to[:rank].T
        rest = np.abs(recurrent - left @ right.T)
        terms = np.abs(left) @ np.abs(right).T + np.abs(recurrent)
        rounding = sum_error(rank + 2) * terms
        error = (rest + rounding).sum(1) * SLACK
        if error.max() <= allowed:
            return _Span(left, right, error)
    return None
