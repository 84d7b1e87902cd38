"""GRUs whose reset gate acts before the product, and hard gates: plain loops, exact slopes.

That Keras computes the same stands in tests/runs/test_keras_unsaid.py.
"""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import attractory as at
from attractory.kernels import gated_twice
from attractory.kernels._gated import gated_twice_reference
from attractory.models import GRU, LSTM, Network
from attractory.models._gru import reset_first

N, INPUTS, OUTPUTS, TRIALS, STEPS = 6, 3, 2, 4, 12
GATES = ("sigmoid", "hard_sigmoid", "hard_sigmoid_keras2")
SIGMOIDS = {
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "hard_sigmoid": lambda a: np.clip(a / 6 + 0.5, 0, 1),
    "hard_sigmoid_keras2": lambda a: np.clip(0.2 * a + 0.5, 0, 1),
}


def random_network(model, seed=0):
    """A network with all weights, biases too, large enough to drive hard gates into saturation."""
    network = model.build(INPUTS, OUTPUTS, seed=seed)
    rng = np.random.default_rng(seed)
    return Network(
        model,
        {
            name: np.asarray(w) + rng.normal(size=w.shape, scale=0.9).astype(np.float32)
            for name, w in network.weights.items()
        },
    )


@pytest.fixture(scope="module")
def inputs():
    return np.random.default_rng(1).normal(size=(TRIALS, STEPS, INPUTS)).astype(np.float32)


def plain_gru(network, inputs):
    """Cho et al.'s equations in NumPy: the reset gate acts before the product."""
    w = {name: np.asarray(each, np.float64) for name, each in network.weights.items()}
    sigma, leak = SIGMOIDS[network.model.recurrent_activation], network.model.leak
    w_r, w_u, w_n = np.split(w["recurrent_weights"], 3)
    h = np.zeros((len(inputs), N))
    states = []
    for x in np.swapaxes(inputs.astype(np.float64), 0, 1):
        d_r, d_u, d_n = np.split(x @ w["input_weights"].T + w.get("bias", 0.0), 3, axis=-1)
        r, u = sigma(h @ w_r.T + d_r), sigma(h @ w_u.T + d_u)
        n = np.tanh((r * h) @ w_n.T + d_n)
        h = h + leak * (1 - u) * (n - h)
        states.append(h)
    return np.stack(states, axis=1)


def plain_lstm(network, inputs):
    w = {name: np.asarray(each, np.float64) for name, each in network.weights.items()}
    sigma = SIGMOIDS[network.model.recurrent_activation]
    h = c = np.zeros((len(inputs), N))
    states = []
    for x in np.swapaxes(inputs.astype(np.float64), 0, 1):
        drive = h @ w["recurrent_weights"].T + x @ w["input_weights"].T + w["bias"]
        i, f, g, o = np.split(drive, 4, axis=-1)
        c = sigma(f) * c + sigma(i) * np.tanh(g)
        h = sigma(o) * np.tanh(c)
        states.append(np.concatenate([h, c], axis=-1))
    return np.stack(states, axis=1)


@pytest.mark.parametrize(
    ("gates", "settings"),
    [
        ("sigmoid", {}),
        ("hard_sigmoid", {"bias": False}),
        ("hard_sigmoid_keras2", {"tau": 100.0, "dt": 20.0}),
    ],
)
def test_reset_before_the_product_follows_its_equations(gates, settings, inputs):
    model = GRU(units=N, reset_after=False, recurrent_activation=gates, **settings)
    network = random_network(model)
    assert "recurrent_bias" not in network.weights
    path = network.simulate(inputs, precision="float64")
    np.testing.assert_allclose(path.states, plain_gru(network, inputs), rtol=0, atol=1e-12)


@pytest.mark.parametrize("gates", GATES[1:])
def test_hard_gates_of_an_lstm_follow_their_equations(gates, inputs):
    network = random_network(LSTM(units=N, recurrent_activation=gates))
    path = network.simulate(inputs, precision="float64")
    np.testing.assert_allclose(path.states, plain_lstm(network, inputs), rtol=0, atol=1e-12)


def test_the_two_equations_differ(inputs):
    network = random_network(GRU(units=N, bias=False, reset_after=False))
    other = Network(GRU(units=N, bias=False), network.weights)
    difference = np.abs(network.simulate(inputs).states - other.simulate(inputs).states)
    assert difference.max() > 0.05


