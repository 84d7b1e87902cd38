"""Dissimilarity matrices beside SciPy and loops, and those whose variables are planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr

import attractory as at
from attractory.analysis import dissimilarities
from attractory.analysis.states._decoding import in_folds
from attractory.models import Trajectory
from attractory.tasks import Trials

UNITS, STEPS, COUNT = 7, 8, 96
PAIRS = np.triu_indices(8, 1)


@pytest.fixture(scope="module")
def trials():
    """Two rules, four loads; a cue and a delay that begins later in some trials."""
    rng = np.random.default_rng(0)
    cells = rng.permutation(np.repeat(np.arange(8), COUNT // 8))
    begins = rng.integers(3, 6, COUNT)
    epochs = np.stack([np.zeros(COUNT, int), begins, np.full(COUNT, STEPS)], axis=1)
    zeros = np.zeros((COUNT, STEPS, 1))
    conditions = {"rule": np.array(["match", "other"])[cells // 4], "load": cells % 4}
    return Trials(
        zeros, zeros, conditions=conditions, dt=10.0, epochs=epochs, epoch_names=("cue", "delay")
    )


@pytest.fixture(scope="module")
def path(trials):
    """In the cue the rule counts, in the delay the load."""
    rng = np.random.default_rng(1)
    states = rng.normal(0, 0.7, (COUNT, STEPS, UNITS))
    rule = (trials.conditions["rule"] == "other").astype(float)
    load = trials.conditions["load"].astype(float)
    along = rng.normal(size=(2, UNITS))
    cue = trials.during("cue")[..., None]
    states += np.where(cue, rule[:, None, None] * along[0], load[:, None, None] * along[1])
    return Trajectory(trials.inputs, states, trials.targets, trials.dt)


def averages(path, trials, epoch, chosen=None):
    """The mean state of each trial in an epoch, and of each condition, by loops."""
    chosen = np.ones(COUNT, bool) if chosen is None else chosen
    inside = trials.during(epoch)
    own = np.array([path.states[i, inside[i]].mean(axis=0) for i in range(COUNT)])
    rules, loads = trials.conditions["rule"], trials.conditions["load"]
    means = [
        own[chosen & (rules == rule) & (loads == load)].mean(axis=0)
        for rule in ("match", "other")
        for load in range(4)
    ]
    return own, np.array(means)


@pytest.mark.parametrize("metric", ["euclidean", "correlation"])
def test_matrices_are_scipys(path, trials, metric):
    found = dissimilarities(path, trials, ["rule", "load"], metric=metric)
    assert found.epochs == ("cue", "delay")
    assert found.conditions["rule"].tolist() == ["match"] * 4 + ["other"] * 4
    assert found.conditions["load"].tolist() == [0, 1, 2, 3] * 2
    for matrix, epoch in zip(found.matrices, found.epochs, strict=True):
        _, means = averages(path, trials, epoch)
        np.testing.assert_allclose(matrix, cdist(means, means, metric), atol=1e-12)
    halves = in_halves(trials)
    for i, epoch in enumerate(found.epochs):
        for j, other in enumerate(found.epochs):
            both = [
                spearmanr(
                    cdist(*[averages(path, trials, epoch, half)[1]] * 2, metric)[PAIRS],
                    cdist(*[averages(path, trials, other, ~half)[1]] * 2, metric)[PAIRS],
                ).statistic
                for half in (halves, ~halves)
            ]
            assert found.between[i, j] == pytest.approx(np.mean(both))


def in_halves(trials):
    """The halves that the analysis takes: the last that it draws."""
    members = 4 * (trials.conditions["rule"] == "other") + trials.conditions["load"]
    rng = np.random.default_rng(0)
    for _ in range(999):
        rng.permutation(8)
    return in_folds(members, 2, rng) == 0


def test_a_crossnobis_distance_is_the_mean_product_of_differences_in_two_folds(path, trials):
    found = dissimilarities(path, trials, ["rule", "load"], epochs="delay", metric="crossnobis")
    own, means = averages(path, trials, "delay")
    members = 4 * (trials.conditions["rule"] == "other") + trials.conditions["load"]
    left = own - means[members]
    covariance = left.T @ left / (COUNT - 8)
    inverse = np.linalg.inv(0.9 * covariance + 0.1 * np.eye(UNITS) * np.diag(covariance).mean())
    folds = in_folds(members, 5, np.random.default_rng(0))
    by_fold = [averages(path, trials, "delay", folds == fold)[1] for fold in range(5)]
    for one, other in [(0, 1), (2, 7), (3, 6)]:
        apart = [each[one] - each[other] for each in by_fold]
        products = [apart[f] @ inverse @ apart[g] for f in range(5) for g in range(5) if f != g]
        assert found.matrices[0, one, other] == pytest.approx(np.mean(products) / UNITS)


def test_the_variables_that_count_are_found(path, trials):
    found = dissimilarities(path, trials, ["rule", "load"])
    assert found.p[0, 0] < 0.05  # 2 of 70 ways to part eight conditions are as these
    assert found.p[1, 1] <= 0.01
    assert found.p[0, 1] > 0.05 < found.p[1, 0]
    np.testing.assert_array_equal(found.models[0], np.kron([[0, 1], [1, 0]], np.ones((4, 4))))
    np.testing.assert_array_equal(found.models[1, 0], [0, 1, 2, 3] * 2)
    for epoch in range(2):
        for variable in range(2):
            expected = spearmanr(found.matrices[epoch][PAIRS], found.models[variable][PAIRS])
            assert found.agreement[epoch, variable] == pytest.approx(expected.statistic)
    assert found.between.diagonal().min() > 0.5 > found.between[0, 1]
    assert "cue: rule 0." in found.statement
    assert "delay: load 0." in found.statement
    assert found.table()["halves"].tolist() == found.between.diagonal().tolist()


def test_crossnobis_distances_of_what_does_not_differ_are_0_on_average(trials):
    means = []
    for seed in range(20):
        # of another stream than the folds
        states = np.random.default_rng([seed, 1]).normal(size=(COUNT, STEPS, UNITS))
        noise = Trajectory(trials.inputs, states, trials.targets, trials.dt)
        found = dissimilarities(noise, trials, ["rule", "load"], None, "cue", "crossnobis", seed)
        means.append(found.matrices[0][PAIRS].mean())
    assert abs(np.mean(means)) < 3 * np.std(means) / np.sqrt(20)
    assert np.min(means) < 0


def test_permutations_find_nothing_as_often_as_they_say(trials):
    wrong = 0
    for seed in range(40):
        states = np.random.default_rng([seed, 1]).normal(size=(COUNT, STEPS, UNITS))
        noise = Trajectory(trials.inputs, states, trials.targets, trials.dt)
        wrong += dissimilarities(noise, trials, ["rule", "load"], epochs="cue").p[0, 1] <= 0.05
    assert wrong <= 6  # 5 % of 40 are expected


def test_without_epochs_whole_trials_are_compared(path, trials):
    bare = replace(trials, epochs=None, epoch_names=())
    found = dissimilarities(path, bare, "load")
    assert found.epochs == ("trial",)
    means = [path.states[trials.conditions["load"] == i].mean(axis=(0, 1)) for i in range(4)]
    np.testing.assert_allclose(found.matrices[0], cdist(means, means))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda n, t: dissimilarities(n, t, "rule"), "by gives 2 conditions of two trials or more"),
        (lambda n, t: dissimilarities(n, t, "load", metric="cosine"), "metric = 'cosine' is not"),
        (lambda n, t: dissimilarities(n, t, "load", epochs="test"), "epoch 'test' is unknown"),
    ],
)
def test_a_callers_mistake_is_one_line(path, trials, call, expected):
    with pytest.raises(at.InvalidSetting, match=expected) as caught:
        call(path, trials)
    assert "\n" not in str(caught.value)
