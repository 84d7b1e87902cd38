"""A rule of one's own that finds a direction and leaves the step to `Descent`."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rules.plain_training import MODEL, batch, first_weights, in_float32, plain_gradient, updated

import attractory as at
from attractory.rules import BPTT, Descent

RATE = 0.05
PLAIN = {"schedule": "constant", "warmup": 0, "clip": None, "learning_rate": RATE}


class Signs(Descent):
    """Along the signs of the gradient, whatever its size."""

    size: float = 1.0

    def update(self, model, weights, state, trials, step, key, shards=None):
        def loss(weights):
            return self.error(model, weights, trials, key) / jnp.sum(trials.mask)

        value, gradients = jax.value_and_grad(loss)(weights)
        directions = {name: self.size * jnp.sign(g) for name, g in gradients.items()}
        values = {"loss": value}
        return self.descended(model, weights, state, values, directions, step, key, shards)


def test_its_direction_goes_through_the_optimiser():
    rule = Signs(optimizer={"name": "sgd", "momentum": 0.0}, **PLAIN, weight_decay=0.3)
    weights, info = updated(rule, 1)[0]
    before = in_float32(first_weights())
    for name, g in plain_gradient(first_weights(), batch(0)).items():
        expected = before[name] - RATE * np.sign(g) - RATE * 0.3 * before[name]
        np.testing.assert_allclose(weights[name], expected, rtol=0, atol=1e-6, err_msg=name)
    entries = sum(w.size for w in before.values())
    assert float(info["gradient_norm"]) == pytest.approx(np.sqrt(entries))


def test_a_direction_that_is_not_finite_is_a_loss_that_is_not():
    _, info = updated(Signs(**{**PLAIN, "clip": 1.0}, size=1e38), 1)[0]
    assert np.isnan(info["loss"])


def test_it_can_be_slowed_and_has_the_rates_of_every_descent():
    rule = Signs(steps=100, schedule="linear", final_rate=0.1, warmup=5)
    same = BPTT(steps=100, schedule="linear", final_rate=0.1, warmup=5)
    assert [rule.rate(step) for step in range(99)] == [same.rate(step) for step in range(99)]
    state = rule.init(MODEL, in_float32(first_weights()), jax.random.key(0))
    assert float(rule.slowed(rule.slowed(state, 0.5), 0.5)["rate_factor"]) == 0.25


def test_its_settings_are_checked_like_those_of_bptt():
    with pytest.raises(at.InvalidSetting, match="Signs: optimizer 'adm' is unknown"):
        Signs(optimizer="adm")
