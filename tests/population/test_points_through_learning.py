"""Fixed points at steps of training, their threads, births and losses: of units solved by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import attractory as at
from attractory.population import (
    PointsThroughLearning,
    _points_through_learning,
    points_through_learning,
)
from attractory.runs import Check, _results


def unit(gain, bias=0.0):
    return at.models.RateRNN.from_weights([[gain]], [[1.0]], [[1.0]], bias=[bias])


@pytest.fixture(scope="module")
def bit():
    """A bit that appears, is deepened, and is lost but for one point."""
    course = [(0, unit(0.5)), (10, unit(2.0)), (20, unit(2.5)), (30, unit(2.5, 2.0))]
    return points_through_learning(course, n_starts=32, progress=False)


def test_births_and_losses_of_each_interval(bit):
    table = bit.table()
    assert table["step_after"].tolist() == [10, 20, 30]
    assert table["before"].tolist() == [1, 3, 3]
    assert table["after"].tolist() == [3, 3, 1]
    assert table["goes_on"].tolist() == [1, 3, 1]
    assert table["born_at_pitchforks"].tolist() == [1, 0, 0]
    assert table["lost_at_folds"].tolist() == [0, 0, 1]
    rest = [name for name in table if name.startswith(("unexplained", "unlisted", "not_proved"))]
    assert not table[rest].to_numpy().any()


def test_where_between_the_steps_it_happens(bit):
    """The weight is 1 a third of the way; h = tanh(2.5 h + b) folds at 2.5 (1 - h²) = 1."""
    table = bit.fates_table()
    born = table[table["kind"] == "born at a pitchfork"]
    assert born["step"].item() == pytest.approx(10 / 3)
    h = -np.sqrt(1 - 1 / 2.5)
    lost = table[table["kind"] == "lost at a fold"]
    assert lost["step"].item() == pytest.approx(20 + 10 * (np.arctanh(h) - 2.5 * h) / 2, abs=1e-5)


def test_points_of_one_thread_go_on_as_one_another(bit):
    outputs = [points.outputs[:, 0] for points in bit.points]
    by_thread = [dict(zip(*pair, strict=True)) for pair in zip(bit.threads, outputs, strict=True)]
    assert [sorted(each) for each in by_thread[:3]] == [[0], [0, 1, 2], [0, 1, 2]]
    assert by_thread[0][0] == by_thread[1][0] == by_thread[2][0] == pytest.approx(0, abs=1e-12)
    for thread in (1, 2):
        assert np.sign(by_thread[1][thread]) == np.sign(by_thread[2][thread])
    ((last, output),) = by_thread[3].items()
    assert output > 0.9
    assert np.sign(by_thread[2][last]) == 1


def test_one_network_of_several_and_a_point_that_a_search_missed(monkeypatch):
    """A search that leaves a point out until it is told where it is."""
    real, told = _points_through_learning.fixed_points, []

    def forgetful(network, *given, initial_states=None, **settings):
        points = real(network, *given, initial_states=initial_states, **settings)
        if initial_states is not None:
            told.append(np.sort(np.abs(initial_states.ravel())))
            return points
        if len(points) < 3:
            return points
        kept = points.states[:, 0] <= 0
        names = (
            "states residuals outputs certified radius unique_radius hits eigenvalues n_unstable "
            "decided kinked exact"
        )
        return replace(points, **{name: getattr(points, name)[kept] for name in names.split()})

    monkeypatch.setattr(_points_through_learning, "fixed_points", forgetful)
    pairs = [(0, [unit(0.7), unit(0.5)]), (1, [unit(0.7), unit(2.0)])]
    found = points_through_learning(pairs, net=1, n_starts=32, progress=False)
    assert found.net == 1
    assert len(told) == 1
    assert len(found.points[1]) == 3
    assert found.summary()["born_at_pitchforks"] == 1
    assert found.summary()["unlisted_after"] == 0


def test_it_is_saved_loaded_and_shown(bit, tmp_path):
    back = PointsThroughLearning.load(bit.save(tmp_path / "points.safetensors"))
    assert back.table().equals(bit.table())
    assert back.fates_table().equals(bit.fates_table())
    assert "Step 0 to 10: 1 fixed points before, 3 after" in bit.statement
    assert (bit.summary()["first"], bit.summary()["last"]) == (1, 1)
    assert len(repr(bit)) < 1500


def test_a_network_that_is_not_there_is_one_line():
    with pytest.raises(at.InvalidSetting, match=r"net = 1 is not allowed: 0 to 0"):
        points_through_learning([(0, unit(0.5)), (1, unit(2.0))], net=1)


def test_points_of_a_run_are_searched_and_followed_once(tmp_path, monkeypatch):
    task = at.tasks.FlipFlop(bits=1, steps=40, first_onset=(5, 15), pulse=4, delay=4)
    course = [(1, (unit(0.5),)), (2, (unit(2.0),))]
    run = at.Run.of(course[-1][1], task)
    run.save(tmp_path / "run")
    monkeypatch.setattr(at.Run, "checks", lambda run: [Check(*each) for each in course])
    calls = []

    def counted(name):
        function = getattr(_points_through_learning, name)

        def call(*given, **settings):
            calls.append(name)
            if calls == ["fixed_points"] * 2 + ["weight_continuation"]:
                raise KeyboardInterrupt
            return function(*given, **settings)

        monkeypatch.setattr(_points_through_learning, name, call)

    counted("fixed_points")
    counted("weight_continuation")
    asked = {"n_starts": 32, "progress": False}
    with pytest.raises(KeyboardInterrupt):
        points_through_learning(run, **asked)
    found = []
    for _ in range(2):
        _results._memory.clear()  # as in a new process
        found.append(points_through_learning(at.load(run.path), **asked))
    assert calls == ["fixed_points"] * 2 + ["weight_continuation"] * 2
    alone = points_through_learning(course, task=task, **asked)
    for each in found:
        assert each.table().equals(alone.table())
        assert each.fates_table().equals(alone.fates_table())
