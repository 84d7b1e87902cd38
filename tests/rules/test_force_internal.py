"""FORCE that changes recurrent weights, beside FORCE with feedback and the loop in NumPy."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from few import few

import attractory as at
from attractory.models import GRU, Constraints, CurrentRNN, LowRankRNN, RateRNN
from attractory.rules import FORCE
from attractory.training import Population

SIGNAL = at.tasks.SumOfSinusoids(period=60.0, amplitudes=(1.0, 0.4), sigma=0.0)
BITS = at.tasks.FlipFlop(bits=2, steps=60, first_onset=(5, 15), pulse=4, delay=4)


def in_float64(arrays):
    """Weights as the rule takes them within `jax.enable_x64`; P are bits."""
    return {
        name: np.asarray(array, np.float64) if array.dtype == np.float32 else np.asarray(array)
        for name, array in arrays.items()
    }


def updated(rule, model, weights, state, trials):
    """Weights after one update, the network itself computed in float64, too."""
    with jax.enable_x64(True):
        made = rule.update(
            model,
            {name: jnp.asarray(array) for name, array in weights.items()},
            {name: jnp.asarray(array) for name, array in state.items()},
            trials,
            jnp.asarray(0),
            jax.random.key(3),
        )
        return {name: np.asarray(array) for name, array in made[0].items()}, made[2]


@pytest.mark.parametrize(
    ("kind", "output_bias"),
    few([(RateRNN, True), (CurrentRNN, False), (RateRNN, False), (CurrentRNN, True)], quick=[0, 1]),
)
def test_it_is_force_with_feedback_whose_loop_is_closed(kind, output_bias):
    """Two outputs, 30 changes of the weights, to 1e-8."""
    readout = 0.3 * np.random.default_rng(0).normal(size=(2, 14))
    drawn = kind(
        units=14, tau=5.0, recurrent_gain=1.3, output_bias=output_bias, output_init=readout
    )
    rule = FORCE(internal=True, alpha=0.5)
    model = rule.adapt(drawn)
    assert model.bias is (output_bias or drawn.bias)
    weights = in_float64(model.build(2, 2, seed=1).weights)
    state = in_float64(rule.init(model, weights, jax.random.key(2)))
    errors = state["error_weights"]
    assert errors.shape == (14, 2)
    assert 0.5 < np.abs(errors).max() <= 1
    assert errors.min() < 0 < errors.max()
    trials = BITS.batch(at.tasks.trial_keys(jax.random.key(5), jnp.arange(1)))
    inside, told = updated(rule, model, weights, state, trials)

    looped = rule.replace(internal=False).adapt(model)
    start = weights["recurrent_weights"] - errors @ weights["output_weights"]
    given = {**weights, "recurrent_weights": start, "feedback_weights": errors}
    del state["error_weights"]
    outside, told_outside = updated(FORCE(alpha=0.5), looped, given, state, trials)
    closed = looped.closed_loop(outside)
    assert np.abs(inside["recurrent_weights"] - weights["recurrent_weights"]).max() > 0.01
    for name, array in inside.items():
        np.testing.assert_allclose(array, closed[name], rtol=0, atol=1e-8)
    for name, value in told.items():
        assert float(value) == pytest.approx(float(told_outside[name]), rel=1e-6)


def test_with_errors_of_ones_it_is_the_published_code():
    """force_internal_all2all.m, one output, every second step: M += repmat(dw', N, 1)."""
    drawn = CurrentRNN(units=15, tau=5.0, recurrent_gain=1.5, bias=False, output_bias=False)
    rule = FORCE(internal=True, alpha=0.5)
    model = rule.adapt(drawn)
    weights = in_float64(model.build(1, 1, seed=1).weights)
    state = in_float64(rule.init(model, weights, jax.random.key(2)))
    state["error_weights"] = np.ones((15, 1))
    trials = SIGNAL.batch(at.tasks.trial_keys(jax.random.key(5), jnp.arange(1)))
    after, _ = updated(rule, model, weights, state, trials)

    targets = np.asarray(trials.targets[0, :, 0], np.float64)
    matrix, readout = weights["recurrent_weights"], weights["output_weights"][0]
    current, inverse = np.zeros(15), np.eye(15) / 0.5
    inputs = np.asarray(trials.inputs[0], np.float64) @ weights["input_weights"].T
    for t, target in enumerate(targets):
        current = 0.8 * current + 0.2 * (matrix @ np.tanh(current) + inputs[t])
        rates = np.tanh(current)
        if t % 2 == 1:
            gain = inverse @ rates
            share = 1 / (1 + rates @ gain)
            inverse = inverse - share * np.outer(gain, gain)
            change = -(readout @ rates - target) * gain * share
            readout, matrix = readout + change, matrix + np.tile(change, (15, 1))
    np.testing.assert_allclose(after["recurrent_weights"], matrix, rtol=0, atol=1e-8)
    np.testing.assert_allclose(after["output_weights"][0], readout, rtol=0, atol=1e-8)


@pytest.mark.slow
def test_a_signal_is_learned_and_kept_by_a_network_without_feedback():
    model = CurrentRNN(units=150, tau=10.0, recurrent_gain=1.5, bias=False, output_bias=False)
    task = SIGNAL.replace(period=200.0)
    rule = FORCE(internal=True, carry=True, steps=60)
    [net] = at.train(task, model, rule, seed=1, progress=False).networks
    ten = task.replace(periods=10).sample(1)
    error = np.sqrt(((net(ten.inputs) - ten.targets) ** 2).mean() / (ten.targets**2).mean())
    assert error < 0.05
    np.testing.assert_array_equal(rule.adapt(model).build(1, 1).output_weights, 0)
    assert not net.model.has_feedback


def test_networks_have_errors_of_their_own_and_come_back(tmp_path):
    rule = FORCE(internal=True, steps=3)
    model = RateRNN(units=8)
    state = Population(SIGNAL, rule.adapt(model), rule, 2, 0).initial_state()
    first, second = np.asarray(state.rule["error_weights"])
    assert np.abs(first - second).max() > 0.1
    run = at.train(SIGNAL, model, rule, nets=2, path=tmp_path / "run", progress=False)
    back = at.load(tmp_path / "run")
    assert back.rule == rule
    for ours, theirs in zip(run.networks, back.networks, strict=True):
        np.testing.assert_array_equal(ours.recurrent_weights, theirs.recurrent_weights)
        np.testing.assert_array_equal(ours.bias, theirs.bias)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (GRU(units=4), "internal FORCE cannot train this GRU; allowed: RateRNN, CurrentRNN"),
        (LowRankRNN(units=4), "cannot train this LowRankRNN.*without a rank"),
        (RateRNN(units=4, feedback=True), "cannot train this RateRNN.*and feedback"),
        (RateRNN(units=4, constraints=Constraints(density=0.5)), "without a rank, constraints"),
        (CurrentRNN(units=4, bias=False, bias_inside=True), "bias_inside = True: False"),
        (CurrentRNN(units=4, read="currents"), "read = 'currents': 'rates'"),
        (RateRNN(units=4, trainable=("output_weights",)), "leaves out 'recurrent_weights'"),
        (
            RateRNN(
                units=4, trainable=("output_weights", "recurrent_weights", "output_bias"), bias=True
            ),
            "leaves out 'bias', which internal FORCE trains",
        ),
    ],
)
def test_models_that_it_cannot_train_are_refused(model, said):
    with pytest.raises(at.InvalidSetting, match=said):
        at.train(SIGNAL, model, FORCE(internal=True), progress=False)
