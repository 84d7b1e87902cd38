"""The optimisers by their names: Optax's own steps, their settings, and a user's own."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from few import few
from rules.plain_training import MODEL, batch, first_weights, in_float32, plain_gradient, updated

import attractory as at
from attractory.cli._config import read_config
from attractory.rules import BPTT, optimizer_names

RATE, STEPS = 0.05, 3
PLAIN = {"schedule": "constant", "warmup": 0, "clip": None, "learning_rate": RATE}
RECURRENT = "recurrent_weights"
WEIGHTS = in_float32(first_weights())
GRADIENTS = [in_float32(first_weights(seed)) for seed in range(1, 1 + STEPS)]
KEY = jax.random.key(0)

# what Optax takes a number for, or has by another name
OTHERWISE = {
    "rprop": lambda: optax.rprop(RATE, min_step_size=1e-6 * RATE, max_step_size=50 * RATE),
    "sgd": lambda: optax.sgd(RATE, momentum=0.9),
    "sm3": lambda: optax.sm3(RATE),
}
OURS = {"muon", "fractional"}  # tested in files of their own
NAMES = sorted(set(optimizer_names()) - OURS)


def optaxs(name):
    return OTHERWISE[name]() if name in OTHERWISE else getattr(optax, name)(lambda step: RATE)


def path(transform):
    """The weights after each step."""
    weights, state, steps = WEIGHTS, transform.init(WEIGHTS), []
    for gradients in GRADIENTS:
        changes, state = transform.update(gradients, state, weights)
        weights = optax.apply_updates(weights, changes)
        steps.append(weights)
    return steps


def changes_at(rule, factor):
    """What the rule changes in the second update, once it is slowed by a factor."""
    state, weights = rule.init(MODEL, WEIGHTS, KEY), WEIGHTS
    for step, gradients in enumerate(GRADIENTS[:2]):
        given = (MODEL, weights, state, {"loss": jnp.zeros(())}, gradients, step, KEY, None)
        before, (weights, state, _) = weights, rule.descended(*given)
        state = rule.slowed(state, factor)
    return {name: weights[name] - before[name] for name in weights}


@pytest.fixture(scope="module")
def computed():
    """For every name: the path of ours, of Optax's, and the changes with and without slowing."""

    def of(name):
        rule = BPTT(optimizer=name, **PLAIN)
        slowed = [changes_at(rule, factor) for factor in (1.0, 0.5)]
        return path(rule._optimizer(None)), path(optaxs(name)), slowed

    return jax.jit(lambda: {name: of(name) for name in NAMES})()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_the_optimiser_that_optax_has_by_it(name, computed):
    ours, theirs, _ = computed[name]
    for found, expected in zip(ours, theirs, strict=True):
        for array in WEIGHTS:
            np.testing.assert_allclose(found[array], expected[array], rtol=1e-6, atol=1e-7)
    assert any(np.abs(ours[-1][array] - w).max() > 1e-5 for array, w in WEIGHTS.items())


@pytest.mark.parametrize("name", NAMES)
def test_every_optimiser_can_be_slowed(name, computed):
    whole, half = computed[name][2]
    assert any(np.abs(change).max() > 0 for change in whole.values())
    for array, change in whole.items():
        np.testing.assert_allclose(half[array], 0.5 * change, rtol=1e-3, atol=2e-7)


def test_rprop_of_optax_makes_each_step_one_update_late(computed):
    first, second, _ = computed["rprop"][0]
    for name, w in WEIGHTS.items():
        np.testing.assert_array_equal(first[name], w)
        kept = np.sign(GRADIENTS[0][name]) == np.sign(GRADIENTS[1][name])
        expected = w - RATE * np.sign(GRADIENTS[0][name])
        np.testing.assert_allclose(second[name][kept], expected[kept], rtol=1e-6)
        np.testing.assert_array_equal(second[name][~kept], w[~kept])


def adam(g, w, s, b1=0.8, b2=0.95):
    s["t"] = s.get("t", 0) + 1
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["v"] = b2 * s.get("v", 0) + (1 - b2) * g**2
    return s["m"] / (1 - b1 ** s["t"]) / (np.sqrt(s["v"] / (1 - b2 ** s["t"])) + 1e-8)


def heavy_ball(g, w, s):
    s["m"] = 0.5 * s.get("m", 0) + g
    return s["m"]


