"""The norm of a positive definite form, |v| = √(vᵀPv), with bounds that include every rounding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attractory._stored import stored
from attractory.analysis.dynamics._rounding import EPS, SLACK, sum_error

TINY = 1e-280  # more than what underflow can lose in a sum


@stored
@dataclass(frozen=True, eq=False)
class FormNorm:
    """The norm of P, proved to be one. All numbers here are bounds from above.

    form (unit, unit): P, symmetric, exactly as stored. inverse: about P⁻¹. inverse_error: of the
    inverse, spectral norm. largest, largest_inverse: the largest eigenvalues of P and of P⁻¹.
    """

    form: np.ndarray
    inverse: np.ndarray
    inverse_error: float
    largest: float
    largest_inverse: float

    @classmethod
    def of(cls, form: np.ndarray) -> FormNorm | None:
        """The norm of a symmetric matrix; None where that is not proved to be positive definite."""
        n = len(form)
        finite = np.isfinite(form).all()
        if not finite or not positive_definite(form, 0.0):
            return None
        inverse = np.linalg.inv(form)
        # ‖P⁻¹ - X‖ <= ‖X‖ ‖I - PX‖ / (1 - ‖I - PX‖), in the 2-norm bounded by the Frobenius norm
        residual = np.eye(n) - form @ inverse
        wrong = float(np.linalg.norm(residual))
        terms = np.abs(form) @ np.abs(inverse)
        length_of_terms = np.linalg.norm(terms)
        rounding = sum_error(n + 2) * length_of_terms + n * EPS
        wrong += float(rounding)
        if not wrong < 0.5:
            return None
        inverse_length = float(np.linalg.norm(inverse))
        inverse_error = 2 * inverse_length * wrong * SLACK
        symmetric = (inverse + inverse.T) / 2
        return cls(
            form=form,
            inverse=inverse,
            inverse_error=inverse_error,
            largest=largest_eigenvalue(form, 0.0),
            largest_inverse=largest_eigenvalue(symmetric, inverse_error),
        )

    def length(self, vector: np.ndarray) -> float:
        """|v| of a vector (unit,)."""
        sizes = np.abs(vector)
        form_sizes = np.abs(self.form)
        terms = float(sizes @ form_sizes @ sizes)
        rounding = sum_error(2 * len(vector) + 4) * terms
        product = float(vector @ self.form @ vector)
        return _root(product + rounding)

    def longest(self, bounds: np.ndarray) -> float:
        """|v| of any vector with |v_i| <= bounds_i (unit,)."""
        form_sizes = np.abs(self.form)
        by_entries = float(bounds @ form_sizes @ bounds)
        square_length = float(bounds @ bounds)
        by_length = self.largest * square_length
        return _root(min(by_entries, by_length))

    def reach(self, rows: np.ndarray) -> np.ndarray:
        """|row · v| of any v with |v| <= 1, for each row (row, unit): √(rᵀ P⁻¹ r)."""
        n = rows.shape[1]
        sizes = np.abs(rows)
        inverse_sizes = np.abs(self.inverse)
        terms = sizes @ inverse_sizes * sizes
        rounding = sum_error(2 * n + 4) * terms
        products = rows @ self.inverse * rows
        bounds = products + rounding
        square = bounds.sum(axis=1)
        row_squares = (rows**2).sum(axis=1)
        square += self.inverse_error * row_squares
        square = np.maximum(square, 0.0)
        return np.sqrt(square) * SLACK + TINY

    def gain(self, matrix: np.ndarray) -> float:
        """|D M v| of any v with |v| <= 1 and any diagonal D within ±1: √λmax(P) ‖M P^(-1/2)‖₂."""
        n = max(matrix.shape)
        sizes = np.abs(matrix)
        square = matrix @ self.inverse @ matrix.T
        symmetric = (square + square.T) / 2
        column_sums = sizes.sum(axis=0)
        inverse_sizes = np.abs(self.inverse)
        row_sums = sizes @ (inverse_sizes @ column_sums)
        largest_row = float(row_sums.max())
        squares = float((matrix**2).sum())
        error = sum_error(2 * n + 4) * largest_row
        error += self.inverse_error * squares
        top = largest_eigenvalue(symmetric, error * SLACK)
        product = self.largest * max(top, 0.0)
        return _root(product)


def _root(square: float) -> float:
    """A bound of the root of a number, from one of that number (below 0 by rounding alone)."""
    length = np.sqrt(max(square, 0.0))
    return float(length * SLACK + TINY)


def positive_definite(
    matrix: np.ndarray,
    error: float,
) -> bool:
    """Is every symmetric matrix within `error` (spectral norm) of this one positive definite?

    Cholesky's factorisation of a matrix that runs to its end in floating point proves that no
    eigenvalue is below -γ/(1 - γ) times the trace (Rump 2006, BIT 46:433): so it must do so after
    more than that and the error were taken off the diagonal.
    """
    n = len(matrix)
    entries = np.abs(np.diagonal(matrix))
    trace = float(entries.sum())
    by_factorisation = 4 * sum_error(n + 2) * trace + n * TINY
    shift = (error + by_factorisation) * SLACK
    if not np.isfinite(shift):
        return False
    lowered = matrix.copy()
    diagonal = np.einsum("ii->i", lowered)
    diagonal[...] -= shift
    try:
        np.linalg.cholesky(lowered)
    except np.linalg.LinAlgError:
        return False
    return True


def largest_eigenvalue(
    matrix: np.ndarray,
    error: float,
) -> float:
    """A bound of the largest eigenvalue of every symmetric matrix within `error` of this one."""
    row_sums = np.abs(matrix).sum(axis=1)
    by_rows = float(row_sums.max()) * SLACK
    eigenvalues = np.linalg.eigvalsh(matrix)
    estimate = float(eigenvalues[-1])
    bound = estimate + 1e-6 * abs(estimate) + TINY
    lowered = -matrix
    diagonal = np.einsum("ii->i", lowered)
    diagonal[...] += bound
    # the subtraction on the diagonal is rounded, too
    rounding = EPS * (bound + by_rows)
    proved = bound if positive_definite(lowered, rounding) else by_rows
    return min(proved, by_rows) + error
