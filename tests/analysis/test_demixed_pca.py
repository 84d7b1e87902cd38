"""Demixed components of planted states, beside marginalisations and regressions by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import attractory as at
from attractory.analysis import demixed_pca
from attractory.analysis.states._dpca import RIDGES, demixed, marginalised
from attractory.models import Trajectory
from attractory.tasks import Trials

UNITS, STEPS = 8, 6


def trials_of(conditions):
    """Trials of which only the conditions and the number of steps count."""
    count = len(next(iter(conditions.values())))
    zeros = np.zeros((count, STEPS, 1))
    return Trials(zeros, zeros, conditions=conditions, dt=10.0)


def path_of(states, trials):
    return Trajectory(trials.inputs, states, trials.targets, trials.dt)


@pytest.fixture(scope="module")
def trials():
    """Two sides and three loads, between 3 and 8 trials of each combination."""
    counts = np.array([3, 8, 4, 5, 3, 7])
    cells = np.random.default_rng(0).permutation(np.repeat(np.arange(6), counts))
    sides = np.array(["left", "right"])[cells // 3]
    return trials_of({"side": sides, "load": cells % 3})


@pytest.fixture(scope="module")
def noisy(trials):
    rng = np.random.default_rng(1)
    means = rng.normal(size=(2, 3, STEPS, UNITS))
    own = means[(trials.conditions["side"] == "right").astype(int), trials.conditions["load"]]
    return path_of(own + rng.normal(0, 0.8, own.shape), trials)


def averages_by_hand(path, trials):
    sides, loads = trials.conditions["side"], trials.conditions["load"]
    return np.array(
        [
            [path.states[(sides == side) & (loads == load)].mean(axis=0) for load in range(3)]
            for side in ("left", "right")
        ]
    )


def parts_by_hand(x):
    """Effects of an analysis of variance, each with its interaction with time; centred x."""
    time = x.mean(axis=(0, 1), keepdims=True)
    side = x.mean(axis=1, keepdims=True) - time
    load = x.mean(axis=0, keepdims=True) - time
    both = x - time - side - load
    return [np.broadcast_to(each, x.shape) for each in (time, side, load, both)]


def test_marginalisations_are_those_of_an_analysis_of_variance(noisy, trials):
    averages = averages_by_hand(noisy, trials)
    centred = averages - averages.mean(axis=(0, 1, 2))
    found = marginalised(averages)
    assert list(found) == [(), (0,), (1,), (0, 1)]
    for part, expected in zip(found.values(), parts_by_hand(centred), strict=True):
        np.testing.assert_allclose(part, expected, atol=1e-12)
    np.testing.assert_allclose(sum(found.values()), centred, atol=1e-12)
    flat = np.array([part.ravel() for part in found.values()])
    products = flat @ flat.T
    np.testing.assert_allclose(products, np.diag(np.diag(products)), atol=1e-10)
    shares = demixed_pca(noisy, trials, ["side", "load"], ridge=0).shares
    np.testing.assert_allclose(shares, np.diag(products) / np.square(centred).sum())


@pytest.mark.parametrize(("ridge", "noise"), [(0.0, False), (0.05, False), (0.05, True)])
def test_components_are_those_of_regression_and_singular_values(noisy, trials, ridge, noise):
    """Least squares on averages with rows of the penalty below, by lstsq and svd."""
    averages = averages_by_hand(noisy, trials)
    centred = averages - averages.mean(axis=(0, 1, 2))
    x = centred.reshape(-1, UNITS)
    below = [ridge * np.linalg.norm(x) * np.eye(UNITS)]
    if noise:  # trials about their averages, such that their products are a covariance
        cells = 3 * (trials.conditions["side"] == "right") + trials.conditions["load"]
        freedom = np.bincount(cells)[cells] - 1
        left = noisy.states - averages.reshape(6, STEPS, UNITS)[cells]
        below.append((left / np.sqrt(freedom)[:, None, None]).reshape(-1, UNITS))
    whole = np.vstack([x, *below])
    found = demixed_pca(noisy, trials, ["side", "load"], components=2, ridge=ridge, noise=noise)
    assert found.marginalisations == ("time", "side", "load", "side × load")
    for number, part in enumerate(parts_by_hand(centred)):
        wanted = np.vstack([part.reshape(-1, UNITS), np.zeros((len(whole) - len(x), UNITS))])
        weights = np.linalg.lstsq(whole, wanted, rcond=None)[0]
        leading = np.linalg.svd(whole @ weights)[2][:2]
        own = found.part == number
        # components are in order of all that they explain
        same = np.abs(found.encoders[own] @ leading.T).argmax(axis=1)
        assert sorted(same) == [0, 1]
        leading = leading[same]
        signs = np.sign(np.sum(leading * found.encoders[own], axis=1))[:, None]
        np.testing.assert_allclose(found.encoders[own], signs * leading, atol=1e-8)
        np.testing.assert_allclose(found.decoders[own], signs * leading @ weights.T, atol=1e-8)
        for i in np.flatnonzero(own):
            guess = np.outer(x @ found.decoders[i], found.encoders[i])
            left = [
                np.square(each.reshape(-1, UNITS) - each.reshape(-1, UNITS)
                          @ np.outer(found.decoders[i], found.encoders[i])).sum()
                for each in parts_by_hand(centred)
            ]  # fmt: skip
            total = np.square(x).sum()
            gone = [np.square(each).sum() for each in parts_by_hand(centred)] - np.array(left)
            np.testing.assert_allclose(found.explained_variance[i], gone / total, atol=1e-9)
            assert found.explained_variance[i].sum() == pytest.approx(
                1 - np.square(x - guess).sum() / total
            )
    together = x - x @ found.decoders.T @ found.encoders
    assert found.cumulative[-1] == pytest.approx(1 - np.square(together).sum() / total)
    values = np.linalg.svd(x, compute_uv=False) ** 2
    np.testing.assert_allclose(found.cumulative_pca, (np.cumsum(values) / total)[: len(found.part)])
    np.testing.assert_allclose(
        found.averages, np.moveaxis((averages - found.center) @ found.decoders.T, -1, 0)
    )


def test_the_ridge_is_that_with_the_least_error_in_trials_left_out(noisy, trials):
    """The paper's cross-validation, written out with whole arrays."""
    found = demixed_pca(noisy, trials, ["side", "load"], components=1, noise=False, seed=3)
    sides = (trials.conditions["side"] == "right").astype(int)
    cells = sides * 3 + trials.conditions["load"]
    rng = np.random.default_rng(3)
    errors = np.zeros(len(RIDGES))
    for _ in range(10):
        out = [rng.choice(np.flatnonzero(cells == cell)) for cell in range(6)]
        kept = np.delete(np.arange(len(cells)), out)
        train = np.array(
            [noisy.states[kept][cells[kept] == cell].mean(axis=0) for cell in range(6)]
        )
        train, test = (each.reshape(2, 3, STEPS, UNITS) for each in (train, noisy.states[out]))
        test = (test - test.mean(axis=(0, 1, 2))).reshape(-1, UNITS)
        parts = parts_by_hand(train - train.mean(axis=(0, 1, 2)))
        for i, ridge in enumerate(RIDGES):
            fit = demixed(train, 1, ridge)
            left = [
                part.reshape(-1, UNITS)
                - test @ fit.decoders[fit.part == k].T @ fit.encoders[fit.part == k]
                for k, part in enumerate(parts)
            ]
            errors[i] += np.square(left).sum() / np.square(sum(parts)).sum() / 10
    np.testing.assert_allclose(found.errors, errors)
    # with noise in the penalty less is left for the ridge
    with_noise = demixed_pca(noisy, trials, ["side", "load"], components=1, seed=3)
    assert with_noise.errors[0] < errors[0]
    assert with_noise.ridge < found.ridge
    assert found.ridge == RIDGES[errors.argmin()] > 0


