"""Proofs about a fixed point of a rate network, with the rounding errors of the proof bounded.

All bounds hold for exact real arithmetic on the network's weights as they are stored. They rest on
IEEE double precision, on the error of a sum of n terms being at most n·u/(1-n·u) times the sum of
absolute values (in any order; Higham 2002, section 3.1), and on NumPy's and SciPy's elementary
functions to the accuracy said in `kernels.Activation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg

from attractory.analysis.dynamics._determinant import determinant_sign
from attractory.analysis.dynamics._rounding import EPS, SLACK, TINY, sum_error
from attractory.analysis.dynamics._step import RateStep, Step

DOUBLINGS = 40  # a spectral radius up to 1 - 1e-10 and more


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


class RateErrors:
    """Bounds of rounding at one state of a rate network."""

    def __init__(self, step: RateStep, state: np.ndarray) -> None:
        self.step, self.state = step, state
        self.sum_error = sum_error(step.units + len(step.inputs) + 4)
        weights = np.abs(step.recurrent)
        self.row_sums = weights.sum(1) * SLACK
        constant = np.abs(step.input_weights) @ np.abs(step.inputs) + np.abs(step.bias)
        self.drive = step.drive(state)
        self.drive_error = self.sum_error * (weights @ np.abs(state) + constant) * SLACK + TINY
        self.function = step.activation.rounding * np.maximum(1.0, np.abs(self.drive))

    @cached_property
    def residual(self) -> np.ndarray:
        """|h - F(h)|, computed and its error together (unit,)."""
        activation, leak = self.step.activation, self.step.leak
        residual = np.abs(self.state - self.step(self.state))
        rates = np.abs(activation.value(self.drive))
        inside = leak * (activation.max_slope * self.drive_error + self.function)
        return (residual + inside + 8 * EPS * (np.abs(self.state) + rates)) * SLACK + TINY

    def slopes(self, radius: float) -> np.ndarray:
        """By how much leak·phi' may differ from its computed value within `radius` (unit,)."""
        activation = self.step.activation
        moved = self.row_sums * radius + self.drive_error
        assert activation.curvature is not None
        return self.step.leak * (activation.curvature * moved + self.function + 4 * EPS) * SLACK

    def jacobian_row_sums(self, radius: float, columns: np.ndarray) -> np.ndarray:
        """A bound of |DF - computed DF| @ columns for columns >= 0, within `radius` (unit,)."""
        weights = np.abs(self.step.recurrent) @ columns
        return (self.slopes(radius) * weights + 4 * EPS * (weights + columns)) * SLACK

    def system_row_sums(self, radius: float, columns: np.ndarray) -> np.ndarray:
        """The same of I - DF, whose subtraction is rounded, too."""
        return self.jacobian_row_sums(radius, columns) + 4 * EPS * columns

    @cached_property
    def to_kinks(self) -> np.ndarray:
        """How far the drive of each unit is from the next kink of phi, at least (unit,)."""
        kinks = self.step.activation.kinks
        if not kinks:
            return np.full(self.step.units, np.inf)
        distance = np.min([np.abs(self.drive - kink) for kink in kinks], axis=0)
        # a unit that hears no other stays where it is, on a kink or not
        deaf = self.row_sums == 0
        return np.where(deaf, np.inf, np.maximum(distance - self.drive_error, 0.0) / SLACK)

    def product_error(self, jacobian: np.ndarray, form: np.ndarray, radius: float) -> float:
        """How far JᵀPJ for the J of the true point may be from the computed one (spectral norm).

        As all these matrices are symmetric, their largest row sum bounds it.
        """
        n = len(jacobian)
        gamma, ones = sum_error(2 * n + 4), np.ones(n)
        sizes, jacobian_sizes = np.abs(form), np.abs(jacobian)
        outer = jacobian_sizes.T @ (sizes @ (jacobian_sizes @ ones))
        deviation = self.jacobian_row_sums(radius, ones)
        weights = np.abs(self.step.recurrent)
        columns = self.slopes(radius) @ weights + 4 * EPS * (weights.sum(0) + 1)
        by_rows = jacobian_sizes.T @ (sizes @ deviation)
        by_columns = float(columns.max()) * float(
            np.max(sizes @ (jacobian_sizes @ ones + deviation))
        )
        rounding = gamma * float(np.max(outer + sizes @ ones))
        return (rounding + float(np.max(by_rows)) + by_columns) * SLACK


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
    ones = np.ones(step.units)
    product = np.abs(np.eye(step.units) - inverse @ system).sum(1)
    in_product = sum_error(step.units + 2) * (sizes @ (np.abs(system) @ ones)) + 2 * EPS
    in_system = sizes @ errors.jacobian_row_sums(0.0, ones)
    defect = float(np.max(product + in_product + in_system)) * SLACK
    first = float(np.max(sizes @ errors.residual)) * SLACK
    second = step.leak * curvature * float(np.max(sizes @ errors.row_sums**2)) * SLACK
    room = 1.0 - defect
    if not (defect < 1.0 and 2 * first * second * SLACK < room**2):
        return NOTHING
    root = np.sqrt(room**2 - 2 * first * second)
    radius = 2 * first / (room + root) * SLACK
    unique = (room + root) / second / SLACK if second > 0 else float("inf")
    with np.errstate(divide="ignore"):
        unique = min(unique, float(np.min(errors.to_kinks / (errors.row_sums + TINY))))
    if not radius < unique:
        return NOTHING
    sign = determinant_sign(system, lambda columns: errors.system_row_sums(radius, columns))
    return Certificate(True, radius, unique, sign, defect)


