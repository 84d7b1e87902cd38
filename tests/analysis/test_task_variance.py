"""Task variance beside loops, and clusters of units whose clusters are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import attractory as at
from attractory.analysis import task_variance
from attractory.models import Trajectory
from attractory.tasks import Trials

STEPS = 10


def trials_of(conditions, epochs=None):
    count = len(next(iter(conditions.values())))
    zeros = np.zeros((count, STEPS, 1))
    names = () if epochs is None else ("cue", "delay")
    return Trials(
        zeros, zeros, conditions=conditions, dt=10.0, epochs=epochs, epoch_names=names
    )  # fmt: skip


def path_of(states, trials):
    return Trajectory(trials.inputs, states, trials.targets, trials.dt)


@pytest.fixture(scope="module")
def trials():
    """Two rules, four stimuli; cues and delays of other lengths in other trials."""
    rng = np.random.default_rng(0)
    cue, end = rng.integers(2, 5, 40), rng.integers(7, STEPS + 1, 40)
    epochs = np.stack([np.zeros(40, int), cue, end], axis=1)
    return trials_of({"rule": np.arange(40) % 2, "stimulus": np.arange(40) // 2 % 4}, epochs)


@pytest.fixture(scope="module")
def path(trials):
    return path_of(np.random.default_rng(1).normal(size=(40, STEPS, 3)), trials)


def by_hand(path, trials, chosen, epoch, stimuli=None):
    """The variances (time, unit) at the times of an epoch at which two trials have a step."""
    begin, end = trials.epochs[chosen, epoch], trials.epochs[chosen, epoch + 1]
    found = []
    for after in range((end - begin).max()):
        there = chosen[begin + after < end]
        now = path.states[there, trials.epochs[there, epoch] + after]
        if stimuli is not None:
            now = np.array([now[stimuli[there] == each].mean(axis=0)
                            for each in np.unique(stimuli[there])])  # fmt: skip
        if len(now) > 1:
            found.append(now.var(axis=0))
    return np.array(found)


def test_variances_are_those_of_a_loop(path, trials):
    rules = trials.conditions["rule"]
    found = task_variance(path, trials, ["rule", "epoch"])
    assert found.groups["rule"].tolist() == [0, 0, 1, 1]
    assert found.groups["epoch"].tolist() == ["cue", "delay"] * 2
    assert found.names == ("0, cue", "0, delay", "1, cue", "1, delay")
    for group, (rule, epoch) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        expected = by_hand(path, trials, np.flatnonzero(rules == rule), epoch)
        np.testing.assert_allclose(found.variance[:, group], expected.mean(axis=0))
    whole = task_variance(path, trials, "rule")
    for rule in (0, 1):
        own = np.flatnonzero(rules == rule)
        both = np.concatenate([by_hand(path, trials, own, epoch) for epoch in (0, 1)])
        np.testing.assert_allclose(whole.variance[:, rule], both.mean(axis=0))
    assert whole.trials.tolist() == [20, 20]
    one = task_variance(path, trials, epochs="delay")
    assert one.groups["epoch"].tolist() == ["delay"]


def test_over_averages_of_conditions_noise_counts_less(path, trials):
    stimuli = trials.conditions["stimulus"]
    found = task_variance(path, trials, "rule", epochs="cue", over="stimulus")
    for rule in (0, 1):
        own = np.flatnonzero(trials.conditions["rule"] == rule)
        expected = by_hand(path, trials, own, 0, stimuli).mean(axis=0)
        np.testing.assert_allclose(found.variance[:, rule], expected)
    assert (found.variance < task_variance(path, trials, "rule", epochs="cue").variance).all()


def planted(seed, sizes, shuffled=False):
    """Units that vary in one rule of four, one group of units a rule; their sizes differ."""
    rng = np.random.default_rng(seed)
    given = trials_of({"rule": np.arange(80) % 4})
    group = np.repeat(np.arange(len(sizes)), sizes)
    strength = np.where(group == np.arange(4)[:, None], 1.0, 0.2) * rng.uniform(0.5, 2, sum(sizes))
    strength = strength * rng.uniform(0.8, 1.2, strength.shape)
    if shuffled:
        strength = rng.uniform(0.1, 1, strength.shape)
    values = rng.normal(size=(80, 1, sum(sizes))) * strength[given.conditions["rule"]][:, None]
    return task_variance(
        path_of(np.repeat(values, STEPS, axis=1), given), given, "rule", most=5
    ), group


def test_planted_clusters_of_units_are_found():
    found, group = planted(0, (12, 9, 7))
    assert found.count == 3
    assert found.members.tolist() == group.tolist()
    assert found.profiles.argmax(axis=1).tolist() == [0, 1, 2]
    np.testing.assert_array_equal(found.order, np.arange(28))
    assert found.p == 0.01
    assert found.statement.startswith("28 of 28 units vary, in 3 clusters of 12, 9, 7: mean silh")
    assert found.table().columns.tolist() == ["unit", "cluster", "0", "1", "2", "3"]


def test_units_without_clusters_have_none():
    counts = [planted(seed, (16,), shuffled=True)[0].count for seed in range(16)]
    assert np.sum(np.array(counts) > 1) <= 2  # 5 % of 16 are expected
    assert "nothing speaks for several clusters" in planted(0, (16,), shuffled=True)[0].statement


def test_units_that_do_not_vary_are_in_no_cluster(trials, path):
    states = path.states.copy()
    states[..., 1] = 3.0
    found = task_variance(path_of(states, trials), trials, "rule")
    assert found.active.tolist() == [True, False, True]
    assert found.members.tolist() == [0, -1, 0]
    assert np.isnan(found.normalised[1]).all()
    assert found.normalised[[0, 2]].max(axis=1).tolist() == [1, 1]
    assert found.statement == "2 of 3 units vary: too few for clusters."
    nothing = task_variance(path_of(0 * states, trials), trials, "rule")
    assert (nothing.count, nothing.profiles.shape) == (0, (0, 2))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda n, t: task_variance(n, t, ()), "by is empty; at least one condition, or 'epoch'"),
        (lambda n, t: task_variance(n, t, "rules"), "by = 'rules' is no condition"),
        (lambda n, t: task_variance(n, t, epochs="test"), "epoch 'test' is unknown"),
        (lambda n, t: task_variance(n, t, "each"), "no two trials of a group have a step"),
    ],
)
def test_a_callers_mistake_is_one_line(path, trials, call, expected):
    odd = replace(trials, conditions=trials.conditions | {"each": np.arange(40)})
    with pytest.raises(at.InvalidSetting, match=expected) as caught:
        call(path, odd)
    assert "\n" not in str(caught.value)
