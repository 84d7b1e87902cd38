"""Targeted dimensionality reduction beside the steps of Mante et al. (2013), written out once more.

No package on the registries does it.
"""

from __future__ import annotations

import numpy as np

import attractory as at
from attractory.analysis import task_axes

TRIALS, STEPS, COMPONENTS = 60, 12, 4


def trials_of_two_variables():
    """Each drives one input; the second one from the fifth step on."""
    rng = np.random.default_rng(0)
    side, coherence = rng.choice([-1.0, 1.0], TRIALS), rng.choice([-2.0, 0.0, 2.0], TRIALS)
    inputs = rng.normal(0, 0.3, (TRIALS, STEPS, 2))
    inputs[:, :, 0] += side[:, None]
    inputs[:, 4:, 1] += coherence[:, None] / 2
    conditions = {"side": side, "coherence": coherence}
    return at.tasks.Trials(inputs, np.zeros((TRIALS, STEPS, 1)), conditions=conditions)


def axes_by_mante(states, side, coherence):
    flat = states.reshape(-1, states.shape[-1])
    scored = (states - flat.mean(axis=0)) / flat.std(axis=0)
    regressors = np.column_stack([side, coherence / 2, np.ones(TRIALS)])
    weights = np.stack(
        [np.linalg.lstsq(regressors, scored[:, t], rcond=None)[0][:2] for t in range(STEPS)]
    )  # (time, variable, unit)
    averages = np.concatenate(
        [
            scored[(side == one) & (coherence == other)].mean(axis=0)
            for one in (-1, 1)
            for other in (-2, 0, 2)
        ]
    )
    components = np.linalg.svd(averages - averages.mean(axis=0))[2][:COMPONENTS]
    denoised = weights @ components.T @ components
    largest = np.linalg.norm(denoised, axis=-1).argmax(axis=0)
    first, second = (denoised[largest[i], i] for i in (0, 1))
    first = first / np.linalg.norm(first)
    second = second - first * (first @ second)
    return largest, np.stack([first, second / np.linalg.norm(second)])


def test_task_axes_are_those_of_mante():
    trials = trials_of_two_variables()
    net = at.models.RateRNN(units=9, recurrent_gain=1.2, dt=1.0, tau=3.0).build(2, 1, seed=0)
    path = net.simulate(trials.inputs, precision="float64")
    found = task_axes(path, trials, ["side", "coherence"], components=COMPONENTS)
    times, axes = axes_by_mante(path.states, *trials.conditions.values())
    np.testing.assert_array_equal(found.peaks_ms, found.time_ms[times])
    np.testing.assert_allclose(found.axes, axes, atol=1e-6)
