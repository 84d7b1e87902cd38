"""What every registered rule keeps, and a user's own: the loop asks nothing else of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from contracts.rules_of_users import AlongADirection, GradientDescent, RidgeReadout
from few import few

import attractory as at
from attractory import rules
from attractory.cli._config import read_config
from attractory.report._story import trained
from attractory.training import Population, _train

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
MODEL = at.models.RateRNN(units=6)


OWN = (GradientDescent, AlongADirection, RidgeReadout)
KINDS = [*map(rules.find, rules.names()), *OWN]
every_rule = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
# rules that share what is tried here with another that every test run tries
KIN = (at.rules.EProp, at.rules.NodePerturbation, at.rules.FullFORCE)
every_rule_in_time = pytest.mark.parametrize(
    "kind",
    few(
        {kind.__name__: kind for kind in KINDS},
        quick=[kind.__name__ for kind in KINDS if kind not in KIN],
    ),
)


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    """The user's rules are registered, and gone after the test."""
    known = rules._registry._registry
    monkeypatch.setattr(known, "parts", dict(known.parts))
    for own in OWN:
        rules.register(own)


def small(kind, **settings):
    return kind(**{"steps": 12, "batch": 4, "check_every": 4, "validation": 4, **settings})


NETS = 2  # in all: of one rule, they share its compiled programs


def weights_of(run):
    return [net.weights[name] for net in run.networks for name in sorted(net.weights)]


