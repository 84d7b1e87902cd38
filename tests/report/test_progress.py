"""How far a study is, and what stays of one that is stopped."""

from __future__ import annotations

import io

import pytest
from analysis.planted import planted_bits
from rich.console import Console

import attractory as at
from attractory.report import Effort, _all_dynamics, _dynamics, _progress, study
from attractory.runs import _results

EFFORT = Effort.quick().replace(
    starts=32, max_starts=32, driven_starts=8, samples=2, hold_steps=100, patterns=1, branches=1
)


class Bit(at.tasks.FlipFlop):
    """One bit, of which nothing is varied and chance is not searched for."""

    def conditions(self):
        return {}

    def chance(self):
        return 0.25


TASK = Bit(bits=1, neutral_start=False, noise=0.02, steps=120, pulse=5, delay=10)


@pytest.fixture
def clock(monkeypatch):
    """Time that passes when a test says so."""
    now = [100.0]
    monkeypatch.setattr(_progress.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def written(monkeypatch):
    """What comes to standard error that is no terminal."""
    stream = io.StringIO()
    monkeypatch.setattr(_progress, "Console", lambda **_: Console(file=stream, width=200))
    return stream


def test_the_time_left_is_that_of_the_slowest_network_for_each_that_is_left(clock, written):
    seconds = [20.0, 30.0, 0.1, 10.0]
    with _progress.StudyProgress(4, shown=True) as progress:
        left = []
        for net in progress.networks():
            left.append(progress.left())
            clock[0] += seconds[net]
        assert left == ["", "about 60 s left", "about 60 s left", "about 30 s left"]
        assert progress.left() == ""
    assert written.getvalue().splitlines() == [
        "network 1 of 4 is done, about 60 s left",
        "network 2 of 4 is done, about 60 s left",
    ]


def test_networks_whose_results_were_kept_say_nothing_of_the_others(clock, written):
    with _progress.StudyProgress(2, shown=True) as progress:
        numbers = progress.networks()
        next(numbers)
        clock[0] += 0.2
        next(numbers)
        assert progress.left() == ""
    assert written.getvalue() == ""


def test_nothing_is_shown_that_was_not_asked_for(clock, written):
    with _progress.StudyProgress(1, shown=False) as progress:
        for _ in progress.networks():
            clock[0] += 100.0
    assert written.getvalue() == ""


def test_a_terminal_shows_network_stage_and_time_left(clock, monkeypatch):
    stream = io.StringIO()
    screen = Console(file=stream, force_terminal=True, width=150, color_system=None)
    monkeypatch.setattr(_progress, "Console", lambda **_: screen)
    with _progress.StudyProgress(2, shown=True) as progress:
        numbers = progress.networks()
        next(numbers)
        clock[0] += 40.0
        next(numbers)
        clock[0] += 10.0
        progress.say("automaton")
        progress._bar.refresh()
    assert "network 2 of 2: automaton" in stream.getvalue()
    assert "1/2 about 30 s left" in stream.getvalue()


def test_what_was_done_before_ctrl_c_is_kept_and_not_done_again(tmp_path, monkeypatch):
    run = at.Run.of([planted_bits(1, size=4, seed=seed) for seed in range(3)], TASK)
    run.save(tmp_path / "run")
    opened = []
    look = _dynamics._dynamics

    def stopped_at_the_third(run, net, *rest):
        opened.append(net)
        if opened == [0, 1, 2]:
            raise KeyboardInterrupt
        return look(run, net, *rest)

    monkeypatch.setattr(_dynamics, "_dynamics", stopped_at_the_third)
    asked = {"n": 8, "fixed_points": True, "automaton": True, "effort": EFFORT}
    with pytest.raises(KeyboardInterrupt, match="2 of 3 networks are done and kept in .*results"):
        study(run, **asked)
    _results._memory.clear()  # as in a new process
    results = study(run, **asked)
    assert opened == [0, 1, 2, 2]
    assert [len(each.points) for each in results.dynamics] == [3, 3, 3]


def test_of_a_run_in_memory_nothing_is_said_to_be_kept():
    run = at.Run.of([planted_bits(1, size=4)], TASK)
    assert _all_dynamics._kept(run, 0) == "the dynamics of 0 of 1 networks are done"
