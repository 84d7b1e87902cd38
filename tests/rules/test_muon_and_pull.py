"""Muon's direction, and the pull of the recurrent weights towards an orthogonal matrix."""

from __future__ import annotations

from functools import partial

import jax
import numpy as np
import pytest
from rules.plain_training import MODEL, batch, first_weights, in_float32, plain_gradient, updated

from attractory.rules import BPTT
from attractory.rules._bptt import pull_to_orthogonal

RECURRENT = "recurrent_weights"
PLAIN = {"schedule": "constant", "warmup": 0, "clip": None}


def soft_threshold(matrix, amount):
    """Every singular value moved towards 1 by `amount`, or to 1 if it is closer."""
    u, s, vt = np.linalg.svd(matrix)
    moved = [1.0 if abs(x - 1) <= amount else x - amount if x > 1 else x + amount for x in s]
    return u @ np.diag(moved) @ vt


def pulled(matrix, amount):
    with jax.enable_x64(True):
        return np.asarray(pull_to_orthogonal(np.asarray(matrix, np.float64), amount))


def test_first_muon_step_is_the_orthogonal_factor_of_the_gradient():
    rule = BPTT(optimizer="muon", learning_rate=0.1, **PLAIN)
    weights, _ = updated(rule, 1)[0]
    step = (first_weights()[RECURRENT] - weights[RECURRENT]) / 0.1
    u, s, vt = np.linalg.svd(plain_gradient(first_weights(), batch(0))[RECURRENT])
    assert s[-1] > 0.02 * s[0]  # else Newton-Schulz may not have got there
    in_gradients_frame = u.T @ step @ vt.T
    sizes = np.diag(in_gradients_frame)
    assert sizes.min() > 0.6
    assert sizes.max() < 1.3
    np.testing.assert_allclose(in_gradients_frame - np.diag(sizes), 0, atol=0.02)


def test_with_muon_the_biases_go_by_adam():
    rule = BPTT(optimizer="muon", learning_rate=0.1, **PLAIN)
    weights, _ = updated(rule, 1)[0]
    gradient = plain_gradient(first_weights(), batch(0))
    for name in ("bias", "output_bias"):  # Adam's first step has the length of the rate
        expected = first_weights()[name] - 0.1 * np.sign(gradient[name])
        np.testing.assert_allclose(weights[name], expected, atol=1e-4)


@pytest.mark.parametrize("amount", [0.0, 0.1, 0.5, 3.0])
def test_pull_moves_the_singular_values_towards_1(amount):
    matrix = np.random.default_rng(0).normal(size=(6, 6)) / 2
    np.testing.assert_allclose(pulled(matrix, amount), soft_threshold(matrix, amount), atol=1e-10)


def test_pull_in_float32_is_as_exact_as_float32_allows():
    matrix = np.random.default_rng(1).normal(size=(40, 40)) / np.sqrt(40)
    found = pull_to_orthogonal(matrix.astype(np.float32), 0.2)
    np.testing.assert_allclose(found, soft_threshold(matrix, 0.2), atol=2e-3)
    near = np.linalg.qr(matrix)[0] + 1e-3 * matrix
    found = pull_to_orthogonal(near.astype(np.float32), 1e-3)
    np.testing.assert_allclose(found, soft_threshold(near, 1e-3), atol=3e-6)


def test_pull_leaves_an_orthogonal_matrix_where_it_is():
    orthogonal = np.linalg.qr(np.random.default_rng(2).normal(size=(6, 6)))[0]
    np.testing.assert_allclose(pulled(orthogonal, 0.3), orthogonal, atol=1e-12)


def test_pull_is_the_proximal_operator_of_the_nuclear_distance_to_the_polar_factor():
    rng = np.random.default_rng(3)
    matrix, amount = rng.normal(size=(5, 5)) / 1.5, 0.3
    u, _, vt = np.linalg.svd(matrix)
    nearest = u @ vt

    def cost(x):
        distance = np.linalg.norm(x - nearest, "nuc")
        return amount * distance + np.sum((x - matrix) ** 2) / 2

    best = pulled(matrix, amount)
    for size in (1e-3, 1e-2, 0.1, 1.0):
        for _ in range(100):
            change = size * rng.normal(size=(5, 5))
            # the cost is convex with curvature 1: this holds at its minimum and nowhere else
            assert cost(best + change) >= cost(best) + np.sum(change**2) / 2 - 1e-9


def test_pull_is_due_every_few_updates_and_then_as_much_longer():
    plain = BPTT(optimizer="sgd", learning_rate=0.1, **PLAIN)
    rule = plain.replace(orthogonal_pull=0.7, pull_every=2)
    weights, batches = first_weights(), [batch(0)] * 3
    found, unpulled = (updated(r, 3, weights=weights, batches=batches) for r in (rule, plain))
    np.testing.assert_array_equal(found[0][0][RECURRENT], unpulled[0][0][RECURRENT])
    expected = soft_threshold(np.float64(unpulled[1][0][RECURRENT]), 2 * 0.7 * 0.1)
    np.testing.assert_allclose(found[1][0][RECURRENT], expected, atol=1e-5)
    for name in set(weights) - {RECURRENT}:
        np.testing.assert_array_equal(found[1][0][name], unpulled[1][0][name])


def test_pull_goes_by_the_rate_of_the_recurrent_weights_and_is_slowed_with_it():
    plain = BPTT(optimizer="sgd", learning_rate=0.1, recurrent_learning_rate=0.01, **PLAIN)
    rule = plain.replace(orthogonal_pull=5.0)
    before = in_float32(first_weights())

    @partial(jax.jit, static_argnums=0)
    def recurrent_after(which, factor):
        state = which.slowed(which.init(MODEL, before, jax.random.key(0)), factor)
        return which.update(MODEL, before, state, batch(0), 0, jax.random.key(0))[0][RECURRENT]

    for factor in (1.0, 0.5):
        unpulled = np.float64(recurrent_after(plain, factor))
        expected = soft_threshold(unpulled, 5.0 * 0.01 * factor)
        np.testing.assert_allclose(recurrent_after(rule, factor), expected, atol=1e-5)
