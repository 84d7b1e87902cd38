"""Decoders, their generalisation and coding subspaces: planted ones, and beside SciPy and loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import subspace_angles

import attractory as at
from attractory.analysis import coding_axes
from attractory.analysis.states._decoding import in_folds
from attractory.models import Trajectory
from attractory.tasks import Trials

UNITS, STEPS, COUNT = 10, 12, 120
RNG = np.random.default_rng(0)
FIRST, SECOND, OTHER = np.linalg.qr(RNG.normal(size=(UNITS, 3)))[0].T


def trials_of(conditions):
    count = len(next(iter(conditions.values())))
    zeros = np.zeros((count, STEPS, 1))
    epochs = np.tile([0, 4, 8, STEPS], (count, 1))
    return Trials(
        zeros, zeros, conditions=conditions, dt=10.0, epochs=epochs,
        epoch_names=("fixation", "cue", "delay"),
    )  # fmt: skip


def path_of(states, trials):
    return Trajectory(trials.inputs, states, trials.targets, trials.dt)


@pytest.fixture(scope="module")
def trials():
    """A side, unequally often left and right, and four loads."""
    return trials_of({"side": np.arange(COUNT) % 3 // 2, "load": RNG.integers(0, 4, COUNT)})


@pytest.fixture(scope="module")
def moving(trials):
    """In the cue the side lies along one axis, in the delay along another; the load on a third."""
    side = 2.0 * trials.conditions["side"] - 1
    states = RNG.normal(0, 0.5, (COUNT, STEPS, UNITS))
    states[:, 4:8] += 2 * side[:, None, None] * FIRST
    states[:, 8:] += 2 * side[:, None, None] * SECOND
    states[:, 4:] += 2 * trials.conditions["load"][:, None, None] * OTHER
    return path_of(states, trials)


@pytest.fixture(scope="module")
def found(moving, trials):
    return coding_axes(moving, trials, ["side", "load"])


def test_a_code_that_moves_is_told_from_one_that_stays(found):
    side, load = found.accuracy
    assert side[4:8, 4:8].min() > 0.95
    assert side[8:, 8:].min() > 0.95
    assert np.abs(side[4:8, 8:] - 0.5).max() < 0.25
    assert load[4:, 4:].min() > 0.8
    assert found.decoded.tolist() == [[False] * 4 + [True] * 8] * 2
    assert found.generalisation[0] < 0.5 < 0.9 < found.generalisation[1]
    assert found.guess.tolist() == [0.5, 0.25]
    angles = found.angles[0]
    assert np.nanmax(angles[4:8, 4:8]) < 30 < 70 < angles[4:8, 8:].min()
    assert found.between[0, 1, 4:].min() > 70
    assert found.axes["load"].shape == (STEPS, 1, UNITS)  # loads lie on a line
    assert abs(found.axes["side"][5, 0] @ FIRST) > 0.98
    np.testing.assert_array_equal(found.angles, found.angles.transpose(0, 2, 1))
    np.testing.assert_array_equal(np.diagonal(found.angles, 0, 1, 2), found.between[[0, 1], [0, 1]])


def test_accuracies_are_those_of_a_loop(moving, trials):
    """Nearest mean by the inverse of a shrunk covariance within levels, trial by trial."""
    few = replace(moving, states=moving.states[..., :4])
    found = coding_axes(few, trials, "load", align="cue", bins=2, folds=3, shrinkage=0.2, seed=7)
    loads = trials.conditions["load"]
    folds = in_folds(loads, 3, np.random.default_rng(7))
    at_times = few.states[:, 4:6].mean(axis=1), few.states[:, 6:8].mean(axis=1)
    for i, fitted in enumerate(at_times):
        for j, tried in enumerate(at_times):
            right = np.zeros(COUNT)
            for k in range(COUNT):
                own = folds != folds[k]
                means = [fitted[own & (loads == load)].mean(axis=0) for load in range(4)]
                left = fitted[own] - np.array(means)[loads[own]]
                variance = fitted[own].var(axis=0).mean()
                shrunk = 0.8 * left.T @ left / own.sum() + 0.2 * variance * np.eye(4)
                apart = [mean - tried[k] for mean in means]
                distances = [each @ np.linalg.inv(shrunk) @ each for each in apart]
                right[k] = np.argmin(distances) == loads[k]
            expected = np.mean([right[loads == load].mean() for load in range(4)])
            assert found.accuracy[0, i, j] == pytest.approx(expected)
    assert found.time_ms.tolist() == [15.0, 35.0]


def test_of_two_levels_the_decoder_is_fishers(moving, trials):
    found = coding_axes(moving, trials, "side", shrinkage=0)
    sides = trials.conditions["side"]
    for moment in (0, 5, 11):
        groups = [moving.states[sides == side, moment] for side in (0, 1)]
        within = sum(len(each) * np.cov(each.T, bias=True) for each in groups)
        fisher = np.linalg.solve(within, groups[1].mean(axis=0) - groups[0].mean(axis=0))
        own = found.decoders["side"][moment]
        assert own[1] @ fisher / np.linalg.norm(own[1]) / np.linalg.norm(fisher) > 1 - 1e-12
        np.testing.assert_allclose(80 * own[0], -40 * own[1])  # trials of each


def test_what_is_not_there_is_not_decoded():
    wrong = 0
    for seed in range(20):
        rng = np.random.default_rng([seed, 1])  # of another stream than the folds
        given = trials_of({"side": rng.integers(0, 2, 60)})
        states = rng.normal(size=(60, STEPS, 5))
        wrong += coding_axes(path_of(states, given), given, "side", bins=6, seed=seed).decoded.any()
    assert wrong <= 4  # 5 % of 20 are expected


def test_angles_are_scipys_principal_angles(moving, trials):
    """Of states without noise halves of the trials have the same axes."""
    codes = np.arange(COUNT) % 3
    given = trials_of({"place": codes})
    places = RNG.normal(size=(STEPS, 3, UNITS))
    found = coding_axes(path_of(np.swapaxes(places[:, codes], 0, 1), given), given, "place")
    spread = places - places.mean(axis=1, keepdims=True)
    spans = [np.linalg.svd(each)[2][:2] for each in spread]
    assert found.axes["place"].shape == (STEPS, 2, UNITS)
    for i in range(0, STEPS, 4):
        for j in range(STEPS):
            expected = np.degrees(subspace_angles(spans[i].T, spans[j].T)).mean()
            assert found.angles[0, i, j] == pytest.approx(expected, abs=1e-5)
    assert found.accuracy[0].diagonal().min() == 1.0
    low = np.random.default_rng(1).normal(size=(4000, 2, UNITS))
    low = [subspace_angles(one.T, SPAN).mean() for one in low[:400]]
    assert found.random[0, 0] == pytest.approx(np.degrees(np.quantile(low, 0.05)), abs=3)


SPAN = np.eye(UNITS)[:, :2]


def test_moments_may_be_epochs(moving, trials):
    found = coding_axes(moving, trials, "side", epochs=["cue", "delay"])
    assert found.epochs == ("cue", "delay")
    assert found.time_ms.tolist() == [65.0, 105.0]
    assert found.accuracy[0].diagonal().tolist() == [1.0, 1.0]
    assert found.table()["epoch"].tolist() == ["cue", "delay"]
    whole = coding_axes(moving, trials, "side", epochs=())
    assert whole.epochs == ("fixation", "cue", "delay")
    assert whole.statement.startswith(
        "Decoded beyond chance, in other trials, at so many moments: "
    )
    assert "side at 2 of 3, at best 1.00 (guessing 0.50" in whole.statement


def test_states_that_do_not_differ_are_guessed():
    given = trials_of({"side": np.arange(20) % 2})
    found = coding_axes(path_of(np.ones((20, STEPS, 3)), given), given, "side", bins=2)
    np.testing.assert_allclose(found.accuracy, 0.5)
    assert not found.decoded.any()
    assert np.isnan(found.angles).all()
    assert np.isnan(found.generalisation).all()


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda n, t: coding_axes(n, t, "side", epochs="cues"), "epoch 'cues' is unknown"),
        (lambda n, t: coding_axes(n, t, "side", epochs="cue", align="cue"), "epochs is given besi"),
        (lambda n, t: coding_axes(n, t, "rare"), "'rare': 1 trials have one of its values; each"),
        (
            lambda n, t: coding_axes(
                replace(n, states=0 * n.states + 1 + np.eye(COUNT)[:, :STEPS, None]),
                t,
                "side",
                shrinkage=0,
            ),
            "shrinkage = 0.0 is not allowed here: the states vary in fewer directions",
        ),
        (lambda n, t: coding_axes(n, t, "side", folds=1), "folds = 1 .* 2 or more"),
    ],
)
def test_a_callers_mistake_is_one_line(moving, trials, call, expected):
    odd = replace(trials, conditions=trials.conditions | {"rare": np.arange(COUNT) == 3})
    with pytest.raises(at.InvalidSetting, match=expected) as caught:
        call(moving, odd)
    assert "\n" not in str(caught.value)
