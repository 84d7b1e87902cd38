"""The sign of a determinant, proved: LU factors in floating point only make it likely."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from attractory.analysis.dynamics._batched import times
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
        one_by_one = [_inverse_or_zero(system) for system in systems]
        inverses = np.stack(one_by_one)
    identity = np.eye(size)
    gamma = sum_error(size + 4)
    terms = np.abs(systems) + identity
    row_sums = terms.sum(axis=2)
    rounding = 2 * gamma * times(np.abs(inverses), row_sums)
    differences = np.abs(identity - inverses @ systems)
    defects = differences.sum(axis=2) + rounding + 4 * EPS
    largest = defects.max(axis=1) * SLACK
    bounds = np.nan_to_num(largest, nan=np.inf)
    return inverses, bounds


def _inverse_or_zero(system: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.inv(system)
    except np.linalg.LinAlgError:
        return np.zeros_like(system)


def _mixtures(matrix: np.ndarray) -> Iterator[tuple[np.ndarray, tuple[np.ndarray, ...]]]:
    """The matrix, and its products with random unit triangular matrices."""
    yield matrix, ()
    size = len(matrix)
    shape = (size, size)
    identity = np.eye(size)
    rng = np.random.default_rng(0)
    for _ in range(MIXTURES):
        below = np.tril(rng.normal(size=shape), -1)
        above = np.triu(rng.normal(size=shape), 1)
        # entries of 1/√n: the products stay well conditioned
        lower = below / np.sqrt(size) + identity
        upper = above / np.sqrt(size) + identity
        mixed = (matrix @ lower) @ upper
        yield mixed, (lower, upper)


@dataclass(frozen=True)
class _Triangles:
    """X ≈ L⁻¹ and Z ≈ U⁻¹ of factors P S ≈ L U, P as an order of rows and its exchanges."""

    inverse_lower: np.ndarray
    inverse_upper: np.ndarray
    order: np.ndarray
    exchanges: int

    @property
    def sign(self) -> int:
        """The sign of det Z · det P; det X is 1."""
        diagonal = np.diag(self.inverse_upper)
        negative = int((diagonal < 0).sum())
        odd = (negative + self.exchanges) % 2
        return -1 if odd else 1


def _sign_of_factors(
    mixed: np.ndarray,
    mixing: tuple[np.ndarray, ...],
    matrix: np.ndarray,
    uncertainty: Uncertainty,
) -> int:
    """The sign of the determinant by the factors of `mixed`, matrix times mixing; 0: not proved."""
    triangles = _triangles(mixed)
    if triangles is None:
        return 0
    order = triangles.order
    inverse_upper = triangles.inverse_upper
    inverse_lower = triangles.inverse_lower
    bound = _distance_from_identity(
        inverse_upper,
        inverse_lower,
        mixed[order],
    )
    outside = _outside_of_product(
        mixing,
        matrix,
        uncertainty,
    )
    by_lower = np.abs(inverse_lower) @ outside[order]
    reach = np.abs(inverse_upper) @ by_lower
    with np.errstate(invalid="ignore"):
        largest = float(np.max(bound + reach))
    regular = largest * SLACK < 1.0
    return triangles.sign if regular else 0


def _triangles(matrix: np.ndarray) -> _Triangles | None:
    """Approximate inverses of the LU factors of a matrix; None where they do not come out."""
    if not np.isfinite(matrix).all():
        return None
    factors, pivots, _ = scipy.linalg.lapack.dgetrf(matrix)
    diagonal = np.diag(factors)
    if not diagonal.all():
        return None
    identity = np.eye(len(matrix))
    lower = np.tril(factors, -1) + identity
    inverse_lower = scipy.linalg.solve_triangular(
        lower,
        identity,
        lower=True,
        unit_diagonal=True,
    )
    inverse_lower = np.tril(inverse_lower, -1) + identity
    upper = np.triu(factors)
    inverse_upper = scipy.linalg.solve_triangular(upper, identity)
    inverse_upper = np.triu(inverse_upper)
    finite = np.isfinite(inverse_lower).all() and np.isfinite(inverse_upper).all()
    if not finite:
        return None
    order, exchanges = _order(pivots)
    return _Triangles(
        inverse_lower=inverse_lower,
        inverse_upper=inverse_upper,
        order=order,
        exchanges=exchanges,
    )


def _outside_of_product(
    mixing: tuple[np.ndarray, ...],
    matrix: np.ndarray,
    uncertainty: Uncertainty,
) -> np.ndarray:
    """Row sums of what the product of matrix and mixing may be off.

    The uncertainty of the matrix, and the rounding of the product itself.
    """
    size = len(matrix)
    columns = np.ones(size)
    for factor in reversed(mixing):
        columns = np.abs(factor) @ columns
    outside = uncertainty(columns)
    if mixing:
        gamma = sum_error(size + 2)
        row_sums = np.abs(matrix) @ columns
        outside = outside + 2 * gamma * row_sums
    return outside


def _distance_from_identity(
    first: np.ndarray,
    second: np.ndarray,
    third: np.ndarray,
) -> np.ndarray:
    """Row sums of |I - first · second · third|, rounding included."""
    size = len(first)
    gamma = sum_error(size + 2)
    ones = np.ones(size)
    inner = second @ third
    product = first @ inner
    difference = np.eye(size) - product
    distance = np.abs(difference).sum(1)
    third_sums = np.abs(third) @ ones
    inner_sums = np.abs(inner) @ ones
    error_of_inner = gamma * (np.abs(second) @ third_sums)
    error = gamma * inner_sums + error_of_inner
    rounding = np.abs(first) @ error
    return distance + rounding + 4 * EPS


def _order(pivots: np.ndarray) -> tuple[np.ndarray, int]:
    """LAPACK's row exchanges as an order of rows, and how many there were."""
    rows = np.arange(len(pivots))
    order = rows.copy()
    for row, other in enumerate(pivots):
        order[[row, other]] = order[[other, row]]
    exchanged = pivots != rows
    return order, int(exchanged.sum())
