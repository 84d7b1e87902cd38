"""Linear dynamics next to a state: finite differences, and modes solved by hand."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from analysis.planted import held_value, plain_network, planted_bits
from scipy import special

import attractory as at
from attractory.analysis import fixed_points, linearisation
from attractory.models import RateRNN

PLAIN = {
    "tanh": np.tanh,
    "sigmoid": special.expit,
    "softplus": lambda u: np.logaddexp(0, u),
    "linear": lambda u: u,
}


def random_network(seed, activation="tanh", leak=1.0, units=6, inputs=3):
    rng = np.random.default_rng(seed)
    return RateRNN.from_weights(
        rng.normal(size=(units, units)),
        rng.normal(size=(units, inputs)),
        rng.normal(size=(2, units)),
        bias=rng.normal(size=units) * 0.3,
        activation=activation,
        tau=1.0,
        dt=leak,
    )


def plain_step(net, h, x):
    """One step by the model's equation, in NumPy."""
    leak, phi = net.model.leak, PLAIN[net.model.activation]
    drive = net.recurrent_weights @ h + net.input_weights @ x + net.bias
    return (1 - leak) * h + leak * phi(drive)


def differences(function, at_point, h=1e-6):
    moves = h * np.eye(len(at_point))
    columns = [(function(at_point + m) - function(at_point - m)) / (2 * h) for m in moves]
    return np.array(columns).T


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softplus", "linear"])
@pytest.mark.parametrize("leak", [1.0, 0.25])
def test_jacobians_are_those_of_finite_differences(activation, leak):
    net, rng = random_network(0, activation, leak), np.random.default_rng(1)
    h, x = rng.normal(size=6) * 0.5, rng.normal(size=3)
    found = linearisation(net, h, x)
    by_state = differences(lambda state: plain_step(net, state, x), h)
    by_input = differences(lambda inputs: plain_step(net, h, inputs), x)
    np.testing.assert_allclose(found.jacobian, by_state, atol=1e-8)
    np.testing.assert_allclose(found.input_jacobian, by_input, atol=1e-8)
    np.testing.assert_allclose(
        np.sort_complex(found.eigenvalues), np.sort_complex(np.linalg.eigvals(by_state)), atol=1e-6
    )
    np.testing.assert_array_equal(found.state, h)


