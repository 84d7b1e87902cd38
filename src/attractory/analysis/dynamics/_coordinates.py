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
            np.concatenate([self.middle, other.middle]),
            np.concatenate([self.radius, other.radius]),
        )

    def halves(self, along: np.ndarray) -> Boxes:
        """Both halves of each box, cut across one of its coordinates, along (box,)."""
        rows = np.arange(len(self))
        radius = self.radius.copy()
        radius[rows, along] /= 2
        shift = np.zeros_like(radius)
        shift[rows, along] = radius[rows, along]
        # both halves reach a little over the middle, so that rounding leaves no gap
        radius = radius * (1 + 1e-12) + 4 * EPS * np.abs(self.middle) + TINY
        return Boxes(
            np.concatenate([self.middle - shift, self.middle + shift]),
            np.concatenate([radius, radius]),
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
        recurrent = step.recurrent
        units = len(recurrent)
        if units <= FEW_UNITS:
            left, right, error = recurrent, np.eye(units), np.zeros(units)
        else:
            found = _leading_directions(recurrent)
            if found is None:
                return None
            left, right, error = found
        return cls(
            activation=step.activation,
            left=left,
            right=right,
            error=error,
            constant=step.constant,
            magnitude=np.abs(step.input_weights) @ np.abs(step.inputs) + np.abs(step.bias),
            terms=len(step.inputs) + left.shape[1] + 4,
        )

    @property
    def size(self) -> int:
        return self.left.shape[1]

    def drives(self, boxes: Boxes, largest: float) -> tuple[np.ndarray, np.ndarray]:
        """The drive L κ + c + ε of each unit in each box, as middle ± radius, (box, unit) each.

        largest: a bound of max|h| at the fixed points looked for.
        """
        middle = boxes.middle @ self.left.T + self.constant
        sizes = np.abs(self.left).T
        rounding = sum_error(self.terms) * (np.abs(boxes.middle) @ sizes + self.magnitude)
        outside = self.error * largest if self.error.any() else 0.0
        return middle, (boxes.radius @ sizes + rounding + outside) * SLACK + TINY

    def of_states(self, states: np.ndarray) -> np.ndarray:
        """κ of states (state, unit)."""
        return states @ self.right


def _leading_directions(
    recurrent: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """L, R and the row sums of |W - L Rᵀ| for the lowest rank that leaves little, or None."""
    directions, scales, to = np.linalg.svd(recurrent)
    allowed = NEGLIGIBLE * float(np.abs(recurrent).sum(1).max())
    for rank in range(1, LARGEST_RANK + 1):
        left, right = directions[:, :rank] * scales[:rank], to[:rank].T
        rest = np.abs(recurrent - left @ right.T)
        rounding = sum_error(rank + 2) * (np.abs(left) @ np.abs(right).T + np.abs(recurrent))
        error = (rest + rounding).sum(1) * SLACK
        if error.max() <= allowed:
            return left, right, error
    return None
