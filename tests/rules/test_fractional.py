"""Gradient descent of fractional order, against its formula."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from rules.plain_training import first_weights, in_float32, updated
from scipy.special import gamma

from attractory.rules import BPTT

RATE = 0.05
PLAIN = {"schedule": "constant", "warmup": 0, "clip": None, "learning_rate": RATE}
GRADIENTS = in_float32(first_weights(1))


def moved(weights, **settings):
    rule = BPTT(optimizer={"name": "fractional", **settings}, **PLAIN)
    transform = rule._optimizer(None)
    changes, _ = transform.update(GRADIENTS, transform.init(weights), weights)
    return optax.apply_updates(weights, changes)


@pytest.mark.parametrize("order", [0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_step_is_that_of_the_formula(order, share):
    weights = in_float32(first_weights())
    found = moved(weights, order=order, share=share)
    for name, w in weights.items():
        g, w = np.float64(GRADIENTS[name]), np.float64(w)
        fractional = g * np.abs(w) ** (1 - order) / gamma(2 - order)
        expected = w - RATE * ((1 - share) * g + share * fractional)
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=5e-7, err_msg=name)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_order_1_is_gradient_descent_bit_for_bit(share):
    plain = BPTT(optimizer={"name": "sgd", "momentum": 0.0}, **PLAIN)
    rule = plain.replace(optimizer={"name": "fractional", "order": 1.0, "share": share})
    for (found, _), (expected, _) in zip(updated(rule, 3), updated(plain, 3), strict=True):
        for name, w in expected.items():
            np.testing.assert_array_equal(found[name], w)


@pytest.mark.parametrize("order", [0.5, 1.0])
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_weight_of_0_moves_by_the_plain_share_alone(order, share):
    weights = jax.tree.map(jnp.zeros_like, in_float32(first_weights()))
    found = moved(weights, order=order, share=share)
    left = 1.0 if order == 1.0 else 1.0 - share
    for name, g in GRADIENTS.items():
        np.testing.assert_allclose(found[name], -RATE * left * g, rtol=1e-6)
