"""RFLO and e-prop beside the traces written out in NumPy, and beside gradients that are cut."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rules.plain_training import INPUTS, OUTPUTS, STEPS, TRIALS, UNITS, batch, in_float32, updated

import attractory as at
from attractory.models import GRU, Constraints, CurrentRNN, LowRankRNN, RateRNN
from attractory.rules import RFLO, EProp, find_loss
from attractory.rules._eligibility import traced_gradients

LEAK = 0.3
LEAKY = {"units": UNITS, "tau": 1.0, "dt": LEAK, "bias": True}
RATES, CURRENTS = RateRNN(**LEAKY), CurrentRNN(**LEAKY)
PLAIN = {"steps": 20, "schedule": "constant", "warmup": 0, "clip": None, "learning_rate": 1e-2}


def weights_of(model, seed=0):
    rng = np.random.default_rng(seed)
    shapes = model.weight_shapes(INPUTS, OUTPUTS)
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def found(model, weights, feedback, loss="squared_error", key=None):
    """What the rules take for the gradient, in float64."""
    with jax.enable_x64(True):
        weights = {name: jnp.asarray(array) for name, array in weights.items()}
        trials = jax.tree.map(lambda x: jnp.asarray(x, jnp.float64), batch())
        run = jax.jit(lambda w, b: traced_gradients(find_loss(loss), model, w, trials, b, key)[1])
        made = run(weights, jnp.asarray(feedback))
        return {name: np.asarray(array) for name, array in made.items() if name in weights}


def derivative(loss, outputs, targets, mask):
    if loss == "squared_error":
        return 2 * mask * (outputs - targets)
    return mask * (1 / (1 + np.exp(-outputs)) - targets)  # of the cross-entropy


def by_traces(weights, feedback, loss, model):
    """The rule as written: forward in time, one trace a synapse, trial by trial."""
    made = {name: np.zeros_like(array) for name, array in weights.items()}
    names = ("recurrent_weights", "input_weights", "bias")
    of_currents = model.form == "currents"
    bends = of_currents and model.read == "rates"
    for x, target, mask in zip(*(np.asarray(a, np.float64) for a in batch()), strict=True):
        state = np.array(weights.get("initial_state", np.zeros(UNITS)))
        traces = {name: np.zeros_like(weights[name]) for name in names}
        of_start = np.ones(UNITS)
        for t in range(STEPS):
            sent = np.tanh(state) if of_currents else state
            sums = weights["recurrent_weights"] @ sent + weights["input_weights"] @ x[t]
            sums += weights["bias"]
            slope = np.ones(UNITS) if of_currents else 1 - np.tanh(sums) ** 2
            state = (1 - LEAK) * state + LEAK * (sums if of_currents else np.tanh(sums))
            added = np.outer(slope, sent), np.outer(slope, x[t]), slope
            for name, more in zip(names, added, strict=True):
                traces[name] = (1 - LEAK) * traces[name] + LEAK * more
            of_start = (1 - LEAK) * of_start
            read_out = np.tanh(state) if bends else state
            outputs = weights["output_weights"] @ read_out + weights["output_bias"]
            error = derivative(loss, outputs, target[t], mask[t])
            told = feedback @ error
            if bends:
                told = told * (1 - np.tanh(state) ** 2)
            for name, trace in traces.items():
                made[name] += (told * trace.T).T
            if "initial_state" in made:
                made["initial_state"] += told * of_start
            made["output_weights"] += np.outer(error, read_out)
            made["output_bias"] += error
    return made


@pytest.mark.parametrize(
    ("model", "loss"),
    [
        (RATES, "squared_error"),
        (RATES.replace(trained_start=True), "sigmoid_cross_entropy"),
        (CURRENTS.replace(trained_start=True), "squared_error"),
        (CURRENTS.replace(read="currents"), "squared_error"),
    ],
)
def test_the_sums_are_those_of_traces_that_go_forward_in_time(model, loss):
    weights = weights_of(model)
    feedback = np.random.default_rng(1).normal(size=(UNITS, OUTPUTS))
    expected = by_traces(weights, feedback, loss, model)
    made = found(model, weights, feedback, loss)
    for name, array in expected.items():
        np.testing.assert_allclose(made[name], array, rtol=1e-8, atol=1e-10, err_msg=name)


@pytest.mark.parametrize(("activation", "feedback"), [("tanh", True), ("relu", False)])
@pytest.mark.parametrize("kind", [RateRNN, CurrentRNN])
def test_symmetric_feedback_is_the_gradient_with_what_units_send_taken_as_given(
    kind, feedback, activation
):
    """By automatic differentiation of a network that hears its own rates as inputs; with noise."""
    noise = {"recurrent_noise": 0.2, "output_noise": 0.1}
    model = kind(**LEAKY, **noise, activation=activation, feedback=feedback)
    weights, key = weights_of(model), jax.random.key(3)
    made = found(model, weights, weights["output_weights"].T, key=key)
    with jax.enable_x64(True):
        trials = jax.tree.map(lambda x: jnp.asarray(x, jnp.float64), batch())
        closed = {n: jnp.asarray(w) for n, w in model.closed_loop(weights).items()}
        states, _ = model.run(weights, trials.inputs, key)
        before = jnp.concatenate([jnp.zeros((1, TRIALS, UNITS)), states[:-1]])
        heard = model.rates(weights, before).swapaxes(0, 1)
        given = jnp.concatenate([trials.inputs, heard], axis=-1)
        alone = model.replace(feedback=False)

        def loss(chosen):
            into = [chosen["input_weights"], chosen["recurrent_weights"]]
            opened = {**chosen, "input_weights": jnp.concatenate(into, axis=1)}
            opened["recurrent_weights"] = jnp.zeros((UNITS, UNITS))
            outputs = alone.run(opened, given, key)[1]
            return find_loss("squared_error")(outputs, trials.targets, trials.mask)

        expected = jax.jit(jax.grad(loss))(closed)
    for name, array in expected.items():
        np.testing.assert_allclose(made[name], array, rtol=1e-8, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("model", [RATES, CURRENTS])
def test_without_connections_symmetric_feedback_gives_the_gradient_itself(model):
    """What the rules leave out goes through W_rec: where that is 0, nothing is left out."""
    weights = weights_of(model)
    weights["recurrent_weights"] = np.zeros((UNITS, UNITS))
    made = found(model, weights, weights["output_weights"].T)
    with jax.enable_x64(True):
        trials = jax.tree.map(lambda x: jnp.asarray(x, jnp.float64), batch())

        def loss(chosen):
            outputs = model.run(chosen, trials.inputs)[1]
            return find_loss("squared_error")(outputs, trials.targets, trials.mask)

        expected = jax.jit(jax.grad(loss))({n: jnp.asarray(w) for n, w in weights.items()})
    assert np.abs(expected["recurrent_weights"]).max() > 0.1
    for name, array in expected.items():
        np.testing.assert_allclose(made[name], array, rtol=1e-8, atol=1e-10, err_msg=name)


def one_step(rule, model=RATES, n=1):
    return updated(rule, n, model, weights_of(model))


@pytest.mark.parametrize("model", [RATES, CURRENTS])
@pytest.mark.parametrize("feedback", ["symmetric", "random"])
def test_with_equal_feedback_rflo_and_eprop_are_one_rule(model, feedback):
    (first, _), (second, _) = (
        one_step(kind(feedback=feedback, **PLAIN), model)[0] for kind in (RFLO, EProp)
    )
    before = in_float32(weights_of(model))
    for name, array in first.items():
        assert np.abs(array - before[name]).max() > 1e-3
        np.testing.assert_array_equal(array, second[name])


def test_an_update_is_a_step_against_the_mean_over_what_the_mask_counts():
    rule = RFLO(**{**PLAIN, "optimizer": "sgd"})
    before, key = in_float32(weights_of(RATES)), jax.random.key(0)
    state = rule.init(RATES, before, key)
    update = jax.jit(lambda w, s: rule.update(RATES, w, s, batch(), 0, key))
    after, state_after, info = update(before, state)
    drawn = np.asarray(state["error_feedback"], np.float64)
    np.testing.assert_array_equal(state_after["error_feedback"], drawn)  # drawn once
    sums = by_traces(weights_of(RATES), drawn, "squared_error", RATES)
    for name, array in sums.items():
        expected = before[name] - PLAIN["learning_rate"] * array / batch().mask.sum()
        np.testing.assert_allclose(after[name], expected, rtol=0, atol=1e-6, err_msg=name)
    readout = before["output_weights"].T.ravel()
    cosine = drawn.ravel() @ readout / np.linalg.norm(drawn) / np.linalg.norm(readout)
    assert float(info["feedback_alignment"]) == pytest.approx(cosine, abs=1e-5)


def test_random_feedback_has_the_standard_deviation_that_is_asked_for():
    model = RateRNN(units=500)
    weights = model.init(jax.random.key(0), 1, 4)
    drawn = RFLO(feedback_gain=3.0).init(model, weights, jax.random.key(1))["error_feedback"]
    assert drawn.shape == (500, 4)
    assert float(jnp.std(drawn)) == pytest.approx(1.5, rel=0.1)  # 2000 entries: within 2 %, mostly


def test_adaptive_feedback_comes_towards_the_readout_as_fast_as_weights_decay():
    rule = EProp(feedback="adaptive", weight_decay=5.0, **PLAIN)
    weights, key = in_float32(weights_of(RATES)), jax.random.key(0)
    state = rule.init(RATES, weights, key)
    update = jax.jit(lambda w, s, trials, step: rule.update(RATES, w, s, trials, step, key))
    apart = [state["error_feedback"] - weights["output_weights"].T]
    aligned = []
    for step in range(20):
        weights, state, info = update(weights, state, batch(step), step)
        apart.append(state["error_feedback"] - weights["output_weights"].T)
        aligned.append(float(info["feedback_alignment"]))
    share = 1 - rule.learning_rate * rule.weight_decay
    np.testing.assert_allclose(apart[-1], share**20 * apart[0], rtol=1e-3, atol=1e-5)
    assert aligned[-1] > aligned[0]


def test_adaptive_feedback_needs_a_decay():
    with pytest.raises(at.InvalidSetting, match="needs weight_decay > 0"):
        EProp(feedback="adaptive")


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        (GRU(units=4), r"RFLO cannot train a GRU; allowed: RateRNN, CurrentRNN"),
        (LowRankRNN(units=4), "RFLO cannot train a LowRankRNN; .* full rank"),
        (
            RateRNN(units=4, feedback=True, trainable=("feedback_weights",)),
            "RFLO cannot train the weights feedback_weights; allowed in trainable: recurrent",
        ),
        (
            CurrentRNN(units=4, bias_inside=True),
            "RFLO cannot train the weights bias inside of phi",
        ),
    ],
)
def test_what_has_no_local_traces_is_refused(model, complaint):
    with pytest.raises(at.InvalidSetting, match=complaint):
        at.train(at.tasks.FlipFlop(bits=1), model, RFLO(steps=1), progress=False)


def test_a_bias_inside_of_phi_that_is_not_trained_is_fine():
    names = ("recurrent_weights", "output_weights")
    model = CurrentRNN(units=4, bias_inside=True, trainable=names)
    assert RFLO().adapt(model) is model


def test_signs_and_zeros_hold_after_long_steps():
    limits = Constraints(excitatory=0.5, density=0.7, self_connections=False)
    model = RATES.replace(constraints=limits)
    before = model.init(jax.random.key(0), INPUTS, OUTPUTS)
    after = updated(RFLO(**{**PLAIN, "learning_rate": 0.5}), 2, model, before)[-1][0]
    matrix, mask = after["recurrent_weights"], before["recurrent_mask"]
    assert np.abs(matrix - before["recurrent_weights"]).max() > 0.1
    np.testing.assert_array_equal(matrix[mask == 0], 0)
    assert (matrix[:, : UNITS // 2] >= 0).all()
    assert (matrix[:, UNITS // 2 :] <= 0).all()


@pytest.mark.slow
def test_one_bit_is_learned():
    task = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
    rule = RFLO(steps=150, batch=16, learning_rate=1e-2)
    run = at.train(task, RateRNN(units=24, tau=5.0), rule, progress=False)
    losses = run.history["loss"]
    assert losses.iloc[-20:].mean() < 0.3 * losses.iloc[:5].mean()