def test_a_step_in_jax_has_the_same_linearisation():
    net, rng = random_network(2, leak=0.5), np.random.default_rng(3)
    h, x = rng.normal(size=6), rng.normal(size=3)
    weights, from_inputs = net.recurrent_weights, net.input_weights

    def step(state, inputs):
        return 0.5 * state + 0.5 * jnp.tanh(weights @ state + from_inputs @ inputs + net.bias)

    one, two = linearisation(step, h, x), linearisation(net, h, x)
    np.testing.assert_allclose(one.jacobian, two.jacobian, atol=1e-14)
    np.testing.assert_allclose(one.input_jacobian, two.input_jacobian, atol=1e-14)
    np.testing.assert_allclose(one.eigenvalues, two.eigenvalues, atol=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_modes_and_selection_diagonalise_the_jacobian(seed):
    net = random_network(seed, leak=[1.0, 0.3][seed % 2], units=7)
    h = np.random.default_rng(seed).normal(size=7) * 0.4
    found = linearisation(net, h, np.zeros(3))
    values, modes, selection = found.eigenvalues, found.modes, found.selection
    np.testing.assert_allclose(selection @ modes, np.eye(7), atol=1e-11)
    np.testing.assert_allclose(np.linalg.norm(modes, axis=0), 1.0)
    np.testing.assert_allclose(found.jacobian @ modes, modes * values, atol=1e-12)
    np.testing.assert_allclose(selection @ found.jacobian, values[:, None] * selection, atol=1e-11)
    np.testing.assert_allclose(found.input_selection, selection @ found.input_jacobian, atol=1e-13)
    np.testing.assert_allclose((modes * values) @ selection, found.jacobian, atol=1e-11)
    assert (np.diff(np.abs(values)) <= 1e-11).all()


def test_decay_times_and_frequencies_by_hand():
    # 0.8 e^(±0.3 i), 0.5, -0.9, 1.1; dt = tau = 2
    c, s = 0.8 * np.cos(0.3), 0.8 * np.sin(0.3)
    matrix = np.zeros((5, 5))
    matrix[:2, :2] = [[c, -s], [s, c]]
    matrix[2:, 2:] = np.diag([0.5, -0.9, 1.1])
    found = linearisation(plain_network(matrix, tau=2.0, dt=2.0), np.zeros(5))
    turn = 0.3 / (2 * np.pi * 2)
    np.testing.assert_allclose(
        found.eigenvalues, [1.1, -0.9, c + 1j * s, c - 1j * s, 0.5], atol=1e-14
    )
    np.testing.assert_allclose(
        found.decay_times, [-2 / np.log(m) for m in (1.1, 0.9, 0.8, 0.8, 0.5)], rtol=1e-12
    )
    assert found.decay_times[0] < 0
    np.testing.assert_allclose(found.frequencies, [0, 1 / 4, turn, turn, 0], atol=1e-14)


def test_decay_of_a_leaky_unit_by_hand():
    # DF = 1 - 0.1 + 0.1 · 0.5 = 0.95
    found = linearisation(plain_network([[0.5]], tau=10.0), [0.0])
    np.testing.assert_allclose(found.decay_times, [-1 / np.log(0.95)])
    # a unit without memory forgets in one step
    np.testing.assert_array_equal(linearisation(plain_network([[0.0]]), [0.0]).decay_times, [0.0])


def test_selection_of_a_planted_bit_by_hand():
    """J = 2 (1 - a²)/m s sᵀ: the mode is s/√m, its selection too; it reads its own input alone."""
    net = planted_bits(2, 16, 0)
    signs, a0 = net.input_weights, held_value()
    found = linearisation(net, signs @ [a0, 0.0])
    np.testing.assert_allclose(found.eigenvalues[:3], [2.0, 2 * (1 - a0**2), 0.0], atol=1e-12)
    for mode, bit in [(0, 1), (1, 0)]:
        direction = signs[:, bit] / 4
        np.testing.assert_allclose(abs(found.modes[:, mode] @ direction), 1.0)
        np.testing.assert_allclose(abs(found.selection[mode] @ direction), 1.0)
        slope = [1.0, 1 - a0**2][mode]
        np.testing.assert_allclose(abs(found.input_selection[mode, bit]), 4 * slope)
        np.testing.assert_allclose(found.input_selection[mode, 1 - bit], 0.0, atol=1e-12)


def test_modes_of_a_defective_eigenvalue_are_not_defined():
    matrix = [[0.5, 1.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.9]]
    found = linearisation(plain_network(matrix), np.zeros(3))
    np.testing.assert_allclose(found.eigenvalues, [0.9, 0.5, 0.5])
    np.testing.assert_allclose(found.selection[0], [0, 0, 1], atol=1e-14)
    assert np.isnan(found.selection[1:]).all()
    assert np.isnan(found.input_selection[1:]).all()


def repeated(seed):
    """0.5 three times, with three eigenvectors that are not orthogonal."""
    change = np.random.default_rng(seed).normal(size=(4, 4))
    return plain_network(change @ np.diag([0.5, 0.5, 0.9, 0.5]) @ np.linalg.inv(change))


@pytest.mark.parametrize(
    "net", [plain_network(0.5 * np.eye(3)), repeated(0), repeated(1), planted_bits(1, 6, tau=4.0)]
)
def test_selection_tells_the_modes_of_a_repeated_eigenvalue_apart(net):
    """What selection does not call undefined must hold."""
    found = linearisation(net, np.zeros(net.units))
    told = ~np.isnan(found.selection).any(axis=1)
    amplitudes = found.selection[told] @ found.modes
    np.testing.assert_allclose(amplitudes, np.eye(net.units)[told], atol=1e-9)


def test_the_prediction_is_exact_for_a_linear_network():
    net = random_network(5, "linear", 0.4)
    found = linearisation(net, np.random.default_rng(6).normal(size=6), np.ones(3))
    for size in (1e-3, 1.0, 100.0):
        assert found.prediction_error(steps=8, size=size).max() < 1e-9


def test_the_first_error_of_one_unit_by_hand():
    """At the origin of tanh(w h) a push d goes to tanh(w d), not to w d; one by its sign alone."""
    found = linearisation(plain_network([[1.5]]), [0.0])
    for size in (0.01, 0.3, 2.0):
        push, steps = size, found.prediction_error(steps=3, size=size, n=5)
        for t in range(3):
            push = np.tanh(1.5 * push)
            assert steps[t] == pytest.approx(abs(1.5 ** (t + 1) * size - push) / push)


def test_the_error_away_from_the_origin_by_hand():
    """Pushes ±d of size 0.1·|h*|; the means run over both signs as the seed has drawn them."""
    net = plain_network([[2.0]])
    h = held_value()
    found = linearisation(net, [h])
    d, slope = 0.1 * h, 2 * (1 - h**2)
    true = {sign: np.tanh(2 * (h + sign * d)) - h for sign in (-1, 1)}
    wrong = {sign: abs(true[sign] - sign * slope * d) for sign in (-1, 1)}
    possible = [
        (k * wrong[1] + (4 - k) * wrong[-1]) / (k * abs(true[1]) + (4 - k) * abs(true[-1]))
        for k in range(5)
    ]
    error = found.prediction_error(steps=1, size=0.1, n=4)[0]
    assert min(abs(error - value) for value in possible) < 1e-10


def test_the_error_is_small_near_a_point_and_grows_with_the_push():
    weights = np.random.default_rng(7).normal(size=(8, 8)) * 0.3
    net = plain_network(weights, np.full(8, 0.2))
    state = fixed_points(net, n_starts=64).states[0]
    found = linearisation(net, state)
    first = [found.prediction_error(steps=1, size=size)[0] for size in (1e-5, 1e-4, 1e-3, 1e-2)]
    assert first[0] < 1e-4
    np.testing.assert_allclose(np.diff(np.log10(first)), 1.0, atol=0.1)  # second order
    errors = found.prediction_error(steps=20, size=1e-5)
    assert errors.shape == (20,)
    assert errors.max() < 0.01
    np.testing.assert_array_equal(errors, found.prediction_error(steps=20, size=1e-5))
    assert (errors != found.prediction_error(steps=20, size=1e-5, seed=1)).any()


def test_the_table_has_the_slowest_modes():
    net = random_network(8)
    found = linearisation(net, np.zeros(6), np.zeros(3))
    table = found.table(4)
    assert len(table) == 4
    np.testing.assert_allclose(table["real"] + 1j * table["imaginary"], found.eigenvalues[:4])
    np.testing.assert_allclose(table["input_2"], np.abs(found.input_selection[:4, 2]))
    assert len(found.table()) == 6


NET = plain_network([[0.5, 0.1], [0.2, 0.3]])


@pytest.mark.parametrize(
    ("state", "inputs", "field"),
    [
        ([0.0], None, r"state has shape \(1,\).*\(2,\)"),
        ([[0.0, 0.0]], None, r"state has shape \(1, 2\)"),
        (0.0, None, r"state has shape \(\)"),
        ([0.0, np.nan], None, "state.*finite"),
        ([0.0, np.inf], None, "state.*finite"),
        ("ab", None, "state"),
        ([[1.0], [1.0, 2.0]], None, "state"),
        ([1j, 0.0], None, "state"),
        ([0.0, 0.0], [1.0, 2.0], r"inputs has shape \(2,\).*\(1,\)"),
        ([0.0, 0.0], [np.nan], "inputs.*finite"),
    ],
)
def test_states_and_inputs_that_are_not_allowed_are_named(state, inputs, field):
    with pytest.raises(at.InvalidSetting, match=field) as caught:
        linearisation(NET, state, inputs)
    assert "\n" not in str(caught.value)


def test_steps_that_cannot_be_used_are_named():
    with pytest.raises(at.InvalidSetting, match=r"step returns shape \(1,\)"):
        linearisation(lambda h, x: h[:1], [0.0, 0.0])
    with pytest.raises(
        at.InvalidSetting, match="network = 3 is not allowed: a Network or a function"
    ):
        linearisation(3, [0.0])


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"steps": 0}, "steps = 0"),
        ({"steps": 1.5}, "steps = 1.5"),
        ({"n": 0}, "n = 0"),
        ({"n": True}, "n = True"),
        ({"size": 0.0}, "size = 0"),
        ({"size": -1.0}, "size = -1"),
        ({"size": np.nan}, "size = nan"),
        ({"size": np.inf}, "size = inf"),
        ({"size": "large"}, "size = 'large'"),
        ({"seed": -1}, "seed = -1"),
    ],
)
def test_settings_of_the_prediction_that_are_not_allowed_are_named(settings, field):
    with pytest.raises(at.InvalidSetting, match=field):
        linearisation(NET, [0.0, 0.0]).prediction_error(**settings)
