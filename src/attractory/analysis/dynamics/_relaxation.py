"""A nonlinear function on intervals, as a line and an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from attractory.analysis.dynamics._rounding import EPS, SLACK, TINY
from attractory.kernels import Activation


@dataclass(frozen=True)
class Relaxation:
    """phi(u) within base + slope (u - middle) ± error on each interval.

    low, high: its range there. bend: the range of its slopes.
    """

    base: np.ndarray
    slope: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    bend: np.ndarray

    @classmethod
    def of(
        cls,
        activation: Activation,
        middle: np.ndarray,
        radius: np.ndarray,
    ) -> Self:
        """phi on intervals middle ± radius: the best of three, unit by unit.

        No slope and half of the range; the middle of the slopes, by the mean value theorem; the
        slope at the middle and half the curvature, by Taylor's, where there is no kink.
        """
        start = middle - radius
        end = middle + radius
        low, high = activation.range(start, end)
        least, greatest = activation.slope_range(start, end)
        bend = greatest - least

        base = (low + high) / 2
        error = (high - low) / 2 + EPS * np.abs(base)
        slope = np.zeros_like(base)
        rounding = activation.rounding * np.maximum(1.0, np.abs(middle))
        value = activation.value(middle)

        def take_where_better(
            line_slope: np.ndarray,
            remainder: np.ndarray,
        ) -> None:
            line_error = (remainder + rounding) * SLACK + TINY
            better = line_error < error
            base[better] = value[better]
            error[better] = line_error[better]
            slope[better] = line_slope[better]

        between = (least + greatest) / 2
        deviation = bend / 2 + EPS * np.abs(between)
        take_where_better(between, deviation * radius)
        if activation.curvature is not None and not activation.kinks:
            tangent = activation.slope(middle)
            curved = activation.curvature / 2 * radius**2
            take_where_better(tangent, curved + rounding * radius)
        return cls(base, slope, error, low, high, bend)

    def rows(self, which: np.ndarray) -> Relaxation:
        """The relaxation of these boxes alone."""
        return Relaxation(
            base=self.base[which],
            slope=self.slope[which],
            error=self.error[which],
            low=self.low[which],
            high=self.high[which],
            bend=self.bend[which],
        )
