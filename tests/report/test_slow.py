"""Slow sets and selection vectors in the study and on the page, of a network that is planted."""

from __future__ import annotations

import functools
from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest

import attractory as at
from attractory import analysis
from attractory.report import Effort, Study, _slow, write
from attractory.report._story import story
from attractory.report.sections import SlowSets
from attractory.runs import _results

TASK = at.tasks.ContextDecision(
    dt=50, fixation=100, stimulus=300, delay=300, decision=100, sigma=0.2
)
UNITS = 5
BASIS = np.linalg.qr(np.random.default_rng(0).normal(size=(UNITS, UNITS)))[0].T
ACROSS = BASIS[0] + BASIS[1]  # the selection vector; BASIS[0] is the line


def planted():
    """What lies along BASIS[0] stays; modality 1 moves it 4 times as far as modality 2.

    Both reach as far along the line at first.
    """
    projector = np.outer(BASIS[0], ACROSS)
    into = np.zeros((UNITS, 7))
    for first, kept in ((1, 2.0), (3, 0.5)):
        moved = BASIS[0] + (kept - 1) * BASIS[1]
        into[:, first], into[:, first + 1] = moved, -moved
    outputs = np.random.default_rng(1).normal(size=(3, UNITS))
    recurrent = projector + 0.5 * (np.eye(UNITS) - projector)
    return at.models.RateRNN.from_weights(
        recurrent, into, outputs, activation="linear", dt=50.0, tau=50.0
    )


def run_of(networks):
    return at.Run.of(networks, TASK)


@pytest.fixture(scope="module")
def results():
    """A study in which there is nothing else: its other parts take longer than all of these."""
    run = run_of([planted()])
    slow = _slow.slow_study(run, TASK, 0, None)
    inputs = np.random.default_rng(0).normal(size=(4, 20, 7)).astype(np.float32)
    asked = np.ones((4, 20, 3), np.float32)
    space = analysis.state_space(run.networks[0], at.tasks.Trials(inputs, asked, asked, dt=50.0))
    nothing = dict.fromkeys(field.name for field in fields(Study))
    return Study(**{**nothing, "run": run, "task": TASK, "slow": slow, "spaces": [space]})


def test_the_study_has_each_constant_input_of_the_task(results):
    (inputs,) = results.slow.networks
    assert [each.input.name for each in inputs] == [each.name for each in TASK.constant_inputs()]
    table = _slow.main_table(results.slow.networks)
    assert (table["slow set"] == "line").all()
    assert table["relevant"].tolist() == ["modality 1"] * 2 + ["modality 2"] * 2
    assert table["relevant : other"].tolist() == ["4", "4", "0.25", "0.25"]
    assert table["at first"].tolist() == ["1"] * 4
    (how,) = (told.answer for told in story(results) if told.question == "How does it do it?")
    assert how.startswith("Slow states under 4 constant inputs: a line in 4.")
    wider = _slow.wider_table(inputs)
    assert list(wider) == ["input", "slow: 5%", "slow: 10%"]


def test_selection_vectors_are_laid_beside_the_axes_of_the_task(results):
    """Choice lies along the line here, and context across it."""
    given = TASK.sample(80, seed=0)
    choice = np.arange(80) % 2
    given = replace(given, conditions={"choice": choice, "context": given.conditions["context"]})
    carried = np.outer(choice, BASIS[0]) + np.outer(given.conditions["context"], BASIS[2])
    noise = np.random.default_rng(2).normal(0, 0.05, (80, TASK.n_steps, UNITS))
    path = at.models.Trajectory(given.inputs, carried[:, None] + noise, given.targets, 50.0)
    axes = analysis.task_axes(path, given, ["choice", "context"])
    geometry = SimpleNamespace(networks=[SimpleNamespace(axes=axes)])
    both = replace(results, geometry=geometry)
    assert list(SlowSets().figures(both))[-1] == "selection_angles"
    *_, (title, table) = SlowSets().content(both)["folded"]
    assert title == "Network 0: angles with axes of task variables"
    assert table["input"].tolist()[::2] == [each.name for each in TASK.constant_inputs()]
    angles = table.groupby("axis")["line (°)"]
    # the axis of context is orthogonal to that of choice in z-scored states alone
    assert angles.max()["choice"] < 10 < 50 < angles.min()["context"]
    assert "selection_angles" not in SlowSets().figures(results)


