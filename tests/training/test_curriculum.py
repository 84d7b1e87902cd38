"""A curriculum: each network is trained on the stages one after another, at its own pace."""

from __future__ import annotations

import signal

import jax
import numpy as np
import pandas as pd
import pytest

import attractory as at
from attractory.report._story import trained
from attractory.report.sections._settings import _rows
from attractory.training import Curriculum, Population
from attractory.training._batches import training_trials
from attractory.training._course import Course

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
MODEL = at.models.RateRNN(units=6)
RULE = at.rules.BPTT(steps=12, batch=4, optimizer="adam", learning_rate=1e-2, check_every=2)
SHORTER, NOISIER = TASK.replace(steps=40), TASK.replace(noise=0.5)


def train(curriculum, rule=RULE, nets=1, **more):
    return at.train(TASK, MODEL, rule, nets=nets, curriculum=curriculum, progress=False, **more)


def of_net(run, net, column):
    return list(run.history[run.history["net"] == net][column])


def assert_same_networks(first, second):
    for one, other in zip(first, second, strict=True):
        for name, array in one.weights.items():
            np.testing.assert_array_equal(array, other.weights[name])


def test_a_stage_is_trained_on_its_own_task():
    """The losses by hand: of the weights before each update, on the trials of the stage's task."""
    tasks = [*3 * [SHORTER], *2 * [NOISIER], *7 * [TASK]]
    run = train(Curriculum([SHORTER, {"noise": 0.5}], steps=[3, 2]))
    assert list(run.history["stage"]) == [*3 * [1], *2 * [2], *7 * [3]]
    populations = {task: Population(task, MODEL, RULE, 1, 0) for task in set(tasks)}
    state = populations[TASK].initial_state()
    key = populations[TASK].keys.trials[0]
    for step, task in enumerate(tasks):
        trials = training_trials(task, RULE, key, jax.numpy.asarray(step), jax.numpy.arange(4))
        weights = {name: np.asarray(array[0]) for name, array in state.weights.items()}
        outputs = at.models.Network(MODEL, weights).respond(np.asarray(trials.inputs))
        loss = np.sum(trials.mask * (outputs - trials.targets) ** 2) / np.sum(trials.mask)
        assert run.history["loss"][step] == pytest.approx(float(loss), rel=1e-5)
        state, _ = populations[task].update(state, np.array([True]), step)
    for name, array in run.networks[0].weights.items():
        np.testing.assert_array_equal(array, state.weights[name][0])
    ends = [(each["stage"], each["step"], each["score"]) for each in run.status[0]["stages"]]
    assert ends == [(1, 3, None), (2, 5, None)]
    assert run.task == TASK
    assert run.status[0]["events"] == []
    assert "of the task flipflop and of 2 stages before it" in trained(run)
    said = dict(_rows(run))["curriculum.1"]
    assert said.startswith("flipflop (")
    assert said.endswith("): 3 updates")


@pytest.fixture
def scores(monkeypatch):
    """Network 0 has 0.9 at step 4, network 1 at step 6, network 2 never."""

    def planted(self, state, net, step):
        return 0.9 if step >= (4, 6, 100)[net] else 0.25

    monkeypatch.setattr(Course, "_score", planted)


SCORED = Curriculum(vary="noise", values=[0.5], steps=7, score=0.9)


@pytest.mark.usefixtures("scores")
def test_each_network_leaves_a_stage_by_its_own_score():
    run = train(SCORED, nets=3)
    for net, updates in enumerate((4, 6, 7)):
        assert of_net(run, net, "stage") == updates * [1] + (12 - updates) * [2]
    assert [row["stages"][0]["score"] for row in run.status] == [0.9, 0.9, 0.25]
    assert [len(row["events"]) for row in run.status] == [0, 0, 1]
    event = run.status[2]["events"][0]
    assert (event["step"], event["what"]) == (7, "stage 1 ended")
    assert event["action"] == "went on with score 0.25, 0.9 not reached"
    assert [row["status"] for row in run.status] == 3 * ["finished"]
    # what becomes of a network is the same with others at other stages, or without any
    alone = train(SCORED)
    assert of_net(run, 0, "loss") == list(alone.history["loss"])
    assert_same_networks(run.networks[:1], alone.networks)


@pytest.mark.usefixtures("scores")
def test_interrupted_in_a_stage_it_goes_on_bit_for_bit(tmp_path, monkeypatch):
    whole = train(SCORED, nets=3)
    update, calls = Course.update, []

    def interrupted_in_the_sixth(*arguments):
        calls.append(None)
        if len(calls) == 6:  # network 0 is at the task by then, the others are not
            signal.raise_signal(signal.SIGINT)
        return update(*arguments)

    monkeypatch.setattr(Course, "update", interrupted_in_the_sixth)
    with pytest.raises(KeyboardInterrupt):
        train(SCORED, nets=3, path=tmp_path / "run")
    again = train(SCORED, nets=3, path=tmp_path / "run")
    assert len(calls) == 12
    assert_same_networks(whole.networks, again.networks)
    assert whole.status == again.status
    pd.testing.assert_frame_equal(
        whole.history.drop(columns="seconds"), again.history.drop(columns="seconds")
    )


