"""Scores and robustness curves against loops over every trial, step and output."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import attractory as at
from attractory._errors import InvalidSetting
from attractory.models import RateRNN
from attractory.tasks import FlipFlop, Task, Trial

N = 40
TASK = FlipFlop(
    bits=2, steps=60, first_onset=(3, 12), gaps=((6, 15),), pulse=5, delay=4, neutral_start=False
)


class Weighed(Task):
    """Sums of waves; some targets are 0, the mask lies between 0 and 1.

    (Made without JAX's random generator, which would take most of the time of these tests.)
    """

    noise: float = 0.1

    def trial(self, key):
        phase = (jax.random.key_data(key) % 1000).astype(jnp.float32)
        time = jnp.arange(60.0)[:, None]
        inputs = jnp.sin(phase + 0.3 * time) + self.noise * jnp.sin(7.0 * time * phase)
        mask = jnp.round(1.5 + 1.5 * jnp.cos(time + phase)) / 3.0
        return Trial(inputs, jnp.round(jnp.sin(phase + 0.1 * time)), mask)


WEIGHED = Weighed()


def network(seed):
    rng = np.random.default_rng(seed)
    return RateRNN.from_weights(
        rng.normal(size=(6, 6)) / 2, rng.normal(size=(6, 2)), rng.normal(size=(2, 6)), tau=3.0
    )


NETS = [network(seed) for seed in (0, 1, 2)]


def outputs_by_hand(net, inputs):
    outputs = np.zeros((*inputs.shape[:2], 2))
    for b, trial in enumerate(inputs.astype(np.float64)):
        h = np.zeros(6)
        for t, x in enumerate(trial):
            h = 2 / 3 * h + np.tanh(net.recurrent_weights @ h + net.input_weights @ x) / 3
            outputs[b, t] = net.output_weights @ h
    return outputs


def scores_by_hand(net, trials, channels=(0, 1)):
    """mse, distance, accuracy over some output channels."""
    outputs = outputs_by_hand(net, trials.inputs)
    error = counted = correct = asked = 0.0
    distances = []
    for b in range(len(outputs)):
        in_trial = 0.0
        for t in range(60):
            for o in channels:
                z, y, m = outputs[b, t, o], trials.targets[b, t, o], trials.mask[b, t, o]
                in_trial += m * (z - y) ** 2
                counted += m
                if y != 0 and m > 0:
                    asked += 1
                    correct += z * y > 0
        error += in_trial
        distances.append(in_trial**0.5)
    return error / counted, sum(distances) / len(distances), correct / asked


@pytest.mark.parametrize("task", [TASK, WEIGHED], ids=["flipflop", "weighed"])
def test_scores_equal_a_loop_over_every_point(task):
    scores = at.evaluate(NETS[0], task, n=N, seed=3)
    trials = task.sample(N, seed=3)
    expected = scores_by_hand(NETS[0], trials)
    assert [scores.mse, scores.distance, scores.accuracy] == pytest.approx(expected, rel=1e-5)
    for channel in (0, 1):
        found = [
            scores.mse_by_output[channel],
            scores.distance_by_output[channel],
            scores.accuracy_by_output[channel],
        ]
        assert found == pytest.approx(scores_by_hand(NETS[0], trials, (channel,)), rel=1e-5)
    assert scores.n == N
    assert 0.2 < scores.accuracy < 0.9  # a score that could have been correct or wrong


def test_points_outside_of_the_mask_do_not_count():
    whole = at.evaluate(NETS[0], TASK.replace(neutral_start=True), n=N, seed=3)
    masked = at.evaluate(NETS[0], TASK, n=N, seed=3)
    assert masked.accuracy == whole.accuracy  # no sign is asked for where the target is 0
    assert masked.mse != pytest.approx(whole.mse, rel=0.01)


def test_a_population_has_the_scores_of_each_of_its_networks():
    together = at.evaluate(NETS, WEIGHED, n=N, seed=3)
    for i, net in enumerate(NETS):
        alone = at.evaluate(net, WEIGHED, n=N, seed=3)
        for name, value in vars(alone).items():
            if name != "n":
                np.testing.assert_array_equal(getattr(together, name)[i], value)
    assert len(set(together.mse)) == 3


def test_table_has_a_row_for_each_network_and_output():
    scores = at.evaluate(NETS, WEIGHED, n=N, seed=3)
    table = scores.table().set_index(["net", "output"])
    assert len(table) == 9
    for net in range(3):
        assert table.loc[(net, "all"), "mse"] == scores.mse[net]
        assert table.loc[(net, "1"), "accuracy"] == scores.accuracy_by_output[net, 1]
    single = at.evaluate(NETS[1], WEIGHED, n=N, seed=3).table().set_index(["net", "output"])
    assert single.loc[(0, "0"), "distance"] == scores.distance_by_output[1, 0]


class Nudged(Weighed):
    """Correct where the mean output is positive; every third trial has no correct answer."""

    def correct(self, outputs, trials):
        known = np.arange(len(trials)) % 3 > 0
        return np.where(known, outputs.mean((1, 2)) > 0, np.nan)


def test_correct_is_the_share_of_trials_that_the_task_calls_right():
    inputs = WEIGHED.sample(N, seed=3).inputs
    scores = at.evaluate(NETS, Nudged(), n=N, seed=3)
    for i, net in enumerate(NETS):
        expected = [outputs_by_hand(net, inputs[[b]]).mean() > 0 for b in range(N) if b % 3]
        assert scores.correct[i] == np.mean(expected)
    assert 0 < scores.correct[0] < 1
    assert scores.of_network(2).correct == scores.correct[2]
    table = scores.table().set_index(["net", "output"])
    assert table.loc[(1, "all"), "correct"] == scores.correct[1]
    assert np.isnan(table.loc[(1, "0"), "correct"])


def test_correct_is_nan_where_no_trial_has_a_right_answer():
    assert np.isnan(at.evaluate(NETS[0], Nudged(), n=1, seed=3).correct)


def test_robustness_is_evaluate_at_each_value():
    values = [0.0, 0.5]
    one = at.robustness(NETS[0], WEIGHED, vary="noise", values=values, n=N, seed=4)
    several = at.robustness(NETS, WEIGHED, vary="noise", values=values, n=N, seed=4)
    for j, value in enumerate(values):
        scores = at.evaluate(NETS, WEIGHED.replace(noise=value), n=N, seed=4)
        np.testing.assert_allclose(several.mse[:, j], scores.mse, rtol=1e-6)
        np.testing.assert_array_equal(several.accuracy[:, j], scores.accuracy)
        assert one.mse[j] == pytest.approx(scores.mse[0], rel=1e-6)
        assert one.accuracy[j] == scores.accuracy[0]
    assert (one.vary, one.trained, list(one.values)) == ("noise", 0.1, values)
    assert len(set(one.mse)) == 2
    table = several.table().set_index(["net", "value"])
    assert table.loc[(2, 0.5), "mse"] == several.mse[2, 1]
    assert len(one.table()) == 2


def test_robustness_to_the_pulse_width_keeps_the_answer_where_it_was():
    curve = at.robustness(NETS[0], TASK, vary="pulse", values=[2], n=N, seed=4)
    scores = at.evaluate(NETS[0], TASK.replace(pulse=2, delay=7), n=N, seed=4)
    assert curve.mse[0] == pytest.approx(scores.mse, rel=1e-6)
    assert curve.trained == 5


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: at.evaluate(NETS[0], TASK.replace(bits=3)), "network 0 has n_inputs = 2.* has 3"),
        (lambda: at.evaluate([], TASK), "networks is empty"),
        (lambda: at.evaluate([NETS[0], "net"], TASK), r"networks\[1\] = 'net'"),
        (lambda: at.evaluate(NETS[0], TASK, n=0), "n = 0"),
        (lambda: at.robustness(NETS[0], TASK, values=[]), "values is empty"),
        (lambda: at.robustness(NETS[0], TASK, vary="nois"), "vary = 'nois'.*'noise'"),
        (lambda: at.robustness(NETS[0], TASK, values=[-1.0]), "noise = -1.0"),
        (lambda: at.robustness(NETS[0], TASK, vary="bits", values=[3]), "n_inputs = 2"),
    ],
)
def test_a_callers_mistake_is_one_line(call, expected):
    with pytest.raises(InvalidSetting, match=expected) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_robustness_counts_correct_trials_and_takes_ranges(tmp_path):
    task = at.tasks.ContextDecision(dt=50, fixation=50, stimulus=200, coherences=(6.4, 50))
    nets = [at.models.RateRNN(units=8).build(task.n_inputs, task.n_outputs, seed=s) for s in (0, 1)]
    ranges = [(50.0, 100.0), [100.0, 200.0]]
    curve = at.robustness(nets, task, vary="delay", values=ranges, n=32, seed=4)
    scores = at.evaluate(nets, task.replace(delay=(100.0, 200.0)), 32, seed=4)
    for name in ("mse", "accuracy", "correct"):
        np.testing.assert_allclose(getattr(curve, name)[:, 1], getattr(scores, name))
    table = curve.table()
    assert table["value"].tolist() == [(50.0, 100.0), (100.0, 200.0)] * 2
    back = type(curve).load(curve.save(tmp_path / "curve.safetensors"))
    assert back.values == curve.values
    np.testing.assert_array_equal(back.correct, curve.correct)
