"""Aligned trials against a loop over trials and steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import attractory as at
from attractory._errors import InvalidSetting

TASK = at.tasks.ContextDecision(
    dt=50, fixation=(50, 200), stimulus=(100, 300), delay=(50, 200), decision=100
)


@pytest.fixture(scope="module")
def trials():
    return TASK.sample(30, seed=3)


@pytest.mark.parametrize("align", [None, "stimulus", "decision"])
@pytest.mark.parametrize("window_ms", [None, (-100, 250), (100, 1000)])
def test_each_step_lies_where_a_loop_puts_it(trials, align, window_ms):
    laid = at.tasks.aligned(trials, align, window_ms)
    expected = {}
    for trial, limits in enumerate(trials.epochs):
        index = 0 if align is None else trials.epoch_names.index(align)
        ends = limits[index + 1] if align and window_ms is None else limits[-1]
        for step in range(0 if window_ms else limits[index] if align else 0, ends):
            time = 50.0 * (step - limits[index] + 1)
            if window_ms is None or window_ms[0] <= time <= window_ms[1]:
                expected[trial, time] = trials.inputs[trial, step]
    found = laid.of(trials.inputs)
    times = sorted({time for _, time in expected})
    np.testing.assert_array_equal(laid.time_ms, times)
    assert laid.counted.sum() == len(expected)
    for (trial, time), values in expected.items():
        np.testing.assert_array_equal(found[trial, times.index(time)], values)
    np.testing.assert_array_equal(np.isnan(found).all(axis=2), ~laid.counted)


@pytest.mark.parametrize(
    ("align", "window_ms", "expected"),
    [
        ("stimulos", None, "epoch 'stimulos' is unknown; .*stimulus"),
        ("stimulus", (5000, 6000), "no trial has a step then; their steps end from -150 to 600 ms"),
        ("stimulus", (200, 100), "two times in ms, the earlier one first"),
        ("stimulus", 100, "two times in ms, the earlier one first"),
    ],
)
def test_what_is_not_allowed_is_named(trials, align, window_ms, expected):
    with pytest.raises(InvalidSetting, match=expected) as caught:
        at.tasks.aligned(trials, align, window_ms)
    assert "\n" not in str(caught.value)


def test_an_epoch_without_steps_is_said(trials):
    epochs = trials.epochs.copy()
    epochs[:, 2] = epochs[:, 3]
    with pytest.raises(InvalidSetting, match="align = 'delay': no trial has a step in it"):
        at.tasks.aligned(replace(trials, epochs=epochs), "delay")


def test_arrays_of_other_trials_are_refused(trials):
    with pytest.raises(InvalidSetting, match=r"array has shape \(2, 3\); it must be \(30, step, …"):
        at.tasks.aligned(trials).of(np.zeros((2, 3)))
