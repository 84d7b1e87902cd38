"""What was computed on a run is not computed again, by the commands, the page, or a notebook."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import attractory as at
from attractory import analysis
from attractory.models import Network
from attractory.report import Effort, study
from attractory.runs import _results

TASK = at.tasks.FlipFlop(bits=1, steps=120, first_onset=(5, 20), pulse=4, delay=4)
LITTLE = Effort.quick().replace(starts=64, max_starts=64, hold_steps=200, samples=4, patterns=1)


@pytest.fixture(autouse=True)
def forgotten():
    """Each test begins as a new process does."""
    _results._memory.clear()


@pytest.fixture
def run(tmp_path):
    model = at.models.RateRNN(units=12, recurrent_gain=1.3)
    rule = at.rules.BPTT(steps=3, batch=4, optimizer="sgd")
    return at.train(TASK, model, rule, nets=2, path=tmp_path / "run", progress=False)


@pytest.fixture
def nothing_computed(monkeypatch):
    """From here on networks cannot be run, nor searched for fixed points."""

    def begin():
        def refuse(*arguments, **settings):
            raise AssertionError("computed again")

        _results._memory.clear()
        for name in ("simulate", "respond"):
            monkeypatch.setattr(Network, name, refuse)
        for name in ("fixed_points", "attractors", "connections", "automaton", "continuation"):
            monkeypatch.setattr(analysis, name, refuse)

    return begin


def tables(folder):
    return {path.name: pd.read_csv(path) for path in sorted(folder.glob("*.csv"))}


def test_a_study_of_a_loaded_run_computes_nothing(run, tmp_path, nothing_computed):
    first = study(run, n=16, fixed_points=True, automaton=True, effort=LITTLE)
    first.save(tmp_path / "first")
    nothing_computed()
    again = study(at.load(run.path), n=16)  # what was computed is shown without being asked for
    again.save(tmp_path / "again")
    before, after = tables(tmp_path / "first"), tables(tmp_path / "again")
    assert before.keys() == after.keys()
    assert {"fixed_points.csv", "transitions.csv", "driven_points.csv"} <= set(before)
    for name, table in before.items():
        pd.testing.assert_frame_equal(table, after[name], obj=name)
    assert again.dynamics[0].automaton.statement == first.dynamics[0].automaton.statement
    assert (
        again.dynamics[0].connections.edges.tolist() == first.dynamics[0].connections.edges.tolist()
    )


@pytest.mark.usefixtures("undrawn")
def test_analyze_then_report_computes_nothing(run, nothing_computed, monkeypatch):
    from typer.testing import CliRunner

    from attractory.cli._app import app

    monkeypatch.setattr(Effort, "quick", classmethod(lambda cls: LITTLE))
    asked = ["analyze", str(run.path), "--fixed-points", "--quick"]
    assert CliRunner().invoke(app, asked).exit_code == 0
    nothing_computed()
    done = CliRunner().invoke(app, ["report", str(run.path)])
    assert done.exit_code == 0, done.exception
    assert "Every fixed point" in (run.path / "report.html").read_text()


def test_the_page_shows_what_a_notebook_computed(run, tmp_path):
    for net in run.networks:
        analysis.fixed_points(net, task=TASK.scored(), n_starts=32, max_starts=32)
    results = study(run, n=8)
    assert results.dynamics is not None
    assert results.dynamics[0].connections is None
    drawn = [each for each in at.report.sections() if each.title == "Fixed points"]
    page = at.report.write(run, tmp_path / "report.html", results, sections=drawn).read_text()
    assert "Every fixed point" in page


def test_what_was_found_of_some_networks_alone_is_not_shown_of_all(run):
    analysis.fixed_points(run.networks[0], task=TASK.scored(), n_starts=32, max_starts=32)
    assert study(run, n=8).dynamics is None


def test_a_page_shows_no_result_of_other_weights(run):
    study(run, n=8, fixed_points=True, effort=LITTLE)
    for net in run.networks:
        weights = net.weights
        weights["recurrent_weights"] = 0.1 * np.asarray(weights["recurrent_weights"])
    again = study(run, n=8)
    assert again.dynamics is None
    assert again.spectra[0].radius < 0.2


def test_a_run_of_before_there_were_results_is_studied(run):
    import shutil

    study(run, n=8)
    shutil.rmtree(run.path / "results")
    _results._memory.clear()
    assert study(at.load(run.path), n=8).scores.n == 8
    assert (run.path / "results").exists()
