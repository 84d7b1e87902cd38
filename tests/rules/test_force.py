"""FORCE beside least squares solved by brute force, and beside the loop written out in NumPy."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import attractory as at
from attractory.models import GRU, Constraints, CurrentRNN, LowRankRNN, RateRNN
from attractory.rules import FORCE
from attractory.rules._float64 import as_bits, from_bits
from attractory.rules._least_squares import after_sample, symmetric, with_pending
from attractory.training import Population

SIGNAL = at.tasks.SumOfSinusoids(period=60.0, amplitudes=(1.0, 0.4), sigma=0.0)


def solved(alpha, regressors, targets, start):
    """The ridge solution near the start: P by the inverse of a sum, and the readout from it."""
    inverse = np.linalg.inv(alpha * np.eye(regressors.shape[1]) + regressors.T @ regressors)
    missing = targets - regressors @ start.T
    return inverse, start + (inverse @ regressors.T @ missing).T


def test_recursive_least_squares_are_those_of_a_matrix_inverse():
    """Two outputs, 200 samples in blocks of 7, at every sample, to 1e-8."""
    rng = np.random.default_rng(0)
    regressors, targets = rng.normal(size=(203, 12)), rng.normal(size=(203, 2))
    start, alpha = rng.normal(size=(2, 12)), 0.7
    with jax.enable_x64(True):
        step = jax.jit(after_sample)
        inverse, readout = jnp.eye(12) / alpha, jnp.asarray(start)
        for block in range(0, 203, 7):
            pending = jnp.zeros((7, 12))
            for i in range(block, block + 7):
                given = (regressors[i], targets[i], jnp.ones(2), jnp.ones(()))
                made = step(inverse, pending, readout, *given)
                pending, readout = pending.at[i - block].set(made.factor), made.solved
                _, by_inverse = solved(alpha, regressors[: i + 1], targets[: i + 1], start)
                np.testing.assert_allclose(readout, by_inverse, rtol=0, atol=1e-8)
                after = by_inverse @ regressors[i] - targets[i]
                np.testing.assert_allclose(made.after, after, rtol=0, atol=1e-8)
            inverse = symmetric(with_pending(inverse, pending))
            found = np.asarray(inverse)
            np.testing.assert_array_equal(found, found.T)
            expected, _ = solved(alpha, regressors[: block + 7], targets[: block + 7], start)
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)


def test_float64_passes_through_programs_in_float32_as_it_is():
    values = np.random.default_rng(1).normal(size=(3, 4))
    with jax.enable_x64(True):
        bits = as_bits(jnp.asarray(values))
    handed_on = jax.jit(lambda x: jnp.where(True, x, 0 * x))(jnp.asarray(np.asarray(bits)))
    assert handed_on.dtype == jnp.uint32
    with jax.enable_x64(True):
        np.testing.assert_array_equal(from_bits(handed_on), values)


def one_update(model, rule, weights=None, task=SIGNAL, step=0):
    """(the network before, weights and P after, what was reported), of one network."""
    model = rule.adapt(model)
    population = Population(task, model, rule, 1, 4)
    given = None if weights is None else {name: array[None] for name, array in weights.items()}
    state = population.initial_state(given)
    before = {name: np.asarray(w[0], np.float64) for name, w in state.weights.items()}
    after, info = population.update(state, np.ones(1, bool), step)
    weights = {name: np.asarray(w[0]) for name, w in after.weights.items()}
    inverse = np.asarray(after.rule["inverse"])[0].view(np.float64)[..., 0]
    return before, weights, inverse, {name: float(value[0]) for name, value in info.items()}


def by_hand(before, state, targets, rule, leak, of_currents):
    """FORCE as written, P by a matrix inverse at every change of the readout."""
    readout = np.c_[before["output_weights"], before["output_bias"]]
    start, seen, wanted, errors, afters = readout, [], [], [], []
    inverse = np.eye(readout.shape[1]) / rule.alpha
    for t, target in enumerate(targets):
        rates = np.tanh(state) if of_currents else state
        drive = before["recurrent_weights"] @ rates + before.get("bias", 0.0)
        drive = drive + before["feedback_weights"] @ (readout @ np.append(rates, 1.0))
        state = (1 - leak) * state + leak * (drive if of_currents else np.tanh(drive))
        now = np.append(np.tanh(state) if of_currents else state, 1.0)
        errors.append(readout @ now - target)
        if (t + 1) % rule.every == 0:
            seen.append(now)
            wanted.append(target)
            inverse, readout = solved(rule.alpha, np.array(seen), np.array(wanted), start)
            afters.append(readout @ now - target)
    return readout, inverse, state, np.array(errors), np.array(afters)


@pytest.mark.parametrize("kind", [RateRNN, CurrentRNN])
def test_an_update_is_the_published_loop(kind):
    """60 steps from a random state, 20 changes; the network itself is computed in float32."""
    model = kind(units=15, tau=5.0, recurrent_gain=1.5, recurrent_init="normal", trained_start=True)
    rule = FORCE(alpha=0.5, every=3, carry=True)
    drawn = rule.adapt(model).build(1, 1, seed=2).weights
    drawn["initial_state"] = np.random.default_rng(3).normal(size=15).astype(np.float32)
    before, after, inverse, info = one_update(model, rule, drawn)
    readout, expected, state, errors, afters = by_hand(
        before, before["initial_state"], SIGNAL.signal()[:, None], rule, 0.2, kind is CurrentRNN
    )
    np.testing.assert_allclose(inverse, expected, rtol=0, atol=2e-4)
    np.testing.assert_allclose(after["output_weights"], readout[:, :-1], rtol=0, atol=2e-4)
    np.testing.assert_allclose(after["output_bias"], readout[:, -1], rtol=0, atol=2e-4)
    np.testing.assert_allclose(after["initial_state"], state, rtol=0, atol=2e-4)
    assert info["loss"] == pytest.approx((errors**2).mean(), rel=1e-3)
    changed = errors[rule.every - 1 :: rule.every]
    assert info["error_before_change"] == pytest.approx(np.sqrt((changed**2).mean()), rel=1e-3)
    assert info["error_after_change"] == pytest.approx(np.sqrt((afters**2).mean()), rel=1e-2)
    assert info["inverse_correlation_trace"] == pytest.approx(np.trace(expected), rel=1e-5)
    for name in ("recurrent_weights", "input_weights", "feedback_weights"):
        np.testing.assert_array_equal(after[name], before[name])


def test_without_feedback_it_is_the_ridge_readout_of_its_states():
    """61 steps, a change at every one: more than a block, and no whole number of them."""
    task = at.tasks.FlipFlop(bits=2, steps=61, first_onset=(5, 15), pulse=4, delay=4)
    model, rule = RateRNN(units=10), FORCE(feedback=False, every=1, batch=2, alpha=2.0)
    before, after, inverse, _ = one_update(model, rule, task=task)
    population = Population(task, model, rule, 1, 4)
    key = jax.random.fold_in(population.keys.trials[0], 0)
    trials = task.batch(at.tasks.trial_keys(key, jnp.arange(2)))
    net = at.models.Network(model, {n: w.astype(np.float32) for n, w in before.items()})
    states = np.asarray(net.simulate(trials.inputs).states, np.float64).reshape(-1, 10)
    targets = np.asarray(trials.targets, np.float64).reshape(-1, 2)
    counted = np.asarray(trials.mask).reshape(-1, 2).all(1)
    regressors = np.c_[states, np.ones(len(states))][counted]
    start = np.c_[before["output_weights"], before["output_bias"]]
    expected, readout = solved(2.0, regressors, targets[counted], start)
    np.testing.assert_allclose(inverse, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(after["output_weights"], readout[:, :-1], rtol=0, atol=1e-5)


def test_what_the_mask_leaves_out_changes_nothing():
    class Unasked(at.tasks.SumOfSinusoids):
        elsewhere: float = 0.0

        def trial(self, key):
            made = super().trial(key)
            asked = (jnp.arange(self.n_steps) < 20)[:, None]
            targets = jnp.where(asked, made.targets, self.elsewhere)
            return made._replace(targets=targets, mask=asked.astype(float))

    first, second = (
        one_update(CurrentRNN(units=8), FORCE(), task=Unasked(period=60.0, elsewhere=value))
        for value in (9.0, -3.0)
    )
    assert first[3] == second[3]
    np.testing.assert_array_equal(first[2], second[2])
    np.testing.assert_array_equal(first[1]["output_weights"], second[1]["output_weights"])
    assert not np.array_equal(first[1]["output_weights"], first[0]["output_weights"])


def test_pieces_of_a_signal_are_the_signal():
    """Two pieces in two updates, or in one batch: the same readout and the same state."""
    model = CurrentRNN(units=12, tau=5.0, recurrent_gain=1.5)
    ends = [
        at.train(SIGNAL, model, FORCE(carry=True, **settings), progress=False).networks[0].weights
        for settings in ({"steps": 2}, {"steps": 1, "batch": 2})
    ]
    for name, array in ends[0].items():
        np.testing.assert_allclose(array, ends[1][name], rtol=0, atol=1e-5)
    assert np.abs(ends[0]["initial_state"]).max() > 0.1


def test_a_signal_is_learned_and_kept_with_frozen_weights():
    """150 units, two sinusoids: ten periods after learning, and the closed loop alike."""
    model = CurrentRNN(units=150, tau=10.0, recurrent_gain=1.5, bias=False, output_bias=False)
    task = SIGNAL.replace(period=200.0)
    run = at.train(task, model, FORCE(carry=True, steps=30), seed=1, progress=False)
    ten = task.replace(periods=10).sample(1)
    size = np.sqrt((ten.targets**2).mean())
    for net in (run.networks[0], run.networks[0].closed_loop()):
        error = np.sqrt(((net(ten.inputs) - ten.targets) ** 2).mean())
        assert error / size < 0.05
    assert (
        run.history["error_before_change"].iloc[-1]
        < 0.1 * run.history["error_before_change"].iloc[0]
    )
    assert run.history["inverse_correlation_trace"].is_monotonic_decreasing
    assert at.evaluate(run.networks, task, n=2).correct[0] == 1


@pytest.mark.slow
def test_three_bits_are_held():
    """99 % of the signs, as docs/force.md says."""
    model = CurrentRNN(
        units=400,
        tau=20.0,
        recurrent_gain=0.8,
        input_init="normal",
        feedback=True,
        feedback_gain=0.15,
    )
    task = at.tasks.FlipFlop()
    run = at.train(task, model, FORCE(steps=150), seed=1, progress=False)
    assert at.evaluate(run.networks[0], task, n=500, seed=9).accuracy >= 0.99


@pytest.mark.slow
def test_the_published_signal_is_kept_for_ten_periods():
    """1000 units, as published: 0.05 of the signal at the most."""
    model = CurrentRNN(
        units=1000,
        tau=10.0,
        dt=1.0,
        bias=False,
        output_bias=False,
        recurrent_gain=1.5,
        constraints=Constraints(density=0.1),
    )
    task = at.tasks.SumOfSinusoids(sigma=0.0)
    [net] = at.train(task, model, FORCE.paper(), seed=2, progress=False).networks
    ten = task.replace(periods=10).sample(1)
    error = np.sqrt(((net(ten.inputs) - ten.targets) ** 2).mean() / (ten.targets**2).mean())
    assert error <= 0.05


@pytest.mark.parametrize(
    ("rule", "model", "said"),
    [
        (FORCE(), GRU(units=4), "a GRU has no feedback.*allowed: RateRNN, LowRankRNN, CurrentRNN"),
        (FORCE(feedback=False, carry=True), GRU(units=4), "carry = True: a GRU does not keep"),
        (FORCE(), RateRNN(units=4, trainable=("bias",)), "leaves FORCE nothing to train"),
        (
            FORCE(),
            RateRNN(
                units=4,
                constraints=Constraints(excitatory=0.5, excitatory_readout=True),
                activation="relu",
            ),
            "allowed: constraints without excitatory_readout",
        ),
        (FORCE(), CurrentRNN(units=4, read="currents"), "read = 'currents': 'rates'"),
    ],
)
def test_models_that_it_cannot_train_are_refused(rule, model, said):
    with pytest.raises(at.InvalidSetting, match=said):
        at.train(SIGNAL, model, rule, progress=False)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"alpha": 0.0}, "alpha = 0.0 is not allowed: should be greater than 0"),
        ({"alpha": -1.0}, "alpha = -1.0 is not allowed"),
        ({"every": 0}, "every = 0 is not allowed"),
    ],
)
def test_settings_that_are_none_are_refused(settings, said):
    with pytest.raises(at.InvalidSetting, match=said):
        FORCE(**settings)


@pytest.mark.parametrize("model", [GRU(units=6), LowRankRNN(units=6)], ids=["gated", "low rank"])
def test_other_cells_learn_a_readout(model):
    rule, task = FORCE(feedback=model.takes_feedback), SIGNAL.replace(sigma=0.1)
    _, after, _, info = one_update(model, rule, task=task)
    assert np.isfinite(after["output_weights"]).all()
    assert info["error_after_change"] < info["error_before_change"]