def nesterov(g, w, s):
    s["m"] = 0.9 * s.get("m", 0) + g
    return g + 0.9 * s["m"]


def rmsprop(g, w, s):
    s["v"] = 0.7 * s.get("v", 0) + 0.3 * g**2
    return g / np.sqrt(s["v"] + 1e-8)


def adagrad(g, w, s):
    s["v"] = s.get("v", 0.5) + g**2
    return g / np.sqrt(s["v"] + 1e-7)


def adadelta(g, w, s):
    s["v"] = 0.8 * s.get("v", 0) + 0.2 * g**2
    change = np.sqrt(s.get("d", 0) + 1e-6) / np.sqrt(s["v"] + 1e-6) * g
    s["d"] = 0.8 * s.get("d", 0) + 0.2 * change**2
    return change


def lion(g, w, s):
    direction = np.sign(0.9 * s.get("m", 0) + 0.1 * g)
    s["m"] = 0.6 * s.get("m", 0) + 0.4 * g
    return direction + 0.1 * w


def fromage_without_norms(g, w, s):
    """Bernstein et al. (2020): a step of the weights' length, then shorter weights."""
    shrink = 1 / np.sqrt(1 + RATE**2)
    moved = shrink * (w - RATE * g * np.linalg.norm(w) / np.linalg.norm(g))
    return (w - moved) / RATE


BY_HAND = {
    "adam": ({"b1": 0.8, "b2": 0.95}, adam),
    "sgd": ({"momentum": 0.5}, heavy_ball),
    "sgd with nesterov": ({"nesterov": True}, nesterov),
    "sgd without momentum": ({"momentum": 0.0}, lambda g, w, s: g),
    "rmsprop": ({"decay": 0.7}, rmsprop),
    "adagrad": ({"initial_accumulator_value": 0.5}, adagrad),
    "adadelta": ({"rho": 0.8}, adadelta),
    "lion": ({"b2": 0.6, "weight_decay": 0.1}, lion),
    "sign_sgd": ({}, lambda g, w, s: np.sign(g)),
    "fromage": ({}, fromage_without_norms),
}


@pytest.fixture(scope="module")
def with_settings():
    rules = {
        label: BPTT(optimizer={"name": label.split()[0], **settings}, **PLAIN)
        for label, (settings, _) in BY_HAND.items()
    }
    return jax.jit(lambda: {label: path(rule._optimizer(None)) for label, rule in rules.items()})()


@pytest.mark.parametrize("label", BY_HAND)
def test_settings_are_those_of_the_optimiser(label, with_settings):
    step = BY_HAND[label][1]
    weights = {name: np.float64(w) for name, w in WEIGHTS.items()}
    states = {name: {} for name in weights}
    for found, gradients in zip(with_settings[label], GRADIENTS, strict=True):
        for name, g in gradients.items():
            weights[name] = weights[name] - RATE * step(np.float64(g), weights[name], states[name])
            np.testing.assert_allclose(found[name], weights[name], rtol=0, atol=3e-6)


def test_groups_of_weights_have_optimisers_with_settings_of_their_own():
    rule = BPTT(
        optimizer={"name": "sign_sgd"},
        recurrent_optimizer={"name": "sgd", "momentum": 0.0},
        recurrent_learning_rate=0.2,
        weight_decay=0.3,
        **PLAIN,
    )
    weights, _ = updated(rule, 1)[0]
    gradients = plain_gradient(first_weights(), batch(0))
    for name, w in WEIGHTS.items():
        rate = 0.2 if name == RECURRENT else RATE
        step = gradients[name] if name == RECURRENT else np.sign(gradients[name])
        expected = w - rate * step - rate * 0.3 * w
        np.testing.assert_allclose(weights[name], expected, rtol=0, atol=3e-6, err_msg=name)


def test_a_name_alone_is_the_same_with_and_without_a_dictionary():
    rule = BPTT(optimizer={"name": "adam"}, schedule={"name": "linear"})
    assert rule == BPTT(optimizer="adam", schedule="linear")
    assert rule != BPTT(optimizer={"name": "adam", "b1": 0.8}, schedule="linear")


def test_settings_come_back_from_json_and_are_known_to_the_commands():
    rule = BPTT(optimizer={"name": "adam", "b1": np.float64(0.8), "nesterov": True}, steps=3)
    assert BPTT(**rule.to_json()) == rule
    told = ["rule.name=BPTT", "rule.steps=3", "rule.optimizer.name=adam", "rule.optimizer.b1=0.8"]
    asked = read_config(None, {"task": "flipflop"}, [*told, "rule.optimizer.nesterov=true"])
    assert asked.rule == rule


