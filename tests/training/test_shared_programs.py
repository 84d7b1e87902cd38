"""Rules that differ in a number train with one program, and as if it were compiled into theirs."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import attractory as at
from attractory.models import RateRNN
from attractory.rules import BPTT
from attractory.tasks import FlipFlop
from attractory.training import Population

TASK = FlipFlop(bits=1, steps=12, first_onset=(1, 2), pulse=2, delay=2)
MODEL = RateRNN(units=3)
SETTINGS = {"optimizer": "sgd", "steps": 3, "batch": 2, "warmup": 1, "clip": None}


@pytest.fixture
def compiled_updates():
    """The names of the programs that are compiled, or fetched, from here on."""
    names = []

    def note(event, seconds, **about):
        if event.endswith("backend_compile_duration") and "many" in about.get("fun_name", ""):
            names.append(about["fun_name"])

    jax.monitoring.register_event_duration_secs_listener(note)
    yield names
    jax.monitoring.unregister_event_duration_listener(note)


def trained(**settings):
    run = at.train(TASK, MODEL, BPTT(**SETTINGS, **settings), progress=False)
    return run.networks[0].weights


def assert_same(weights, others):
    for name, array in weights.items():
        np.testing.assert_array_equal(array, others[name], err_msg=name)


def test_another_rate_needs_no_other_program(registries, compiled_updates):
    """A schedule that looks at its rate has that compiled into its program."""

    @at.rules.schedule
    def looked_at(rate):
        constant = float(rate)
        return lambda step: constant

    assert BPTT(schedule="looked_at").numbers == {}
    rates = [
        {"learning_rate": 0.01, "recurrent_learning_rate": 0.5},
        {"learning_rate": 0.5, "recurrent_learning_rate": 0.25},
    ]
    shared = [trained(schedule="constant", **each) for each in rates]
    assert len(compiled_updates) == 1
    for weights, each in zip(shared, rates, strict=True):
        assert_same(weights, trained(schedule="looked_at", **each))
    assert len(compiled_updates) == 1 + len(rates)


class AsksEverywhere(BPTT):
    """A rule that uses its rate wherever the loop calls it."""

    def init(self, model, weights, key):
        return {**super().init(model, weights, key), "begun": jnp.asarray(self.learning_rate)}

    def error(self, model, weights, trials, key):
        return self.learning_rate * super().error(model, weights, trials, key)

    def slowed(self, state, factor):
        state = super().slowed(state, factor)
        return {**state, "slowed": factor * self.learning_rate * state["rate_factor"]}

    def finish(self, model, weights, state):
        finished = {name: self.learning_rate * array for name, array in weights.items()}
        return finished, {"begun": state["begun"]}


@pytest.mark.parametrize("rate", [0.25, 0.5])
def test_a_rule_has_its_rate_wherever_it_is_asked(rate):
    rule = AsksEverywhere(**SETTINGS, learning_rate=rate, validation=2)
    population = Population(TASK, MODEL, rule, nets=2, seed=0)
    state = population.initial_state()
    np.testing.assert_array_equal(state.rule["begun"], [rate, rate])
    again = population.initial_state({**state.weights})
    np.testing.assert_array_equal(again.rule["begun"], [rate, rate])
    slowed = population.slowed(state, np.array([1.0, 0.5]))
    np.testing.assert_array_equal(slowed.rule["slowed"], [rate, rate / 4])

    plain = Population(TASK, MODEL, BPTT(**SETTINGS, validation=2), nets=2, seed=0)
    expected = rate * plain.validate(plain.initial_state())
    np.testing.assert_allclose(population.validate(state), expected, rtol=1e-6)

    finished, report = population.finished(state)
    np.testing.assert_array_equal(report["begun"], [rate, rate])
    for name, array in state.weights.items():
        np.testing.assert_array_equal(finished[name], np.float32(rate) * array, err_msg=name)


def test_a_rule_says_its_rates():
    assert BPTT(learning_rate=0.02).numbers == {"learning_rate": 0.02}
    both = {"learning_rate": 0.02, "recurrent_learning_rate": 0.3}
    assert BPTT(**both).numbers == both
    assert at.rules.Reservoir().numbers == {}
