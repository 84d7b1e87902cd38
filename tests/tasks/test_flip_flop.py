"""The default flip-flop, which has none of the published generator's defects."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from tasks.plain_flip_flop import channels_of, plain_targets, pulses_in

from attractory.tasks import FlipFlop

STEPS = 60
SHORT = FlipFlop(
    bits=2, steps=STEPS, first_onset=(3, 20), gaps=(6, 15), pulse=5, delay=4, noise=0.0
)


@pytest.fixture(scope="module")
def default():
    return FlipFlop(noise=0.0).sample(400, seed=2)


@pytest.fixture(scope="module")
def short():
    return SHORT.sample(300, seed=2)


def test_default_has_340_steps_3_channels_and_the_published_latency():
    task = FlipFlop()
    assert (task.n_steps, task.n_inputs, task.n_outputs, task.latency) == (340, 3, 3, 40)


def test_targets_follow_the_pulses_to_the_last_step(default, short):
    for trials, latency in [(default, 40), (short, 9)]:
        for inputs, targets in zip(
            channels_of(trials.inputs), channels_of(trials.targets), strict=True
        ):
            np.testing.assert_array_equal(targets, plain_targets(inputs, latency))


def test_targets_up_to_now_follow_from_inputs_up_to_now(short):
    for inputs, targets in zip(
        channels_of(short.inputs)[:40], channels_of(short.targets)[:40], strict=True
    ):
        for end in range(1, STEPS + 1, 7):
            np.testing.assert_array_equal(targets[:end], plain_targets(inputs[:end], 9))


def test_no_pulse_is_without_its_answer(default, short):
    for trials, latency, steps in [(default, 40, 340), (short, 9, STEPS)]:
        for channel in channels_of(trials.inputs):
            assert all(pulse.onset + latency < steps for pulse in pulses_in(channel))


def test_silences_are_uniform_between_the_two_limits(short):
    silences = []
    for channel in channels_of(short.inputs):
        pulses = pulses_in(channel)[:2]  # early ones: the end of the trial does not choose them
        silences += [b.onset - a.onset - 5 for a, b in pairwise(pulses)]
    counts = np.bincount(silences, minlength=16)
    assert counts[:6].sum() == 0
    assert len(counts) == 16
    assert stats.chisquare(counts[6:]).pvalue > 1e-4


def test_pulses_go_on_to_the_end_of_the_trial(short):
    for channel in channels_of(short.inputs):
        last = pulses_in(channel)[-1]
        earliest_unanswered = last.onset + 5 + 15  # the latest start of one more pulse
        assert earliest_unanswered + 9 >= STEPS


def test_first_pulse_is_left_out_with_the_given_probability():
    task = SHORT.replace(skip_first=0.8, gaps=((24, 24),))
    starts = [pulses_in(c)[0].onset for c in channels_of(task.sample(300, seed=1).inputs)]
    late = sum(start > 20 for start in starts)
    assert stats.binomtest(late, len(starts), 0.8).pvalue > 1e-4


def test_a_pair_for_each_gap_fixes_the_number_of_pulses():
    trials = SHORT.replace(skip_first=0.0, gaps=((6, 8), (10, 12))).sample(100, seed=1)
    for channel in channels_of(trials.inputs):
        onsets = [pulse.onset for pulse in pulses_in(channel)]
        assert len(onsets) == 3
        assert 6 <= onsets[1] - onsets[0] - 5 <= 8
        assert 10 <= onsets[2] - onsets[1] - 5 <= 12


def test_amplitude_scales_the_inputs_and_not_the_targets(short):
    tall = SHORT.replace(amplitude=2.5).sample(300, seed=2)
    np.testing.assert_array_equal(tall.inputs, 2.5 * short.inputs)
    np.testing.assert_array_equal(tall.targets, short.targets)
    assert set(np.unique(tall.inputs)) == {-2.5, 0.0, 2.5}


def test_without_neutral_start_nothing_is_asked_before_the_first_update():
    trials = SHORT.replace(neutral_start=False, score_last_step=False).sample(100, seed=4)
    asked = np.arange(STEPS)
    for inputs, mask in zip(channels_of(trials.inputs), channels_of(trials.mask), strict=True):
        first_answer = pulses_in(inputs)[0].onset + 9
        expected = (asked >= first_answer) & (asked < STEPS - 1)  # nor at the last step
        np.testing.assert_array_equal(mask, expected.astype(np.float32))


def test_neutral_start_asks_for_every_step(short):
    assert short.mask.min() == 1.0


def test_delay_zero_answers_when_the_pulse_has_ended():
    trials = SHORT.replace(delay=0).sample(20, seed=4)
    for inputs, targets in zip(
        channels_of(trials.inputs), channels_of(trials.targets), strict=True
    ):
        first = pulses_in(inputs)[0]
        assert targets[first.onset + 5 - 1] == 0
        assert targets[first.onset + 5] == first.sign


@pytest.mark.parametrize(("width", "answer_after"), [(2, 9), (12, 12)])
def test_varied_pulse_keeps_the_time_from_onset_to_answer(width, answer_after):
    varied = SHORT.varied("pulse", width)
    trials = varied.sample(30, seed=6)
    for inputs, targets in zip(
        channels_of(trials.inputs), channels_of(trials.targets), strict=True
    ):
        assert {pulse.width for pulse in pulses_in(inputs)} == {width}
        np.testing.assert_array_equal(targets, plain_targets(inputs, answer_after))


def test_varying_noise_changes_nothing_else(short):
    noisy = SHORT.varied("noise", 0.3).sample(300, seed=2)
    np.testing.assert_array_equal(noisy.targets, short.targets)
    noise = noisy.inputs - short.inputs
    assert noise.std() == pytest.approx(0.3, rel=0.02)


def test_conditions_are_all_allowed_and_contain_the_task_itself():
    for task in (FlipFlop(), FlipFlop.paper(), SHORT):
        conditions = task.conditions()
        assert set(conditions) == {"noise", "amplitude", "pulse"}
        for name, values in conditions.items():
            assert values == sorted(set(values))
            for value in values:
                assert getattr(task.varied(name, value), name) == value
        assert task.amplitude in conditions["amplitude"]
        assert task.pulse in conditions["pulse"]
