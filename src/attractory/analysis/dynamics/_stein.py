"""Stein's equation P = AᵀPA + Q, whose solutions tell the stable from the unstable directions."""

from __future__ import annotations

import numpy as np
import scipy.linalg

from attractory.analysis.dynamics._rounding import EPS

DOUBLINGS = 40  # a spectral radius up to 1 - 1e-10 and more


def stein_form(jacobian: np.ndarray) -> np.ndarray | None:
    """A symmetric P with P - JᵀPJ positive definite: positive on the stable directions of J,
    negative on the unstable ones. None when J has an eigenvalue too near to the circle."""
    try:
        triangle, turn, unstable = scipy.linalg.schur(jacobian, sort="ouc")
        parts = _parts_of_form(triangle, unstable)
        split = _split(triangle, unstable)
        change = np.linalg.inv(split) @ turn.T
    except (np.linalg.LinAlgError, ValueError):
        return None
    middle = scipy.linalg.block_diag(*parts)
    form = change.T @ middle @ change
    if not np.isfinite(form).all():
        return None
    return (form + form.T) / 2


def _split(
    triangle: np.ndarray,
    unstable: int,
) -> np.ndarray:
    """A basis, as columns, of the unstable directions and the stable ones of a Schur form."""
    n = len(triangle)
    split = np.eye(n)
    if 0 < unstable < n:
        outer = triangle[:unstable, :unstable]
        coupling = triangle[:unstable, unstable:]
        inner = triangle[unstable:, unstable:]
        mixed = scipy.linalg.solve_sylvester(outer, -inner, -coupling)
        split[:unstable, unstable:] = mixed
    return split


def _parts_of_form(
    triangle: np.ndarray,
    unstable: int,
) -> list[np.ndarray]:
    """P on the unstable directions and on the stable ones, where there are any."""
    n = len(triangle)
    outer = triangle[:unstable, :unstable]
    inner = triangle[unstable:, unstable:]
    parts = []
    if unstable:
        back = np.linalg.inv(outer)
        backwards = solve_stein(back, back.T @ back)
        parts.append(-backwards)
    if unstable < n:
        forwards = solve_stein(inner, np.eye(n - unstable))
        parts.append(forwards)
    return parts


def solve_stein(
    matrix: np.ndarray,
    right: np.ndarray,
) -> np.ndarray:
    """P = AᵀPA + Q for a spectral radius below 1, by doubling (Smith 1968); NaN where it fails."""
    power = matrix
    total = right
    with np.errstate(all="ignore"):
        for _ in range(DOUBLINGS):
            added = power.T @ total @ power
            total = total + added
            largest = np.abs(total).max()
            if np.abs(added).max() <= EPS * largest:
                return (total + total.T) / 2
            power = power @ power
            if not np.isfinite(total).all():
                break
    return np.full_like(right, np.nan)
