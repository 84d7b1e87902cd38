"""A network that diverges is seen, noted and dealt with; the others do not notice."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import attractory as at
from attractory.rules import BPTT
from attractory.training._divergence import DivergenceWatch
from attractory.training._population import Population

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(2, 10), gaps=(10, 20), pulse=3, delay=3)
MODEL = at.models.RateRNN(units=16)
RULE = BPTT(steps=45, batch=8, optimizer="adam", learning_rate=1e-2)
POISONED_STEP = 25


@pytest.fixture(scope="module")
def undisturbed():
    return at.train(TASK, MODEL, RULE, nets=2, progress=False)


@pytest.fixture
def poison(monkeypatch):
    """Spoil network 1 once, before update 25, by a factor on its recurrent and output weights."""

    def with_factor(factor, again=False):
        update = Population.update

        def poisoned(self, state, active, step):
            if step == POISONED_STEP or (again and step > POISONED_STEP and step % 10 == 5):
                scale = jax.numpy.asarray([1.0, factor])[:, None, None]
                weights = dict(state.weights)
                weights["output_weights"] = weights["output_weights"] * scale
                state = state._replace(weights=weights)
            return update(self, state, active, step)

        monkeypatch.setattr(Population, "update", poisoned)

    return with_factor


def weights_after(steps):
    """The weights of both networks after some undisturbed updates."""
    population = Population(TASK, MODEL, RULE, 2, 0)
    state = population.initial_state()
    for step in range(steps):
        state, _ = population.update(state, np.array([True, True]), step)
    return [{n: np.asarray(w[net]) for n, w in state.weights.items()} for net in range(2)]


def assert_unmoved(run, undisturbed):
    for name, weights in undisturbed.networks[0].weights.items():
        np.testing.assert_array_equal(run.networks[0].weights[name], weights)
    assert run.status[0] == undisturbed.status[0]


def test_not_finite_is_seen_at_once_and_retried_with_half_the_rate(poison, undisturbed):
    poison(np.inf)
    run = at.train(TASK, MODEL, RULE, nets=2, progress=False)
    (event,) = run.status[1]["events"]
    assert event["step"] == POISONED_STEP + 1
    assert event["what"] == "diverged"
    assert event["action"] == "half the rate"
    assert run.status[1]["status"] == "finished"
    assert np.isfinite(run.networks[1].recurrent_weights).all()
    losses = run.history.query("net == 1")["loss"]
    assert (
        losses.tail(5).mean() < 1.5 * undisturbed.history.query("net == 1")["loss"].tail(5).mean()
    )
    assert_unmoved(run, undisturbed)


def test_forgetting_is_seen_within_a_window(poison, undisturbed):
    poison(40.0)
    run = at.train(TASK, MODEL, RULE, nets=2, progress=False)
    (event,) = run.status[1]["events"]
    assert POISONED_STEP < event["step"] <= POISONED_STEP + 10
    assert_unmoved(run, undisturbed)


def test_stop_keeps_the_last_good_weights_and_the_status(poison, undisturbed):
    poison(np.inf)
    run = at.train(TASK, MODEL, RULE.replace(on_divergence="stop"), nets=2, progress=False)
    row = run.status[1]
    assert (row["status"], row["step"]) == ("diverged", POISONED_STEP + 1)
    assert run.history.query("net == 1")["step"].max() == POISONED_STEP + 1
    for name, good in weights_after(20)[1].items():  # good states are taken every ten updates
        np.testing.assert_array_equal(run.networks[1].weights[name], good)
    assert_unmoved(run, undisturbed)


def test_continue_notes_it_and_goes_on(poison, undisturbed):
    poison(40.0)
    run = at.train(TASK, MODEL, RULE.replace(on_divergence="continue"), nets=2, progress=False)
    assert run.status[1]["events"][0]["action"] == "continued"
    assert run.history.query("net == 1")["step"].max() == 45
    assert_unmoved(run, undisturbed)


def test_retries_end_after_three(poison):
    poison(np.inf, again=True)
    run = at.train(TASK, MODEL, RULE.replace(steps=90), nets=2, progress=False)
    actions = [event["action"] for event in run.status[1]["events"]]
    assert actions == ["half the rate"] * 3 + ["stopped"]
    assert run.status[1]["status"] == "diverged"
    assert run.status[0]["status"] == "finished"


def test_each_retry_halves_the_rate_again(poison):
    poison(np.inf, again=True)
    seen = []
    choose = Population.choose

    def noting(self, which, first, second):
        chosen = choose(self, which, first, second)
        seen.append(np.asarray(chosen.rule["rate_factor"]).tolist())
        return chosen

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Population, "choose", noting)
        at.train(TASK, MODEL, RULE.replace(steps=90), nets=2, progress=False)
    assert {factors[0] for factors in seen} == {1.0}
    assert {factors[1] for factors in seen} == {1.0, 0.5, 0.25, 0.125}


def test_the_watch_by_hand():
    """Ten losses of 0.1 are good; then 0.6 is worse than half of silence (1.0) after some steps."""
    watch = DivergenceWatch(1, silent_loss=1.0)
    active = np.array([True])
    for _ in range(10):
        assert not watch.see(np.array([0.1]), active).any()
    assert watch.good().all()
    # the average of ten is (10 - k) · 0.1 + k · 0.9 over 10: above 0.5 (and 5 · 0.1) from k = 6 on
    seen = [bool(watch.see(np.array([0.9]), active)[0]) for _ in range(6)]
    assert seen == [False, False, False, False, False, True]
    assert not watch.good().any()


def test_a_bad_start_is_no_divergence():
    """Losses may begin above silence and rise a little without being called diverged."""
    watch = DivergenceWatch(1, silent_loss=0.5)
    for loss in np.linspace(2.0, 3.0, 40):
        assert not watch.see(np.array([loss]), np.array([True])).any()


def test_watch_comes_back_from_json_exactly():
    watch = DivergenceWatch(2, 0.7)
    rng = np.random.default_rng(0)
    for _ in range(13):
        watch.see(rng.random(2), np.array([True, True]))
    again = DivergenceWatch.from_json(watch.to_json())
    np.testing.assert_array_equal(again.recent, watch.recent)
    np.testing.assert_array_equal(again.best, watch.best)
