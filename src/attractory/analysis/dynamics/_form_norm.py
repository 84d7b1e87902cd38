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
        if not np.isfinite(form).all() or not positive_definite(form, 0.0):
            return None
        inverse = np.linalg.inv(form)
        # ‖P⁻¹ - X‖ <= ‖X‖ ‖I - PX‖ / (1 - ‖I - PX‖), in the 2-norm bounded by the Frobenius norm
        wrong = float(np.linalg.norm(np.eye(n) - form @ inverse))
        wrong += float(sum_error(n + 2) * np.linalg.norm(np.abs(form) @ np.abs(inverse)) + n * EPS)
        if not wrong < 0.5:
            return None
        inverse_error = 2 * float(np.linalg.norm(inverse)) * wrong * SLACK
        return cls(
            form=form,
            inverse=inverse,
            inverse_error=inverse_error,
            largest=largest_eigenvalue(form, 0.0),
            largest_inverse=largest_eigenvalue((inverse + inverse.T) / 2, inverse_error),
        )

    def length(self, vector: np.ndarray) -> float:
        """|v| of a vector (unit,)."""
        sizes = np.abs(vector)
        rounding = sum_error(2 * len(vector) + 4) * float(sizes @ np.abs(self.form) @ sizes)
        square = float(vector @ self.form @ vector) + rounding
        return float(np.sqrt(max(square, 0.0)) * SLACK + TINY)

    def longest(self, bounds: np.ndarray) -> float:
        """|v| of any vector with |v_i| <= bounds_i (unit,)."""
        by_entries = float(bounds @ np.abs(self.form) @ bounds)
        by_length = self.largest * float(bounds @ bounds)
        return float(np.sqrt(min(by_entries, by_length)) * SLACK + TINY)

    def reach(self, rows: np.ndarray) -> np.ndarray:
        """|row · v| of any v with |v| <= 1, for each row (row, unit): √(rᵀ P⁻¹ r)."""
        n = rows.shape[1]
        sizes = np.abs(rows)
        rounding = sum_error(2 * n + 4) * (sizes @ np.abs(self.inverse) * sizes)
        square = (rows @ self.inverse * rows + rounding).sum(axis=1)
        square += self.inverse_error * (rows**2).sum(axis=1)
        return np.sqrt(np.maximum(square, 0.0)) * SLACK + TINY

    def gain(self, matrix: np.ndarray) -> float:
        """|D M v| of any v with |v| <= 1 and any diagonal D within ±1: √λmax(P) ‖M P^(-1/2)‖₂."""
        n = max(matrix.shape)
        sizes = np.abs(matrix)
        square = matrix @ self.inverse @ matrix.T
        rows = sizes @ (np.abs(self.inverse) @ sizes.sum(axis=0))
        error = sum_error(2 * n + 4) * float(rows.max())
        error += self.inverse_error * float((matrix**2).sum())
        top = largest_eigenvalue((square + square.T) / 2, error * SLACK)
        return float(np.sqrt(self.largest * max(top, 0.0)) * SLACK + TINY)


def positive_definite(matrix: np.ndarray, error: float) -> bool:
    """Is every symmetric matrix within `error` (spectral norm) of this one positive definite?

    Cholesky's factorisation of a matrix that runs to its end in floating point proves that no
    eigenvalue is below -γ/(1 - γ) times the trace (Rump 2006, BIT 46:433): so it must do so after
    more than that and the error were taken off the diagonal.
    """
    n = len(matrix)
    diagonal = np.diagonal(matrix)
    own = 4 * sum_error(n + 2) * float(np.abs(diagonal).sum()) + n * TINY
    shift = (error + own) * SLACK
    if not np.isfinite(shift):
        return False
    lowered = matrix.copy()
    np.einsum("ii->i", lowered)[...] -= shift
    try:
        np.linalg.cholesky(lowered)
    except np.linalg.LinAlgError:
        return False
    return True


def largest_eigenvalue(matrix: np.ndarray, error: float) -> float:
    """A bound of the largest eigenvalue of every symmetric matrix within `error` of this one."""
    by_rows = float(np.abs(matrix).sum(axis=1).max()) * SLACK
    estimate = float(np.linalg.eigvalsh(matrix)[-1])
    bound = estimate + 1e-6 * abs(estimate) + TINY
    lowered = -matrix
    np.einsum("ii->i", lowered)[...] += bound
    # the subtraction on the diagonal is rounded, too
    rounding = EPS * (bound + by_rows)
    proved = bound if positive_definite(lowered, rounding) else by_rows
    return min(proved, by_rows) + error
