"""full-FORCE beside the loop written out in NumPy, with P by a matrix inverse."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import attractory as at
from attractory.models import GRU, CurrentRNN, LowRankRNN, RateRNN
from attractory.rules import FullFORCE
from attractory.training import Population

SIGNAL = at.tasks.SumOfSinusoids(period=60.0, amplitudes=(1.0, 0.4), sigma=0.5)


def doubled(inputs, targets):
    """Two hints: twice the target, and the input of the step."""
    return jnp.concatenate([2 * targets, inputs], axis=1)


@pytest.mark.parametrize("kind", [RateRNN, CurrentRNN])
def test_an_update_is_the_published_loop(kind):
    model = kind(units=12, tau=5.0, recurrent_gain=0.7, bias=True, trained_start=True)
    rule = FullFORCE(alpha=0.5, every=3, carry=True, hints=doubled)
    population = Population(SIGNAL, model, rule, 1, 4)
    before = population.initial_state()
    after, info = population.update(before, np.ones(1, bool), 0)
    w = {name: np.asarray(array[0], np.float64) for name, array in before.weights.items()}
    own = {name: np.asarray(array[0]) for name, array in before.rule.items()}
    key = jax.random.fold_in(population.keys.trials[0], 0)
    trials = SIGNAL.batch(at.tasks.trial_keys(key, jnp.arange(1)))
    inputs = np.asarray(trials.inputs[0], np.float64)
    targets = SIGNAL.signal()[:, None]
    said = np.asarray(jnp.concatenate([targets, doubled(inputs, targets)], axis=1))
    of_currents, leak = kind is CurrentRNN, 0.2

    def moved(state, recurrent, heard):
        drive = recurrent @ (np.tanh(state) if of_currents else state) + heard + w["bias"]
        return (1 - leak) * state + leak * (drive if of_currents else np.tanh(drive))

    solved = start = np.r_[w["recurrent_weights"], w["output_weights"]]
    state = teacher = own["kick"].astype(np.float64)
    seen, wanted, errors = [], [], []
    for t in range(60):
        from_inputs = w["input_weights"] @ inputs[t]
        told = own["teacher_targets"] @ said[max(t - 1, 0)]
        state = moved(state, solved[:12], from_inputs)
        teacher = moved(teacher, own["teacher_recurrent"], from_inputs + told)
        rates, taught = (np.tanh(s) if of_currents else s for s in (state, teacher))
        errors.append(solved[12:] @ rates + w["output_bias"] - targets[t])
        if (t + 1) % 3 == 0:
            sums = own["teacher_recurrent"] @ taught + own["teacher_targets"] @ said[t]
            seen.append(rates)
            wanted.append(np.r_[sums, targets[t] - w["output_bias"]])
            r, f = np.array(seen), np.array(wanted)
            inverse = np.linalg.inv(0.5 * np.eye(12) + r.T @ r)
            solved = start + (inverse @ r.T @ (f - r @ start.T)).T
    found = {name: np.asarray(array[0]) for name, array in after.weights.items()}
    close = {"rtol": 0, "atol": 5e-4}
    np.testing.assert_allclose(found["recurrent_weights"], solved[:12], **close)
    np.testing.assert_allclose(found["output_weights"], solved[12:], **close)
    np.testing.assert_allclose(found["initial_state"], state, **close)
    np.testing.assert_allclose(np.asarray(after.rule["teacher_state"][0]), teacher, **close)
    p = np.asarray(after.rule["inverse"])[0].view(np.float64)[..., 0]
    np.testing.assert_allclose(p, inverse, **close)
    assert float(info["loss"][0]) == pytest.approx(np.mean(np.square(errors)), rel=1e-3)
    for name in ("input_weights", "bias", "output_bias"):
        np.testing.assert_array_equal(found[name], w[name])


@pytest.mark.slow
def test_a_signal_is_learned_by_a_network_without_feedback():
    model = CurrentRNN(units=80, tau=10.0, recurrent_gain=0.0, bias=False, output_bias=False)
    task = SIGNAL.replace(period=200.0, sigma=0.0)
    run = at.train(task, model, FullFORCE(carry=True, steps=30), seed=1, progress=False)
    ten = task.replace(periods=10).sample(1)
    [net] = run.networks
    error = np.sqrt(((net(ten.inputs) - ten.targets) ** 2).mean() / (ten.targets**2).mean())
    assert error < 0.05
    assert not net.model.has_feedback


@pytest.mark.parametrize(
    ("rule", "model", "said"),
    [
        (FullFORCE(), GRU(units=4), "full-FORCE cannot train this GRU; allowed: RateRNN"),
        (FullFORCE(), LowRankRNN(units=4), "cannot train this LowRankRNN.*without a rank"),
        (FullFORCE(), RateRNN(units=4, feedback=True), "cannot train this RateRNN"),
        (FullFORCE(), CurrentRNN(units=4, bias_inside=True), "bias_inside = True: False"),
        (FullFORCE(), RateRNN(units=4, trainable=("output_weights",)), "'recurrent_weights', whi"),
        (FullFORCE(hints=lambda x, f: f[0]), RateRNN(units=4), r"something of shape \(1,\)"),
    ],
)
def test_what_it_cannot_train_is_refused(rule, model, said):
    with pytest.raises(at.InvalidSetting, match=said):
        at.train(SIGNAL, model, rule, progress=False)


def test_settings_that_are_none_are_refused():
    with pytest.raises(at.InvalidSetting, match="teacher_gain = 0.0 is not allowed"):
        FullFORCE(teacher_gain=0.0)
    with pytest.raises(at.InvalidSetting, match="alpha = 0.0 is not allowed"):
        FullFORCE(alpha=0.0)
