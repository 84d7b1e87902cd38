"""One update of BPTT against optimisers written by hand on finite differences."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from rules.plain_training import (
    MODEL,
    batch,
    first_weights,
    in_float32,
    norm,
    plain_gradient,
    plain_loss,
    updated,
)

from attractory.kernels import Shards
from attractory.rules import BPTT

RATE = 0.05
PLAIN = {"schedule": "constant", "warmup": 0, "clip": None, "learning_rate": RATE}
RECURRENT = "recurrent_weights"


def adam_by_hand(n, rate=RATE):
    """Kingma & Ba (2014), algorithm 1, with the constants proposed there."""
    weights = first_weights()
    m = dict.fromkeys(weights, 0.0)
    v = dict.fromkeys(weights, 0.0)
    path = []
    for step in range(1, n + 1):
        gradient = plain_gradient(weights, batch(step - 1))
        for name, g in gradient.items():
            m[name] = 0.9 * m[name] + 0.1 * g
            v[name] = 0.999 * v[name] + 0.001 * g**2
            change = m[name] / (1 - 0.9**step) / (np.sqrt(v[name] / (1 - 0.999**step)) + 1e-8)
            weights[name] = weights[name] - rate * change
        path.append({name: w.copy() for name, w in weights.items()})
    return path


def sgd_by_hand(n, rates, clip=None):
    """Heavy-ball momentum 0.9."""
    weights = first_weights()
    speed = dict.fromkeys(weights, 0.0)
    path = []
    for step in range(n):
        gradient = plain_gradient(weights, batch(step))
        scale = 1.0 if clip is None else min(1.0, clip / norm(gradient))
        for name, g in gradient.items():
            speed[name] = 0.9 * speed[name] + scale * g
            weights[name] = weights[name] - rates[step] * speed[name]
        path.append({name: w.copy() for name, w in weights.items()})
    return path


def assert_same_path(found, expected, atol):
    for (weights, _), plain in zip(found, expected, strict=True):
        for name, w in plain.items():
            np.testing.assert_allclose(weights[name], w, rtol=0, atol=atol, err_msg=name)


def test_adam_equals_adam_by_hand():
    found = updated(BPTT(optimizer="adam", **PLAIN), 4)
    assert_same_path(found, adam_by_hand(4), atol=1e-3 * RATE)


def test_sgd_equals_momentum_by_hand():
    found = updated(BPTT(optimizer="sgd", **PLAIN), 4)
    assert_same_path(found, sgd_by_hand(4, rates=4 * [RATE]), atol=2e-6)


def test_the_schedule_sets_the_rate_of_every_update():
    rule = BPTT(optimizer="sgd", **{**PLAIN, "schedule": "inverse_time"}, decay=0.5)
    rates = [RATE / (1 + 0.5 * step) for step in range(4)]
    assert_same_path(updated(rule, 4), sgd_by_hand(4, rates), atol=2e-6)


def test_clip_scales_a_long_gradient_down_and_leaves_a_short_one():
    lengths = [norm(plain_gradient(first_weights(), batch(0)))]
    for clip in (0.2 * lengths[0], 5.0 * lengths[0]):
        rule = BPTT(optimizer="sgd", **{**PLAIN, "clip": clip})
        assert_same_path(updated(rule, 2), sgd_by_hand(2, 2 * [RATE], clip), atol=2e-6)


@pytest.mark.parametrize("clip", [None, 1e-3])
def test_metrics_are_the_loss_before_the_update_and_the_norm_before_clipping(clip):
    rule = BPTT(optimizer="sgd", **{**PLAIN, "clip": clip})
    _, metrics = updated(rule, 1)[0]
    expected = plain_loss(first_weights(), batch(0))
    assert float(metrics["loss"]) == pytest.approx(expected, rel=1e-5)
    gradient = plain_gradient(first_weights(), batch(0))
    assert float(metrics["gradient_norm"]) == pytest.approx(norm(gradient), rel=1e-5)


def test_recurrent_weights_can_have_an_optimiser_and_a_rate_of_their_own():
    rule = BPTT(optimizer="adam", **PLAIN, recurrent_optimizer="sgd", recurrent_learning_rate=0.2)
    weights, _ = updated(rule, 1)[0]
    sgd, adam = sgd_by_hand(1, [0.2])[0], adam_by_hand(1)[0]
    for name, found in weights.items():
        expected = sgd if name == RECURRENT else adam
        np.testing.assert_allclose(found, expected[name], rtol=0, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("optimizer", ["adam", "muon", "sgd"])
@pytest.mark.parametrize("trainable", [("recurrent_weights",), ("output_weights", "output_bias")])
def test_only_trainable_weights_change(optimizer, trainable):
    model = MODEL.replace(trainable=trainable)
    rule = BPTT(optimizer=optimizer, **PLAIN, orthogonal_pull=0.5)
    weights, _ = updated(rule, 2, model=model)[-1]
    before = in_float32(first_weights())
    assert weights.keys() == before.keys()
    for name, found in weights.items():
        if name in trainable:
            assert np.abs(found - before[name]).max() > 1e-4
        else:
            np.testing.assert_array_equal(found, before[name])


def test_targets_that_the_mask_leaves_out_change_nothing():
    trials = batch(0)
    assert 0 < np.sum(trials.mask == 0) < trials.mask.size
    spoiled = trials._replace(targets=np.where(trials.mask == 0, 1e3, trials.targets))
    rule = BPTT(optimizer="sgd", **PLAIN)
    (weights, metrics), (other, other_metrics) = (
        updated(rule, 1, batches=[b])[0] for b in (trials, spoiled)
    )
    assert metrics["loss"] == other_metrics["loss"]
    assert metrics["gradient_norm"] == other_metrics["gradient_norm"]
    for name in weights:
        np.testing.assert_array_equal(weights[name], other[name])


def test_a_batch_that_counts_nothing_changes_nothing():
    trials = batch(0)
    weights, metrics = updated(
        BPTT(optimizer="sgd", **PLAIN), 1, batches=[trials._replace(mask=0 * trials.mask)]
    )[0]
    assert (metrics["loss"], metrics["gradient_norm"]) == (0, 0)
    for name, before in in_float32(first_weights()).items():
        np.testing.assert_array_equal(weights[name], before)


def test_slowed_halves_the_step():
    rule = BPTT(optimizer="sgd", **PLAIN)
    before = in_float32({**first_weights(), "bias": np.zeros(4), "output_bias": np.zeros(2)})
    state = rule.init(MODEL, before, jax.random.key(0))
    update = jax.jit(lambda s: rule.update(MODEL, before, s, batch(0), 0, jax.random.key(0))[0])
    slower = rule.slowed(state, 0.5)
    whole, half, quarter = (update(s) for s in (state, slower, rule.slowed(slower, 0.5)))
    for name in ("bias", "output_bias"):  # they start at 0: the step is exact
        np.testing.assert_array_equal(half[name], 0.5 * whole[name])
        np.testing.assert_array_equal(quarter[name], 0.25 * whole[name])
    for name, w in before.items():
        np.testing.assert_allclose(half[name] - w, 0.5 * (whole[name] - w), atol=3e-7)


def test_a_batch_split_over_an_axis_gives_the_update_of_the_whole():
    rule = BPTT(optimizer="sgd", **PLAIN)
    before, trials = in_float32(first_weights()), batch(0)
    state = rule.init(MODEL, before, jax.random.key(0))
    halves = jax.tree.map(lambda x: x.reshape(2, 1, 3, *x.shape[1:]), trials)

    def update(part):
        shards = Shards(total=2, here=1, axis="parts")
        return rule.update(MODEL, before, state, part, 0, jax.random.key(0), shards)

    found, _, metrics = jax.jit(jax.vmap(update, axis_name="parts"))(halves)
    expected = sgd_by_hand(1, [RATE])[0]
    for part in range(2):
        assert float(metrics["loss"][part]) == pytest.approx(
            plain_loss(first_weights(), trials), rel=1e-5
        )
        for name, w in expected.items():
            np.testing.assert_allclose(found[name][part], w, rtol=0, atol=2e-6)
