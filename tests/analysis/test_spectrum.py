"""The spectrum of matrices solved by hand, and of others by SciPy's Schur form."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from few import few

import attractory as at
from attractory.analysis import spectrum


def network(matrix, tau=1.0, dt=1.0):
    units = len(matrix)
    return at.models.RateRNN.from_weights(
        matrix, np.ones((units, 1)), np.ones((1, units)), activation="tanh", tau=tau, dt=dt
    )


def rotation(radius, angle):
    c, s = radius * np.cos(angle), radius * np.sin(angle)
    return np.array([[c, -s], [s, c]])


def departure_by_schur(matrix):
    """Frobenius norm of the strictly upper part of the complex Schur form, over that of W."""
    schur = scipy.linalg.schur(matrix, output="complex")[0]
    return np.linalg.norm(np.triu(schur, 1)) / np.linalg.norm(matrix)


def test_a_rotation_has_its_angle_as_frequency():
    found = spectrum(network(rotation(1.2, 0.3)))
    np.testing.assert_allclose(
        found.eigenvalues, [1.2 * np.exp(0.3j), 1.2 * np.exp(-0.3j)], atol=1e-12
    )
    assert found.radius == pytest.approx(1.2)
    assert found.leading_frequency == pytest.approx(0.3 / (2 * np.pi))
    assert found.nonnormality == pytest.approx(0.0, abs=1e-7)
    assert len(found.outliers) == 2
    assert found.on_circle == 0.0


def test_frequency_of_a_leaky_network_is_that_of_one_linear_step():
    # tau = 4, dt = 2: half of the old state stays; 0.5 + 0.5 (0.2 + 1.1i) = 0.6 + 0.55i
    matrix = np.array([[0.2, -1.1], [1.1, 0.2]])
    found = spectrum(network(matrix, tau=4.0, dt=2.0))
    assert found.leading_frequency == pytest.approx(np.arctan2(0.55, 0.6) / (2 * np.pi) / 2.0)


@pytest.mark.parametrize(("leading", "frequency"), [(0.8, 0.0), (-0.8, 0.5)])
def test_a_real_mode_has_frequency_0_or_flips_every_step(leading, frequency):
    found = spectrum(network(np.diag([0.1, leading])))
    assert found.leading_frequency == pytest.approx(frequency)


def test_a_flip_that_the_leak_outweighs_has_frequency_0():
    found = spectrum(network(np.diag([0.1, -0.8]), tau=2.0))  # 0.5 - 0.4 > 0
    assert found.leading_frequency == 0.0


def test_eigenvalues_of_a_diagonal_matrix_come_largest_first():
    found = spectrum(network(np.diag([0.5, -1.5, 1.015, 0.99, -0.975, 1.005, 0.0])))
    np.testing.assert_allclose(found.eigenvalues, [-1.5, 1.015, 1.005, 0.99, -0.975, 0.5, 0.0])
    np.testing.assert_allclose(found.outliers, [-1.5, 1.015])
    assert found.on_circle == pytest.approx(3 / 7)
    assert found.radius == 1.5
    assert found.nonnormality == 0.0
    assert found.summary() == {
        "radius": 1.5,
        "outliers": 2,
        "on_circle": found.on_circle,
        "nonnormality": 0.0,
        "leading_frequency": 0.5,
    }


def test_eigenvalues_are_complex_also_where_they_happen_to_be_real():
    assert spectrum(network(np.diag([0.5, -1.5]))).eigenvalues.dtype == np.complex128
    assert spectrum(network(rotation(1.0, 0.3))).eigenvalues.dtype == np.complex128


def test_a_jordan_block_departs_from_normality_by_its_off_diagonal():
    found = spectrum(network(np.array([[0.5, 3.0], [0.0, 0.5]])))
    np.testing.assert_allclose(found.eigenvalues, [0.5, 0.5])
    assert found.nonnormality == pytest.approx(3.0 / np.sqrt(0.25 + 0.25 + 9.0))


def test_a_nilpotent_matrix_is_all_departure_and_a_zero_matrix_has_none():
    assert spectrum(network(np.array([[0.0, 2.0], [0.0, 0.0]]))).nonnormality == 1.0
    assert spectrum(network(np.zeros((3, 3)))).nonnormality == 0.0


@pytest.mark.parametrize("kind", ["symmetric", "antisymmetric", "orthogonal"])
def test_normal_matrices_have_no_departure(kind):
    matrix = np.random.default_rng(0).normal(size=(20, 20))
    normal = {
        "symmetric": matrix + matrix.T,
        "antisymmetric": matrix - matrix.T,
        "orthogonal": np.linalg.qr(matrix)[0],
    }[kind]
    assert spectrum(network(normal)).nonnormality < 1e-7


@pytest.mark.parametrize("seed", range(3))
def test_random_matrices_agree_with_the_schur_form(seed):
    matrix = np.random.default_rng(seed).normal(size=(30, 30)) / np.sqrt(30)
    found = spectrum(network(matrix))
    assert found.nonnormality == pytest.approx(departure_by_schur(matrix), rel=1e-9)
    for eigenvalue in found.eigenvalues:
        smallest = np.linalg.svd(matrix - eigenvalue * np.eye(30), compute_uv=False)[-1]
        assert smallest < 1e-10
    moduli = np.abs(found.eigenvalues)
    assert (np.diff(moduli) <= 1e-12).all()
    assert found.eigenvalues.sum() == pytest.approx(np.trace(matrix))


def test_float32_weights_are_analysed_in_float64():
    matrix = np.random.default_rng(1).normal(size=(10, 10)).astype(np.float32)
    found = spectrum(network(matrix))
    expected = spectrum(network(matrix.astype(np.float64)))
    np.testing.assert_array_equal(found.eigenvalues, expected.eigenvalues)


@pytest.mark.parametrize(
    ("file", "outliers", "radius", "departure"),
    few(
        [
            ("ff_3b_weights-20.hdf5", 57, 1.0823, 0.0590),
            ("ff_3b_weights-01.hdf5", 6, 1.0205, 0.0229),
        ],
        quick=[0],
    ),
)
def test_the_authors_trained_networks(authors_data, file, outliers, radius, departure):
    net = at.load_keras(authors_data / file)
    found = spectrum(net)
    assert len(found.outliers) == outliers
    assert found.radius == pytest.approx(radius, abs=5e-5)
    assert found.nonnormality == pytest.approx(departure, abs=5e-5)
    expected = departure_by_schur(net.recurrent_weights.astype(np.float64))
    assert found.nonnormality == pytest.approx(expected, rel=1e-6)


def test_the_authors_final_network_has_87_percent_on_the_circle(authors_data):
    found = spectrum(at.load_keras(authors_data / "ff_3b_weights-20.hdf5"))
    assert found.on_circle == pytest.approx(0.87, abs=0.005)


def test_the_authors_untrained_network_lies_on_the_circle(authors_data):
    found = spectrum(at.load_keras(authors_data / "_N_00_initial.hdf5"))
    assert found.on_circle == 1.0
    assert found.nonnormality < 1e-3


def test_a_gru_has_the_spectrum_of_its_jacobian_at_0():
    net = at.models.GRU(units=5, tau=4.0, dt=2.0, update_bias=0.5).build(2, 1)
    found = spectrum(net)
    assert found.of == "Jacobian at 0"
    # at h = 0 without input: n = 0, dn/dh = σ(0) W_n, and d(1 - u) is multiplied by n - h = 0
    update, candidate = 1 / (1 + np.exp(-0.5)), net.recurrent_weights[10:].astype(float)
    jacobian = np.eye(5) + 0.5 * (1 - update) * (candidate / 2 - np.eye(5))
    expected = np.linalg.eigvals(jacobian)
    np.testing.assert_allclose(np.sort_complex(found.eigenvalues), np.sort_complex(expected))
    leading = found.eigenvalues[0]
    assert found.leading_frequency == pytest.approx(abs(np.angle(leading)) / (4 * np.pi))


def test_rate_networks_have_the_spectrum_of_their_matrix_low_rank_ones_too():
    net = at.models.LowRankRNN(units=6, rank=2).build(1, 1)
    found = spectrum(net)
    assert found.of == "recurrent weights"
    w = {n: np.asarray(a, float) for n, a in net.weights.items()}
    inner = w["right_vectors"].T @ w["left_vectors"] / 6  # the eigenvalues that are not 0
    np.testing.assert_allclose(
        np.sort(np.abs(found.eigenvalues[:2])), np.sort(np.abs(np.linalg.eigvals(inner))), rtol=1e-5
    )
    assert np.abs(found.eigenvalues[2:]).max() < 1e-7


def test_layers_have_the_spectrum_of_their_jacobian():
    found = spectrum(
        at.models.Stacked(layers=(at.models.RateRNN(units=3), at.models.LSTM(units=2))).build(1, 1)
    )
    assert found.of == "Jacobian at 0"
    assert len(found.eigenvalues) == 7


@pytest.mark.parametrize(
    "model", [at.models.GRU(units=3), at.models.RateRNN(units=3, feedback=True)]
)
def test_the_matrix_is_that_of_the_spectrum(model):
    net = model.build(1, 1, seed=0)
    matrix = at.analysis.spectral_matrix(net)
    found = spectrum(net)
    np.testing.assert_allclose(np.poly(matrix), np.poly(found.eigenvalues), atol=1e-12)
    assert found.nonnormality == pytest.approx(departure_by_schur(matrix), abs=1e-7)
