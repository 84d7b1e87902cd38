"""GRU and LSTM give the numbers of Keras and torch; every cell's gradient is that of its loop."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import attractory as at
from attractory.kernels import gated
from attractory.kernels._gated import gated_reference
from attractory.models import GRU, LSTM, Custom, LowRankRNN, RateRNN, Stacked
from attractory.models._gru import gru_cell
from attractory.models._lstm import lstm_cell

N, INPUTS, OUTPUTS, TRIALS, STEPS = 7, 3, 2, 4, 12


def random_network(model, seed=0):
    """A network with all weights, biases too, away from 0."""
    network = model.build(INPUTS, OUTPUTS, seed=seed)
    rng = np.random.default_rng(seed)
    weights = {
        name: np.asarray(w) + rng.normal(size=w.shape, scale=0.3).astype(np.float32)
        for name, w in network.weights.items()
    }
    return at.models.Network(model, weights)


@pytest.fixture(scope="module")
def inputs():
    return np.random.default_rng(1).normal(size=(TRIALS, STEPS, INPUTS)).astype(np.float32)


@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
def test_numbers_are_those_of_torch(kind, inputs):
    torch = pytest.importorskip("torch")
    network = random_network({"GRU": GRU, "LSTM": LSTM}[kind](units=N))
    layer = getattr(torch.nn, kind)(INPUTS, N, batch_first=True)
    w = {name: torch.tensor(np.asarray(each)) for name, each in network.weights.items()}
    with torch.no_grad():
        layer.weight_ih_l0.copy_(w["input_weights"])
        layer.weight_hh_l0.copy_(w["recurrent_weights"])
        layer.bias_ih_l0.copy_(w["bias"])
        layer.bias_hh_l0.copy_(w.get("recurrent_bias", torch.zeros(4 * N)))
        hidden, _ = layer(torch.tensor(inputs))
        outputs = hidden @ w["output_weights"].T + w["output_bias"]
    path = network.simulate(inputs)
    np.testing.assert_allclose(path.states[..., :N], hidden.numpy(), rtol=0, atol=2e-6)
    np.testing.assert_allclose(path.outputs, outputs.numpy(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
def test_numbers_are_those_of_keras(kind, inputs):
    keras = pytest.importorskip("keras")
    network = random_network({"GRU": GRU, "LSTM": LSTM}[kind](units=N))
    order = {"GRU": (1, 0, 2), "LSTM": (0, 1, 2, 3)}[kind]  # Keras has the update gate first

    def turned(array):
        gates = np.split(np.asarray(array), len(order))
        return np.concatenate([gates[i] for i in order]).T

    layer = getattr(keras.layers, kind)(N, return_sequences=True)
    layer.build((None, STEPS, INPUTS))
    w = network.weights
    bias = turned(w["bias"])
    if kind == "GRU":
        bias = np.stack([bias, turned(w["recurrent_bias"])])
    layer.set_weights([turned(w["input_weights"]), turned(w["recurrent_weights"]), bias])
    hidden = np.asarray(layer(inputs))
    np.testing.assert_allclose(network.simulate(inputs).states[..., :N], hidden, rtol=0, atol=2e-6)


def plain_gru(network, inputs, leak):
    """The equations of the docstring, one unit of time and one trial after another."""
    w = {name: np.asarray(each, np.float64) for name, each in network.weights.items()}
    sigmoid = lambda a: 1 / (1 + np.exp(-a))  # noqa: E731
    states = np.zeros((*inputs.shape[:2], N))
    for i, trial in enumerate(inputs.astype(np.float64)):
        h = np.zeros(N)
        for t, x in enumerate(trial):
            a = np.split(w["recurrent_weights"] @ h + w["recurrent_bias"], 3)
            b = np.split(w["input_weights"] @ x + w["bias"], 3)
            r, u = sigmoid(a[0] + b[0]), sigmoid(a[1] + b[1])
            h = h + leak * (1 - u) * (np.tanh(r * a[2] + b[2]) - h)
            states[i, t] = h
    return states


@pytest.mark.parametrize(("tau", "dt"), [(1.0, 1.0), (100.0, 20.0)])
def test_gru_with_and_without_leak_follows_its_equations(tau, dt, inputs):
    network = random_network(GRU(units=N, tau=tau, dt=dt))
    path = network.simulate(inputs, precision="float64")
    np.testing.assert_allclose(path.states, plain_gru(network, inputs, dt / tau), atol=1e-12)


@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
def test_gradients_are_those_of_the_reference(kind):
    gates, size = (3, N) if kind == "GRU" else (4, 2 * N)
    cell = gru_cell(N, 0.4) if kind == "GRU" else lstm_cell(N)
    keys = jax.random.split(jax.random.key(0), 5)
    arguments = (
        0.5 * jax.random.normal(keys[0], (gates * N, N)),
        jax.random.normal(keys[1], (gates * N,)),
        jax.random.normal(keys[2], (STEPS, TRIALS, gates * N)),
        jax.random.normal(keys[3], (TRIALS, size)),
    )
    towards = jax.random.normal(keys[4], (STEPS, TRIALS, size))

    def loss(recurrence, *arguments):
        return jnp.sum(towards * recurrence(cell, *arguments) ** 2)

    found, wanted = (
        jax.grad(lambda *a, f=f: loss(f, *a), argnums=(0, 1, 2, 3))(*arguments)
        for f in (gated, gated_reference)
    )
    for mine, reference in zip(found, wanted, strict=True):
        np.testing.assert_allclose(mine, reference, rtol=0, atol=1e-5 * np.abs(reference).max())


def test_low_rank_is_the_rate_network_with_the_product_of_its_vectors(inputs):
    network = random_network(LowRankRNN(units=N, rank=2, bias=True, tau=3.0))
    assert np.linalg.matrix_rank(network.recurrent_weights, tol=1e-5) == 2
    w = network.weights
    np.testing.assert_allclose(
        network.recurrent_weights,
        sum(np.outer(m, n) for m, n in zip(w["left_vectors"].T, w["right_vectors"].T, strict=True))
        / N,
        atol=1e-6,
    )
    full = at.models.RateRNN.from_weights(
        recurrent=network.recurrent_weights,
        input=network.input_weights,
        output=network.output_weights,
        output_bias=network.output_bias,
        bias=network.bias,
        tau=3.0,
    )
    np.testing.assert_allclose(
        network.simulate(inputs).states, full.simulate(inputs).states, atol=1e-6
    )


def tanh_step(weights, state, x):
    drive = weights["recurrent_weights"] @ state + weights["input_weights"] @ x + weights["bias"]
    return jnp.tanh(drive)


def test_a_users_cell_is_what_its_function_says(inputs):
    network = random_network(Custom(step=tanh_step, units=N))
    same = at.models.Network(RateRNN(units=N, bias=True), dict(network.weights))
    np.testing.assert_allclose(
        network.simulate(inputs).outputs, same.simulate(inputs).outputs, atol=2e-6
    )


def test_a_users_cell_may_have_memory_of_its_own(inputs):
    def adapting(weights, state, x):
        rate, adaptation = state[:N], state[N:]
        drive = weights["W"] @ rate + weights["U"] @ x - adaptation
        return jnp.concatenate([jnp.tanh(drive), adaptation + 0.1 * (rate - adaptation)])

    model = Custom(
        step=adapting, units=N, memory=N, shapes={"W": ("units", "units"), "U": ("units", "inputs")}
    )
    network = random_network(model)
    path = network.simulate(inputs, precision="float64")
    assert path.states.shape == (TRIALS, STEPS, 2 * N)
    w = {name: np.asarray(each, np.float64) for name, each in network.weights.items()}
    rate = adaptation = np.zeros(N)
    for t in range(STEPS):
        before = rate
        rate = np.tanh(w["W"] @ rate + w["U"] @ inputs[0, t] - adaptation)
        adaptation = adaptation + 0.1 * (before - adaptation)
        np.testing.assert_allclose(path.states[0, t], [*rate, *adaptation], atol=1e-12)


def test_layers_feed_one_another_and_the_last_is_read_out(inputs):
    model = Stacked(layers=(RateRNN(units=5, tau=2.0), LSTM(units=4), GRU(units=N)))
    network = random_network(model)
    path = network.simulate(inputs)
    assert path.states.shape[-1] == network.state_size == N + 8 + 5
    assert network.units == N

    def layer(i, model, fed):
        own = {
            n.split(".", 1)[1]: w for n, w in network.weights.items() if n.startswith(f"layer_{i}.")
        }
        own |= {
            "output_weights": np.zeros((1, model.units), np.float32),
            "output_bias": np.zeros(1),
        }
        return at.models.Network(model, own).simulate(fed).states

    first = layer(1, model.layers[0], inputs)
    second = layer(2, model.layers[1], first)
    third = layer(3, model.layers[2], second[..., :4])
    for found, wanted in [
        (path.states[..., :N], third),
        (path.states[..., N : N + 8], second),
        (path.states[..., N + 8 :], first),
        (path.outputs, third @ network.output_weights.T + network.output_bias),
    ]:
        np.testing.assert_allclose(found, wanted, atol=2e-6)


def test_a_simulation_goes_on_from_any_state_it_came_through(inputs):
    for model in (GRU(units=N), LSTM(units=N), Stacked(layers=(LSTM(units=4), RateRNN(units=N)))):
        network = random_network(model)
        whole = network.simulate(inputs)
        rest = network.simulate(inputs[:, 5:], initial_state=whole.states[:, 4])
        np.testing.assert_allclose(rest.states, whole.states[:, 5:], atol=1e-6)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: GRU(tau=1.0, dt=2.0), "dt = 2.0 is not allowed: at most tau"),
        (lambda: LSTM(recurrent_init="eye"), "recurrent_init = 'eye' is not allowed"),
        (lambda: LowRankRNN(units=3, rank=4), "rank = 4 is not allowed: at most units = 3"),
        (lambda: Custom(step=tanh_step, shapes={"W": ("unit", "inputs")}), "did you mean 'units'"),
        (
            lambda: Custom(step=tanh_step, shapes={"W": ("units", "units")}),
            "'inputs'; one at least",
        ),
        (lambda: Stacked(layers=()), "layers"),
        (lambda: Stacked(layers=("GRU",)), r"layers\[0\] = 'GRU' is not allowed: a model"),
        (lambda: Stacked(layers=(GRU(units=3),)).build(1, 1).recurrent_weights, "several layers"),
    ],
)
def test_mistakes_are_one_line(make, expected):
    with pytest.raises(at.InvalidSetting, match=expected) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_trajectory_goes_to_xarray(inputs):
    path = RateRNN(units=N, tau=4.0, dt=2.0).build(INPUTS, OUTPUTS).simulate(inputs)
    dataset = path.to_xarray()
    assert dict(dataset.sizes) == {
        "trial": TRIALS, "time": STEPS, "input": INPUTS, "unit": N, "output": OUTPUTS,
    }  # fmt: skip
    np.testing.assert_array_equal(dataset["states"].sel(time=6.0), path.states[:, 2])


def test_a_low_rank_network_that_starts_aligned_has_as_many_slow_modes():
    model = LowRankRNN(units=400, rank=3, recurrent_init="aligned", recurrent_gain=1.1)
    moduli = np.sort(np.abs(np.linalg.eigvals(model.build(2, 1).recurrent_weights)))[::-1]
    np.testing.assert_allclose(moduli[:3], 1.1**2, rtol=0.25)
    assert moduli[3] < 1e-3
    independent = np.linalg.eigvals(
        model.replace(recurrent_init="normal").build(2, 1).recurrent_weights
    )
    assert np.abs(independent).max() < 0.5
