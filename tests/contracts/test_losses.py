"""Every registered loss, and a user's own: what is trained is what is validated."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import attractory as at
from attractory import rules
from attractory.training import Population

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
MODEL = at.models.RateRNN(units=5)


def absolute_error(outputs, targets, mask):
    return jnp.sum(mask * jnp.abs(outputs - targets))


IN_NUMPY = {
    "squared_error": lambda z, y, m: np.sum(m * (z - y) ** 2) / m.sum(),
    "absolute_error": lambda z, y, m: np.sum(m * np.abs(z - y)) / m.sum(),
}
every_loss = pytest.mark.parametrize("name", IN_NUMPY)


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    """The user's loss is registered, and gone after the test."""
    known = rules._loss._registry
    monkeypatch.setattr(known, "parts", dict(known.parts))
    rules.loss(absolute_error)


def small(name, **settings):
    return rules.BPTT(
        **{"loss": name, "steps": 6, "batch": 8, "validation": 8, "check_every": 6, **settings}
    )


def outputs_to(weights, inputs):
    """By a loop in NumPy."""
    state, read = np.zeros((len(inputs), MODEL.units)), []
    for x in inputs.swapaxes(0, 1):
        state = np.tanh(state @ weights["recurrent_weights"].T + x @ weights["input_weights"].T)
        read.append(state @ weights["output_weights"].T + weights["output_bias"])
    return np.stack(read, axis=1)


def test_every_registered_loss_is_tried():
    assert set(rules.loss_names()) == set(IN_NUMPY)


@every_loss
def test_training_and_validation_measure_it(name):
    rule = small(name)
    run = at.train(TASK, MODEL, rule, progress=False)
    population = Population(TASK, MODEL, rule, 1, 0)
    weights = {
        n: np.asarray(w[0], np.float64) for n, w in population.initial_state().weights.items()
    }
    for keys, step, column, after in [
        (jax.random.fold_in(population.keys.trials[0], 0), 1, "loss", weights),
        (population.keys.validation[0], 6, "validation_loss", run.networks[0].weights),
    ]:
        trials = TASK.batch(at.tasks.trial_keys(keys, jnp.arange(8)))
        inputs, targets, mask = (np.asarray(array, np.float64) for array in trials[:3])
        expected = IN_NUMPY[name](outputs_to(after, inputs), targets, mask)
        found = run.history.set_index("step").loc[step, column]
        assert found == pytest.approx(expected, rel=1e-4)


@every_loss
def test_the_gradient_is_that_of_the_loss(name):
    rule = small(name, optimizer="sgd", schedule="constant", warmup=0, clip=None, validation=0)
    population = Population(TASK, MODEL, rule, 1, 3)
    state = population.initial_state()
    after, _ = population.update(state, np.ones(1, bool), 0)
    weights = {n: np.asarray(w[0], np.float64) for n, w in state.weights.items()}
    key = jax.random.fold_in(population.keys.trials[0], 0)
    trials = TASK.batch(at.tasks.trial_keys(key, jnp.arange(8)))
    inputs, targets, mask = (np.asarray(array, np.float64) for array in trials[:3])
    nudge = 1e-4 * np.eye(MODEL.units)[1:2]
    ends = [
        IN_NUMPY[name](
            outputs_to(
                {**weights, "output_weights": weights["output_weights"] + sign * nudge}, inputs
            ),
            targets,
            mask,
        )
        for sign in (1, -1)
    ]
    slope = (ends[0] - ends[1]) / 2e-4
    moved = float(after.weights["output_weights"][0, 0, 1]) - weights["output_weights"][0, 1]
    assert moved == pytest.approx(-rule.learning_rate * slope, rel=2e-2)


def test_it_is_known_to_the_commands_and_comes_back(tmp_path):
    from attractory.cli._config import read_config

    asked = read_config(None, {"task": "flipflop"}, ["rule.name=BPTT", "rule.loss=absolute_error"])
    assert asked.rule.loss == "absolute_error"
    run = at.train(TASK, MODEL, small("absolute_error"), path=tmp_path / "run", progress=False)
    assert at.load(tmp_path / "run").rule == run.rule
    with pytest.raises(at.InvalidSetting, match="did you mean 'absolute_error'"):
        small("absolut_error")


def test_runs_of_before_there_were_losses_are_the_same_runs():
    assert "loss" not in small("squared_error").to_json()
    assert rules.BPTT(**small("squared_error").to_json()) == small("squared_error")
