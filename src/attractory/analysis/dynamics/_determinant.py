"""The sign of a determinant, proved: LU factors in floating point only make it likely."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import scipy.linalg

from attractory.analysis.dynamics._rounding import EPS, SLACK, sum_error

MIXTURES = 3  # tries with the columns mixed, where the factors of the matrix itself grow

# of a matrix that is known in part: columns >= 0 -> a bound of |true - computed| @ columns
Uncertainty = Callable[[np.ndarray], np.ndarray]


def determinant_sign(matrix: np.ndarray, uncertainty: Uncertainty) -> int:
    """The sign of det S for every S within the uncertainty of `matrix`, proved; 0 where it is not.

    From factors P S ≈ L U come triangular matrices X ≈ L⁻¹ and Z ≈ U⁻¹, whose determinants have a
    sign that can be read off. Where ‖I - Z X P S‖ < 1 (largest row sum, rounding included) every
    matrix on the way from I to Z X P S is regular, so its determinant is above 0, and that of S has
    the sign of det Z · det P. Elements of L and U can grow as 2ⁿ (Wilkinson 1963); then the columns
    are mixed by unit triangular matrices, whose determinant is exactly 1, and it is tried again.
    """
    for mixed, mixing in _mixtures(matrix):
        sign = _sign_of_factors(mixed, mixing, matrix, uncertainty)
        if sign:
            return sign
    return 0


def approximate_inverses(systems: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Approximate inverses Y of systems S (system, n, n), and bounds of ‖I - Y S‖ (system,).

    Largest row sums, rounding included, also that of one operation in each entry of S. Below 1 the
    system is regular. Y is 0 where no inverse comes out.
    """
    size = systems.shape[-1]
    try:
        inverses = np.linalg.inv(systems)
    except np.linalg.LinAlgError:
        inverses = np.stack([_inverse_or_zero(system) for system in systems])
    entries = (np.abs(systems) + np.eye(size)).sum(axis=2)
    rounding = 2 * sum_error(size + 4) * (np.abs(inverses) @ entries[:, :, None])[:, :, 0]
    defects = np.abs(np.eye(size) - inverses @ systems).sum(axis=2) + rounding + 4 * EPS
    return inverses, np.nan_to_num(defects.max(axis=1) * SLACK, nan=np.inf)


def _inverse_or_zero(system: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.inv(system)
    except np.linalg.LinAlgError:
        return np.zeros_like(system)


def _mixtures(matrix: np.ndarray) -> Iterator[tuple[np.ndarray, tuple[np.ndarray, ...]]]:
    """The matrix, and its products with random unit triangular matrices."""
    yield matrix, ()
    size = len(matrix)
    rng = np.random.default_rng(0)
    for _ in range(MIXTURES):
        # entries of 1/√n: the products stay well conditioned
        lower = np.tril(rng.normal(size=(size, size)), -1) / np.sqrt(size) + np.eye(size)
        upper = np.triu(rng.normal(size=(size, size)), 1) / np.sqrt(size) + np.eye(size)
        yield (matrix @ lower) @ upper, (lower, upper)


def _sign_of_factors(
    mixed: np.ndarray,
    mixing: tuple[np.ndarray, ...],
    matrix: np.ndarray,
    uncertainty: Uncertainty,
) -> int:
    """The sign of the determinant by the factors of `mixed`, matrix times mixing; 0: not proved."""
    size = len(matrix)
    if not np.isfinite(mixed).all():
        return 0
    factors, pivots, _ = scipy.linalg.lapack.dgetrf(mixed)
    if not np.diag(factors).all():
        return 0
    identity = np.eye(size)
    lower = np.tril(factors, -1) + identity
    inverse_lower = scipy.linalg.solve_triangular(lower, identity, lower=True, unit_diagonal=True)
    inverse_lower = np.tril(inverse_lower, -1) + identity
    inverse_upper = np.triu(scipy.linalg.solve_triangular(np.triu(factors), identity))
    if not (np.isfinite(inverse_lower).all() and np.isfinite(inverse_upper).all()):
        return 0
    order, swaps = _order(pivots)
    bound = _distance_from_identity(inverse_upper, inverse_lower, mixed[order])
    # what is not in the product: its own rounding, and the uncertainty of the matrix
    gamma = sum_error(size + 2)
    columns = np.ones(size)
    for factor in reversed(mixing):
        columns = np.abs(factor) @ columns
    outside = uncertainty(columns)
    if mixing:
        outside = outside + 2 * gamma * (np.abs(matrix) @ columns)
    reach = np.abs(inverse_upper) @ (np.abs(inverse_lower) @ outside[order])
    with np.errstate(invalid="ignore"):
        if not float(np.max(bound + reach)) * SLACK < 1.0:
            return 0
    negative = int((np.diag(inverse_upper) < 0).sum())
    return -1 if (negative + swaps) % 2 else 1


def _distance_from_identity(first: np.ndarray, second: np.ndarray, third: np.ndarray) -> np.ndarray:
    """Row sums of |I - first · second · third|, rounding included."""
    size = len(first)
    gamma, ones = sum_error(size + 2), np.ones(size)
    inner = second @ third
    distance = np.abs(np.eye(size) - first @ inner).sum(1)
    inner_error = gamma * (np.abs(second) @ (np.abs(third) @ ones))
    return distance + np.abs(first) @ (gamma * (np.abs(inner) @ ones) + inner_error) + 4 * EPS


def _order(pivots: np.ndarray) -> tuple[np.ndarray, int]:
    """LAPACK's row exchanges as an order of rows, and how many there were."""
    order = np.arange(len(pivots))
    for row, other in enumerate(pivots):
        order[[row, other]] = order[[other, row]]
    return order, int((pivots != np.arange(len(pivots))).sum())
