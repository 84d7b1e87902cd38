"""Statistics of recurrent weights, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from attractory import InvalidSetting
from attractory.analysis import connectivity
from attractory.models import GRU, LSTM, Constraints, LowRankRNN, RateRNN, Stacked

# [to, from]: columns 0 and 3 have both signs; column 1 excites, column 2 inhibits
BY_HAND = np.array(
    [
        [1.0, 2.0, -1.0, 0.0],
        [-3.0, 0.0, 0.0, 2.0],
        [0.0, 4.0, -2.0, 0.0],
        [0.0, 0.0, 0.0, -3.0],
    ]
)


def statistics(matrix):
    units = len(matrix)
    return connectivity(RateRNN.from_weights(matrix, np.ones((units, 1)), np.ones((1, units))))


def test_a_matrix_counted_by_hand():
    found = statistics(BY_HAND)
    assert found.mean == 0.0
    assert found.std == pytest.approx(np.sqrt((1 + 4 + 1 + 9 + 4 + 16 + 4 + 9) / 16))
    assert (found.minimum, found.maximum) == (-3.0, 4.0)
    assert found.density == 8 / 16
    assert found.excitatory == 4 / 8
    assert found.balance == 9 / 9
    assert found.dale_violations == 2
    assert found.frobenius_norm == pytest.approx(np.sqrt(48))
    np.testing.assert_array_equal(found.weights, BY_HAND)
    assert "weights" not in found.summary()
    assert found.summary()["dale_violations"] == 2


def test_dales_law_binds_columns_and_not_rows():
    columns = np.array([[1.0, -1.0], [2.0, -3.0]])
    assert statistics(columns).dale_violations == 0
    assert statistics(columns.T).dale_violations == 2


def test_self_connections_are_those_on_the_diagonal_that_are_not_0():
    found = statistics(BY_HAND)  # the diagonal: 1, 0, -2, -3
    assert found.self_connections == 3
    assert found.self_mean == pytest.approx((1 - 2 - 3) / 3)
    assert found.self_std == pytest.approx(np.std([1, -2, -3]))


def test_moments_are_those_of_all_weights():
    matrix = np.random.default_rng(0).gamma(2.0, size=(30, 30)) - 1.0
    found = statistics(matrix)
    values = [float(v) for v in matrix.ravel()]
    mean = sum(values) / 900
    moment = {k: sum((v - mean) ** k for v in values) / 900 for k in (2, 3, 4)}
    assert found.mean == pytest.approx(mean)
    assert found.std == pytest.approx(moment[2] ** 0.5)
    assert found.skewness == pytest.approx(moment[3] / moment[2] ** 1.5)
    assert found.excess_kurtosis == pytest.approx(moment[4] / moment[2] ** 2 - 3)
    assert found.spectral_norm == pytest.approx(np.sqrt(np.linalg.eigvalsh(matrix.T @ matrix)[-1]))


def test_balance_is_the_ratio_of_excitation_to_inhibition():
    assert statistics(np.array([[3.0, -1.0], [0.0, -0.5]])).balance == 2.0
    assert statistics(np.array([[0.0, -1.0], [0.0, -0.5]])).balance == 0.0
    assert statistics(np.array([[1.0, 0.0], [2.0, 0.5]])).balance == float("inf")


def test_a_constant_matrix_has_no_skewness():
    found = statistics(np.full((3, 3), 0.25))
    assert (found.std, found.skewness, found.excess_kurtosis) == (0.0, 0.0, 0.0)


def test_reciprocity_is_the_correlation_over_all_ordered_pairs():
    matrix = np.random.default_rng(1).normal(size=(12, 12))
    matrix = matrix + 0.5 * matrix.T
    pairs = [(i, j) for i in range(12) for j in range(12) if i != j]
    there = np.array([matrix[i, j] for i, j in pairs])
    back = np.array([matrix[j, i] for i, j in pairs])
    expected = np.mean((there - there.mean()) * (back - back.mean())) / there.std() ** 2
    assert statistics(matrix).reciprocity == pytest.approx(expected)
    assert 0.3 < expected < 0.95


def test_reciprocity_is_1_for_symmetric_and_minus_1_for_antisymmetric_matrices():
    matrix = np.random.default_rng(2).normal(size=(8, 8))
    assert statistics(matrix + matrix.T).reciprocity == pytest.approx(1.0)
    assert statistics(matrix - matrix.T).reciprocity == pytest.approx(-1.0)


@pytest.mark.parametrize("units", [2, 3])
def test_reciprocity_is_minus_1_where_all_pairs_are_equal_and_opposite(units):
    above = np.triu(np.ones((units, units)), 1)
    assert statistics(above - above.T).reciprocity == pytest.approx(-1.0)


def test_float32_weights_are_analysed_in_float64():
    matrix = np.random.default_rng(3).normal(size=(9, 9)).astype(np.float32)
    found = statistics(matrix)
    assert found.weights.dtype == np.float64
    assert found.frobenius_norm == pytest.approx(
        np.sqrt(sum(float(v) ** 2 for v in matrix.ravel())), rel=1e-13
    )


def test_a_gated_cell_is_described_gate_by_gate():
    for model, names in [
        (GRU(units=5), ("reset", "update", "candidate")),
        (LSTM(units=5), ("input", "forget", "candidate", "output")),
    ]:
        net = model.build(2, 1)
        for i, name in enumerate(names):
            found = connectivity(net, gate=name)
            np.testing.assert_array_equal(
                found.weights, net.recurrent_weights[5 * i : 5 * i + 5].astype(float)
            )
            assert found.gate == name
        assert connectivity(net).gate == "candidate"
        with pytest.raises(InvalidSetting, match="gate = 'memory' is unknown; allowed: candidate"):
            connectivity(net, gate="memory")


def test_models_without_one_matrix_are_refused_in_one_line():
    stack = Stacked(layers=(RateRNN(units=3), RateRNN(units=3))).build(1, 1)
    with pytest.raises(InvalidSetting, match="several layers has no single matrix"):
        connectivity(stack)
    with pytest.raises(InvalidSetting, match="gate = 'reset' is not allowed"):
        connectivity(RateRNN(units=3).build(1, 1), gate="reset")


def test_signs_and_areas_come_from_the_constraints():
    rules = Constraints(signs=np.array([1, -1, 1, -1]), areas=(1, 3))
    found = connectivity(RateRNN(units=4, constraints=rules).build(1, 1))
    np.testing.assert_array_equal(found.signs, [1, -1, 1, -1])
    assert found.areas == (1, 3)
    assert "signs" not in found.summary()
    low = LowRankRNN(units=4, rank=1).build(1, 1)
    assert np.linalg.matrix_rank(connectivity(low).weights) == 1