@dataclass(frozen=True)
class Eigenvalues:
    """The eigenvalues of DF at a fixed point, largest modulus first, and what is proved of them.

    n_unstable: how many have |λ| > 1. decided: that number is proved for the fixed point itself.
    """

    eigenvalues: np.ndarray
    n_unstable: int
    decided: bool


def jacobian_eigenvalues(step: Step, state: np.ndarray, radius: float) -> Eigenvalues:
    """Eigenvalues of DF at `state`; the number outside of the unit circle proved within `radius`.

    First by discs around the eigenvalues (`_discs`); where eigenvectors are too nearly parallel
    for that, by the inertia of a solution of Stein's equation (`_inertia`).
    """
    jacobian = step.jacobians(state[None])[0]
    eigenvalues, vectors = np.linalg.eig(jacobian)
    eigenvalues, vectors = eigenvalues.astype(complex), vectors.astype(complex)
    moduli = np.abs(eigenvalues)
    n_unstable = int((moduli > 1.0).sum())
    decided = False
    if isinstance(step, RateStep) and np.isfinite(radius):
        errors = RateErrors(step, state)
        discs = _discs(jacobian, eigenvalues, vectors, errors, radius)
        decided = bool(np.all(np.abs(moduli - 1.0) > discs + 8 * EPS * (1 + moduli)))
        if not decided:
            decided = _inertia(jacobian, errors, radius) == n_unstable
    order = np.lexsort((-eigenvalues.imag, -moduli.round(12)))
    return Eigenvalues(eigenvalues[order], n_unstable, decided)


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
    n = len(jacobian)
    basis, blocks, partner = _real_basis(eigenvalues, vectors)
    try:
        inverse = np.linalg.inv(basis)
    except np.linalg.LinAlgError:
        return np.full(n, np.inf)
    gamma, ones = sum_error(n + 4), np.ones(n)
    sizes, basis_sizes = np.abs(inverse), np.abs(basis)
    basis_sums = basis_sizes @ ones
    not_inverse = np.abs(np.eye(n) - inverse @ basis).sum(1)
    not_inverse += gamma * (sizes @ basis_sums) + 2 * EPS
    residual = jacobian @ basis - basis @ blocks
    error = gamma * (np.abs(jacobian) @ basis_sums + basis_sizes @ (np.abs(blocks) @ ones))
    error += errors.jacobian_row_sums(radius, basis_sums)
    rows = np.abs(inverse @ residual).sum(1)
    rows += gamma * (sizes @ (np.abs(residual) @ ones)) + sizes @ error
    worst = float(not_inverse.max()) * SLACK
    if not worst < 1.0:
        return np.full(n, np.inf)
    rows = rows + not_inverse * rows.max() / (1.0 - worst)
    # a pair's block is normal: in its complex basis, √2 times longer at most, it is diagonal
    return np.where(partner >= 0, rows + rows[partner], np.sqrt(2) * rows) * SLACK


