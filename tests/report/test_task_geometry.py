"""The section on task geometry: what it computes is what the analyses give, once."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import attractory as at
from attractory.models import Network
from attractory.report._geometry import geometry_study, geometry_tables
from attractory.report.sections import TaskGeometry
from attractory.report.sections._task_geometry import TITLES
from attractory.runs import _results
from attractory.tasks import noise_seed

TASK = at.tasks.ContextDecision(coherences=(2, 5, 15), stimulus=300.0, delay=50.0, fixation=50.0)
N, SEED = 160, 3


def decider():
    """Relu units that add up the evidence of the modality that the context names, and decide."""
    inputs, recurrent = np.zeros((6, 7)), np.zeros((6, 6))
    inputs[0:4, 1:5] = [[1, -1, 0, 0], [-1, 1, 0, 0], [0, 0, 1, -1], [0, 0, -1, 1]]
    inputs[0:2, 6] = inputs[2:4, 5] = -10.0
    recurrent[4, [0, 2]] = recurrent[5, [1, 3]] = 0.02
    recurrent[4, 4] = recurrent[5, 5] = 1.0
    outputs = [[0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, -1], [0, 0, 0, 0, -1, 1]]
    return at.models.RateRNN.from_weights(
        recurrent, inputs, outputs, activation="relu", dt=TASK.dt, tau=TASK.dt
    )


def looked_at(run, n=N):
    answers = at.evaluation.responses(run, n=n, seed=SEED)
    asked = {"task": run.task, "n": n, "seed": SEED}
    return geometry_study(run, run.task, answers, asked, lambda said: None)


@pytest.fixture(scope="module")
def run():
    return at.Run.of(decider(), TASK)


@pytest.fixture(scope="module")
def found(run):
    return looked_at(run)


def test_it_is_what_the_analyses_give(run, found):
    trials = TASK.sample(N, SEED)
    path = run.networks[0].simulate(trials.inputs, noise_seed(SEED), precision="float64")
    variables = ["choice", *TASK.task_variables]
    (made,) = found.networks
    axes = at.analysis.task_axes(path, trials, variables, TASK, "stimulus")
    np.testing.assert_array_equal(made.axes.axes, axes.axes)
    coding = at.analysis.coding_axes(
        path, trials, ["choice", "coherence_1", "context"], TASK, epochs=()
    )
    np.testing.assert_array_equal(made.codes.coding.accuracy, coding.accuracy)
    assert made.codes.demixed.variables == made.codes.apart.by == ("coherence_1", "context")
    assert made.selectivity.variables == made.axes.variables == tuple(variables)
    assert [each.by for each in made.averages] == [
        ("coherence_1", "context"),
        ("coherence_2", "context"),
    ]
    assert len(found.kernels.kernels) == 4  # two streams in two contexts
    assert found.left_out == ""


def test_the_section_draws_and_says_it(found):
    shown, study = TaskGeometry(), SimpleNamespace(geometry=found)
    drawn = shown.figures(study)
    names = ["condition_averages", "task_axes", "selectivity"]
    codes = ["demixed_pca", "coding_axes", "dissimilarities"]
    assert list(drawn) == [*names, *codes, "psychophysical_kernel"]
    assert [len(drawn[name].draw().axes) for name in names[:2]] == [4, 4]
    content = shown.content(study)
    assert content["text"][0].startswith("Network 0: Partial correlation along the axes")
    assert content["table"]["variable"].tolist() == ["choice", *TASK.task_variables]
    assert [title for title, _ in content["folded"][1:4]] == [*TITLES.values()]
    tables = {"task_axes", "selectivity", "psychophysical_kernels", *codes}
    assert set(geometry_tables(found)) == tables


def test_it_is_found_again_in_the_folder_of_the_run(run, found, tmp_path, monkeypatch):
    run.save(tmp_path / "run")
    _results._memory.clear()  # as in a new process
    looked_at(at.load(tmp_path / "run"))
    _results._memory.clear()
    monkeypatch.setattr(Network, "simulate", None)
    again = looked_at(at.load(tmp_path / "run"))
    np.testing.assert_array_equal(again.networks[0].axes.axes, found.networks[0].axes.axes)
    assert again.kernels.table().equals(found.kernels.table())


def test_a_network_that_always_chooses_the_same_has_no_axis_of_choice():
    network = decider()
    network.weights["output_weights"] = 0 * np.asarray(network.weights["output_weights"])
    network.weights["output_weights"][1] = 1.0
    run = at.Run.of(network, TASK)
    assert looked_at(run).networks[0].axes.variables == TASK.task_variables


def test_too_few_units_are_said_and_too_few_trials_or_no_variables_left_out(run):
    few = at.Run.of(at.models.RateRNN(units=2, dt=TASK.dt, tau=100.0).build(7, 3), TASK)
    found = looked_at(few)
    assert found.networks == []
    assert "Network 0 and those after it are left out: the number of units = 2" in found.left_out
    assert TaskGeometry().content(SimpleNamespace(geometry=found))["text"] == [found.left_out]
    assert looked_at(run, n=40) is None
    flip = at.tasks.FlipFlop(bits=1, steps=90, first_onset=(5, 20), pulse=5, delay=5)
    assert looked_at(at.Run.of(at.models.RateRNN(units=4).build(1, 1), flip)) is None
    assert TaskGeometry().content(SimpleNamespace(geometry=None)) is None