@pytest.mark.usefixtures("undrawn")
def test_the_page_shows_and_says_it(results, tmp_path):
    page = write(results.run, tmp_path / "report.html", results, [SlowSets()]).read_text()
    assert "<h2>Slow sets and selection</h2>" in page
    assert "A pulse of modality 1 moves the network 4 times as far along its line" in page
    for name in ("slow_sets", "selection_vectors"):
        assert (tmp_path / "figures" / f"{name}.png").exists()
    tables = _slow.slow_tables(results.slow.networks)
    assert {name: len(table) for name, table in tables.items()} == {
        "slow_reach": 4, "slow_sets": 4, "selection": 4 * 2,
    }  # fmt: skip
    assert (tables["slow_sets"]["kind"] == "line").all()


@pytest.mark.usefixtures("undrawn")
def test_where_searches_are_asked_for_fixed_points_are_drawn_too(results):
    run, effort = results.run, Effort(driven_starts=16)
    slow = _slow.slow_study(run, TASK, 0, True, effort)
    assert all(each.points is not None for each in slow.networks[0])
    assert [len(each.wider) for each in slow.networks[0]] == [2] * 4
    drawn = SlowSets().figures(replace(results, slow=slow))["slow_sets"]
    assert drawn.caption.startswith("Slow states and fixed points of network 0")


def refusing(name):
    """An analysis that takes the same, and is not to be asked."""

    @functools.wraps(getattr(analysis, name).__wrapped__)
    def refuse(*arguments, **settings):
        raise AssertionError("searched again")

    return refuse


def test_it_is_kept_and_not_searched_for_again(results, tmp_path, monkeypatch):
    run = run_of([planted()])
    run.save(tmp_path / "run")
    _slow.slow_study(run, TASK, 3, None)
    _results._memory.clear()

    for name in ("slow_sets", "selection_vectors"):
        monkeypatch.setattr(getattr(analysis, name), "__wrapped__", refusing(name))
    again = _slow.slow_study(at.load(tmp_path / "run"), TASK, 3, None)
    assert _slow.main_table(again.networks)["relevant : other"].tolist()[0] == "4"


def test_what_is_left_out_is_said(monkeypatch):
    nets = [planted(), planted()]
    assert _slow.slow_study(run_of(nets), TASK, 0, False) is None
    monkeypatch.setattr(_slow, "MOST_UNITS", 4)
    found = _slow.slow_study(run_of(nets), TASK, 0, None)
    assert found.networks == []
    assert "Of more than 4 units" in found.left_out
    monkeypatch.setattr(_slow, "MOST_UNITS", 128)
    monkeypatch.setattr(_slow, "MOST_NETWORKS", 1)
    found = _slow.slow_study(run_of(nets), TASK, 0, None)
    assert len(found.networks) == 1
    assert found.left_out == "The first 1 networks were looked at."


def test_where_nothing_is_slow_the_page_says_so(results, tmp_path):
    (inputs,) = results.slow.networks
    none = [
        each._replace(sets=replace(each.sets, sets=[]), selection=None, wider=()) for each in inputs
    ]
    study = replace(results, slow=_slow.SlowStudy([none], ""))
    page = write(results.run, tmp_path / "report.html", study, [SlowSets()]).read_text()
    assert "No state was found that is slow beside the trajectories." in page
    assert "Every slow set" not in page
    assert not (tmp_path / "figures").exists()
    assert list(_slow.slow_tables([none])) == ["slow_reach"]
    assert _slow.slow_tables([]) == {}


def test_a_task_without_constant_inputs_has_none():
    flip = at.tasks.FlipFlop(bits=1)
    net = at.models.RateRNN(units=4).build(1, 1, seed=0)
    assert _slow.slow_study(at.Run.of([net], flip), flip, 0, None) is None
