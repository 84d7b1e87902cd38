"""Proofs about a fixed point of a rate network, with the rounding errors of the proof bounded.

All bounds hold for exact real arithmetic on the network's weights as they are stored. They rest on
IEEE double precision, on the error of a sum of n terms being at most n·u/(1-n·u) times the sum of
absolute values (in any order; Higham 2002, section 3.1), and on NumPy's and SciPy's elementary
functions to the accuracy said in `kernels.Activation`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attractory.analysis.dynamics._determinant import determinant_sign
from attractory.analysis.dynamics._rate_errors import RateErrors
from attractory.analysis.dynamics._rounding import EPS, SLACK, TINY, sum_error
from attractory.analysis.dynamics._step import RateStep


@dataclass(frozen=True)
class Certificate:
    """What is proved near an approximate fixed point, in the maximum norm.

    exists: one fixed point lies within `radius` of the state, and it is the only one in the open
    ball of `unique_radius`. orientation: the sign of det(I - DF) there, +1 or -1 (0 where nothing
    is proved). defect: ‖I - A(I - DF)‖ of the approximate inverse A (below 1: it is one).
    """

    exists: bool
    radius: float
    unique_radius: float
    orientation: int
    defect: float


NOTHING = Certificate(False, float("inf"), 0.0, 0, float("inf"))


def certify(step: RateStep, state: np.ndarray) -> Certificate:
    """Does a fixed point lie next to `state` (unit,), and which ball has no other?

    Newton-Kantorovich in the form of radii polynomials, maximum norm: with A ≈ (I - DF)⁻¹,
    Y >= ‖A (h - F(h))‖, Z0 >= ‖I - A (I - DF(h))‖ and Z2 a Lipschitz constant of A·DF, there is
    exactly one fixed point in the ball of radius r+, and it is within r-, when Z0 < 1 and
    2 Y Z2 < (1 - Z0)²; r∓ are the roots of Z2 r²/2 - (1 - Z0) r + Y (Ortega & Rheinboldt 1970,
    12.6; van den Berg & Lessard 2015). The leaky update has the same fixed points as phi(W h + c).
    Where phi has kinks, the balls end at the next one.
    """
    curvature = step.activation.curvature
    if curvature is None or not np.isfinite(state).all():
        return NOTHING
    errors = RateErrors(step, state)
    system = np.eye(step.units) - step.jacobians(state)
    try:
        inverse = np.linalg.inv(system)
    except np.linalg.LinAlgError:
        return NOTHING
    sizes = np.abs(inverse)
    defect = _defect(system, inverse, errors)
    moved = float(np.max(sizes @ errors.residual)) * SLACK
    bent = float(np.max(sizes @ errors.row_sums**2))
    lipschitz = step.leak * curvature * bent * SLACK
    roots = _roots(moved, defect, lipschitz)
    if roots is None:
        return NOTHING
    radius, unique = roots
    unique = min(unique, _radius_to_kinks(errors))
    if not radius < unique:
        return NOTHING

    def uncertainty(columns: np.ndarray) -> np.ndarray:
        return errors.system_row_sums(radius, columns)

    sign = determinant_sign(system, uncertainty)
    return Certificate(
        exists=True,
        radius=radius,
        unique_radius=unique,
        orientation=sign,
        defect=defect,
    )


def _defect(
    system: np.ndarray,
    inverse: np.ndarray,
    errors: RateErrors,
) -> float:
    """Z0 of `certify`: ‖I - A S‖ of the approximate inverse A for the true S = I - DF."""
    n = len(system)
    ones = np.ones(n)
    sizes = np.abs(inverse)
    computed = np.abs(np.eye(n) - inverse @ system).sum(1)
    system_sums = np.abs(system) @ ones
    in_product = sum_error(n + 2) * (sizes @ system_sums) + 2 * EPS
    in_system = sizes @ errors.jacobian_row_sums(0.0, ones)
    return float(np.max(computed + in_product + in_system)) * SLACK


def _roots(
    moved: float,
    defect: float,
    lipschitz: float,
) -> tuple[float, float] | None:
    """r- and r+ of `certify`, from Y, Z0 and Z2; None where the polynomial has no root above 0."""
    room = 1.0 - defect
    solvable = defect < 1.0 and 2 * moved * lipschitz * SLACK < room**2
    if not solvable:
        return None
    root = np.sqrt(room**2 - 2 * moved * lipschitz)
    radius = 2 * moved / (room + root) * SLACK
    if lipschitz == 0:
        return radius, float("inf")
    unique = (room + root) / lipschitz / SLACK
    return radius, unique


def _radius_to_kinks(errors: RateErrors) -> float:
    """The radius of a ball in which no drive comes to a kink."""
    with np.errstate(divide="ignore"):
        radii = errors.to_kinks / (errors.row_sums + TINY)
    return float(np.min(radii))