@pytest.mark.slow
def test_the_score_is_the_share_of_fresh_trials_that_are_answered_correctly(monkeypatch):
    seen = []

    def correct(self, outputs, trials):
        """Half of the trials correct, a quarter wrong, the others not to be answered: 2/3."""
        seen.append((self, trials.inputs))
        place = np.arange(len(outputs)) % 4
        return np.where(place == 3, np.nan, place < 2)

    monkeypatch.setattr(at.tasks.FlipFlop, "correct", correct)
    run = train(Curriculum([NOISIER, SHORTER], steps=4, score=[0.66, 0.67]), nets=2)
    for row in run.status:
        assert [each["step"] for each in row["stages"]] == [2, 6]
        assert [each["score"] for each in row["stages"]] == [pytest.approx(2 / 3)] * 2
        assert [event["what"] for event in row["events"]] == ["stage 2 ended"]
    # at steps 2, 4 and 6, for either network: no trial is seen twice
    assert [task for task, _ in seen] == 2 * [NOISIER] + 4 * [SHORTER]
    shown = [trial.tobytes() for _, inputs in seen[:2] for trial in inputs]
    assert len(set(shown)) == len(shown)


def test_a_folder_knows_its_curriculum(tmp_path):
    curriculum = Curriculum(["flipflop"], steps=2, score=0.5)
    usual = at.tasks.FlipFlop()
    rule = RULE.replace(steps=4, batch=2)

    def asked(curriculum):
        given = {"curriculum": curriculum, "path": tmp_path / "run", "progress": False}
        return at.train(usual.replace(noise=0.1), MODEL, rule, **given)

    run, back = asked(curriculum), at.load(tmp_path / "run")
    stage = {"name": "flipflop", "settings": usual.to_json()}
    assert back.config["curriculum"] == [{"task": stage, "steps": 2, "score": 0.5}]
    assert back.config == run.config
    pd.testing.assert_frame_equal(back.history, run.history)
    assert back.status == run.status
    assert_same_networks(asked(curriculum).networks, run.networks)
    for other in (None, curriculum.replace(steps=3)):
        with pytest.raises(at.FileProblem, match=r"belongs to another run \(curriculum"):
            asked(other)
    assert "curriculum" not in at.train(TASK, MODEL, rule, progress=False).config


@pytest.mark.slow
def test_early_stopping_is_of_the_task_itself():
    """Every loss is low enough, and no validation is better than the first one of the task."""
    stages = Curriculum([SHORTER], steps=5)
    run = train(stages, RULE.replace(stop_below=1e9))
    assert run.status[0]["status"] == "stopped early"
    assert run.status[0]["step"] == 8  # the first check whose two losses are of the task
    still = RULE.replace(learning_rate=1e-30, validation=4, patience=2)
    run = train(stages, still)
    assert run.status[0]["step"] == 10  # checks at 6 (the best), 8 and 10


def test_a_divergence_is_answered_within_a_stage(monkeypatch):
    """A stage that was missed is no retry; the good state is that of the stage's beginning."""
    update = Population.update

    def poisoned(self, state, active, step):
        if step == 4:
            state = state._replace(weights={n: np.nan * w for n, w in state.weights.items()})
        return update(self, state, active, step)

    monkeypatch.setattr(Population, "update", poisoned)
    monkeypatch.setattr(Course, "_score", lambda *_: 0.0)
    run = train(Curriculum([SHORTER], steps=3, score=0.9))
    assert [event["what"] for event in run.status[0]["events"]] == ["stage 1 ended", "diverged"]
    population = Population(SHORTER, MODEL, RULE, 1, 0)
    state = population.initial_state()
    for step in range(3):
        state, _ = population.update(state, np.array([True]), step)
    there = Population(TASK, MODEL, RULE, 1, 0)
    state = there.slowed(state, np.array([0.5]))
    for step in range(5, 12):
        state, _ = there.update(state, np.array([True]), step)
    for name, array in run.networks[0].weights.items():
        np.testing.assert_array_equal(array, state.weights[name][0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tasks": [], "steps": 3}, r"tasks = \(\) and vary = None: one of the two"),
        ({"tasks": ["and"], "vary": "noise", "values": [1], "steps": 3}, "not both"),
        ({"vary": "noise", "steps": 3}, "go together"),
        ({"tasks": TASK, "steps": 3}, "a list, one a stage"),
        ({"tasks": [TASK], "steps": 0}, "steps = 0 is not allowed"),
        ({"tasks": [TASK], "steps": [3, 4]}, r"steps = \[3, 4\] is not allowed: one value, or 1"),
        ({"tasks": [TASK], "steps": 3, "score": 1.5}, "score = 1.5 is not allowed"),
        ({"tasks": [TASK], "steps": 3, "scores": 1}, "unknown setting 'scores'"),
        ({"tasks": [3], "steps": 3}, "curriculum: stage 1 = 3 is not allowed: a Task"),
        ({"tasks": ["flipflopp"], "steps": 3}, "did you mean 'flipflop'"),
        ({"tasks": [{"nois": 1}], "steps": 3}, "unknown setting 'nois'"),
        ({"vary": "nois", "values": [1], "steps": 3}, "'nois' is no setting of flipflop"),
        (
            {"tasks": [TASK, TASK.replace(bits=2)], "steps": 3},
            r"stage 2 \(flipflop\) has n_inputs = 2, n_outputs = 2, dt = 1; the task \(flipflop\)",
        ),
        ({"tasks": [TASK.replace(dt=2.0)], "steps": 3}, "dt = 2; the task"),
        ({"tasks": [TASK, TASK], "steps": 6}, "take up to 12 updates, the rule has 12 in all"),
    ],
)
def test_a_wrong_curriculum_gets_one_line(settings, message):
    with pytest.raises(at.InvalidSetting, match=message) as caught:
        train(Curriculum(**settings))
    assert "\n" not in str(caught.value)


def test_only_a_curriculum_is_one():
    with pytest.raises(at.InvalidSetting, match=r"curriculum = \[1\] is not allowed: a Curriculum"):
        train([1])
