"""Every measure of networks, a user's own too: a number, or the reason why there is none."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import attractory as at
from attractory import population
from attractory.models import GRU, LSTM, CurrentRNN, Network, RateRNN
from attractory.population import Measures, find_measure, measure, measure_names
from attractory.runs import Run

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
NAMES = measure_names()
# of random directions and starts: the same to what is left of the washout
LOOSE = {"lyapunov_exponent": 5e-3}
each = pytest.mark.parametrize("name", NAMES)


def memory(order):
    """One bit in the first of four units, the others follow; units in another order."""
    rng = np.random.default_rng(0)
    recurrent = 0.3 * rng.normal(size=(4, 4))
    recurrent[0] = [1.6, 0, 0, 0]
    into, out = np.eye(4)[:, :1] * 1.5, np.eye(4)[:1] * 1.05
    return RateRNN.from_weights(recurrent[np.ix_(order, order)], into[order], out[:, order])


def history(nets):
    step = np.arange(1, 21)
    losses = [np.exp(-step / (4 + net)) for net in range(nets)]
    parts = [
        pd.DataFrame({"net": net, "step": step, "loss": loss, "validation_loss": np.nan})
        for net, loss in enumerate(losses)
    ]
    return pd.concat(parts, ignore_index=True)


@cache
def measured():
    """All measures of a network and of the same one with its units in another order."""
    networks = [memory([0, 1, 2, 3]), memory([2, 0, 3, 1])]
    run = Run(TASK, networks[0].model, networks, history=history(2))
    return measure(run, NAMES, trials=80, progress=False)


@each
def test_a_measure_says_what_it_is(name):
    found = find_measure(name)
    assert found.name == name
    assert found.function.__doc__
    for words in (found.larger, found.source):
        assert words.strip()
    for unit in (found.unit, measured().units[name]):
        assert unit == unit.strip()
    assert len(found.larger) <= 18  # stands above a panel


@each
def test_a_measure_is_a_number(name):
    values = measured()[name]
    assert np.isfinite(values).all(), measured().reasons.get(name)


@each
def test_the_order_of_the_units_does_not_matter(name):
    if find_measure(name).needs == "history":
        return
    one, other = measured()[name]
    np.testing.assert_allclose(one, other, rtol=1e-6, atol=LOOSE.get(name, 1e-6))


@pytest.mark.parametrize("model", [GRU(units=3), LSTM(units=2), CurrentRNN(units=3)])
def test_of_any_cell_there_is_a_number_or_a_reason(model):
    net = model.build(1, 1, seed=1)
    names = [name for name in NAMES if find_measure(name).needs not in ("fixed points", "machine")]
    found = measure(net, names, TASK, trials=16, progress=False)
    for name in names:
        known = np.isfinite(found[name][0])
        assert known or found.reasons[name][0]
        assert not (known and name in found.reasons)
    assert list(found.reasons) == ["learning_time"]
    assert "not trained here" in found.reasons["learning_time"][0]


def test_a_network_that_does_nothing_has_reasons():
    still = RateRNN.from_weights(np.eye(2), np.zeros((2, 1)), np.zeros((1, 2)), bias=None)
    found = measure([still], ["participation_ratio", "ei_balance", "n_fixed_points"], TASK, 12)
    assert np.isnan(found["participation_ratio"][0])
    assert "do not vary" in found.reasons["participation_ratio"][0]
    assert "no negative recurrent weights" in found.reasons["ei_balance"][0]
    assert "No ei_balance of 1 of them" in found.statement


def test_measures_are_saved_and_loaded(tmp_path):
    found = measured()
    back = Measures.load(found.save(tmp_path / "measures.safetensors"))
    np.testing.assert_array_equal(back.values, found.values)
    assert (back.names, back.group, back.reasons) == (found.names, found.group, found.reasons)
    assert (back.units, back.sources, back.larger) == (found.units, found.sources, found.larger)
    pd.testing.assert_frame_equal(back.table(), found.table())
    assert list(found.table().columns) == ["net", *NAMES]
    assert len(repr(found)) < 1500
    assert found.summary()["networks"] == 2


def test_a_users_own_stands_beside_them(registries):
    @population.measure_of("states", larger="louder", source="defined here", unit="a.u.")
    def mean_size(network, context):
        """Mean size of the states."""
        return np.abs(context.states).mean()

    assert "mean_size" in measure_names()
    net = memory([0, 1, 2, 3])
    found = measure(net, trials=8, task=TASK)
    trials = TASK.sample(8, 0)
    states = net.simulate(trials.inputs, precision="float64").states
    np.testing.assert_allclose(found["mean_size"], np.abs(states).mean())
    assert found.units["mean_size"] == "a.u."


@pytest.mark.parametrize("given", ["a word", None, np.ones(2)])
def test_what_is_no_number_is_one_line(given, registries):
    @population.measure_of("weights", larger="more", source="defined here")
    def wrong(network, context):
        return given

    with pytest.raises(at.InvalidSetting, match="measure wrong gave .*; a number is needed"):
        measure(memory([0, 1, 2, 3]), "wrong")


def test_unknown_needs_are_one_line():
    with pytest.raises(at.InvalidSetting, match="needs = 'points' is not allowed: trials, states"):
        population.measure_of("points", larger="", source="")


def test_networks_of_a_loaded_model_are_the_same():
    """A measure is of the network alone: a copy has the same numbers."""
    net = memory([0, 1, 2, 3])
    copy = Network(net.model, {name: np.array(w) for name, w in net.weights.items()})
    found = measure([net, copy], task=TASK, trials=16)
    np.testing.assert_array_equal(found.values[0], found.values[1])
