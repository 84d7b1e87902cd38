"""Dropout of units and weight decay, by hand."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from rules.plain_training import first_weights, in_float32, updated

import attractory as at
from attractory.models import GRU, CurrentRNN, LowRankRNN, RateRNN, Stacked
from attractory.rules import BPTT

RATE, DECAY = 0.05, 0.3
PLAIN = {"schedule": "constant", "warmup": 0, "clip": None, "learning_rate": RATE}
INPUTS = np.random.default_rng(0).normal(size=(2, 5, 2)).astype(np.float32)


@pytest.mark.parametrize("optimizer", ["adam", "muon", "sgd"])
def test_weight_decay_takes_a_share_of_the_weights_beside_the_optimisers_change(optimizer):
    before = in_float32(first_weights())
    (plain, _), (decayed, _) = (
        updated(BPTT(optimizer=optimizer, **PLAIN, weight_decay=each), 1)[0] for each in (0, DECAY)
    )
    for name, w in before.items():
        expected = plain[name] - RATE * DECAY * w
        np.testing.assert_allclose(decayed[name], expected, rtol=0, atol=3e-7, err_msg=name)


def test_weight_decay_by_adam_is_adamw():
    rule = BPTT(optimizer="adam", **{**PLAIN, "schedule": "inverse_time"}, decay=0.5,
                weight_decay=DECAY)  # fmt: skip
    transform = rule._optimizer(None)
    other = optax.adamw(lambda step: RATE / (1 + 0.5 * step), weight_decay=DECAY)
    weights = {n: jnp.asarray(w) for n, w in in_float32(first_weights()).items()}
    rng = np.random.default_rng(1)
    found, expected = (weights, transform.init(weights)), (weights, other.init(weights))
    for _ in range(3):
        gradients = {
            n: jnp.asarray(rng.normal(size=w.shape), jnp.float32) for n, w in weights.items()
        }
        found, expected = (
            stepped(each, gradients, *one) for each, one in [(transform, found), (other, expected)]
        )
    for name in weights:
        np.testing.assert_allclose(found[0][name], expected[0][name], rtol=1e-6, atol=1e-7)


def stepped(transform, gradients, weights, state):
    changes, state = transform.update(gradients, state, weights)
    return optax.apply_updates(weights, changes), state


def test_weights_that_are_not_trained_do_not_decay():
    model = at.models.RateRNN(units=4, bias=True, tau=2.0, trainable=("output_weights",))
    weights, _ = updated(BPTT(optimizer="adam", **PLAIN, weight_decay=DECAY), 1, model=model)[0]
    before = in_float32(first_weights())
    np.testing.assert_array_equal(weights["recurrent_weights"], before["recurrent_weights"])
    assert not np.array_equal(weights["output_weights"], before["output_weights"])


# what a network does whose units send `factors` times as much, from its own step
CELLS = {
    "RateRNN": RateRNN(units=4, tau=2.0),
    "LowRankRNN": LowRankRNN(units=4, tau=2.0),
    "CurrentRNN": CurrentRNN(units=4, tau=2.0),
    "GRU": GRU(units=4),
    "Stacked": Stacked(layers=(RateRNN(units=3), CurrentRNN(units=4))),
}


@pytest.mark.parametrize("model", CELLS.values(), ids=CELLS)
def test_a_unit_that_sends_nothing_could_be_any(model):
    """Nothing else depends on its own input weights; half as much is half."""
    weights = model.init(jax.random.key(0), 2, 2)
    factors = np.ones(model.all_units, np.float32)
    factors[1] = 0.0  # of the last layer
    silenced = model.with_sent(weights, jnp.asarray(factors))
    inner = "layer_2." if isinstance(model, Stacked) else ""
    changed = dict(silenced)
    rows = np.asarray(silenced[f"{inner}input_weights"]).copy()
    rows[1::4] += 1.0  # of every gate
    changed[f"{inner}input_weights"] = jnp.asarray(rows)
    one, other = (model.run(w, INPUTS) for w in (silenced, changed))
    np.testing.assert_array_equal(one[1], other[1])
    assert np.abs(np.asarray(one[0] - other[0])[..., 1]).max() > 0.01
    untouched = model.run(
        changed | {f"{inner}input_weights": weights[f"{inner}input_weights"]}, INPUTS
    )
    np.testing.assert_array_equal(untouched[1], one[1])
    assert np.abs(np.asarray(model.run(weights, INPUTS)[1] - one[1])).max() > 1e-3
    half = model.with_sent(weights, 0.5 * jnp.ones(model.all_units))["output_weights"]
    np.testing.assert_array_equal(half, 0.5 * weights["output_weights"])


def test_a_layer_reads_what_the_one_below_sends():
    model = CELLS["Stacked"]
    weights = model.init(jax.random.key(0), 2, 2)
    factors = np.ones(model.all_units, np.float32)
    factors[4:] = 0.0  # the first layer, whose rates are last
    states, _ = model.run(model.with_sent(weights, jnp.asarray(factors)), INPUTS)
    assert np.abs(states[..., 4:]).max() > 0.1
    np.testing.assert_array_equal(states[..., :4], 0.0)


def test_an_update_with_dropout_leaves_the_weights_of_dropped_units_alone():
    rule = BPTT(optimizer="sgd", **PLAIN, dropout=0.25)
    before = in_float32(first_weights())
    weights, metrics = updated(rule, 1)[0]
    moved = {name: np.asarray(w) - before[name] for name, w in weights.items()}
    dropped = ~moved["output_weights"].any(axis=0)
    assert 0 < dropped.sum() < 4
    for name in ("recurrent_weights", "output_weights"):  # what reads them
        assert not moved[name][:, dropped].any()
        assert moved[name][:, ~dropped].any()
    assert not moved["input_weights"][dropped].any()  # and what they read
    assert metrics["loss"] != updated(BPTT(optimizer="sgd", **PLAIN), 1)[0][1]["loss"]


def test_dropout_keeps_the_mean_of_what_is_sent():
    rule = BPTT(dropout=0.25)
    model = RateRNN(units=4000)
    kept = np.asarray(rule._kept(model, {"w": jnp.zeros(1)}, jax.random.key(3)))
    assert set(np.round(np.unique(kept), 5)) == {0, np.float32(np.round(4 / 3, 5))}
    assert kept.mean() == pytest.approx(1.0, abs=0.03)


def test_what_cannot_be_dropped_is_told_before_training():
    def step(weights, state, x):
        return jnp.tanh(weights["recurrent_weights"] @ state + weights["input_weights"] @ x)

    task = at.tasks.FlipFlop(bits=1, steps=40, first_onset=(5, 15), pulse=4, delay=4)
    model = at.models.Custom(step=step, units=4)
    with pytest.raises(at.InvalidSetting, match="Custom does not say which of its weights read"):
        at.train(task, model, BPTT(steps=2, batch=2, dropout=0.1), progress=False)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"dropout": 1.0}, "dropout = 1.0.*less than 1"),
        ({"dropout": -0.1}, "dropout = -0.1"),
        ({"weight_decay": -1.0}, "weight_decay = -1.0.*greater than or equal to 0"),
        ({"weight_decy": 1.0}, "did you mean 'weight_decay'"),
    ],
)
def test_a_wrong_setting_is_one_line(settings, complaint):
    with pytest.raises(at.InvalidSetting, match=complaint):
        BPTT(**settings)
