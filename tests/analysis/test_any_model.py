"""Analyses of every model, held to equations written out here in NumPy."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from analysis.planted import held_value, matched, plain_network, planted_bits
from scipy import optimize

import attractory as at
from attractory.analysis import fixed_points, linearisation
from attractory.analysis.dynamics._step import step_of
from attractory.models import GRU, LSTM, Custom, LowRankRNN, Network, RateRNN, Stacked


def sigmoid(u):
    return 1 / (1 + np.exp(-u))


def gru(net, h, x, prefix="", leak=1.0):
    """One step of the equations in the docstring of GRU, for one state (unit,)."""
    w = {n: np.asarray(a, float) for n, a in net.weights.items()}
    wr, wu, wn = np.split(w[prefix + "recurrent_weights"], 3)
    ur, uu, un = np.split(w[prefix + "input_weights"], 3)
    ar, au, an = np.split(w[prefix + "bias"], 3)
    br, bu, bn = np.split(w[prefix + "recurrent_bias"], 3)
    r = sigmoid(wr @ h + br + ur @ x + ar)
    u = sigmoid(wu @ h + bu + uu @ x + au)
    n = np.tanh(r * (wn @ h + bn) + un @ x + an)
    return h + leak * (1 - u) * (n - h)


def lstm(net, state, x):
    w = {n: np.asarray(a, float) for n, a in net.weights.items()}
    h, c = np.split(state, 2)
    i, f, g, o = np.split(w["recurrent_weights"] @ h + w["input_weights"] @ x + w["bias"], 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return np.concatenate([sigmoid(o) * np.tanh(c), c])


def tanh_cell(weights, state, x):
    drive = weights["recurrent_weights"] @ state + weights["input_weights"] @ x
    return jnp.tanh(drive + weights["bias"])


def random_network(model, seed=0, gain=3.0):
    """Large random weights in float64, biases too: several fixed points, none of them 0."""
    rng = np.random.default_rng(seed)
    net = model.build(2, 2)
    weights = {
        name: gain * rng.normal(size=w.shape) / np.sqrt(w.shape[-1])
        for name, w in net.weights.items()
    }
    return Network(model, weights)


def next_state(net, state, x):
    """The next state by simulation in float64."""
    return net.simulate(x[None], initial_state=state, precision="float64").states[0]


MODELS = {
    "gru": GRU(units=5),
    "leaky gru": GRU(units=5, tau=4.0),
    "lstm": LSTM(units=4),
    "low rank": LowRankRNN(units=6, rank=2, tau=2.0),
    "custom": Custom(step=tanh_cell, units=5),
    "stack": Stacked(layers=(GRU(units=4), RateRNN(units=3, tau=2.0), LSTM(units=2))),
}


@pytest.mark.parametrize("name", MODELS)
def test_jacobians_are_those_of_finite_differences(name):
    net = random_network(MODELS[name], 1)
    rng = np.random.default_rng(2)
    state, x = rng.normal(size=net.state_size), rng.normal(size=2)
    near = linearisation(net, state, x)
    step = near.step
    np.testing.assert_allclose(step(state[None])[0], next_state(net, state, x), atol=1e-14)
    for found, at_point, place in [
        (near.jacobian, lambda h: next_state(net, h, x), state),
        (near.input_jacobian, lambda u: next_state(net, state, u), x),
    ]:
        numeric = np.stack(
            [(at_point(place + e) - at_point(place - e)) / 2e-5 for e in 1e-5 * np.eye(len(place))],
            axis=1,
        )
        np.testing.assert_allclose(found, numeric, atol=1e-8)
    row = rng.normal(size=(1, net.state_size))
    np.testing.assert_allclose(step.pull_back(state[None], row), row @ near.jacobian, atol=1e-12)
    moduli = np.abs(np.linalg.eigvals(near.jacobian))
    np.testing.assert_allclose(np.abs(near.eigenvalues), -np.sort(-moduli), atol=1e-9)
    read = net.output_weights @ state[: net.units] + net.output_bias
    np.testing.assert_allclose(step.outputs(state), read, atol=1e-12)


def zeros_from_everywhere(function, size, starts, seed=0):
    """Distinct zeros of h - F(h) that SciPy finds from random starts.

    Far out, where a gate rounds to 1, floating point has zeros that the equations do not have.
    """
    rng, kept = np.random.default_rng(seed), []
    for start in rng.normal(size=(starts, size)):
        found = optimize.root(lambda h: h - function(h), start, tol=1e-13)
        fits = np.abs(found.fun).max() < 1e-9 and np.abs(found.x).max() < 20
        if fits and all(np.abs(found.x - k).max() > 1e-5 for k in kept):
            kept.append(found.x)
    return np.array(kept)


@pytest.mark.parametrize(
    ("model", "step"),
    [
        (GRU(units=3), gru),
        (GRU(units=3, tau=5.0), lambda net, h, x: gru(net, h, x, leak=0.2)),
        (LSTM(units=2), lstm),
    ],
    ids=["gru", "leaky gru", "lstm"],
)
def test_gated_networks_have_the_points_of_equations_written_out(model, step):
    net = random_network(model, 3, gain=2.0)
    x = np.array([0.3, -0.2])
    expected = zeros_from_everywhere(lambda h: step(net, h, x), model.state_size, 80)
    found = fixed_points(net, x, n_starts=256, max_starts=512)
    for state in found.states:
        assert np.abs(state - step(net, state, x)).max() <= 1e-12 * max(1, np.abs(state).max())
    apart = np.abs(found.states[:, None] - expected[None]).max(axis=-1)
    assert (apart.min(axis=0) < 1e-6).all()  # what SciPy finds is in the list
    assert (found.residuals <= 1e-12).all()
    assert not found.certified.any()
    assert "no proof is known" in found.statement
    assert found.degree_sum == 1  # the step maps a ball into itself
    assert len(found) >= 1


def test_layers_have_the_points_of_layers_written_out():
    model = Stacked(layers=(GRU(units=3), RateRNN(units=4, tau=2.0)))
    net = random_network(model, 4, gain=2.0)
    x = np.array([0.5, 0.1])
    w = {n: np.asarray(a, float) for n, a in net.weights.items()}

    def step(state):
        top, below = state[:4], state[4:]
        below = gru(net, below, x, "layer_1.")
        drive = w["layer_2.recurrent_weights"] @ top + w["layer_2.input_weights"] @ below
        return np.concatenate([0.5 * top + 0.5 * np.tanh(drive), below])

    found = fixed_points(net, x, n_starts=256, max_starts=512)
    assert len(found) >= 1
    for state in found.states:
        assert np.abs(state - step(state)).max() <= 1e-12 * max(1, np.abs(state).max())
    np.testing.assert_allclose(
        found.outputs, found.states[:, :4] @ w["output_weights"].T + w["output_bias"], atol=1e-12
    )
    assert found.step.leak == 0.5
    assert found.states.shape[1] == net.state_size == 7


def planted_gru(gain=2.0):
    """One unit, update gate 1/2, reset gate 1: h → h/2 + tanh(gain h)/2."""
    big = 60.0  # σ(60) is 1 in float64
    weights = {
        "recurrent_weights": np.array([[0.0], [0.0], [gain]]),
        "input_weights": np.array([[0.0], [0.0], [1.0]]),
        "bias": np.array([big, 0.0, 0.0]),
        "recurrent_bias": np.zeros(3),
        "output_weights": np.ones((1, 1)),
        "output_bias": np.zeros(1),
    }
    return Network(GRU(units=1), weights)


def test_a_bistable_gru_has_its_planted_points():
    a = held_value()  # a = tanh(2 a)
    found = fixed_points(planted_gru(), n_starts=64, max_starts=64)
    order = np.argsort(found.states[:, 0])
    np.testing.assert_allclose(found.states[order, 0], [-a, 0, a], atol=1e-14)
    slope = 0.5 + (1 - a**2)  # half, and half of 2 (1 - a²)
    np.testing.assert_allclose(found.eigenvalues[order, 0].real, [slope, 1.5, slope], atol=1e-13)
    np.testing.assert_array_equal(found.n_unstable[order], [0, 1, 0])
    assert found.completeness.complete
    known = at.analysis.attractors(found)
    joined = at.analysis.connections(known)
    assert joined.hypercube == 1
    grown = at.analysis.continuation(found, [1.0])
    # the lower state meets the saddle where d/dh tanh(2h + x) = 1: cosh(2h + x)² = 2
    drive = np.arccosh(np.sqrt(2.0))
    lower = next(b for b in grown.branches if found.states[b.start, 0] < 0)
    amplitude = 2 * np.tanh(drive) - drive
    np.testing.assert_allclose(lower.amplitudes[lower.folds[0]], amplitude, atol=1e-6)


def test_a_custom_tanh_cell_has_the_points_of_the_rate_network():
    rng = np.random.default_rng(7)
    weights, bias = 2 * rng.normal(size=(3, 3)), 0.1 * rng.normal(size=3)
    rate = plain_network(weights, bias)
    model = Custom(step=tanh_cell, units=3, output_bias=False)
    own = Network(model, {**rate.weights})
    expected = fixed_points(rate, n_starts=256)
    found = fixed_points(own, n_starts=256)
    which = matched(found.states, expected.states, 1e-12)
    np.testing.assert_array_equal(found.n_unstable, expected.n_unstable[which])
    np.testing.assert_allclose(found.outputs, expected.outputs[which], atol=1e-12)
    assert expected.certified.all()


def test_a_low_rank_network_is_proved_like_its_full_matrix():
    model = LowRankRNN(units=12, rank=2, output_bias=False)
    net = planted_low_rank(model)
    full = RateRNN.from_weights(net.recurrent_weights, net.input_weights, net.output_weights)
    found, expected = fixed_points(net, n_starts=256), fixed_points(full, n_starts=256)
    matched(found.states, expected.states, 1e-12)
    assert len(found) == 9
    assert found.certified.all()


def planted_low_rank(model):
    """Two independent bits (see `planted_bits`) as a sum of two outer products."""
    signs = np.sign(planted_bits(2, 6).input_weights)
    weights = {
        "left_vectors": 4.0 * signs,  # 2/6 · 12 units
        "right_vectors": signs,
        "input_weights": signs,
        "output_weights": signs.T / 6,
    }
    return Network(model, weights)


def test_a_network_of_float32_weights_is_analysed_in_float64():
    net = GRU(units=6).build(1, 1, seed=3)
    step = step_of(net, None, None)
    h = np.random.default_rng(0).normal(size=(4, 6))
    for row, state in zip(step(h), h, strict=True):
        np.testing.assert_allclose(row, gru(net, state, np.zeros(1)), atol=1e-15)


def test_sizes_are_those_of_the_whole_state():
    net = LSTM(units=4).build(1, 1)
    with pytest.raises(at.InvalidSetting, match=r"state has shape \(4,\); it must be \(8,\)"):
        linearisation(net, np.zeros(4))
    with pytest.raises(at.InvalidSetting, match=r"units = 4 is not allowed: .* 8 entries"):
        fixed_points(net, units=4)
    with pytest.raises(at.InvalidSetting, match=r"initial_states has shape \(2, 4\)"):
        fixed_points(net, initial_states=np.zeros((2, 4)))
    trials = at.tasks.FlipFlop(bits=1, steps=90, first_onset=(5, 20), pulse=5, delay=5).sample(2)
    space = at.analysis.state_space(net, trials, n=3)
    assert space.components.shape == (3, 8)


def test_a_gru_that_is_a_flip_flop_is_tested_as_an_automaton():
    """The planted GRU, driven long enough to go over."""
    net = planted_gru()
    task = at.tasks.FlipFlop(
        bits=1, steps=120, first_onset=(5, 20), pulse=15, delay=10, neutral_start=False
    )
    found = at.analysis.automaton(net, task, n_samples=20, hold_steps=1000)
    assert found.correct.all()
    assert not found.failures.any()
    assert (found.samples > 0).all()
    assert (found.holds == 1000).all()
    assert all(proof is None for proof in found.proofs)
    rate = at.analysis.automaton(
        RateRNN.from_weights([[2.0]], [[1.0]], [[1.0]], tau=2.0), task, 20, hold_steps=1000
    )  # the same map
    np.testing.assert_allclose(found.margins, rate.margins, atol=1e-12)
    np.testing.assert_array_equal(found.table(), rate.table())
