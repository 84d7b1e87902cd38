"""Axes of robustness: a user's own stand beside the settings of a task."""

from __future__ import annotations

import numpy as np
import pytest

import attractory as at
from attractory import evaluation
from attractory.evaluation import _axes
from attractory.report import study

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)


def quieter(network, task, value, rng):
    """The readout is scaled by the value."""
    weights = {**network.weights, "output_weights": value * np.asarray(network.output_weights)}
    return at.models.Network(network.model, weights), task


def louder(network, task, value, rng):
    """The task's noise, in another unit: two settings could be changed at once."""
    return network, task.replace(noise=value / 10)


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    """What a user registers is gone after the test."""
    monkeypatch.setattr(_axes._registry, "parts", dict(_axes._registry.parts))
    evaluation.axis("Readout (share)", trained=1.0, values=(0.5, 1.0))(quieter)
    evaluation.axis("Noise (tenths)", trained=1.0)(louder)


@pytest.fixture(scope="module")
def nets():
    return [at.models.RateRNN(units=6).build(1, 1, seed=seed) for seed in range(2)]


def test_scores_are_those_of_the_changed_networks(nets):
    curve = at.robustness(nets, TASK, vary="quieter", values=[0.5, 1.0], n=16, seed=3)
    for i, value in enumerate([0.5, 1.0]):
        changed = [quieter(net, TASK, value, None)[0] for net in nets]
        scores = at.evaluate(changed, TASK, 16, 3)
        np.testing.assert_allclose(curve.mse[:, i], scores.mse, rtol=1e-6)
    assert (curve.trained, curve.label) == (1.0, "Readout (share)")


def test_an_axis_may_change_the_task(nets):
    curve = at.robustness(nets[0], TASK, vary="louder", values=[0.0, 5.0], n=16)
    plain = at.robustness(nets[0], TASK, vary="noise", values=[0.0, 0.5], n=16)
    np.testing.assert_array_equal(curve.mse, plain.mse)


def test_what_is_drawn_is_the_same_for_all_values_and_follows_the_seed(nets):
    @evaluation.axis("Noise on weights", trained=0.0)
    def weight_noise(network, task, value, rng):
        recurrent = np.asarray(network.recurrent_weights)
        moved = recurrent + value * rng.normal(size=recurrent.shape)
        weights = {**network.weights, "recurrent_weights": moved}
        return at.models.Network(network.model, weights), task

    asked = {"vary": "weight_noise", "values": [0.0, 0.3, 0.3], "n": 16}
    one, same = (at.robustness(nets, TASK, seed=1, **asked) for _ in range(2))
    other = at.robustness(nets, TASK, seed=2, **asked)
    np.testing.assert_array_equal(one.mse, same.mse)
    np.testing.assert_array_equal(one.mse[:, 1], one.mse[:, 2])
    assert (one.mse[:, 1] != other.mse[:, 1]).all()
    np.testing.assert_allclose(one.mse[:, 0], at.evaluate(nets, TASK, 16, 1).mse, rtol=1e-6)


def test_studies_and_figures_have_those_with_values(nets):
    run = at.train(
        TASK, at.models.RateRNN(units=4), at.rules.BPTT(steps=2, optimizer="sgd"), progress=False
    )
    results = study(run, n=8)
    varied = [curve.vary for curve in results.curves]
    assert "quieter" in varied
    assert "louder" not in varied
    figure = at.figures.robustness(results.curves)
    assert "Readout (share)" in [axes.get_xlabel() for axes in figure.axes]


def test_a_function_that_was_changed_is_tried_anew():
    run = at.train(
        TASK, at.models.RateRNN(units=4), at.rules.BPTT(steps=2, optimizer="sgd"), progress=False
    )
    before = study(run, n=8).curves[-1]
    edited = _named(louder, "quieter")
    edited.__qualname__ = "quieter"  # the same function of the same file, written anew
    evaluation.axis("Readout (share)", trained=1.0, values=(0.5, 1.0))(edited)
    after = study(run, n=8).curves[-1]
    assert before.vary == after.vary == "quieter"
    assert (before.mse != after.mse).any()


def test_a_setting_of_the_task_goes_before_and_unknown_ones_are_one_line(nets):
    evaluation.axis("Another noise")(_named(quieter, "noise"))
    curve = at.robustness(nets[0], TASK, vary="noise", values=[0.0], n=8)
    assert curve.label == ""
    with pytest.raises(at.InvalidSetting, match="vary = 'quiet' is no setting of flipflop"):
        at.robustness(nets[0], TASK, vary="quiet", values=[0.0])


def _named(function, name):
    def renamed(*arguments):
        return function(*arguments)

    renamed.__name__ = name
    return renamed
