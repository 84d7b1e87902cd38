"""How far an analysis of networks is, as whoever waits is told."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

import attractory as at
from attractory import _progress
from attractory.runs import kept


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
    with _progress.NetworksProgress(4, shown=True) as progress:
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
    with _progress.NetworksProgress(2, shown=True) as progress:
        numbers = progress.networks()
        next(numbers)
        clock[0] += 0.2
        next(numbers)
        assert progress.left() == ""
    assert written.getvalue() == ""


def test_nothing_is_shown_that_was_not_asked_for(clock, written):
    with _progress.NetworksProgress(1, shown=False) as progress:
        for _ in progress.networks():
            clock[0] += 100.0
    assert written.getvalue() == ""


def test_a_terminal_shows_network_stage_and_time_left(clock, monkeypatch):
    stream = io.StringIO()
    screen = Console(file=stream, force_terminal=True, width=150, color_system=None)
    monkeypatch.setattr(_progress, "Console", lambda **_: screen)
    with _progress.NetworksProgress(2, shown=True) as progress:
        numbers = progress.networks()
        next(numbers)
        clock[0] += 40.0
        next(numbers)
        clock[0] += 10.0
        progress.say("automaton")
        progress._bar.refresh()
    assert "network 2 of 2: automaton" in stream.getvalue()
    assert "1/2 about 30 s left" in stream.getvalue()


@pytest.fixture
def waiting(clock):
    """An analysis that takes 20 seconds a network."""

    @kept
    def waiting(network):
        clock[0] += 20.0
        return network.units

    return waiting


def test_an_analysis_of_several_networks_shows_how_far_it_is(waiting, written):
    networks = [at.models.RateRNN(units=units).build(1, 1) for units in (2, 3, 4)]
    assert waiting(networks) == [2, 3, 4]
    assert written.getvalue().splitlines()[:2] == [
        "network 1 of 3 is done, about 40 s left",
        "network 2 of 3 is done, about 20 s left",
    ]


def test_it_shows_nothing_where_it_was_told_so_or_there_is_one_network(waiting, written):
    network = at.models.RateRNN(units=2).build(1, 1)
    assert waiting([network, network], progress=False) == [2, 2]
    assert waiting(network) == 2
    assert waiting(at.Run.of([network], at.tasks.FlipFlop(bits=1))) == 2
    assert written.getvalue() == ""
    with pytest.raises(at.InvalidSetting, match="progress = 'no'"):
        waiting([network], progress="no")
