"""Tasks, models, rules, networks and runs are shown in a line or two."""

from __future__ import annotations

import numpy as np
import pytest

import attractory as at

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
SHOWN = {
    "a model": (at.models.RateRNN(units=5), "RateRNN(units=5)"),
    "nothing said": (at.models.GRU(), "GRU()"),
    "a rule": (at.rules.BPTT(steps=3, loss="squared_error"), "BPTT(steps=3)"),
    "a task": (at.tasks.get("flipflop", bits=4), "FlipFlop(bits=4)"),
    "settings within": (
        at.models.RateRNN(units=9, constraints=at.models.Constraints(excitatory=0.5)),
        "RateRNN(units=9, constraints=Constraints(excitatory=0.5))",
    ),
    "layers": (
        at.models.Stacked(layers=(at.models.GRU(units=2),)),
        "Stacked(units=2, layers=(GRU(units=2),))",
    ),
    "a network": (
        at.models.LSTM(units=3).build(2, 1),
        "Network of LSTM(units=3): 2 inputs, 3 units, 1 outputs",
    ),
}


@pytest.mark.parametrize("what", SHOWN)
def test_what_is_not_as_usual_is_shown(what):
    thing, said = SHOWN[what]
    assert repr(thing) == said


def test_a_run_is_a_line_and_a_row_a_network(tmp_path):
    rule = at.rules.BPTT(steps=2, batch=4)
    run = at.train(
        TASK, at.models.RateRNN(units=3), rule, nets=3, path=tmp_path / "run", progress=False
    )
    first, *rows = repr(run).splitlines()
    assert first.startswith(f"Run ({run.path}): 3 x RateRNN(units=3")
    assert "FlipFlop(bits=1" in first
    assert len(rows) == 4
    assert rows[1].split() == ["0", "finished", "2"]


def test_a_model_with_arrays_of_ones_own_is_short():
    model = at.models.RateRNN(units=200, recurrent_init=np.eye(200))
    assert len(repr(model)) < 1000


def test_a_network_is_called_with_inputs():
    net = at.models.RateRNN(units=4).build(2, 3, seed=1)
    inputs = np.random.default_rng(0).normal(size=(5, 7, 2)).astype(np.float32)
    np.testing.assert_allclose(net(inputs), net.simulate(inputs).outputs, atol=1e-6)
    np.testing.assert_allclose(net(inputs[0]), net(inputs)[0], atol=1e-6)
