"""What stays of a study that is stopped."""

from __future__ import annotations

import pytest
from analysis.planted import planted_bits

import attractory as at
from attractory.report import Effort, _all_dynamics, _dynamics, study
from attractory.runs import _results

EFFORT = Effort.quick().replace(
    starts=32, max_starts=32, driven_starts=8, samples=2, hold_steps=100, patterns=1, branches=1
)


class Bit(at.tasks.FlipFlop):
    """One bit, of which nothing is varied."""

    def conditions(self):
        return {}


TASK = Bit(bits=1, neutral_start=False, noise=0.02, steps=120, pulse=5, delay=10)


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
