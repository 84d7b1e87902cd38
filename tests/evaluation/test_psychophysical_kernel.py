"""Kernels of observers whose weights are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import attractory as at
from attractory._errors import InvalidSetting
from attractory.evaluation._psychophysical_kernel import kernels_of_outputs

TASK = at.tasks.PerceptualDecision(dt=100, stimulus=1000, coherences=(0,))
CONTEXT = at.tasks.ContextDecision(dt=50, stimulus=400, delay=50, coherences=(2, 5, 15))
STEPS = 10


def integrator(keep=1.0, task=TASK):
    """It sums the difference of the stimuli, of which it keeps that share at each step."""
    return at.models.RateRNN.from_weights(
        [[keep]],
        [[0, 0.01, -0.01]],
        [[0], [1], [-1]],
        activation="linear",
        dt=task.dt,
        tau=task.dt,
    )


@pytest.fixture(scope="module")
def answers():
    """Of a perfect integrator and of a leaky one."""
    return at.evaluation.responses([integrator(), integrator(keep=0.7)], TASK, n=8192)


@pytest.fixture(scope="module")
def kernels(answers):
    return at.evaluation.psychophysical_kernel(answers)


def ideal(weights):
    """Of an observer who chooses by the sign of a weighted sum of standard normal numbers."""
    return 2 * np.sqrt(2 / np.pi) * weights / np.linalg.norm(weights)


def test_a_perfect_integrator_has_the_flat_kernel_of_theory(kernels):
    flat = kernels.kernels[0]
    expected = ideal(np.ones(STEPS))
    assert np.abs((flat.kernel - expected) / flat.sem).max() < 4
    assert flat.p_flat > 0.01
    assert flat.mean == pytest.approx(expected[0], rel=0.05)
    np.testing.assert_allclose(flat.time_ms, 100 * np.arange(1, STEPS + 1))


def test_a_leaky_integrator_has_the_exponential_kernel_of_its_leak(kernels):
    leaky = kernels.kernels[1]
    expected = ideal(0.7 ** np.arange(STEPS)[::-1])
    assert np.abs((leaky.kernel - expected) / leaky.sem).max() < 4
    assert leaky.p_flat < 1e-6
    early, late = leaky.halves
    assert early < late / 3


def test_with_one_evidence_it_is_the_difference_of_two_means(answers):
    trials, outputs = answers.trials.first(300), answers.of(1)[:300]
    streams = TASK.evidence_streams
    (one,) = kernels_of_outputs([outputs], TASK, trials, streams).kernels
    first = TASK.chosen(outputs, trials)[:, 0] == 0
    shown = trials.during("stimulus")
    noise = (trials.inputs[..., 1] - trials.inputs[..., 2])[shown].reshape(300, STEPS)
    apart = noise[first].mean(axis=0) - noise[~first].mean(axis=0)
    scale = noise.std(axis=0)
    np.testing.assert_allclose(one.kernel, apart / scale, rtol=5e-3)
    errors = np.sqrt(noise[first].var(0) / first.sum() + noise[~first].var(0) / (~first).sum())
    np.testing.assert_allclose(one.sem, errors / scale, rtol=0.05)


def test_the_stated_error_is_the_scatter_of_repeated_kernels():
    task = TASK.replace(coherences=(0, 2, 8))
    answers = at.evaluation.responses(integrator(), task, n=8192)
    trials, outputs = answers.trials, answers.outputs
    found = []
    for begin in range(0, 8192, 256):
        own = slice(begin, begin + 256)
        part = replace(
            trials, inputs=trials.inputs[own], targets=trials.targets[own], mask=trials.mask[own],
            epochs=trials.epochs[own],
            conditions={name: values[own] for name, values in trials.conditions.items()},
        )  # fmt: skip
        made = kernels_of_outputs([outputs[own]], task, part, task.evidence_streams)
        found.append(made.kernels[0])
    scatter = np.std([one.kernel for one in found], axis=0).mean()
    assert np.mean([one.sem for one in found]) == pytest.approx(scatter, rel=0.15)
    assert 0.2 < np.median([one.p_flat for one in found]) < 0.8


def test_evidence_that_does_not_count_has_a_kernel_of_zero():
    trials = CONTEXT.sample(4096, seed=1)
    outputs = CONTEXT.ideal_observer(trials.inputs)
    found = kernels_of_outputs([outputs], CONTEXT, trials, CONTEXT.evidence_streams, "context")
    table = found.table().set_index(["context", "stream"])
    for context, (own, other) in enumerate([(0, 1), (1, 0)]):
        names = [f"coherence_{i + 1}" for i in (own, other)]
        assert table.loc[(context, names[0]), "mean"] > 0.2
        other = table.loc[(context, names[1])]
        assert abs(other["mean"]) < 4 * other["mean_error"]
    assert [one.value for one in found.kernels] == [0, 0, 1, 1]


def test_evidence_of_many_values_does_not_leak_into_the_kernel(answers):
    """Who sees how strong it is, and no noise, has no kernel; within a bin evidence varies, too."""
    rng = np.random.default_rng(0)
    trials = answers.trials.first(4096)
    strength = rng.uniform(-100, 100, 4096)
    shown = trials.during("stimulus") * strength[:, None] / 200
    inputs = trials.inputs + np.stack([0 * shown, shown, -shown], axis=-1)
    conditions = {**trials.conditions, "coherence": strength}
    graded = replace(trials, inputs=inputs, conditions=conditions)
    second = strength + rng.normal(0, 40, 4096) < 0
    outputs = np.zeros_like(trials.targets)
    outputs[np.arange(4096), :, 1 + second] = 1.0
    (one,) = kernels_of_outputs([outputs], TASK, graded, TASK.evidence_streams).kernels
    assert abs(one.mean) < 4 * one.mean_error
    assert one.mean_error < 0.02


def test_steps_that_half_of_the_trials_have_are_known_less_well(answers):
    epochs = answers.trials.epochs.copy()
    epochs[::2, 2] = 6  # in every second trial the stimulus has 5 steps
    trials = replace(answers.trials, epochs=epochs)
    (one,) = kernels_of_outputs([answers.of(0)], TASK, trials, TASK.evidence_streams).kernels
    assert one.kernel.shape == (STEPS,)
    assert one.sem[5:].mean() == pytest.approx(np.sqrt(2) * one.sem[:5].mean(), rel=0.03)


def test_streams_of_ones_own(answers, kernels, tmp_path):
    """A single input: half of the evidence, so its noise decides less."""
    stream = at.tasks.EvidenceStream("coherence", "stimulus", "stimulus 1")
    found = at.evaluation.psychophysical_kernel(answers, streams=stream)
    both = kernels.kernels[0].mean
    assert found.kernels[0].mean == pytest.approx(both / np.sqrt(2), rel=0.1)
    back = at.evaluation.PsychophysicalKernels.load(found.save(tmp_path / "kernels.safetensors"))
    np.testing.assert_array_equal(back.kernels[0].kernel, found.kernels[0].kernel)
    assert back.table().equals(found.table())
    assert len(repr(found)) < 300
    assert [one.epoch for one in found.kernels] == ["stimulus"] * 2


@pytest.mark.parametrize(
    ("task", "options", "expected"),
    [
        (at.tasks.Xor(), {}, "task 'xor' is not answered by choosing between options"),
        (at.tasks.DualDelayedMatch(), {}, "states no streams of evidence; name them: streams=.at."),
        (TASK, {"by": "contxt"}, "by = 'contxt' is no condition of perceptual_decision"),
        (TASK, {"streams": 3}, "streams = 3 is not allowed: an EvidenceStream, or a list of them"),
        (
            TASK,
            {"streams": at.tasks.EvidenceStream("coherence", "stimulus", "motion")},
            "streams: 'motion' is no input of perceptual_decision; allowed: fixation, stim",
        ),
        (TASK.replace(sigma=0), {}, "evidence of 'coherence' has no noise in these trials"),
    ],
)
def test_a_callers_mistake_is_one_line(task, options, expected):
    net = at.models.RateRNN(units=8, dt=task.dt, tau=task.dt).build(task.n_inputs, task.n_outputs)
    with pytest.raises(InvalidSetting, match=expected) as caught:
        at.evaluation.psychophysical_kernel(net, task, n=16, **options)
    assert "\n" not in str(caught.value)
