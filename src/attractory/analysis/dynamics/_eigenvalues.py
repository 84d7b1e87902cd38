"""How many eigenvalues of a Jacobian lie outside of the unit circle, proved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attractory.analysis.dynamics._rate_errors import RateErrors
from attractory.analysis.dynamics._rounding import EPS, SLACK, sum_error
from attractory.analysis.dynamics._stein import stein_form
from attractory.analysis.dynamics._step import RateStep, Step


@dataclass(frozen=True)
class Eigenvalues:
    """The eigenvalues of DF at a fixed point, largest modulus first, and what is proved of them.

    n_unstable: how many have |λ| > 1. decided: that number is proved for the fixed point itself.
    """

    eigenvalues: np.ndarray
    n_unstable: int
    decided: bool


def jacobian_eigenvalues(
    step: Step,
    state: np.ndarray,
    radius: float,
) -> Eigenvalues:
    """Eigenvalues of DF at `state`; the number outside of the unit circle proved within `radius`.

    First by discs around the eigenvalues (`_discs`); where eigenvectors are too nearly parallel
    for that, by the inertia of a solution of Stein's equation (`_inertia`).
    """
    jacobian = step.jacobians(state[None])[0]
    eigenvalues, vectors = np.linalg.eig(jacobian)
    eigenvalues = eigenvalues.astype(complex)
    vectors = vectors.astype(complex)
    moduli = np.abs(eigenvalues)
    n_unstable = int((moduli > 1.0).sum())
    decided = False
    if isinstance(step, RateStep) and np.isfinite(radius):
        errors = RateErrors(step, state)
        discs = _discs(jacobian, eigenvalues, vectors, errors, radius)
        reached = discs + 8 * EPS * (1 + moduli)
        off_circle = np.abs(moduli - 1.0)
        decided = bool(np.all(off_circle > reached))
        if not decided:
            decided = _inertia(jacobian, errors, radius) == n_unstable
    by_modulus = -moduli.round(12)
    order = np.lexsort((-eigenvalues.imag, by_modulus))
    return Eigenvalues(
        eigenvalues=eigenvalues[order],
        n_unstable=n_unstable,
        decided=decided,
    )


def _discs(
    jacobian: np.ndarray,
    eigenvalues: np.ndarray,
    vectors: np.ndarray,
    errors: RateErrors,
    radius: float,
) -> np.ndarray:
    """Radii of discs around the approximate eigenvalues, (unit,): inf where nothing is proved.

    Their union holds all eigenvalues, and each connected part of it as many as it has centres, for
    every matrix within the error of `jacobian` (Gershgorin's theorem after a similarity; Rump
    2010, section 10). The basis is real, (Re v, Im v) for a pair, so that all products are real:
    B⁻¹JB = L + (I - H)⁻¹ E with Y ≈ B⁻¹, H = I - YB, E = Y(JB - BL).
    """
    nothing = np.full(len(jacobian), np.inf)
    basis, blocks, partner = _real_basis(eigenvalues, vectors)
    try:
        inverse = np.linalg.inv(basis)
    except np.linalg.LinAlgError:
        return nothing
    not_inverse = _defect_sums(basis, inverse)
    worst = float(not_inverse.max()) * SLACK
    if not worst < 1.0:
        return nothing
    residual, error = _residual(jacobian, basis, blocks, errors, radius)
    rows = _moved_sums(inverse, residual, error)
    # (I - H)⁻¹ E = E + H (I - H)⁻¹ E
    rows = rows + not_inverse * rows.max() / (1.0 - worst)
    # a pair's block is normal: in its complex basis, √2 times longer at most, it is diagonal
    of_pair = rows + rows[partner]
    alone = np.sqrt(2) * rows
    return np.where(partner >= 0, of_pair, alone) * SLACK


def _defect_sums(
    basis: np.ndarray,
    inverse: np.ndarray,
) -> np.ndarray:
    """Row sums of |H| = |I - YB|, rounding included."""
    n = len(basis)
    gamma = sum_error(n + 4)
    basis_sums = np.abs(basis) @ np.ones(n)
    sizes = np.abs(inverse)
    defect = np.eye(n) - inverse @ basis
    sums = np.abs(defect).sum(1)
    sums += gamma * (sizes @ basis_sums) + 2 * EPS
    return sums


def _residual(
    jacobian: np.ndarray,
    basis: np.ndarray,
    blocks: np.ndarray,
    errors: RateErrors,
    radius: float,
) -> tuple[np.ndarray, np.ndarray]:
    """JB - BL, and row sums of what it may be off for a matrix within the error of J."""
    n = len(jacobian)
    ones = np.ones(n)
    gamma = sum_error(n + 4)
    sizes = np.abs(basis)
    basis_sums = sizes @ ones
    block_sums = np.abs(blocks) @ ones
    residual = jacobian @ basis - basis @ blocks
    first_terms = np.abs(jacobian) @ basis_sums
    second_terms = sizes @ block_sums
    error = gamma * (first_terms + second_terms)
    error += errors.jacobian_row_sums(radius, basis_sums)
    return residual, error


def _moved_sums(
    inverse: np.ndarray,
    residual: np.ndarray,
    error: np.ndarray,
) -> np.ndarray:
    """Row sums of |E| = |Y (JB - BL)|, rounding included."""
    n = len(inverse)
    gamma = sum_error(n + 4)
    sizes = np.abs(inverse)
    residual_sums = np.abs(residual) @ np.ones(n)
    product = inverse @ residual
    rows = np.abs(product).sum(1)
    rounding = gamma * (sizes @ residual_sums)
    rows += rounding + sizes @ error
    return rows


def _real_basis(
    eigenvalues: np.ndarray,
    vectors: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Basis B and block-diagonal L with J B ≈ B L, and each index's partner in its pair (or -1).

    NumPy gives the eigenvalues of a real matrix with conjugate pairs side by side, the one with the
    positive imaginary part first.
    """
    first = np.flatnonzero(eigenvalues.imag > 0)
    second = first + 1
    basis = vectors.real.copy()
    basis[:, second] = vectors.imag[:, first]
    turns = eigenvalues.imag[first]
    blocks = np.diag(eigenvalues.real)
    blocks[first, second] = turns
    blocks[second, first] = -turns
    partner = np.full(len(eigenvalues), -1)
    partner[first] = second
    partner[second] = first
    return basis, blocks, partner


def _inertia(
    jacobian: np.ndarray,
    errors: RateErrors,
    radius: float,
) -> int:
    """The number of eigenvalues outside of the unit circle, proved; -1 when it is not.

    If P is symmetric and P - JᵀPJ is positive definite, then J has no eigenvalue on the circle and
    as many outside of it as P has negative ones (Wimmer 1973; the discrete form of the inertia
    theorem of Ostrowski, Schneider and Taussky). P comes from a Schur form split at the circle.
    """
    form = stein_form(jacobian)
    if form is None:
        return -1
    own_rounding = 16 * len(jacobian) * EPS
    difference = form - jacobian.T @ form @ jacobian
    difference = (difference + difference.T) / 2
    own_values = np.linalg.eigvalsh(difference)
    largest = np.abs(own_values).max()
    least = own_values[0] - own_rounding * largest
    error = errors.product_error(jacobian, form, radius)
    if not least > error * SLACK:
        return -1
    values = np.linalg.eigvalsh(form)
    sizes = np.abs(values)
    if np.min(sizes) <= own_rounding * sizes.max():
        return -1
    return int((values < 0).sum())
