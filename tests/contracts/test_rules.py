"""What every registered rule keeps, and a user's own: the loop asks nothing else of it."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import attractory as at
from attractory import rules
from attractory.cli._config import read_config
from attractory.report._page import _lead
from attractory.rules import Metrics, Rule, mean_over_shards, squared_error
from attractory.training import Population, _train

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
MODEL = at.models.RateRNN(units=6)


class GradientDescent(Rule):
    """Plain gradient descent: weights less the gradient times the rate, and nothing else."""

    learning_rate: float = 0.05
    in_words = "plain gradient descent"

    def rate(self, step):
        return self.learning_rate

    def init(self, model, weights, key):
        return {"factor": jnp.ones(())}

    def update(self, model, weights, state, trials, step, key, shards=None):
        def of_shard(given):
            index, own = given
            noise = jax.random.fold_in(key, index)
            error = jax.value_and_grad(lambda w: squared_error(model, w, own, noise))
            return error(weights), jnp.sum(own.mask)

        sums, counted = shards.each(of_shard, (shards.indices(), trials))
        loss, gradient = mean_over_shards(sums, counted, shards)
        rate = self.learning_rate * state["factor"]
        changed = {name: weights[name] - rate * gradient[name] for name in weights}
        norm = jnp.sqrt(sum(jnp.sum(g**2) for g in gradient.values()))
        return changed, state, Metrics(loss, norm)

    def slowed(self, state, factor):
        return {"factor": factor * state["factor"]}


class RidgeReadout(Rule):
    """Random weights stay; the readout is solved for once all trials were seen (ridge)."""

    ridge: float = 1e-3
    in_words = "a ridge readout"

    def adapt(self, model):
        return model.replace(trainable=("output_weights", "output_bias"))

    def init(self, model, weights, key):
        n, outputs = model.units + 1, len(weights["output_weights"])
        return {"products": jnp.zeros((n, n)), "answers": jnp.zeros((n, outputs))}

    def update(self, model, weights, state, trials, step, key, shards=None):
        def of_shard(own):
            states, outputs = model.run(weights, own.inputs)
            states = states.swapaxes(0, 1)
            columns = jnp.concatenate([states, jnp.ones((*states.shape[:2], 1))], axis=2)
            weighted = columns * own.mask[:, :, :1]
            error = jnp.sum(own.mask * (outputs - own.targets) ** 2)
            products = jnp.einsum("nti,ntj->ij", weighted, columns)
            answers = jnp.einsum("nti,ntj->ij", weighted, own.targets)
            return error, products, answers, jnp.sum(own.mask)

        error, products, answers, counted = shards.sum(shards.each(of_shard, trials))
        state = {
            "products": state["products"] + products,
            "answers": state["answers"] + answers,
        }
        return weights, state, Metrics(error / counted, jnp.zeros(()))

    def finish(self, model, weights, state):
        regular = state["products"] + self.ridge * jnp.eye(model.units + 1)
        solved = jnp.linalg.solve(regular, state["answers"]).T
        return {**weights, "output_weights": solved[:, :-1], "output_bias": solved[:, -1]}

    def slowed(self, state, factor):
        return state


KINDS = [*map(rules.find, rules.names()), GradientDescent, RidgeReadout]
every_rule = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    """The user's rules are registered, and gone after the test."""
    known = rules._registry._registry
    monkeypatch.setattr(known, "classes", dict(known.classes))
    rules.register(GradientDescent)
    rules.register(RidgeReadout)


def small(kind, **settings):
    return kind(**{"steps": 12, "batch": 4, "check_every": 4, "validation": 4, **settings})


def weights_of(run):
    return [net.weights[name] for net in run.networks for name in sorted(net.weights)]


@every_rule
def test_it_trains_saves_and_comes_back(kind, tmp_path):
    run = at.train(TASK, MODEL, small(kind), nets=2, path=tmp_path / "run", progress=False)
    back = at.load(tmp_path / "run")
    assert back.rule == run.rule
    assert type(back.rule) is kind
    for ours, theirs in zip(weights_of(run), weights_of(back), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    first_rate = run.history["learning_rate"].iloc[0]
    assert first_rate == pytest.approx(run.rule.rate(0), nan_ok=True)
    assert np.isfinite(run.history["loss"]).all()
    start = MODEL.build(1, 1, seed=0)
    assert any(
        not np.array_equal(start.weights[name], run.networks[0].weights[name])
        for name in start.weights
    )
    assert f"Trained by {kind.in_words}: 12 updates" in _lead(run)


@every_rule
def test_it_goes_on_where_it_was_interrupted(kind, tmp_path, monkeypatch):
    rule = small(kind)
    whole = at.train(TASK, MODEL, rule, nets=2, progress=False)
    monkeypatch.setattr(_train, "CHECKPOINT_SECONDS", 0.0)
    update, calls = Population.update, []

    def interrupted(*arguments):
        calls.append(None)
        if len(calls) == 7:
            raise KeyboardInterrupt
        return update(*arguments)

    monkeypatch.setattr(Population, "update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        at.train(TASK, MODEL, rule, nets=2, path=tmp_path / "run", progress=False)
    again = at.train(TASK, MODEL, rule, nets=2, path=tmp_path / "run", progress=False)
    assert len(calls) < 7 + 12
    for ours, theirs in zip(weights_of(whole), weights_of(again), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@every_rule
def test_it_stops_early(kind):
    run = at.train(TASK, MODEL, small(kind, stop_below=1e9), progress=False)
    assert run.status[0]["status"] == "stopped early"
    assert run.status[0]["step"] == 4


@pytest.mark.parametrize("kind", [each for each in KINDS if each is not RidgeReadout])
def test_its_steps_can_be_slowed(kind):
    rule = small(kind)
    population = Population(TASK, MODEL, rule, 1, 0)
    state = population.initial_state()
    stopped = population.slowed(state, np.zeros(1))
    moved, still = (population.update(s, np.ones(1, bool), 0)[0] for s in (state, stopped))
    for name, before in state.weights.items():
        np.testing.assert_array_equal(still.weights[name], before)
    assert any(not np.array_equal(moved.weights[n], w) for n, w in state.weights.items())


def test_divergence_of_a_users_rule_is_seen_and_retried():
    run = at.train(TASK, MODEL, small(GradientDescent, learning_rate=1e30), progress=False)
    assert run.status[0]["events"][0]["what"] == "diverged"
    assert all(np.isfinite(array).all() for array in weights_of(run))


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
