"""Noise on the gradients: its size, where it is added, and that devices draw the same."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rules.plain_training import MODEL as SMALL
from rules.plain_training import batch, first_weights, in_float32

import attractory as at
from attractory.kernels import Shards
from attractory.models import Constraints, RateRNN
from attractory.rules import BPTT

ETA = 0.3
PLAIN = {
    "optimizer": {"name": "sgd", "momentum": 0.0},
    "schedule": "constant",
    "warmup": 0,
    "learning_rate": 1.0,
    "gradient_noise": ETA,
}
MODEL = RateRNN(units=60)
KEY = jax.random.key(3)


def moved(rule, model=MODEL, step=0, key=KEY, gradient=0.0):
    """What an update adds to the weights, all of them with this gradient."""
    weights = model.init(jax.random.key(0), 2, 1)
    trained = [name for name in weights if model.may_train(name)]
    gradients = {name: jnp.full(weights[name].shape, gradient) for name in trained}
    state, values = rule.init(model, weights, key), {"loss": jnp.zeros(())}
    made = rule.descended(model, weights, state, values, gradients, step, key, None)
    return {name: np.asarray(made[0][name] - w) for name, w in weights.items()}, made[2]


@pytest.mark.parametrize("step", [0, 99])
def test_its_variance_falls_as_in_the_paper(step):
    changes, _ = moved(BPTT(**PLAIN), step=step)
    noise = changes["recurrent_weights"].ravel()
    assert np.var(noise) == pytest.approx(ETA / (1 + step) ** 0.55, rel=0.1)  # 4 s.e. of 3600
    assert abs(noise.mean()) < 4 * noise.std() / 60
    # of a normal distribution: 4.55 % are more than two standard deviations away
    assert np.mean(np.abs(noise) > 2 * noise.std()) == pytest.approx(0.0455, abs=0.014)


def test_it_is_added_to_the_clipped_gradient_and_the_norm_is_without_it():
    rule = BPTT(**PLAIN, clip=0.5)
    noise, _ = moved(rule)
    changes, info = moved(rule, gradient=10.0)
    norm = 10.0 * np.sqrt(sum(change.size for change in changes.values()))
    assert float(info["gradient_norm"]) == pytest.approx(norm, rel=1e-5)
    for name, change in changes.items():
        np.testing.assert_allclose(change - noise[name], -10.0 * 0.5 / norm, rtol=1e-2)


def test_it_is_another_for_each_update_weight_and_key():
    rule = BPTT(**PLAIN)
    first, again = moved(rule)[0], moved(rule)[0]
    other = moved(rule, key=jax.random.key(4))[0]
    for name, change in first.items():
        np.testing.assert_array_equal(change, again[name])
    flat = first["recurrent_weights"].ravel()
    assert abs(np.corrcoef(flat, other["recurrent_weights"].ravel())[0, 1]) < 0.07
    inputs = first["input_weights"].ravel()
    assert abs(np.corrcoef(flat[: len(inputs)], inputs)[0, 1]) < 0.4


def test_devices_that_share_a_batch_add_the_same():
    before, trials = in_float32(first_weights()), batch(0)
    rule = BPTT(**PLAIN)
    state = rule.init(SMALL, before, KEY)
    halves = jax.tree.map(lambda x: x.reshape(2, 1, 3, *x.shape[1:]), trials)

    def update(part):
        shards = Shards(total=2, here=1, axis="parts")
        return rule.update(SMALL, before, state, part, 0, KEY, shards)[0]

    found = jax.jit(jax.vmap(update, axis_name="parts"))(halves)
    whole = jax.jit(lambda: rule.update(SMALL, before, state, trials, 0, KEY)[0])()
    for name, w in whole.items():
        np.testing.assert_array_equal(found[name][0], found[name][1])
        np.testing.assert_allclose(found[name][0], w, rtol=0, atol=3e-6)


def test_what_may_not_change_gets_none():
    model = RateRNN(units=60, constraints=Constraints(density=0.5))
    changes, _ = moved(BPTT(**PLAIN), model=model)
    weights = model.init(jax.random.key(0), 2, 1)
    absent = np.asarray(weights["recurrent_weights"]) == 0
    assert 1000 < absent.sum() < 2600
    assert not changes["recurrent_weights"][absent].any()
    assert np.abs(changes["recurrent_weights"][~absent]).min() > 0


def test_a_negative_variance_is_refused():
    with pytest.raises(at.InvalidSetting, match=r"gradient_noise = -1.0.*greater than or equal"):
        BPTT(gradient_noise=-1.0)
