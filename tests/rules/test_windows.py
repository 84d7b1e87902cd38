"""Truncated backpropagation: gradients go back through a window, everything else stays as it is."""

from __future__ import annotations

import signal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from few import few
from rules.plain_training import (
    INPUTS,
    MODEL,
    OUTPUTS,
    STEPS,
    TRIALS,
    UNITS,
    batch,
    first_weights,
    in_float32,
    updated,
)

import attractory as at
from attractory.models import GRU, CurrentRNN, Custom, Model, RateRNN, Stacked
from attractory.rules import BPTT
from attractory.rules._gradient_growth import gradient_growth
from attractory.tasks import Batch
from attractory.training import Population

RATE = 0.05
NOTHING = np.zeros((TRIALS, UNITS))
SGD = {"optimizer": "sgd", "schedule": "constant", "warmup": 0, "clip": None, "learning_rate": RATE}


def states_by_hand(weights, x, start):
    states = []
    for now in x:
        drive = weights["recurrent_weights"] @ start + weights["input_weights"] @ now
        start = 0.5 * start + 0.5 * np.tanh(drive + weights["bias"])
        states.append(start)
    return np.array(states)


def gradient_by_hand(weights, trials, window=STEPS, starts=NOTHING):
    """Finite differences of the loss, the states at the beginnings of windows held."""
    given = [np.asarray(a, np.float64) for a in trials]
    held = [states_by_hand(weights, x, h) for x, h in zip(given[0], starts, strict=True)]

    def loss(weights):
        total = 0.0
        for x, y, m, states, start in zip(*given, held, starts, strict=True):
            for begin in range(0, STEPS, window):
                now = slice(begin, begin + window)
                before = states[begin - 1] if begin else start
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


@pytest.mark.parametrize("name", few(list(MODELS), list(MODELS)[:2]))
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


def test_carried_trials_begin_where_those_before_ended():
    """The second update by finite differences, from where the first trials ended by hand."""
    weights, first, second = first_weights(), batch(0), batch(1)
    rule = BPTT(carry=True, batch=TRIALS, **SGD)
    state = rule.init(MODEL, in_float32(weights), jax.random.key(0))
    update = jax.jit(
        lambda s, b: rule.update(MODEL, in_float32(weights), s, b, 0, jax.random.key(0))
    )
    ends = np.array([states_by_hand(weights, x, np.zeros(UNITS))[-1] for x in first.inputs])
    _, after, info = update(state, first)
    np.testing.assert_allclose(after["lanes"], ends, atol=1e-6)
    _, of_whole = updated(BPTT(**SGD), 1)[0]
    assert float(info["loss"]) == pytest.approx(float(of_whole["loss"]), rel=1e-6)
    found, _, _ = update({**state, "lanes": after["lanes"]}, second)
    for name, gradient in gradient_by_hand(weights, second, starts=ends).items():
        expected = weights[name] - RATE * gradient
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=2e-6, err_msg=name)


@pytest.mark.slow
def test_penalties_are_of_carried_trials_too():
    """Two trials one after the other cost what one trial of twice the length costs."""
    model = GRU(units=3)
    weights = in_float32(model.build(INPUTS, OUTPUTS, seed=3).weights)
    penalties = {"rates_l2": 0.1, "vanishing_gradient": 0.0}
    rule = BPTT(carry=True, batch=TRIALS, penalties=penalties, **{**SGD, "learning_rate": 1e-30})
    parts = [
        Batch(*(np.ones_like(a) if a is b.mask else a for a in b)) for b in (batch(0), batch(1))
    ]
    joined = Batch(*(np.concatenate(both, axis=1) for both in zip(*parts, strict=True)))
    _, whole = updated(rule, 1, model, weights, [joined])[0]
    two = [info for _, info in updated(rule, 2, model, weights, parts)]
    for key in ("loss", "rates_l2"):
        mean = np.mean([float(info[key]) for info in two])
        assert mean == pytest.approx(float(whole[key]), rel=1e-5)
    states = model.run(weights, joined.inputs)[0]
    start = states[STEPS - 1]
    alone = gradient_growth(
        model, weights, jnp.swapaxes(parts[1].inputs, 0, 1), states[STEPS:],
        2 * (model.run(weights, joined.inputs)[1][:, STEPS:] - parts[1].targets), start,
    )  # fmt: skip
    expected = float(jnp.mean((alone - 1) ** 2))
    assert float(two[1]["vanishing_gradient"]) == pytest.approx(expected, rel=1e-4)


def test_carried_training_goes_on_bit_for_bit(tmp_path, monkeypatch):
    task = at.tasks.FlipFlop(bits=1, steps=40, first_onset=(5, 10), pulse=4, delay=4)
    rule = BPTT(carry=True, window=15, steps=6, batch=4)

    def train(**more):
        return at.train(task, RateRNN(units=4, recurrent_noise=0.1), rule, progress=False, **more)

    whole = train()
    update, calls = Population.update, []

    def interrupted(*arguments):
        calls.append(None)
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)
        return update(*arguments)

    monkeypatch.setattr(Population, "update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(path=tmp_path / "run")
    again = train(path=tmp_path / "run")
    assert len(calls) == 6
    assert list(again.history["loss"]) == list(whole.history["loss"])
    monkeypatch.setattr("attractory.training._population.jax.devices", lambda: only_device)
    only_device = jax.local_devices()[:1]
    alone = train()  # the same on one device as on two
    for name, array in whole.networks[0].weights.items():
        np.testing.assert_array_equal(array, again.networks[0].weights[name])
        np.testing.assert_array_equal(array, alone.networks[0].weights[name])


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
