"""The network of currents: its equation as a plain loop, its gradient, where it is used."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import attractory as at
from attractory.kernels._current import current_network, current_reference
from attractory.models import CurrentRNN, Stacked

N, INPUTS, OUTPUTS, TRIALS, STEPS = 7, 3, 2, 4, 12


def random_network(model):
    """A network with all weights, biases and the first state too, away from 0."""
    network = model.build(INPUTS, OUTPUTS, seed=0)
    rng = np.random.default_rng(0)
    weights = {
        name: np.asarray(w) + rng.normal(size=w.shape, scale=0.3).astype(np.float32)
        for name, w in network.weights.items()
    }
    return at.models.Network(model, weights)


@pytest.fixture(scope="module")
def inputs():
    return np.random.default_rng(1).normal(size=(TRIALS, STEPS, INPUTS)).astype(np.float32)


@pytest.mark.parametrize("function", [jnp.tanh, jax.nn.relu, jax.nn.softplus])
def test_the_gradient_is_that_of_the_loop(function):
    keys = jax.random.split(jax.random.PRNGKey(0), 3)
    arrays = (
        jax.random.normal(keys[0], (N, N)),
        jax.random.normal(keys[1], (STEPS, TRIALS, N)),
        jax.random.normal(keys[2], (TRIALS, N)),
    )
    scale = jnp.linspace(0, 1, STEPS * TRIALS * N).reshape(STEPS, TRIALS, N)

    def gradients(kernel):
        def loss(*arrays):
            return (scale * jnp.sin(kernel(function, 0.3, *arrays))).sum()

        return jax.value_and_grad(loss, argnums=(0, 1, 2))(*arrays)

    (value, made), (expected, written) = gradients(current_network), gradients(current_reference)
    assert float(value) == pytest.approx(float(expected), rel=1e-6)
    for ours, theirs in zip(made, written, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("started", [False, True])
def test_the_equation_is_the_documented_one(started, inputs):
    model = CurrentRNN(units=N, tau=50.0, dt=10.0, activation="softplus", trained_start=started)
    network = random_network(model)
    w = {name: np.asarray(array, np.float64) for name, array in network.weights.items()}
    x = np.tile(w.get("initial_state", np.zeros(N)), (TRIALS, 1))
    path = network.simulate(inputs, precision="float64")
    for t in range(STEPS):
        rates = np.log1p(np.exp(x))
        into = rates @ w["recurrent_weights"].T + inputs[:, t] @ w["input_weights"].T + w["bias"]
        x = 0.8 * x + 0.2 * into
        np.testing.assert_allclose(path.states[:, t], x, atol=1e-12)
        read = np.log1p(np.exp(x)) @ w["output_weights"].T + w["output_bias"]
        np.testing.assert_allclose(path.outputs[:, t], read, atol=1e-12)
    given = network.simulate(inputs, initial_state=np.ones(N), precision="float64")
    assert np.abs(given.states - path.states).max() > 0.01
    again = network.simulate(inputs[:, 1:], initial_state=path.states[:, 0], precision="float64")
    np.testing.assert_allclose(again.outputs, path.outputs[:, 1:], atol=1e-12)


def test_noise_has_the_stated_size():
    model = CurrentRNN(units=50, tau=10.0, recurrent_noise=0.5, recurrent_gain=0.0, bias=False)
    states = model.build(1, 1).simulate(np.zeros((20, 200, 1)), seed=1).states[:, 100:]
    # white noise of √(2 leak) σ a step, of which 1 - leak is kept: σ √(2 leak / (1 - (1-leak)²))
    assert states.std() == pytest.approx(0.5 * (0.2 / (1 - 0.9**2)) ** 0.5, rel=0.02)


def test_it_may_be_a_layer_with_its_own_first_state(inputs):
    lower = CurrentRNN(units=5, tau=3.0, trained_start=True)
    upper = CurrentRNN(units=N, tau=2.0, activation="relu", trained_start=True)
    network = random_network(Stacked(layers=(lower, upper)))
    readout = {"output_weights": np.eye(5, dtype=np.float32)}
    names = {i: f"layer_{i}." for i in (1, 2)}
    own = {
        i: {n.removeprefix(p): w for n, w in network.weights.items() if n.startswith(p)}
        for i, p in names.items()
    }
    first = at.models.Network(lower.replace(output_bias=False), own[1] | readout)
    last = {n: network.weights[n] for n in ("output_weights", "output_bias")}
    second = at.models.Network(upper, own[2] | last)
    expected = second.simulate(first.simulate(inputs).outputs).outputs
    np.testing.assert_allclose(network.simulate(inputs).outputs, expected, atol=1e-5)
    np.testing.assert_allclose(network.respond(inputs), expected, atol=1e-5)


def test_its_fixed_points_are_fixed():
    network = random_network(CurrentRNN(units=N, tau=4.0, recurrent_gain=2.0))
    found = at.analysis.fixed_points(network, n_starts=64)
    stay = network.simulate(
        np.zeros((len(found.states), 5, INPUTS)), initial_state=found.states, precision="float64"
    )
    np.testing.assert_allclose(stay.states[:, 0], found.states, atol=1e-8)
    assert len(found.states) >= 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"tau": 0.5}, "dt = 1.0 is not allowed: at most tau = 0.5"),
        ({"activation": "tan"}, "activation = 'tan' is not allowed"),
        ({"recurrent_init": "ones"}, "recurrent_init = 'ones' is not allowed"),
    ],
)
def test_wrong_settings_are_said(settings, said):
    with pytest.raises(at.InvalidSetting, match=said):
        CurrentRNN(units=3, **settings)
