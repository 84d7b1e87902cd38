"""A study and a page for every kind of task and model."""

from __future__ import annotations

import html

import jax.numpy as jnp
import numpy as np
import pytest

import attractory as at
from attractory.models import GRU, LSTM, Constraints, Custom, LowRankRNN, RateRNN, Stacked
from attractory.report import Effort, study, write

QUICK = Effort.quick().replace(
    starts=32, max_starts=64, driven_starts=16, samples=2, hold_steps=400
)
FLIP = at.tasks.FlipFlop(bits=1, steps=120, first_onset=(5, 20), pulse=4, delay=4)


def untrained(task, model, nets=1):
    networks = [model.build(task.n_inputs, task.n_outputs, seed=s) for s in range(nets)]
    status = [{"net": i, "seed": 0, "status": "finished", "step": 0} for i in range(nets)]
    return at.Run(task, model, networks, status)


def trained(task, model):
    rule = at.rules.BPTT(steps=4, batch=4, optimizer="adam")
    return at.train(task, model, rule, progress=False)


def own_cell(weights, state, x):
    return jnp.tanh(weights["own"] @ state + weights["into"] @ x)


@pytest.mark.slow
def test_context_decisions_by_a_gru(tmp_path):
    task = at.tasks.get("context_decision", dt=50)
    run = trained(task, GRU(units=12, tau=100.0, dt=50.0))
    results = study(run, n=64)
    scores = at.evaluate(run.networks, task, 64, seed=1_000_003)
    np.testing.assert_array_equal(results.network_table()["correct"], scores.correct)
    assert results.choices.by == "context"
    assert "context" in results.by_condition
    assert results.by_condition["context"]["trials"].sum() == 64
    assert results.spectra[0].of == "Jacobian at 0"
    assert results.connectivity[0].gate == "candidate"
    assert results.audit is None
    page = write(run, tmp_path / "report.html", results).read_text()
    assert "No audit of the weights is made: " in page
    assert "No connectivity" not in page
    assert "Trials correct by context" in page
    assert "<h2>Task geometry</h2>" in page
    assert (tmp_path / "figures" / "psychometric.svg").exists()
    assert not (tmp_path / "figures" / "spectral_radius.svg").exists()
    results.save(tmp_path / "analysis")
    assert (tmp_path / "analysis" / "psychometric.csv").exists()
    assert (tmp_path / "analysis" / "by_context.csv").exists()
    assert run.status[0]["scores"]["correct"] == scores.correct[0]


@pytest.mark.slow
def test_yangs_battery_by_a_leaky_rate_network(tmp_path):
    task = at.tasks.get("yang")
    model = RateRNN(units=12, tau=100.0, dt=task.dt, activation="softplus")
    run = untrained(task, model)
    results = study(run, n=24)
    page = write(run, tmp_path / "report.html", results).read_text()
    assert "Trials correct by" in page
    assert results.choices is None


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_and_by_a_network_with_dales_law(tmp_path):
    rules = Constraints(excitatory=0.75, density=0.5, self_connections=False)
    model = RateRNN(units=12, activation="relu", constraints=rules)
    run = trained(at.tasks.get("and"), model)
    results = study(run, n=16)
    assert results.audit.violations == 0
    page = write(run, tmp_path / "report.html", results).read_text()
    assert "Dale's law" in html.unescape(page)
    assert (tmp_path / "figures" / "spectral_radius.svg").exists()
    results.save(tmp_path / "analysis")
    assert (tmp_path / "analysis" / "audit.csv").exists()


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(LSTM(units=6), marks=pytest.mark.slow),
        pytest.param(LowRankRNN(units=8, rank=2), marks=pytest.mark.slow),
        pytest.param(Stacked(layers=(GRU(units=4), RateRNN(units=5))), marks=pytest.mark.slow),
        pytest.param(
            Custom(
                step=own_cell,
                units=6,
                shapes={"own": ("units", "units"), "into": ("units", "inputs")},
            ),
            marks=pytest.mark.slow,
        ),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_flip_flop_of_every_model_with_fixed_points_and_automaton(model, tmp_path):
    run = untrained(FLIP, model)
    results = study(run, n=8, fixed_points=True, automaton=True, effort=QUICK)
    assert results.dynamics[0].automaton.table().shape[0] == len(FLIP.machine().states)
    page = write(run, tmp_path / "report.html", results).read_text()
    results.save(tmp_path / "analysis")
    if isinstance(model, Stacked):
        assert "No connectivity is shown: a network of several layers" in page
        assert results.audit.entries[0].layer == 2
    if isinstance(model, Custom):
        assert "No connectivity is shown: this model" in page
        assert results.connectivity == []
    if isinstance(model, LowRankRNN):
        assert results.dynamics[0].points.certified.all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["delayed_response", "dual_delayed_match", "time_pulse"])
def test_other_tasks_get_a_page(name, tmp_path):
    if name not in at.tasks.names():
        pytest.skip(f"no task {name}")
    task = at.tasks.get(name)
    run = untrained(task, RateRNN(units=8))
    write(run, tmp_path / "report.html", study(run, n=8))
