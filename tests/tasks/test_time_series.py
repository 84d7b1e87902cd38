"""NARMA and Mackey-Glass beside their equations, solved otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline

from attractory import InvalidSetting
from attractory.tasks import NARMA, MackeyGlass


def test_narma_is_its_equation():
    trials = NARMA(steps=80, washout=0).sample(3, seed=5)
    for u, target in zip(trials.inputs[..., 0], trials.targets[..., 0], strict=True):
        y = np.zeros(81)
        for t in range(80):
            past = sum(y[t - i] for i in range(10) if t >= i)
            before = u[t - 9] if t >= 9 else 0.0
            y[t + 1] = 0.3 * y[t] + 0.05 * y[t] * past + 1.5 * before * u[t] + 0.1
        np.testing.assert_allclose(target, y[1:], rtol=0, atol=1e-6)
    assert 0 <= trials.inputs.min() < 0.02
    assert 0.48 < trials.inputs.max() <= 0.5


def test_mackey_glass_follows_from_its_equation_and_the_past():
    """From the last 17 steps the next 17 follow as of an equation without a delay."""
    task = MackeyGlass(steps=80, washout=0, ahead=17)
    trials = task.sample(2, seed=1)
    for seen, target in zip(1 + np.arctanh(trials.inputs[..., 0]), trials.targets, strict=True):
        past = CubicSpline(np.arange(80), seen)
        for now in (30, 55):

            def slope(t, x, past=past):
                delayed = past(t - 17)
                return 0.2 * delayed / (1 + delayed**10) - 0.1 * x

            solved = solve_ivp(slope, (now, now + 17), [seen[now]], rtol=1e-8, atol=1e-10)
            # Heun's method in steps of 0.1, and a past between whole steps, are near it
            assert np.tanh(solved.y[0, -1] - 1) == pytest.approx(target[now, 0], abs=1e-4)


def test_the_series_is_told_as_far_ahead_as_asked():
    near, far = (
        MackeyGlass(steps=60, washout=0, ahead=ahead).sample(1, seed=3) for ahead in (1, 20)
    )
    np.testing.assert_array_equal(near.targets[:, :-1], near.inputs[:, 1:])
    np.testing.assert_array_equal(far.targets[:, :-20], far.inputs[:, 20:])
    assert far.mask[0, :, 0].tolist() == [0.0] * 23 + [1.0] * 37


@pytest.mark.parametrize(("kind", "tolerance"), [(NARMA, 0.35), (MackeyGlass, 0.1)])
def test_the_error_is_in_standard_deviations_of_what_is_asked(kind, tolerance):
    task = kind(steps=100, washout=30)
    trials = task.sample(2, seed=2)
    counted = trials.mask[0, :, 0] > 0
    sizes = trials.targets[:, counted].std(axis=(1, 2))
    signs = np.where(np.arange(100) % 2, 1.0, -1.0)[:, None]
    shares = tolerance * np.array([0.99, 1.01])
    outputs = trials.targets + (shares * sizes)[:, None, None] * signs
    np.testing.assert_allclose(task.normalised_error(outputs, trials), shares, rtol=1e-5)
    np.testing.assert_array_equal(task.correct(outputs, trials), [1, 0])
    means = trials.targets[:, counted].mean(axis=1, keepdims=True)
    np.testing.assert_allclose(
        task.normalised_error(np.broadcast_to(means, trials.targets.shape), trials), 1, rtol=1e-5
    )


@pytest.mark.parametrize("kind", [NARMA, MackeyGlass])
def test_noise_is_heard_and_not_asked_for(kind):
    quiet, loud = (kind(steps=200, noise=noise).sample(8, seed=4) for noise in (0.0, 0.1))
    np.testing.assert_array_equal(quiet.targets, loud.targets)
    assert np.std(loud.inputs - quiet.inputs) == pytest.approx(0.1, rel=0.05)
    with pytest.raises(InvalidSetting, match="does not state its ideal score"):
        kind(noise=0.1).ideal()


def test_a_trial_in_which_nothing_would_count_is_refused():
    with pytest.raises(InvalidSetting, match="steps = 100 is too short: the first 100 are not"):
        NARMA(steps=100)
    with pytest.raises(InvalidSetting, match="steps = 23 is too short: the first 23 are not"):
        MackeyGlass(steps=23, washout=0)
