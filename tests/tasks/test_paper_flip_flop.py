"""The published generator, held to its description: SCIENCE section 1, Jarne (2024)."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats
from tasks.plain_flip_flop import channels_of, plain_targets, pulses_in

from attractory.tasks import FlipFlop

ALPHA = 1e-4
LATENCY = 40


@pytest.fixture(scope="module")
def published():
    """1500 noise-free trials of the published length."""
    return FlipFlop.paper(noise=0.0).sample(1500, seed=3)


@pytest.fixture(scope="module")
def noisy():
    """The same trials with the published noise."""
    return FlipFlop.paper().sample(1500, seed=3)


@pytest.fixture(scope="module")
def with_all_first():
    """Pulses of 1500 trials, by trial and channel, of which no first pulse is left out."""
    trials = FlipFlop.paper(noise=0.0, skip_first=0.0).sample(1500, seed=11)
    return [[pulses_in(channel) for channel in trial.T] for trial in trials.inputs]


@pytest.fixture(scope="module")
def uncut():
    """Pulses of 4500 channels, in trials so long (420 steps) that no third pulse is cut."""
    trials = FlipFlop.paper(noise=0.0, steps=420).sample(1500, seed=5)
    return [pulses_in(channel) for channel in channels_of(trials.inputs)]


@pytest.fixture(scope="module")
def with_first(uncut):
    return [pulses for pulses in uncut if len(pulses) == 3]


def test_onsets_lie_in_the_published_ranges(with_first):
    first, second, third = (np.array([p[i].onset for p in with_first]) for i in range(3))
    assert (first.min(), first.max()) == (10, 99)
    assert ((second - first).min(), (second - first).max()) == (71, 120)
    assert ((third - second).min(), (third - second).max()) == (101, 150)


def test_onsets_and_waits_are_uniform(with_first):
    onsets = np.array([[pulse.onset for pulse in pulses] for pulses in with_first])
    for values, lowest, count in [
        (onsets[:, 0], 10, 90),
        (onsets[:, 1] - onsets[:, 0], 71, 50),
        (onsets[:, 2] - onsets[:, 1], 101, 50),
    ]:
        counts = np.bincount(values - lowest, minlength=count)
        assert len(counts) == count
        assert stats.chisquare(counts).pvalue > ALPHA


def test_every_pulse_lasts_20_steps_and_is_cut_only_at_the_end(published):
    cut = 0
    for channel in channels_of(published.inputs):
        for pulse in pulses_in(channel):
            assert pulse.width == min(20, 340 - pulse.onset)
            cut += pulse.width < 20
    assert cut > 0


def test_pulses_are_plus_or_minus_one(published):
    assert set(np.unique(published.inputs)) == {-1.0, 0.0, 1.0}


def test_first_pulse_is_absent_in_a_third_of_the_channels(uncut):
    counts = np.array([len(pulses) for pulses in uncut])
    assert set(counts) == {2, 3}
    assert stats.binomtest(int(np.sum(counts == 2)), len(counts), 1 / 3).pvalue > ALPHA


def test_without_its_first_pulse_a_channel_starts_with_the_second(uncut):
    starts = np.array([pulses[0].onset for pulses in uncut if len(pulses) == 2])
    assert starts.min() >= 10 + 71
    assert starts.max() <= 99 + 120
    waits = [p[1].onset - p[0].onset for p in uncut if len(p) == 2]
    assert (min(waits), max(waits)) == (101, 150)


def test_signs_are_fair_and_independent_of_each_other(with_first):
    patterns = [tuple(pulse.sign for pulse in pulses) for pulses in with_first]
    counts = [patterns.count(pattern) for pattern in product([-1, 1], repeat=3)]
    assert sum(counts) == len(patterns)
    assert stats.chisquare(counts).pvalue > ALPHA


def test_channels_of_a_trial_are_independent(with_all_first):
    for a, b in [(0, 1), (0, 2), (1, 2)]:
        onsets = np.array([[trial[c][0].onset for c in (a, b)] for trial in with_all_first])
        assert stats.pearsonr(*onsets.T).pvalue > ALPHA
        signs = np.array([[trial[c][1].sign for c in (a, b)] for trial in with_all_first])
        table = [[np.sum((signs == (x, y)).all(1)) for y in (-1, 1)] for x in (-1, 1)]
        assert stats.chi2_contingency(table).pvalue > ALPHA


def test_targets_follow_the_pulses_and_the_last_step_is_zero(published):
    for inputs, targets in zip(
        channels_of(published.inputs), channels_of(published.targets), strict=True
    ):
        expected = plain_targets(inputs, LATENCY)
        expected[-1] = 0
        np.testing.assert_array_equal(targets, expected)


def test_third_update_falls_outside_in_a_quarter_of_the_channels(with_all_first):
    outcomes = product(range(10, 100), range(1, 51), range(1, 51))
    late = sum(t1 + 170 + v + w + LATENCY >= 340 for t1, v, w in outcomes)
    probability = late / (90 * 50 * 50)
    assert probability == pytest.approx(0.26, abs=0.01)

    channels = [pulses for trial in with_all_first for pulses in trial]
    unanswered = [len(p) == 2 or p[2].onset + LATENCY >= 340 for p in channels]
    test = stats.binomtest(sum(unanswered), len(unanswered), probability)
    assert test.pvalue > ALPHA


def test_noise_is_gaussian_of_standard_deviation_a_tenth(noisy):
    silent = noisy.inputs[:, :10]  # no pulse before step 10
    assert stats.kstest(silent.ravel() / 0.1, "norm").pvalue > ALPHA
    for first, second in [(silent[..., 0], silent[..., 1]), (silent[:, 1:], silent[:, :-1])]:
        assert stats.pearsonr(first.ravel(), second.ravel()).pvalue > ALPHA


def test_noise_is_there_at_every_step_also_during_pulses(noisy, published):
    np.testing.assert_array_equal(noisy.targets, published.targets)
    noise = noisy.inputs - published.inputs
    by_step = noise.std(axis=(0, 2))  # 4500 draws each: standard error 1 %
    assert by_step.min() > 0.094
    assert by_step.max() < 0.106
    assert noise[published.inputs != 0].std() == pytest.approx(0.1, rel=0.01)
    assert abs(noise.mean()) < 4 * 0.1 / np.sqrt(noise.size)


def test_score_last_step_takes_only_the_last_step_out(noisy):
    np.testing.assert_array_equal(noisy.mask, np.ones((1500, 340, 3)))
    mask = FlipFlop.paper(score_last_step=False).sample(4, seed=0).mask
    np.testing.assert_array_equal(mask[:, :-1], np.ones((4, 339, 3)))
    np.testing.assert_array_equal(mask[:, -1], np.zeros((4, 3)))