def test_planted_factors_are_recovered_and_demixed():
    """A side that stays, a load that grows, a course of time; directions not orthogonal."""
    rng = np.random.default_rng(2)
    sides, loads = np.repeat([-1.0, 1.0], 48), np.tile([-1.0, 0.0, 1.0], 32)
    given = trials_of({"side": sides, "load": loads})
    directions = rng.normal(size=(3, 20))
    directions[1] += directions[0]
    ramp = np.linspace(0.2, 1, STEPS)
    factors = np.stack(
        [np.broadcast_to(each, (96, STEPS)) for each in
         (sides[:, None], loads[:, None] * ramp, np.cos(np.arange(STEPS)))],
        axis=2,
    )  # fmt: skip
    states = factors @ directions + rng.normal(0, 0.3, (96, STEPS, 20))
    found = demixed_pca(path_of(states, given), given, ["side", "load"], components=1)
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    for name, direction in zip(("side", "load", "time"), unit, strict=True):
        component = found.names.index(f"{name} 1")
        assert abs(found.encoders[component] @ direction) > 0.99
        assert found.demixing[found.part[component]] > 0.95
    assert found.shares[3] < 0.01  # nothing depends on both
    assert found.demixing[3] < 0.5
    side, load = found.names.index("side 1"), found.names.index("load 1")
    expected = np.degrees(np.arccos(abs(unit[0] @ unit[1])))
    assert found.angles[side, load] == pytest.approx(expected, abs=4)
    # along the decoder of a side the loads lie together
    positions = found.averages[side]
    assert np.ptp(positions, axis=1).max() < 0.1 * np.abs(positions).min()
    assert found.table()["marginalisation"].tolist()[:2] == [
        found.marginalisations[part] for part in found.part[:2]
    ]
    assert "side × load 0." in found.statement
    np.testing.assert_allclose(
        found.project(states[:2]), (states[:2] - found.center) @ found.decoders.T
    )


