"""Every registered loss, and a user's own: what is trained is what is validated."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from few import few

import attractory as at
from attractory import rules
from attractory.training import Population

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
MODEL = at.models.RateRNN(units=5)


def absolute_error(outputs, targets, mask):
    return jnp.sum(mask * jnp.abs(outputs - targets))


def softmax(z):
    shares = np.exp(z - z.max(-1, keepdims=True))
    return shares / shares.sum(-1, keepdims=True)


def in_nats(z, y, m):
    """-log of the share of the output that is named, or of those that could be, step by step."""
    total = 0.0
    for shares, target, mask in zip(
        *(a.reshape(-1, a.shape[-1]) for a in (softmax(z), y, m)), strict=True
    ):
        named = (target == 1) & (mask > 0)
        named = named if named.any() else mask == 0  # one of these
        total -= mask.sum() * np.log(shares[named].sum())
    return total / m.sum()


def of_angles(z, y, m):
    inner, lengths = (m * z * y).sum(-1), (m * (z**2 + 1e-4)).sum(-1) * (m * y**2).sum(-1)
    there = lengths > 0
    return np.sum(m.sum(-1)[there] * (1 - inner[there] / np.sqrt(lengths[there]))) / m.sum()


def of_odds(z, y, m):
    said = 1 / (1 + np.exp(-z))
    return -np.sum(m * (y * np.log(said) + (1 - y) * np.log(1 - said))) / m.sum()


IN_NUMPY = {
    "squared_error": lambda z, y, m: np.sum(m * (z - y) ** 2) / m.sum(),
    "absolute_error": lambda z, y, m: np.sum(m * np.abs(z - y)) / m.sum(),
    "sigmoid_cross_entropy": of_odds,
    "softmax_cross_entropy": in_nats,
    "cosine": of_angles,
}
# a third of the answers nothing tells; the coherence 0
CHOICE = at.tasks.get("perceptual_decision", stimulus=200.0, coherences=(0.0, 25.6, 51.2))


def task_of(name):
    return TASK if name in ("squared_error", "absolute_error") else CHOICE


every_loss = pytest.mark.parametrize("name", IN_NUMPY)
OFTEN = ("softmax_cross_entropy", "absolute_error")  # one of targets that are classes, a user's own


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    """The user's loss is registered, and gone after the test."""
    known = rules._loss._registry
    monkeypatch.setattr(known, "parts", dict(known.parts))
    rules.loss(absolute_error)


def small(name, **settings):
    return rules.BPTT(
        **{
            "loss": name,
            "steps": 6,
            "batch": 8,
            "validation": 8,
            "check_every": 6,
            "optimizer": "sgd",
            **settings,
        }
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


@pytest.mark.parametrize("name", few(list(IN_NUMPY), OFTEN))
def test_training_and_validation_measure_it(name):
    rule = small(name)
    task = task_of(name)
    model = MODEL.replace(dt=task.dt, tau=task.dt)
    run = at.train(task, model, rule, progress=False)
    population = Population(task, model, rule, 1, 0)
    weights = {
        n: np.asarray(w[0], np.float64) for n, w in population.initial_state().weights.items()
    }
    for keys, step, column, after in [
        (jax.random.fold_in(population.keys.trials[0], 0), 1, "loss", weights),
        (population.keys.validation[0], 6, "validation_loss", run.networks[0].weights),
    ]:
        trials = task.batch(at.tasks.trial_keys(keys, jnp.arange(8)))
        inputs, targets, mask = (np.asarray(array, np.float64) for array in trials[:3])
        expected = IN_NUMPY[name](outputs_to(after, inputs), targets, mask)
        found = run.history.set_index("step").loc[step, column]
        assert found == pytest.approx(expected, rel=1e-4)


# the others: on every cell, with the penalties
@pytest.mark.parametrize("name", ["squared_error", "absolute_error"])
def test_the_gradient_is_that_of_the_loss(name):
    rule = small(name, schedule="constant", warmup=0, clip=None, validation=0)
    task = task_of(name)
    population = Population(task, MODEL, rule, 1, 3)
    state = population.initial_state()
    after, _ = population.update(state, np.ones(1, bool), 0)
    weights = {n: np.asarray(w[0], np.float64) for n, w in state.weights.items()}
    key = jax.random.fold_in(population.keys.trials[0], 0)
    trials = task.batch(at.tasks.trial_keys(key, jnp.arange(8)))
    inputs, targets, mask = (np.asarray(array, np.float64) for array in trials[:3])
    nudge = np.zeros_like(weights["output_weights"])
    nudge[0, 1] = 1e-4
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


@pytest.mark.parametrize(
    ("name", "task", "complaint"),
    [
        ("sigmoid_cross_entropy", TASK, "it needs targets from 0 to 1; these fit: .*squared_error"),
        ("softmax_cross_entropy", TASK, "does not fit the targets of flipflop: it needs two out"),
        ("cosine", TASK, "two outputs or more that are not all 0; these fit: absolute_error, squ"),
        ("softmax_cross_entropy", TASK.replace(bits=3), "one of them 1 at a time"),
    ],
)
def test_a_loss_that_does_not_fit_the_targets_is_refused(name, task, complaint):
    with pytest.raises(at.InvalidSetting, match=complaint) as caught:
        at.train(task, MODEL, small(name), progress=False)
    assert "\n" not in str(caught.value)


def test_a_users_loss_may_say_which_targets_it_fits():
    @rules.loss(targets="targets above 0", fits=lambda targets, mask: (targets[mask > 0] > 0).all())
    def relative_error(outputs, targets, mask):
        return jnp.sum(mask * jnp.abs(outputs / targets - 1))

    assert "relative_error" in rules.loss_names()
    with pytest.raises(at.InvalidSetting, match="it needs targets above 0; these fit"):
        at.train(TASK, MODEL, small("relative_error"), progress=False)
    with pytest.raises(at.InvalidSetting, match="targets = 'x' and fits = None go together"):
        rules.loss(targets="x")


@every_loss
def test_outputs_of_0_and_large_ones_have_a_gradient(name):
    """A network that says nothing yet must be able to begin, and one that is sure to go on."""
    trials = task_of(name).sample(4, seed=0)
    for outputs in (np.zeros_like(trials.targets), 1e4 * trials.targets - 5e3):
        slopes = jax.grad(rules.find_loss(name))(outputs, trials.targets, trials.mask)
        assert np.isfinite(slopes).all()


def test_targets_that_name_no_output_ask_for_nothing():
    outputs, nothing = np.ones((1, 2, 3)), np.zeros((1, 2, 3))
    found = rules.softmax_cross_entropy(outputs, nothing, np.ones((1, 2, 3)))
    assert float(found) == pytest.approx(0, abs=1e-6)


def test_runs_of_before_there_were_losses_are_the_same_runs():
    assert "loss" not in small("squared_error").to_json()
    assert rules.BPTT(**small("squared_error").to_json()) == small("squared_error")