@every_rule_in_time
def test_it_trains_saves_and_comes_back(kind, tmp_path):
    run = at.train(TASK, MODEL, small(kind), nets=NETS, path=tmp_path / "run", progress=False)
    back = at.load(tmp_path / "run")
    assert back.rule == run.rule
    assert type(back.rule) is kind
    for ours, theirs in zip(weights_of(run), weights_of(back), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    pd.testing.assert_frame_equal(back.history, run.history)
    first_rate = run.history["learning_rate"].iloc[0]
    assert first_rate == pytest.approx(run.rule.rate(0), nan_ok=True)
    assert np.isfinite(run.history["loss"]).all()
    start = MODEL.build(1, 1, seed=0)
    assert any(
        not np.array_equal(start.weights[name], run.networks[0].weights[name])
        for name in start.weights
    )
    assert f"Trained by {kind.in_words}: 12 updates" in trained(run)


@every_rule_in_time
def test_it_goes_on_where_it_was_interrupted(kind, tmp_path, monkeypatch):
    rule = small(kind)
    whole = at.train(TASK, MODEL, rule, nets=NETS, progress=False)
    monkeypatch.setattr(_train, "CHECKPOINT_SECONDS", 0.0)
    update, calls = Population.update, []

    def interrupted(*arguments):
        calls.append(None)
        if len(calls) == 7:
            raise KeyboardInterrupt
        return update(*arguments)

    monkeypatch.setattr(Population, "update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        at.train(TASK, MODEL, rule, nets=NETS, path=tmp_path / "run", progress=False)
    again = at.train(TASK, MODEL, rule, nets=NETS, path=tmp_path / "run", progress=False)
    assert len(calls) < 7 + 12
    for ours, theirs in zip(weights_of(whole), weights_of(again), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    pd.testing.assert_frame_equal(
        again.history.drop(columns="seconds"), whole.history.drop(columns="seconds")
    )


@every_rule_in_time
def test_it_stops_early(kind):
    run = at.train(TASK, MODEL, small(kind, stop_below=1e9), nets=NETS, progress=False)
    assert run.status[0]["status"] == "stopped early"
    assert run.status[0]["step"] == 4


@pytest.mark.parametrize(
    "kind", [each for each in KINDS if each not in (RidgeReadout, at.rules.Reservoir)]
)  # which do not go by steps
def test_its_steps_can_be_slowed(kind):
    rule = small(kind)
    population = Population(TASK, MODEL, rule, NETS, 0)
    state = population.initial_state()
    stopped = population.slowed(state, np.zeros(NETS))
    moved, still = (population.update(s, np.ones(NETS, bool), 0)[0] for s in (state, stopped))
    for name, before in state.weights.items():
        np.testing.assert_array_equal(still.weights[name], before)
    assert any(not np.array_equal(moved.weights[n], w) for n, w in state.weights.items())


@every_rule_in_time
def test_numbers_that_are_not_finite_are_noted_and_it_goes_back(kind, monkeypatch):
    update = Population.update

    def poisoned(self, state, active, step):
        if step == 5:
            weights = {**state.weights, "output_weights": np.inf * state.weights["output_weights"]}
            state = state._replace(weights=weights)
        return update(self, state, active, step)

    monkeypatch.setattr(Population, "update", poisoned)
    run = at.train(TASK, MODEL, small(kind), nets=NETS, progress=False)
    [event] = run.status[0]["events"]
    assert (event["what"], event["step"], event["action"]) == ("diverged", 6, "half the rate")
    assert run.status[0]["step"] == 12
    assert all(np.isfinite(array).all() for array in weights_of(run))


@pytest.mark.parametrize("kind", [GradientDescent, AlongADirection])
def test_divergence_of_a_users_rule_is_seen_and_retried(kind):
    run = at.train(TASK, MODEL, small(kind, learning_rate=1e30), progress=False)
    assert run.status[0]["events"][0]["what"] == "diverged"
    assert all(np.isfinite(array).all() for array in weights_of(run))


def test_what_a_rule_reports_becomes_columns_of_the_history():
    def columns(rule):
        history = at.train(TASK, MODEL, rule, progress=False).history
        assert history["loss"].notna().all()
        return list(history.columns)

    before, after = ["net", "step", "loss", "validation_loss"], ["learning_rate", "seconds"]
    after.append("spectral_radius")
    assert columns(small(at.rules.BPTT)) == [*before, "gradient_norm", *after]
    assert columns(small(AlongADirection)) == [*before, "slope", *after]
    assert columns(small(RidgeReadout)) == [*before, *after]


@pytest.mark.parametrize(
    ("info", "complaint"),
    [
        ({"slope": 1.0}, "it must be a dictionary of numbers with 'loss' in it"),
        ({"loss": 1.0, "seconds": 1.0}, "reports 'seconds', a name that the history has itself"),
        ({"loss": 1.0, "slopes": jnp.ones(3)}, r"reports 'slopes' of shape \(3,\)"),
    ],
)
def test_a_report_that_the_history_cannot_hold_is_refused(info, complaint):
    class Odd(GradientDescent):
        def update(self, model, weights, state, trials, step, key, shards=None):
            return weights, state, info

    with pytest.raises(at.InvalidSetting, match=complaint):
        at.train(TASK, MODEL, small(Odd), progress=False)


def test_a_number_beside_the_loss_may_be_nan():
    class Silent(GradientDescent):
        def update(self, *arguments):
            weights, state, info = super().update(*arguments)
            return weights, state, {"loss": info["loss"], "trace": jnp.nan}

    run = at.train(TASK, MODEL, small(Silent), progress=False)
    assert run.history["trace"].isna().all()
    assert run.status[0]["events"] == []
    figure = at.figures.learning_curve(run.history)
    assert [axes.get_ylabel() for axes in figure.axes] == ["Loss, mean squared error (a.u.²)"]


def test_functions_and_arrays_among_a_rules_settings_come_back(tmp_path):
    @rules.register
    class Shaped(GradientDescent):
        shape: Callable[[Any], Any] = jnp.sign
        rates: Any = None

    rule = small(Shaped, shape=jnp.tanh, rates=np.arange(3.0))
    at.train(TASK, MODEL, rule, path=tmp_path / "run", progress=False)
    back = at.load(tmp_path / "run", shape=jnp.tanh)
    assert back.rule.shape is jnp.tanh
    np.testing.assert_array_equal(back.rule.rates, np.arange(3.0))
    with pytest.raises(at.InvalidSetting, match=r"this rule was made with the function .*shape="):
        at.load(tmp_path / "run")


@pytest.mark.usefixtures("undrawn")
@every_rule_in_time
def test_its_page_says_how_it_trained_and_draws_what_it_reports(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(at.tasks.FlipFlop, "conditions", lambda task: {})  # those are of the task
    run = at.train(TASK, MODEL, small(kind), progress=False)
    drawn = [each for each in at.report.sections() if each.title in ("Learning", "Scores")]
    results = at.report.study(run, n=8)
    page = at.report.write(run, tmp_path / "report.html", results, sections=drawn).read_text()
    assert f"Trained by {kind.in_words}: 12 updates" in page
    assert "Loss (A), " in page


def test_weight_perturbation_finds_the_slope_along_its_direction():
    rule = small(AlongADirection, steps=1, validation=0, size=1e-3)
    population = Population(TASK, MODEL, rule, 1, 0)
    state = population.initial_state()
    after, info = population.update(state, np.ones(1, bool), 0)
    weights, moved = ({n: w[0] for n, w in each.weights.items()} for each in (state, after))
    key = jax.random.fold_in(population.keys.trials[0], 0)
    trials = TASK.batch(at.tasks.trial_keys(key, jnp.arange(4)))
    noise = jax.random.key(0)  # the model has none
    gradient = jax.grad(lambda w: rule.error(MODEL, w, trials, noise) / trials.mask.sum())
    slopes = gradient(weights)
    # the step is -rate · slope · direction, so that slope · change is -rate · slope²
    change = sum(jnp.sum(slopes[n] * (moved[n] - weights[n])) for n in weights)
    expected = -rule.learning_rate * float(info["slope"][0]) ** 2
    assert float(change) == pytest.approx(expected, rel=0.05)


def test_plain_gradient_descent_does_what_numpy_does():
    rule = small(GradientDescent, steps=1, validation=0)
    population = Population(TASK, MODEL, rule, 1, 0)
    state = population.initial_state()
    after = population.update(state, np.ones(1, bool), 0)[0]
    weights = {name: np.asarray(w[0], np.float64) for name, w in state.weights.items()}
    key = jax.random.fold_in(population.keys.trials[0], 0)
    trials = TASK.batch(at.tasks.trial_keys(key, jnp.arange(4)))
    inputs, targets, mask = (np.asarray(a, np.float64) for a in trials[:3])

    def loss(recurrent):
        h, total = np.zeros((4, 6)), 0.0
        for t in range(TASK.n_steps):
            h = np.tanh(h @ recurrent.T + inputs[:, t] @ weights["input_weights"].T)
            outputs = h @ weights["output_weights"].T + weights["output_bias"]
            total += np.sum(mask[:, t] * (outputs - targets[:, t]) ** 2)
        return total / mask.sum()

    nudge = np.zeros((6, 6))
    nudge[2, 3] = 1e-5
    recurrent = weights["recurrent_weights"]
    slope = (loss(recurrent + nudge) - loss(recurrent - nudge)) / 2e-5
    moved = float(after.weights["recurrent_weights"][0, 2, 3]) - recurrent[2, 3]
    assert moved == pytest.approx(-rule.learning_rate * slope, rel=1e-4)


def test_a_readout_solved_at_the_end_is_that_of_numpy(tmp_path):
    """All 12 x 4 trials of the stream in one system; the loop's own weights stay as they began."""
    rule = small(RidgeReadout)
    run = at.train(TASK, MODEL, rule, seed=3, path=tmp_path / "run", progress=False)
    population = Population(TASK, rule.adapt(MODEL), rule, 1, 3)
    start = {name: np.asarray(w[0]) for name, w in population.initial_state().weights.items()}
    products, answers = np.zeros((7, 7)), np.zeros((7, 1))
    for step in range(12):
        key = jax.random.fold_in(population.keys.trials[0], step)
        trials = TASK.batch(at.tasks.trial_keys(key, jnp.arange(4)))
        inputs, targets, mask = (np.asarray(a, np.float64) for a in trials[:3])
        h = np.zeros((4, 6))
        for t in range(TASK.n_steps):
            h = np.tanh(h @ start["recurrent_weights"].T + inputs[:, t] @ start["input_weights"].T)
            columns = np.concatenate([h, np.ones((4, 1))], axis=1)
            products += (columns * mask[:, t]).T @ columns
            answers += (columns * mask[:, t]).T @ targets[:, t]
    solved = np.linalg.solve(products + 1e-3 * np.eye(7), answers)[:, 0]
    found = run.networks[0].weights
    np.testing.assert_allclose(found["output_weights"][0], solved[:-1], rtol=2e-3, atol=1e-4)
    np.testing.assert_allclose(found["output_bias"], solved[-1:], rtol=2e-3, atol=1e-4)
    np.testing.assert_array_equal(found["recurrent_weights"], start["recurrent_weights"])
    assert at.evaluate(run.networks, TASK, 32).mse[0] < run.history["loss"].mean()


def test_a_users_rule_is_known_to_the_commands():
    asked = read_config(None, {"task": "flipflop"}, ["rule.name=GradientDescent", "rule.steps=3"])
    assert asked.rule == GradientDescent(steps=3)
    with pytest.raises(at.InvalidSetting, match="did you mean 'GradientDescent'"):
        read_config(None, {"task": "flipflop"}, ["rule.name=GradientDecent"])


def test_what_is_no_rule_is_refused():
    with pytest.raises(at.InvalidSetting, match=r"no subclass of attractory\.rules\.Rule"):
        rules.register(at.models.RateRNN)
    with pytest.raises(at.InvalidSetting, match="rule 'BPT' is unknown"):
        rules.find("BPT")
