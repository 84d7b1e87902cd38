"""Chance levels against answers that are made to look correct whatever is shown."""

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
        correct = task.correct(np.tile(answer[:, None], (40, 1, 1)), trials)
        assert not (correct[triggered].any() and correct[~triggered].any())
    assert task.chance() == 0.5


@pytest.mark.parametrize("settings", [{}, {"pulses": 3}, {"pulses": 12}, {"gap": 20.0, "delay": 0}])
def test_chance_of_set_and_reset_is_that_of_guessing_all_lines(settings):
    task = tasks.SetReset(sigma=0.0, **settings)
    lines = np.array(list(product((0, 1), repeat=task.pulses)))
    inputs = np.zeros((len(lines), task.n_steps, 2))
    for i, onset in enumerate(50 + round(20 + task.gap) * np.arange(task.pulses)):
        inputs[np.arange(len(lines)), onset : onset + 20, lines[:, i]] = 1
    targets = task.ideal_observer(inputs)
    trials = tasks.Trials(inputs, targets, np.ones_like(targets))
    correct = task.correct(np.repeat(targets[:1], len(targets), 0), trials)
    assert task.chance() == pytest.approx(correct.mean())


def small_flip_flop(bits):
    """24 different trials of a channel, and 3**10 answers to it."""
    return tasks.FlipFlop(
        bits=bits, steps=10, pulse=1, delay=0, first_onset=(1, 3), gaps=((3, 4),), skip_first=0.25
    )


def channel_trials():
    """Targets (trial, time) of one channel of the small flip-flop, and their probabilities."""
    targets, chances = [], []
    for onset, gap, first, second in product((1, 2, 3), (3, 4), (-1, 0, 1), (-1, 1)):
        course = np.zeros(10)
        course[onset:] = first
        course[onset + 1 + gap :] = second
        targets.append(course)
        chances.append(1 / 3 * 1 / 2 * (0.25 if first == 0 else 0.375) * 1 / 2)
    return np.array(targets), np.array(chances)


@pytest.mark.parametrize("bits", [1, 2])
def test_chance_of_a_flip_flop_is_that_of_the_best_of_all_answers(bits):
    """All answers to all trials; 2 bits: the same answer in both, whose signs are alike."""
    targets, chances = channel_trials()
    assert chances.sum() == pytest.approx(1)
    answers = np.array(list(product((-1, 0, 1), repeat=10)), np.int8)
    matches = np.stack([(answers == course).sum(1) for course in targets], axis=1)
    shares = np.zeros(len(answers))
    for trials in product(range(len(targets)), repeat=bits):
        correct = matches[:, trials].sum(1) >= 0.9 * 10 * bits
        shares += correct * np.prod(chances[list(trials)])
    assert small_flip_flop(bits).chance() == pytest.approx(shares.max(), abs=0.015)


def test_chance_of_the_usual_flip_flop_is_reached_by_a_guess_and_is_not_nothing():
    """Every channel 0 until step 120, then one sign: correct in 0.26 % of the trials."""
    task = tasks.FlipFlop()
    trials = task.sample(3000, seed=3)
    correct = 0.0
    for signs in product((1,), (-1, 1), (-1, 1)):  # each as likely: four times the trials
        answer = np.where(np.arange(340)[:, None] >= 120, signs, 0.0)
        correct += task.correct(np.broadcast_to(answer, trials.targets.shape), trials).mean() / 4
    assert task.chance() == pytest.approx(correct, abs=0.0012)
    assert task.chance() > 0.0015


def test_chance_of_rare_pulses_is_that_of_none():
    """Saying 0: correct where no pulse comes in the first nine tenths, but in one step of 500."""
    task = tasks.PoissonFlipFlop(bits=1, rate=0.001)
    quiet = 0.999**450  # no pulse in 450 steps
    assert task.chance() == pytest.approx(quiet, abs=0.025)
    assert tasks.PoissonFlipFlop.golub().chance() < 1e-4


def test_a_first_pulse_of_golub_has_either_sign():
    first = tasks.PoissonFlipFlop.golub().sample(1000, seed=0).inputs[:, 0]
    assert set(np.unique(first)) == {-1.0, 1.0}
    assert abs(first.mean()) < 4 / np.sqrt(first.size)