def _real_basis(
    eigenvalues: np.ndarray, vectors: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Basis B and block-diagonal L with J B ≈ B L, and each index's partner in its pair (or -1).

    NumPy gives the eigenvalues of a real matrix with conjugate pairs side by side, the one with the
    positive imaginary part first.
    """
    n = len(eigenvalues)
    basis, blocks = vectors.real.copy(), np.diag(eigenvalues.real)
    partner = np.full(n, -1)
    first = np.flatnonzero(eigenvalues.imag > 0)
    second = first + 1
    basis[:, second] = vectors.imag[:, first]
    blocks[first, second] = eigenvalues.imag[first]
    blocks[second, first] = -eigenvalues.imag[first]
    partner[first], partner[second] = second, first
    return basis, blocks, partner


def _inertia(jacobian: np.ndarray, errors: RateErrors, radius: float) -> int:
    """The number of eigenvalues outside of the unit circle, proved; -1 when it is not.

    If P is symmetric and P - JᵀPJ is positive definite, then J has no eigenvalue on the circle and
    as many outside of it as P has negative ones (Wimmer 1973; the discrete form of the inertia
    theorem of Ostrowski, Schneider and Taussky). P comes from a Schur form split at the circle.
    """
    form = stein_form(jacobian)
    if form is None:
        return -1
    n = len(jacobian)
    difference = form - jacobian.T @ form @ jacobian
    difference = (difference + difference.T) / 2
    error = errors.product_error(jacobian, form, radius)
    lowest = np.linalg.eigvalsh(difference)
    own = 16 * n * EPS
    if not lowest[0] - own * np.abs(lowest).max() > error * SLACK:
        return -1
    values = np.linalg.eigvalsh(form)
    if np.min(np.abs(values)) <= own * np.abs(values).max():
        return -1
    return int((values < 0).sum())


def stein_form(jacobian: np.ndarray) -> np.ndarray | None:
    """A symmetric P with P - JᵀPJ positive definite: positive on the stable directions of J,
    negative on the unstable ones. None when J has an eigenvalue too near to the circle."""
    n = len(jacobian)
    try:
        triangle, turn, unstable = scipy.linalg.schur(jacobian, sort="ouc")
        outer, coupling, inner = (
            triangle[:unstable, :unstable],
            triangle[:unstable, unstable:],
            triangle[unstable:, unstable:],
        )
        split = np.eye(n)  # its columns span the unstable and the stable directions
        if 0 < unstable < n:
            split[:unstable, unstable:] = scipy.linalg.solve_sylvester(outer, -inner, -coupling)
        parts = []
        if unstable:
            back = np.linalg.inv(outer)
            parts.append(-solve_stein(back, back.T @ back))
        if unstable < n:
            parts.append(solve_stein(inner, np.eye(n - unstable)))
        change = np.linalg.inv(split) @ turn.T
    except (np.linalg.LinAlgError, ValueError):
        return None
    form = change.T @ scipy.linalg.block_diag(*parts) @ change
    return (form + form.T) / 2 if np.isfinite(form).all() else None


def solve_stein(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """P = AᵀPA + Q for a spectral radius below 1, by doubling (Smith 1968); NaN where it fails."""
    power, total = matrix, right
    with np.errstate(all="ignore"):
        for _ in range(DOUBLINGS):
            added = power.T @ total @ power
            total = total + added
            if np.abs(added).max() <= EPS * np.abs(total).max():
                return (total + total.T) / 2
            power = power @ power
            if not np.isfinite(total).all():
                break
    return np.full_like(right, np.nan)