@pytest.mark.slow
def test_gradients_are_those_of_the_reference():
    gate, close = reset_first(N, 0.4, "hard_sigmoid_keras2")
    keys = jax.random.split(jax.random.key(0), 4)
    arguments = (
        0.8 * jax.random.normal(keys[0], (3 * N, N)),
        jax.random.normal(keys[1], (STEPS, TRIALS, 3 * N)),
        jax.random.normal(keys[2], (TRIALS, N)),
    )
    towards = jax.random.normal(keys[3], (STEPS, TRIALS, N))

    def loss(recurrence, *arguments):
        return jnp.sum(towards * recurrence(gate, close, *arguments) ** 2)

    found, wanted = (
        jax.grad(lambda *a, f=f: loss(f, *a), argnums=(0, 1, 2))(*arguments)
        for f in (gated_twice, gated_twice_reference)
    )
    for mine, reference in zip(found, wanted, strict=True):
        np.testing.assert_allclose(mine, reference, rtol=0, atol=1e-5 * np.abs(reference).max())


def test_gradients_are_those_of_finite_differences():
    """In float64, of a loss over the whole recurrence: every weight, the first state, the drive."""
    gate, close = reset_first(3, 1.0, "sigmoid")
    rng = np.random.default_rng(2)
    shapes = ((9, 3), (4, 2, 9), (2, 3))
    arguments = [rng.normal(size=shape) for shape in shapes]
    towards = rng.normal(size=(4, 2, 3))
    with jax.enable_x64(True):

        def loss(*arguments):
            return jnp.sum(towards * gated_twice(gate, close, *arguments))

        found = jax.grad(loss, argnums=(0, 1, 2))(*map(jnp.asarray, arguments))
        value = jax.jit(loss)
        for which, array in enumerate(arguments):
            numerical = np.zeros_like(array)
            for place in itertools.product(*map(range, array.shape)):
                around = []
                for change in (1e-6, -1e-6):
                    moved = [each.copy() for each in arguments]
                    moved[which][place] += change
                    around.append(float(value(*moved)))
                numerical[place] = (around[0] - around[1]) / 2e-6
            np.testing.assert_allclose(found[which], numerical, rtol=0, atol=1e-8)


@pytest.mark.slow
def test_such_a_network_trains_saves_loads_and_is_analysed(tmp_path):
    task = at.tasks.get("flipflop", bits=1)
    model = GRU(units=8, reset_after=False, recurrent_activation="hard_sigmoid_keras2")
    rule = at.rules.BPTT(steps=3, batch=4, optimizer="adam")
    run = at.train(task, model, rule, path=tmp_path / "run", progress=False)
    network = at.load(tmp_path / "run").networks[0]
    assert network.model == model
    for name, array in run.networks[0].weights.items():
        np.testing.assert_array_equal(network.weights[name], array)
    started = model.build(task.n_inputs, task.n_outputs, seed=0).weights
    assert all(np.any(network.weights[n] != started[n]) for n in ("recurrent_weights", "bias"))
    points = at.analysis.fixed_points(network, n_starts=16, max_starts=16)
    for state in points.states:
        after = network.simulate(np.zeros((1, 1, 1)), initial_state=state[None]).states[0, 0]
        np.testing.assert_allclose(after, state, atol=1e-5)
    assert at.analysis.connectivity(network, gate="reset").gate == "reset"


def test_a_memory_with_hard_gates_is_not_said_to_stay_bounded():
    assert GRU(reset_after=False, recurrent_activation="hard_sigmoid").stays_bounded
    assert LSTM().stays_bounded
    assert not LSTM(recurrent_activation="hard_sigmoid").stays_bounded


def test_an_unknown_gate_function_is_one_line():
    with pytest.raises(at.InvalidSetting, match="recurrent_activation = 'relu'") as caught:
        GRU(recurrent_activation="relu")
    assert "\n" not in str(caught.value)


def test_torch_has_neither():
    for model in (GRU(units=3, reset_after=False), LSTM(units=3, recurrent_activation=GATES[1])):
        shapes = model.weight_shapes(1, 1).items()
        network = Network(model, {name: np.zeros(shape, np.float32) for name, shape in shapes})
        with pytest.raises(at.InvalidSetting, match="has no counterpart in PyTorch") as caught:
            at.to_torch(network)
        assert "\n" not in str(caught.value)
