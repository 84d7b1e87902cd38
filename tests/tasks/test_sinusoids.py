"""The sum of sinusoids: the published signal, in one piece however it is cut."""

from __future__ import annotations

import numpy as np
import pytest

from attractory.tasks import SumOfSinusoids


def test_the_target_is_the_published_signal():
    """force_external_feedback_loop.m, in time constants of 10 ms: frequency 1/60, steps of 0.1."""
    time = 0.1 * np.arange(1, 1201)
    amplitude, frequency = 1.3, 1 / 60
    published = (amplitude / 1.0) * np.sin(1.0 * np.pi * frequency * time)
    published += (amplitude / 2.0) * np.sin(2.0 * np.pi * frequency * time)
    published += (amplitude / 6.0) * np.sin(3.0 * np.pi * frequency * time)
    published += (amplitude / 3.0) * np.sin(4.0 * np.pi * frequency * time)
    trials = SumOfSinusoids(sigma=0.0).sample(2)
    for target in trials.targets[..., 0]:
        np.testing.assert_allclose(target, published / 1.5, rtol=0, atol=1e-5)
    assert not trials.inputs.any()


def test_trials_behind_one_another_are_one_signal():
    task = SumOfSinusoids(period=30.0, dt=0.5)
    one, three = task.signal(), task.replace(periods=3).signal()
    np.testing.assert_allclose(np.tile(one, 3), three, rtol=0, atol=1e-12)
    assert one[-1] == pytest.approx(0, abs=1e-12)


def test_correct_is_a_tenth_of_the_signal():
    task = SumOfSinusoids(period=60.0)
    trials = task.sample(2)
    size = np.sqrt(np.mean(trials.targets[0] ** 2))
    outputs = trials.targets + size * np.array([0.09, 0.11])[:, None, None]
    np.testing.assert_array_equal(task.correct(outputs, trials), [1, 0])
