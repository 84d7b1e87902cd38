"""Dimensions of clouds of points whose dimension is known."""

from __future__ import annotations

import numpy as np
import pytest

import attractory as at
from attractory.analysis import participation_ratio, two_nn_dimension

RNG = np.random.default_rng(0)


def turned(points, units=12):
    """The same points in more dimensions."""
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(units, units)))[0]
    return points @ axes[: points.shape[1]]


def test_participation_ratio_is_that_of_the_eigenvalues():
    states = turned(RNG.normal(size=(500, 4)) * [3, 2, 1, 0.5])
    values = np.linalg.eigvalsh(np.cov(states, rowvar=False))
    expected = values.sum() ** 2 / np.square(values).sum()
    np.testing.assert_allclose(participation_ratio(states), expected)
    np.testing.assert_allclose(participation_ratio(states.reshape(10, 50, -1)), expected)


@pytest.mark.parametrize("dimensions", [1, 3])
def test_equal_variance_along_some_directions_is_their_number(dimensions):
    corners = np.vstack([np.eye(dimensions), -np.eye(dimensions)])
    np.testing.assert_allclose(participation_ratio(turned(corners) + 5), dimensions)


def swiss_roll(count):
    turns = 3 + 9 * RNG.random(count)
    height = 20 * RNG.random(count)
    return np.stack([turns * np.cos(turns), turns * np.sin(turns), height], axis=1)


def sphere(count, dimensions):
    points = RNG.normal(size=(count, dimensions + 1))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("points", "dimension"),
    [
        (RNG.random((2000, 1)), 1),
        (RNG.random((2000, 2)), 2),
        (swiss_roll(2000), 2),
        (sphere(2000, 3), 3),
        (RNG.normal(size=(2000, 5)), 5),
    ],
    ids=["line", "square", "swiss roll", "sphere", "normal"],
)
def test_planted_manifolds_have_their_dimension(points, dimension):
    assert abs(two_nn_dimension(turned(points)) - dimension) < 0.1 * dimension


def test_the_fit_is_the_papers_on_four_ratios():
    """Points on a line whose nearest two distances are known, the fit done by hand."""
    points = np.array([0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 127.0, 255.0, 511.0])[:, None]
    apart = np.abs(points - points.T)
    nearest = np.sort(apart, axis=1)[:, 1:3]
    ratios = np.sort(np.log(nearest[:, 1] / nearest[:, 0]))[:9]
    heights = -np.log(1 - np.arange(1, 10) / 10)
    slope = np.linalg.lstsq(ratios[:, None], heights, rcond=None)[0][0]
    np.testing.assert_allclose(two_nn_dimension(points), slope)


def test_neighbours_of_the_same_trial_are_left_out():
    """Trajectories at random through a cube: each is a curve, together they fill it."""
    begin, way = RNG.random((2, 60, 1, 3))
    times = np.sort(0.3 * RNG.random((60, 30, 1)), axis=1)
    states = begin + times * way
    trial = np.repeat(np.arange(60), 30)
    flat = states.reshape(-1, 3)
    assert two_nn_dimension(flat) < 1.2
    assert two_nn_dimension(flat, trial) > 2.5
    apart = np.linalg.norm(flat[:, None] - flat[None], axis=-1)
    apart[trial[:, None] == trial[None]] = np.inf
    nearest = np.sort(apart, axis=1)[:, :2]
    ratios = np.sort(np.log(nearest[:, 1] / nearest[:, 0]))[:1620]
    heights = -np.log(1 - np.arange(1, 1621) / 1800)
    expected = (ratios * heights).sum() / (ratios**2).sum()
    np.testing.assert_allclose(two_nn_dimension(flat, trial), expected)


def test_states_that_are_the_same_count_once():
    points = RNG.random((400, 2))
    again = np.vstack([points, points[:100] + 1e-14])
    np.testing.assert_allclose(two_nn_dimension(again), two_nn_dimension(points), rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: participation_ratio(np.ones((5, 3))), "states do not vary"),
        (lambda: participation_ratio(np.ones(5)), r"shape \(5,\); it must be"),
        (lambda: participation_ratio([[np.nan, 1.0]]), "not finite"),
        (lambda: two_nn_dimension(np.arange(9.0)[:, None]), "9 of them differ; at least 10"),
        (lambda: two_nn_dimension(RNG.random((20, 2)), np.zeros(3, int)), "trial has 3 entries"),
        (lambda: two_nn_dimension(RNG.random((20, 2)), np.zeros(20, int)), "of one trial"),
        (lambda: two_nn_dimension(np.arange(20.0)[1:, None]), "equally far away"),
    ],
)
def test_states_without_a_dimension_are_one_line(call, complaint):
    with pytest.raises(at.InvalidSetting, match=complaint):
        call()
