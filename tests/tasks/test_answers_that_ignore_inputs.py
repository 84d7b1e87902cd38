"""Chance levels against answers that are made to look right whatever is shown."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from attractory import tasks

TIMING = {
    "oscillation": tasks.TriggeredOscillation(),
    "oscillation, coarse": tasks.TriggeredOscillation(dt=2.0),
    "oscillation, long before": tasks.TriggeredOscillation(before=2000.0),
    "time pulse": tasks.TimePulse(),
    "time pulse, long after": tasks.TimePulse(after=500.0),
}


@pytest.mark.parametrize("task", TIMING.values(), ids=TIMING)
def test_no_course_is_right_with_and_without_a_trigger(task):
    trials = task.sample(40, seed=0)
    triggered = trials.conditions["triggered"] > 0
    assert 0 < triggered.sum() < 40
    course = trials.targets[triggered][0, :, 0]
    split = np.where(np.arange(len(course)) % 2, course, 0.0)  # a little wrong in both kinds
    for answer in (
        course / 2,
        split,
        np.where(np.abs(course) < 0.6, course / 2, split),
        0 * course,
    ):
        right = task.right(np.tile(answer[:, None], (40, 1, 1)), trials)
        assert not (right[triggered].any() and right[~triggered].any())
    assert task.chance() == 0.5


@pytest.mark.parametrize("settings", [{}, {"pulses": 3}, {"pulses": 12}, {"gap": 20.0, "delay": 0}])
def test_chance_of_set_and_reset_is_that_of_guessing_all_lines(settings):
    task = tasks.SetReset(sigma=0.0, **settings)
    lines = np.array(list(product((0, 1), repeat=task.pulses)))
    inputs = np.zeros((len(lines), task.n_steps, 2))
    for i, onset in enumerate(50 + round(20 + task.gap) * np.arange(task.pulses)):
        inputs[np.arange(len(lines)), onset : onset + 20, lines[:, i]] = 1
    targets = task.observe(inputs)
    trials = tasks.Trials(inputs, targets, np.ones_like(targets))
    right = task.right(np.repeat(targets[:1], len(targets), 0), trials)
    assert task.chance() == pytest.approx(right.mean())


def test_a_first_pulse_of_golub_has_either_sign():
    first = tasks.PoissonFlipFlop.golub().sample(1000, seed=0).inputs[:, 0]
    assert set(np.unique(first)) == {-1.0, 1.0}
    assert abs(first.mean()) < 4 / np.sqrt(first.size)