def test_rules_of_before_there_was_noise_are_the_same_rules():
    assert "gradient_noise" not in BPTT().to_json()


def clipped(rate, most=1.0):
    return optax.chain(optax.clip(most), optax.scale_by_learning_rate(rate))


def test_an_optimiser_of_ones_own(registries):
    at.rules.optimizer(clipped)
    rule = BPTT(optimizer={"name": "clipped", "most": 0.01}, **PLAIN)
    weights, _ = updated(rule, 1)[0]
    for name, g in plain_gradient(first_weights(), batch(0)).items():
        expected = WEIGHTS[name] - RATE * np.clip(g, -0.01, 0.01)
        np.testing.assert_allclose(weights[name], expected, rtol=0, atol=1e-6)
    before = hash(rule)
    at.rules.optimizer(type(clipped)(clipped.__code__, globals(), "clipped", (1.0,)))
    assert hash(rule) != before  # registered anew it is another one


def test_what_is_no_optimiser_is_refused(registries):
    def unfinished(rate, most):
        return None

    def empty(rate):
        return None

    def adam(rate):
        return optax.adam(rate)

    with pytest.raises(at.InvalidSetting, match="'unfinished': its function gets 'rate'.*usual"):
        at.rules.optimizer(unfinished)
    with pytest.raises(at.InvalidSetting, match="3 is no function"):
        at.rules.optimizer(3)
    at.rules.optimizer(empty)
    with pytest.raises(at.InvalidSetting, match="empty returned None; an optax.GradientTrans"):
        BPTT(optimizer="empty")
    with pytest.raises(at.InvalidSetting, match="the name 'adam' belongs to"):
        at.rules.optimizer(adam)


@pytest.mark.parametrize(
    ("optimizer", "complaint"),
    [
        ("adm", "optimizer 'adm' is unknown.*did you mean 'adam'"),
        ({"b1": 0.9}, "optimizer None is unknown"),
        ({"name": "adam", "beta1": 0.9}, "adam has no setting 'beta1'.*did you mean 'b1'"),
        ({"name": "adam", "b1": "high"}, "optimizer.b1 = 'high' is not allowed: a number"),
        ({"name": "adam", "b1": True}, "optimizer.b1 = True is not allowed: a number"),
        ({"name": "adam", "b1": float("nan")}, "optimizer.b1 = nan is not allowed: a number"),
        ({"name": "sgd", "nesterov": 1}, "optimizer.nesterov = 1 is not allowed: true or false"),
        ({"name": "muon", "momentum": 0.9}, "muon has no setting 'momentum'; allowed: name"),
        ({"name": "fractional", "order": 1.2}, "order = 1.2 is not allowed: .*1 at the most"),
        ({"name": "fractional", "order": 0}, "order = 0 is not allowed: a number above 0"),
        ({"name": "fractional", "share": -0.1}, "share = -0.1 is not allowed: from 0 to 1"),
        (5, "optimizer = 5 is not allowed"),
    ],
)
def test_a_wrong_optimiser_is_one_line(optimizer, complaint):
    for field in ("optimizer", "recurrent_optimizer"):
        with pytest.raises(at.InvalidSetting, match="BPTT: .*" + complaint) as caught:
            BPTT(**{field: optimizer})
        assert "\n" not in str(caught.value)
        assert field in str(caught.value)


@pytest.mark.parametrize("optimizer", few([{"name": "fractional", "order": 0.8}, "sm3"], quick=[0]))
def test_networks_are_trained_by_them_saved_and_loaded(optimizer, tmp_path):
    task = at.tasks.FlipFlop(bits=1, steps=40, first_onset=(5, 15), pulse=4, delay=4)
    settings = {"trials": 4, "epochs": 20, "batch": 4, "warmup": 0, "learning_rate": 0.1}
    rule = BPTT(optimizer=optimizer, gradient_noise=1e-8, **settings)
    run = at.train(task, at.models.RateRNN(units=5), rule, nets=2, path=tmp_path, progress=False)
    assert at.load(tmp_path).rule == rule
    losses = run.history.pivot(index="step", columns="net", values="loss")
    assert (losses.iloc[-1] < 0.8 * losses.iloc[0]).all()  # of the same four trials
