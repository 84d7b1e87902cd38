"""Fixed points and automaton in the study, in the saved tables and on the page."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from analysis.planted import planted_bits
from safetensors.numpy import load_file

import attractory as at
from attractory.report import Effort, study, write

EFFORT = Effort(
    starts=128, max_starts=512, driven_starts=64, samples=4, hold_steps=400, patterns=3, branches=2
)
TASK = at.tasks.FlipFlop(bits=2, neutral_start=False, noise=0.02)


@pytest.fixture(scope="module")
def run():
    networks = [planted_bits(2, size=6, seed=seed) for seed in range(2)]
    status = [{"net": i, "seed": 0, "status": "finished", "step": 0} for i in range(2)]
    return at.runs.Run(TASK, networks[0].model, networks, status)


@pytest.fixture(scope="module")
def results(run):
    return study(run, n=8, fixed_points=True, automaton=True, effort=EFFORT)


def test_every_network_is_opened(results):
    table = results.network_table()
    assert table["points_all"].tolist() == [9, 9]
    assert table["points_stable"].tolist() == [4, 4]
    assert table["points_certified"].tolist() == [9, 9]
    assert table["automaton_correct"].tolist() == [1.0, 1.0]
    for found in results.dynamics:
        assert found.connections.hypercube == 2
        assert len(found.continuations) == 2
        assert len(found.driven) == 3
        assert found.modes["point"].nunique() == 4
        assert len(found.disturbances) == 4


def test_nothing_is_searched_that_was_not_asked_for(run):
    plain = study(run, n=8, fixed_points=False, automaton=False)
    assert plain.dynamics is None
    assert not [name for name in plain.network_table() if name.startswith(("points", "automaton"))]
    machine = study(run, n=8, automaton=True, effort=EFFORT).dynamics[0]
    assert machine.connections is None
    assert machine.automaton is not None


def test_saved_tables_and_states_come_back(results, tmp_path):
    results.save(tmp_path)
    points = pd.read_csv(tmp_path / "fixed_points.csv")
    assert points.groupby("net").size().tolist() == [9, 9]
    arrays = load_file(tmp_path / "fixed_points_1.safetensors")
    np.testing.assert_array_equal(arrays["states"], results.dynamics[1].points.states)
    eigenvalues = arrays["eigenvalues_real"] + 1j * arrays["eigenvalues_imaginary"]
    np.testing.assert_array_equal(eigenvalues, results.dynamics[1].points.eigenvalues)
    transitions = pd.read_csv(tmp_path / "transitions.csv", dtype={"state": str, "input": str})
    assert len(transitions) == 2 * 4 * 9
    assert transitions["correct"].all()
    said = json.loads((tmp_path / "dynamics.json").read_text())
    assert said[0]["complete"]
    assert said[0]["hypercube"] == 2
    folds = pd.read_csv(tmp_path / "folds.csv").query("net == 0 and fold < 1")
    assert folds["fold"].to_numpy() == pytest.approx(0.5328400, abs=1e-6)


@pytest.mark.usefixtures("undrawn")
def test_the_page_shows_and_says_it(run, results, tmp_path):
    page = write(run, tmp_path / "report.html", results).read_text()
    for text in ("Fixed points", "Automaton", "9 fixed points", "36 of 36 transitions"):
        assert text in page
    for name in ("fixed_points", "connections", "jacobian_spectra", "continuation", "automaton"):
        assert (tmp_path / "figures" / f"{name}.png").exists()
    assert "turn-points" in page


def test_an_automaton_of_a_task_without_states_is_refused_before_any_work(monkeypatch):
    class Echo(at.tasks.Task):
        def trial(self, key):
            import jax.numpy as jnp

            return at.tasks.Trial(jnp.zeros((5, 2)), jnp.zeros((5, 2)))

    networks = [planted_bits(2, size=6)]
    status = [{"net": 0, "seed": 0, "status": "finished", "step": 0}]
    run = at.runs.Run(Echo(), networks[0].model, networks, status)
    monkeypatch.setattr(type(networks[0]), "respond", None)  # nothing could be scored
    with pytest.raises(at.InvalidSetting, match="defines no machine"):
        study(run, n=8, automaton=True)
