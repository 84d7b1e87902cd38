"""The sign of a determinant, against exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import flint
import numpy as np
import pytest
from analysis.planted import plain_network

from attractory.analysis import fixed_points
from attractory.analysis.dynamics._determinant import determinant_sign


def exact_sign(matrix):
    rows = [[flint.fmpq(*float(v).as_integer_ratio()) for v in row] for row in matrix]
    determinant = flint.fmpq_mat(rows).det()
    return int(determinant > 0) - int(determinant < 0)


def growing(size, corner):
    """Elements of its LU factors grow as 2ⁿ: 1 on the diagonal, -1 below, two columns of 1."""
    matrix = np.eye(size) - np.tril(np.ones((size, size)), -1)
    matrix[:, -2:] = 1.0
    matrix[-2:, -2:] = corner
    return matrix


def exact_inverse(matrix):
    """The inverse of a matrix of whole numbers, exact before it is rounded."""
    rows = [[int(v) for v in row] for row in matrix]
    inverse = flint.fmpq_mat(flint.fmpz_mat(rows)).inv()
    size = range(len(matrix))
    return np.array(
        [[float(Fraction(int(inverse[i, j].p), int(inverse[i, j].q))) for j in size] for i in size]
    )


def certain(columns):
    return np.zeros_like(columns)


CORNERS = ([[5, 1], [1, 1]], [[3, -3], [1, 1]], [[2, 1], [-1, 7]])


@pytest.mark.parametrize("size", [40, 63, 75])
def test_signs_are_right_also_where_factors_grow(size):
    for corner in CORNERS:
        matrix = growing(size, corner)
        inverse = exact_inverse(matrix)
        for one in (matrix, inverse, matrix.T, inverse.T):
            assert determinant_sign(one, certain) == exact_sign(one)


def test_signs_of_random_matrices_and_of_their_exchanges():
    rng = np.random.default_rng(0)
    for size in (1, 2, 3, 10, 40):
        matrix = rng.normal(size=(size, size))
        assert determinant_sign(matrix, certain) == exact_sign(matrix)
        flipped = matrix[::-1]
        assert determinant_sign(flipped, certain) == exact_sign(flipped)


def test_a_singular_matrix_or_one_that_may_be_has_no_sign():
    assert determinant_sign(np.ones((3, 3)), certain) == 0
    assert determinant_sign(np.zeros((2, 2)), certain) == 0
    assert determinant_sign(np.eye(2), lambda columns: 1.1 * columns) == 0
    assert determinant_sign(np.eye(2), lambda columns: 0.9 * columns) == 1
    nearly = np.array([[1.0, 1.0], [1.0, 1.0 + 2**-52]])
    assert determinant_sign(nearly, lambda columns: 1e-15 * columns) == 0


@pytest.mark.parametrize(("size", "corner"), [(63, CORNERS[0]), (75, CORNERS[1])])
def test_a_network_whose_inverse_grows_is_not_said_to_miss_points(size, corner):
    """W = I - A⁻¹: floating-point factors of A have the wrong sign, and the origin's is known."""
    recurrent = np.eye(size) - exact_inverse(growing(size, corner))
    found = fixed_points(plain_network(recurrent), n_starts=16, max_starts=16)
    origin = int(np.abs(found.states).max(axis=1).argmin())
    assert not found.states[origin].any()
    assert found.certified[origin]
    if len(found) == 1:
        assert found.degree_sum == exact_sign(np.eye(size) - recurrent) == 1
    assert "proves" not in found.statement or found.degree_sum != 1


@pytest.mark.slow
def test_no_sign_is_wrong_on_300_matrices_whose_factors_grow():
    rng = np.random.default_rng(1)
    undecided = 0
    for _ in range(300):
        size = int(rng.integers(40, 101))
        matrix = growing(size, rng.integers(-9, 10, (2, 2)))
        if exact_sign(matrix) == 0:
            continue
        chosen = exact_inverse(matrix) if rng.random() < 0.7 else matrix
        sign = determinant_sign(chosen, certain)
        undecided += sign == 0
        assert sign in (0, exact_sign(chosen))
    assert undecided < 60
