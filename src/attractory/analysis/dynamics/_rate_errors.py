"""What rounding can do to the quantities that proofs about a state of a rate network use."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from attractory.analysis.dynamics._rounding import EPS, SLACK, TINY, sum_error
from attractory.analysis.dynamics._step import RateStep


class RateErrors:
    """Bounds of rounding at one state of a rate network."""

    def __init__(self, step: RateStep, state: np.ndarray) -> None:
        self.step = step
        self.state = state
        self.sum_error = sum_error(step.units + len(step.inputs) + 4)
        weights = np.abs(step.recurrent)
        self.row_sums = weights.sum(1) * SLACK
        self.drive = step.drive(state)
        self.drive_error = self._drive_error(weights)
        arguments = np.abs(self.drive)
        sizes = np.maximum(1.0, arguments)
        self.function = step.activation.rounding * sizes

    def _drive_error(self, weights: np.ndarray) -> np.ndarray:
        """Of W h + W_in x + b, a sum of products: its relative error times their sizes (unit,).

        weights: |W|.
        """
        step = self.step
        input_weights = np.abs(step.input_weights)
        inputs = np.abs(step.inputs)
        by_inputs = input_weights @ inputs
        constant = by_inputs + np.abs(step.bias)
        by_units = weights @ np.abs(self.state)
        terms = by_units + constant
        return self.sum_error * terms * SLACK + TINY

    @cached_property
    def residual(self) -> np.ndarray:
        """|h - F(h)|, computed and its error together (unit,)."""
        activation = self.step.activation
        next_state = self.step(self.state)
        computed = np.abs(self.state - next_state)
        by_drive = activation.max_slope * self.drive_error
        of_rates = self.step.leak * (by_drive + self.function)
        rates = activation.value(self.drive)
        sizes = np.abs(self.state) + np.abs(rates)
        rounding = 8 * EPS * sizes
        bound = computed + of_rates + rounding
        return bound * SLACK + TINY

    def slopes(self, radius: float) -> np.ndarray:
        """By how much leak·phi' may differ from its computed value within `radius` (unit,)."""
        activation = self.step.activation
        moved = self.row_sums * radius + self.drive_error
        assert activation.curvature is not None
        by_moves = activation.curvature * moved
        deviation = by_moves + self.function + 4 * EPS
        return self.step.leak * deviation * SLACK

    def jacobian_row_sums(
        self,
        radius: float,
        columns: np.ndarray,
    ) -> np.ndarray:
        """A bound of |DF - computed DF| @ columns for columns >= 0, within `radius` (unit,)."""
        weights = np.abs(self.step.recurrent)
        sums = weights @ columns
        by_slopes = self.slopes(radius) * sums
        rounding = 4 * EPS * (sums + columns)
        return (by_slopes + rounding) * SLACK

    def system_row_sums(
        self,
        radius: float,
        columns: np.ndarray,
    ) -> np.ndarray:
        """The same of I - DF, whose subtraction is rounded, too."""
        of_jacobian = self.jacobian_row_sums(radius, columns)
        return of_jacobian + 4 * EPS * columns

    @cached_property
    def to_kinks(self) -> np.ndarray:
        """How far the drive of each unit is from the next kink of phi, at least (unit,)."""
        distances = []
        for kink in self.step.activation.kinks:
            distance = np.abs(self.drive - kink)
            distances.append(distance)
        if not distances:
            return np.full(self.step.units, np.inf)
        nearest = np.min(distances, axis=0)
        at_least = np.maximum(nearest - self.drive_error, 0.0)
        # a unit that hears no other stays where it is, on a kink or not
        deaf = self.row_sums == 0
        return np.where(deaf, np.inf, at_least / SLACK)

    def product_error(
        self,
        jacobian: np.ndarray,
        form: np.ndarray,
        radius: float,
    ) -> float:
        """How far JᵀPJ for the J of the true point may be from the computed one (spectral norm).

        As all these matrices are symmetric, their largest row sum bounds it. With the deviation D
        of J, what is left out is JᵀPD and DᵀP(J + D), and the rounding of JᵀPJ.
        """
        n = len(jacobian)
        ones = np.ones(n)
        sizes = np.abs(form)
        jacobian_sizes = np.abs(jacobian)
        jacobian_sums = jacobian_sizes @ ones
        deviation = self.jacobian_row_sums(radius, ones)
        row_sums = jacobian_sizes.T @ (sizes @ deviation)
        by_rows = float(np.max(row_sums))
        moved_sums = sizes @ (jacobian_sums + deviation)
        largest = float(np.max(moved_sums))
        by_columns = self._deviation_of_columns(radius) * largest
        gamma = sum_error(2 * n + 4)
        product_sums = jacobian_sizes.T @ (sizes @ jacobian_sums)
        terms = product_sums + sizes @ ones
        rounding = gamma * float(np.max(terms))
        return (rounding + by_rows + by_columns) * SLACK

    def _deviation_of_columns(self, radius: float) -> float:
        """The largest column sum of |DF - computed DF|, within `radius`."""
        weights = np.abs(self.step.recurrent)
        by_slopes = self.slopes(radius) @ weights
        rounding = 4 * EPS * (weights.sum(0) + 1)
        column_sums = by_slopes + rounding
        return float(column_sums.max())
