"""Truncated backpropagation: gradients go back through a window, everything else stays as it is."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rules.plain_training import (
    INPUTS,
    MODEL,
    OUTPUTS,
    STEPS,
    TRIALS,
    batch,
    first_weights,
    in_float32,
    updated,
)

import attractory as at
from attractory.models import GRU, CurrentRNN, Custom, Model, RateRNN, Stacked
from attractory.rules import BPTT
from attractory.tasks import Batch

RATE = 0.05
SGD = {"optimizer": "sgd", "schedule": "constant", "warmup": 0, "clip": None, "learning_rate": RATE}


def states_by_hand(weights, x, start):
    states = []
    for now in x:
        drive = weights["recurrent_weights"] @ start + weights["input_weights"] @ now
        start = 0.5 * start + 0.5 * np.tanh(drive + weights["bias"])
        states.append(start)
    return np.array(states)


def gradient_by_hand(weights, trials, window):
    """Finite differences of the loss, the states at the beginnings of windows held."""
    given = [np.asarray(a, np.float64) for a in trials]
    nothing = np.zeros(len(weights["bias"]))
    held = [states_by_hand(weights, x, nothing) for x in given[0]]

    def loss(weights):
        total = 0.0
        for x, y, m, states in zip(*given, held, strict=True):
            for begin in range(0, STEPS, window):
                now = slice(begin, begin + window)
                before = states[begin - 1] if begin else nothing
                h = states_by_hand(weights, x[now], before)
                z = h @ weights["output_weights"].T + weights["output_bias"]
                total += np.sum(m[now] * (z - y[now]) ** 2)
        return total / np.sum(given[2])

    def slope(name, index):
        moved = {end: weights[name].copy() for end in (1e-5, -1e-5)}
        for end, array in moved.items():
            array[index] += end
        up, down = (loss({**weights, name: array}) for array in moved.values())
        return (up - down) / 2e-5

    return {
        name: np.array([slope(name, i) for i in np.ndindex(array.shape)]).reshape(array.shape)
        for name, array in weights.items()
    }


@pytest.mark.parametrize("window", [1, 2, 3])
def test_an_update_is_that_of_finite_differences_within_windows(window):
    weights, trials = first_weights(), batch(0)
    found, info = updated(BPTT(window=window, **SGD), 1)[0]
    whole, of_whole = updated(BPTT(**SGD), 1)[0]
    for name, gradient in gradient_by_hand(weights, trials, window).items():
        expected = weights[name] - RATE * gradient
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=2e-6, err_msg=name)
    assert np.abs(found["recurrent_weights"] - whole["recurrent_weights"]).max() > 1e-4
    assert float(info["loss"]) == pytest.approx(float(of_whole["loss"]), rel=1e-6)


def noisy_step(weights, state, x, key):
    drive = weights["recurrent_weights"] @ state + weights["input_weights"] @ x
    return jnp.tanh(drive + (0.0 if key is None else 0.3 * jax.random.normal(key, drive.shape)))


NOISY = {"recurrent_noise": 0.5, "output_noise": 0.3, "tau": 2.0}
MODELS = {
    "rates": RateRNN(units=4, trained_start=True, **NOISY),
    "feedback": RateRNN(units=4, feedback=True, **NOISY),
    "low rank": RateRNN(units=4, rank=2, **NOISY),
    "currents": CurrentRNN(units=4, trained_start=True, **NOISY),
    "own": Custom(step=noisy_step, units=4),
    "layers": Stacked(layers=(GRU(units=3), CurrentRNN(units=4, **NOISY)), output_noise=0.2),
}


def update_of(model, **settings):
    weights = model.build(INPUTS, OUTPUTS, seed=3).weights
    return updated(BPTT(**{**SGD, **settings}), 1, model=model, weights=in_float32(weights))[0]


@pytest.mark.parametrize("name", MODELS)
def test_noise_and_loss_do_not_depend_on_the_window(name):
    penalties = {"penalties": {"rates_l2": 0.1, "rates_change": 0.1}}
    whole, of_whole = update_of(MODELS[name], **penalties)
    same, of_same = update_of(MODELS[name], window=STEPS, **penalties)
    short, of_short = update_of(MODELS[name], window=2, **penalties)
    for key in whole:  # one window as long as a trial: bit for bit
        np.testing.assert_array_equal(whole[key], same[key])
    assert of_whole == of_same
    for key in ("loss", "rates_l2", "rates_change"):
        assert float(of_short[key]) == pytest.approx(float(of_whole[key]), rel=1e-5)
    assert any(np.abs(short[key] - whole[key]).max() > 1e-5 for key in whole)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_precision_is_kept_in_windows(precision):
    model = RateRNN(units=32, tau=2.0)
    short, of_short = update_of(model, window=3, precision=precision)
    _, of_whole = update_of(model, precision=precision)
    assert float(of_short["loss"]) == pytest.approx(float(of_whole["loss"]), rel=1e-6)
    other, _ = update_of(model, window=3, precision="float32")
    same = np.array_equal(short["recurrent_weights"], other["recurrent_weights"])
    assert same == (precision == "float32" or model.bfloat16_missing() is not None)


def test_the_program_is_as_long_for_many_windows_as_for_two():
    def length(steps):
        trials = Batch(*(np.zeros((TRIALS, steps, n), np.float32) for n in (2, 2, 2)))
        rule, weights = BPTT(window=4, **SGD), in_float32(first_weights())
        state = rule.init(MODEL, weights, jax.random.key(0))
        made = jax.make_jaxpr(
            lambda b: rule.update(MODEL, weights, state, b, 0, jax.random.key(0))
        )(trials)
        return str(made).count("=")

    assert length(9) == length(81)


class Own(Model):
    """A user's cell with a sequence of its own."""

    units: int = 3

    def cell_shapes(self, n_inputs):
        return {"input_weights": (self.units, n_inputs)}

    def cell_init(self, key, input_key, n_inputs):
        return {"input_weights": jax.random.normal(input_key, (self.units, n_inputs))}

    def step(self, weights, state, x, key=None):
        return state + weights["input_weights"] @ x

    def cell_states(self, weights, inputs, initial_state, key=None):
        return initial_state + jnp.cumsum(inputs @ weights["input_weights"].T, axis=0)


def test_wrong_windows_are_refused_in_one_line():
    with pytest.raises(at.InvalidSetting, match=r"window = 0 is not allowed"):
        BPTT(window=0)
    task = at.tasks.FlipFlop(bits=1, steps=40, first_onset=(5, 10), pulse=4, delay=4)
    for model in (Own(), Stacked(layers=(Own(), GRU(units=2)))):
        with pytest.raises(at.InvalidSetting, match=r"window = 5 .* Own: its cell_states\(\)"):
            at.train(task, model, BPTT(window=5, steps=1, batch=2), progress=False)
    at.train(task, Own(), BPTT(window=40, steps=1, batch=2), progress=False)
