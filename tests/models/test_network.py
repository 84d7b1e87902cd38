"""What a network does with inputs: values against a plain loop of the equation."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from models.plain_network import plain_run
from scipy import special

from attractory._errors import InvalidSetting
from attractory.models import RateRNN

N, T, B = 7, 12, 3
RNG = np.random.default_rng(5)
INPUTS = RNG.normal(size=(B, T, 2))
WEIGHTS = {
    "recurrent": RNG.normal(size=(N, N)) / np.sqrt(N),
    "input": RNG.normal(size=(N, 2)),
    "output": RNG.normal(size=(3, N)),
    "output_bias": RNG.normal(size=3),
    "bias": RNG.normal(size=N),
}


def soft_sign(x):
    return x / (1.0 + jnp.abs(x))


IN_NUMPY = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0.0),
    "sigmoid": special.expit,
    "softplus": lambda x: np.logaddexp(0.0, x),
    "linear": lambda x: x,
    "elu": lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1),
}


@pytest.fixture(scope="module")
def network():
    return RateRNN.from_weights(**WEIGHTS)


@pytest.mark.parametrize("name", IN_NUMPY)
def test_leaky_network_follows_the_equation(name):
    net = RateRNN.from_weights(**WEIGHTS, activation=name, tau=10.0, dt=3.0)
    path = net.simulate(INPUTS, precision="float64")
    states, outputs = plain_run(net, INPUTS, IN_NUMPY[name], leak=0.3)
    np.testing.assert_allclose(path.states, states, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(path.outputs, outputs, rtol=1e-12, atol=1e-13)
    assert path.dt == 3.0


def test_activation_can_be_a_function():
    net = RateRNN.from_weights(**WEIGHTS, activation=soft_sign)
    states, outputs = plain_run(net, INPUTS, lambda x: x / (1.0 + np.abs(x)))
    path = net.simulate(INPUTS)
    np.testing.assert_allclose(path.states, states, atol=2e-6)
    np.testing.assert_allclose(path.outputs, outputs, atol=1e-5)


@pytest.mark.parametrize("left_out", ["bias", "output_bias"])
def test_a_bias_that_is_not_given_is_0(left_out, network):
    given = {name: w for name, w in WEIGHTS.items() if name != left_out}
    without = RateRNN.from_weights(**given)
    assert getattr(without, left_out) is None
    path = without.simulate(INPUTS, precision="float64")
    states, outputs = plain_run(without, INPUTS, np.tanh)
    np.testing.assert_allclose(path.states, states, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(path.outputs, outputs, rtol=1e-12, atol=1e-13)
    assert not np.allclose(path.outputs, network.simulate(INPUTS).outputs, atol=0.1)


def test_initial_state_is_where_a_trial_starts(network):
    start = np.random.default_rng(1).normal(size=(B, N))
    path = network.simulate(INPUTS, initial_state=start, precision="float64")
    for trial in range(B):
        states, _ = plain_run(network, INPUTS[trial : trial + 1], np.tanh, start=start[trial])
        np.testing.assert_allclose(path.states[trial], states[0], rtol=1e-12, atol=1e-13)
    shared = network.simulate(INPUTS, initial_state=start[0], precision="float64")
    states, _ = plain_run(network, INPUTS, np.tanh, start=start[0])
    np.testing.assert_allclose(shared.states, states, rtol=1e-12, atol=1e-13)


def test_float32_differs_from_float64_by_rounding_only(network):
    single, double = network.simulate(INPUTS), network.simulate(INPUTS, precision="float64")
    assert (single.states.dtype, double.states.dtype) == (np.float32, np.float64)
    difference = np.abs(single.states - double.states).max()
    assert 0 < difference < 1e-5


def test_float64_leaves_jax_as_it_was(network):
    network.simulate(INPUTS, precision="float64")
    assert jnp.zeros(1).dtype == jnp.float32
    assert not jax.config.jax_enable_x64


def test_one_trial_without_its_axis_comes_back_without_it(network):
    whole, one = network.simulate(INPUTS), network.simulate(INPUTS[1])
    assert (one.states.shape, one.outputs.shape, one.inputs.shape) == ((T, N), (T, 3), (T, 2))
    np.testing.assert_allclose(one.states, whole.states[1], atol=1e-6)
    np.testing.assert_allclose(network.respond(INPUTS[1]), whole.outputs[1], atol=1e-5)
    assert network.simulate(INPUTS[:1]).states.shape == (1, T, N)


def test_respond_gives_the_outputs_of_simulate_whatever_the_batch(network):
    outputs = network.simulate(INPUTS).outputs
    for batch in (1, 2, 128):
        found = network.respond(INPUTS, batch=batch)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, outputs, rtol=1e-6, atol=2e-6)


def test_weights_come_back_as_given_in_their_own_precision(network):
    for name, property_name in [
        ("recurrent", "recurrent_weights"),
        ("input", "input_weights"),
        ("output", "output_weights"),
        ("bias", "bias"),
        ("output_bias", "output_bias"),
    ]:
        found = getattr(network, property_name)
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, WEIGHTS[name])
    assert (network.units, network.n_inputs, network.n_outputs) == (N, 2, 3)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"recurrent": np.zeros((N, 3))}, rf"recurrent has shape \({N}, 3\); it must be square"),
        ({"recurrent": np.zeros(N)}, "recurrent has shape"),
        ({"recurrent": np.zeros((0, 0))}, r"recurrent has shape \(0, 0\)"),
        ({"input": np.zeros((2, N))}, rf"input has shape \(2, {N}\); it must be \({N}, {N}\)"),
        ({"input": np.zeros(N)}, "input has shape"),
        ({"output": np.zeros((N, 3))}, "output has shape"),
        ({"output_bias": np.zeros(4)}, r"output_bias has shape \(4,\); it must be \(3,\)"),
        ({"bias": np.zeros((N, 1))}, r"bias has shape"),
        ({"recurrent": np.full((N, N), np.nan)}, f"recurrent has {N * N} values that are not fin"),
        ({"input": np.full((N, 2), "x")}, "input = an array.*an array of numbers is needed"),
        ({"dt": 2.0}, "dt = 2.0 is not allowed: at most tau = 1.0"),
        ({"activation": "tahn"}, "activation = 'tahn'.*did you mean 'tanh'"),
    ],
)
def test_weights_that_do_not_fit_are_named(change, expected):
    with pytest.raises(InvalidSetting, match=expected) as caught:
        RateRNN.from_weights(**{**WEIGHTS, **change})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("inputs", "keywords", "expected"),
    [
        (np.zeros((B, T, 5)), {}, rf"inputs have shape \({B}, {T}, 5\); it must be .*2"),
        (np.zeros(T), {}, "inputs have shape"),
        (np.zeros((0, T, 2)), {}, "inputs have shape"),
        (np.full((T, 2), np.inf), {}, "inputs have values that are not finite"),
        (INPUTS, {"initial_state": np.zeros(3)}, r"initial_state has shape \(3,\)"),
        (INPUTS, {"precision": "float16"}, "precision = 'float16'"),
        (INPUTS, {"seed": -1}, "seed = -1"),
    ],
)
def test_a_simulation_that_cannot_be_is_one_line(network, inputs, keywords, expected):
    with pytest.raises(InvalidSetting, match=expected) as caught:
        network.simulate(inputs, **keywords)
    assert "\n" not in str(caught.value)


def test_a_network_is_a_pytree_whose_leaves_are_its_weights():
    net = RateRNN(units=N).build(2, 3)
    leaves, structure = jax.tree.flatten(net)
    assert len(leaves) == len(net.weights)
    doubled = jax.tree.unflatten(structure, [2 * leaf for leaf in leaves])
    np.testing.assert_array_equal(doubled.recurrent_weights, 2 * net.recurrent_weights)
    assert doubled.model == net.model


@pytest.mark.parametrize("mixing", [jax.nn.softmax, lambda x: x - x.mean()])
def test_an_activation_that_mixes_units_is_refused(mixing):
    with pytest.raises(InvalidSetting, match="it must act on each element by itself"):
        RateRNN(units=3, activation=mixing)