def test_one_variable_at_one_time_has_one_part():
    rng = np.random.default_rng(3)
    given = trials_of({"load": np.arange(12) % 3})
    states = np.repeat(rng.normal(size=(12, 1, 4)), STEPS, axis=1)
    found = demixed_pca(
        path_of(states, given), given, "load", window_ms=(10, 15), ridge=0, noise=False
    )
    assert found.shares.tolist() == pytest.approx([0, 1])
    assert found.names == ("load 1", "load 2")  # three levels differ along two directions
    assert found.cumulative[-1] == pytest.approx(1)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda n, t: demixed_pca(n, t, ["side", "side"]), "each of them once"),
        (lambda n, t: demixed_pca(n, t, "sides"), "'sides' is no condition"),
        (lambda n, t: demixed_pca(n, t, "load", ridge=-1), "ridge = -1 .* a number, 0 or more"),
        (lambda n, t: demixed_pca(n, t, "all"), "'all' has 1 value in these 30 trials"),
        (
            lambda n, t: demixed_pca(n, t, ["load", "rare"]),
            "variables: 0 trials with load = 1, rare = 1; each combination needs 2 or more",
        ),
        (lambda n, t: demixed_pca(replace(n, states=0 * n.states), t, "load"), "no variance"),
    ],
)  # fmt: skip
def test_a_callers_mistake_is_one_line(noisy, trials, call, expected):
    odd = {
        "all": np.ones(30),
        "rare": np.where(trials.conditions["load"] == 0, np.arange(30) % 2, 0),
    }
    odd = replace(trials, conditions=trials.conditions | odd)
    with pytest.raises(at.InvalidSetting, match=expected) as caught:
        call(noisy, odd)
    assert "\n" not in str(caught.value)
