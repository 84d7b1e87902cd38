"""What a notebook shows of results, runs and trials: a few lines, a small table, no markup."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from html_pieces import read

import attractory as at

TASK = at.tasks.FlipFlop(bits=1, steps=40, first_onset=(4, 8), gaps=(9, 12), pulse=3, delay=3)
DECISION = at.tasks.PerceptualDecision()
NET = at.models.RateRNN(4).build(1, 1)
TRIALS = TASK.sample(3)
EVIL = "<script>alert('&')</script>"


def decider():
    model = at.models.RateRNN(4, tau=100, dt=DECISION.dt)
    return model.build(DECISION.n_inputs, DECISION.n_outputs)


SHOWN = {
    "Run": lambda: at.Run.of([NET] * 30, TASK),
    "Scores": lambda: at.evaluate([NET] * 30, TASK, 4),
    "RobustnessCurve": lambda: at.robustness(NET, TASK, n=4),
    "PsychometricCurve": lambda: at.evaluation.psychometric(decider(), DECISION, n=64),
    "Responses": lambda: at.evaluation.responses(NET, TASK, 4),
    "Trials": lambda: at.tasks.ContextDecision().sample(30),
    "Trajectory": lambda: NET.simulate(TRIALS),
    "Recipe": lambda: at.recipe(TASK),
    "Connectivity": lambda: at.analysis.connectivity(at.models.RateRNN(50).build(3, 3)),
    "Spectrum": lambda: at.analysis.spectrum(at.models.RateRNN(50).build(3, 3)),
    "StateSpace": lambda: at.analysis.state_space(NET, TRIALS, n=2),
}


@pytest.mark.parametrize("kind", SHOWN)
def test_things_are_shown_in_a_few_lines_and_a_small_table(kind):
    thing = SHOWN[kind]()
    assert repr(thing).startswith(kind)
    assert len(repr(thing).splitlines()) <= 10
    assert read(thing._repr_html_()).startswith(kind)


def test_words_are_text_and_no_markup():
    curve = at.evaluation.RobustnessCurve(EVIL, np.zeros(1), EVIL, np.zeros(1), np.zeros(1), EVIL)
    run = at.Run.of(NET, TASK)
    run.status[0]["status"] = EVIL
    names = at.tasks.Trials(TRIALS.inputs, TRIALS.targets, input_names=(EVIL,))
    for thing in (curve, run, names):
        assert EVIL in read(thing._repr_html_())
        assert "<script" not in thing._repr_html_()


@pytest.mark.parametrize("settings", [TASK, NET.model, at.rules.BPTT(steps=3)])
def test_settings_are_printed_with_their_class(settings):
    assert str(settings) == repr(settings)
    assert str(settings).startswith(f"{type(settings).__name__}(")


@pytest.mark.parametrize("settings", [TASK, NET.model, at.rules.BPTT()])
def test_tab_shows_the_names_that_are_of_use(settings):
    names = dir(settings)
    assert set(type(settings).model_fields) < set(names)
    assert "replace" in names
    assert not [name for name in names if name.startswith(("_", "model_", "parse_", "schema"))]
    assert not {"json", "dict", "copy", "construct", "from_orm", "validate"} & set(names)
    for name in names:
        getattr(settings, name)


def test_signatures_say_names_types_and_usual_values():
    said = inspect.signature(at.models.RateRNN).parameters
    assert str(said["units"]) == "units: int = 400"
    assert str(said["tau"]) == "tau: float = 1.0"
    assert said["units"].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert said["tau"].kind is inspect.Parameter.KEYWORD_ONLY
    for kind in (at.tasks.FlipFlop, at.tasks.ContextDecision, at.rules.BPTT, at.models.LSTM):
        text = str(inspect.signature(kind))
        assert "**" not in text
        assert "Annotated" not in text
        assert list(inspect.signature(kind).parameters) == list(kind.model_fields)


def test_a_trajectory_carries_the_names_of_its_trials():
    task = at.tasks.ContextDecision()
    trials = task.sample(5)
    net = at.models.RateRNN(4, tau=100, dt=task.dt).build(task.n_inputs, task.n_outputs)
    data = net.simulate(trials).to_xarray()
    assert list(data.input.values) == list(trials.input_names)
    assert list(data.output.values) == list(trials.output_names)
    assert data.time.attrs["units"] == "ms"
    assert float(data.time[0]) == task.dt
    for name, values in trials.conditions.items():
        np.testing.assert_array_equal(data[name], values)
    np.testing.assert_array_equal(data.epoch == "stimulus", trials.during("stimulus"))
    assert data.inputs.sel(input=trials.input_names[0]).shape == (5, task.n_steps)


def test_without_trials_a_trajectory_is_labelled_as_before():
    data = NET.simulate(TRIALS.inputs).to_xarray()
    assert set(data.coords) == {"time"}
    assert data.time.attrs == {}
    np.testing.assert_array_equal(data.time, np.arange(1, 41))


def test_a_trajectory_with_its_trials_is_saved_and_loaded():
    from attractory._result import decoded, encoded

    path = NET.simulate(TRIALS)
    back, _ = decoded(encoded(path), "a file", {})
    np.testing.assert_array_equal(back.states, path.states)
    np.testing.assert_array_equal(back.trials.inputs, TRIALS.inputs)


def test_networks_in_memory_have_a_report(tmp_path):
    page = at.report.write(NET, tmp_path / "page.html", task=TASK, sections=[])
    assert page.read_text(encoding="utf-8").count("one network of 4 units")
