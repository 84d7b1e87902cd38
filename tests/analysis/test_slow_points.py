"""Slow points: ghosts of saddle-node bifurcations, solved by hand and by SciPy."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from analysis.planted import plain_network
from scipy import optimize

from attractory.analysis import fixed_points
from attractory.analysis.dynamics._slow_points import find_slow_points
from attractory.analysis.dynamics._step import step_of

# h = tanh(w h + c) folds where w (1 - tanh²) = 1: at h* = √(1 - 1/w), c* = artanh(h*) - w h*.
# Below c* the two upper points are gone; what is left of them is the minimum of the speed, where
# the rate t = tanh(w h + c) still has the slope 1: t = h*, h = (artanh(h*) - c)/w.
W = 1.5
FOLD = np.sqrt(1 - 1 / W)
AT_FOLD = np.arctanh(FOLD) - W * FOLD


def ghost(gap, leak=1.0):
    """State and speed of the ghost at a distance `gap` beyond the fold."""
    state = (np.arctanh(FOLD) - (AT_FOLD - gap)) / W
    return state, leak * abs(FOLD - state)


@pytest.mark.parametrize("gap", [0.05, 1e-2, 1e-3, 1e-4])
def test_the_ghost_of_a_fold_is_the_slow_point(gap):
    c = AT_FOLD - gap
    found = fixed_points(plain_network([[W]], [c]), n_starts=64, max_starts=64)
    assert len(found) == 1  # the lower point alone is left
    state, speed = ghost(gap)
    np.testing.assert_allclose(found.slow.states, [[state]], atol=1e-5)
    np.testing.assert_allclose(found.slow.speed, [speed], rtol=1e-5)
    np.testing.assert_allclose(found.slow.outputs, found.slow.states)
    minimum = optimize.minimize_scalar(
        lambda h: (np.tanh(W * h + c) - h) ** 2, bounds=(0.2, 1.0), options={"xatol": 1e-9}
    )
    assert np.sqrt(minimum.fun) == pytest.approx(speed, rel=1e-5)
    assert minimum.x == pytest.approx(state, abs=1e-4)


def test_before_the_fold_there_are_points_and_no_slow_ones():
    step = step_of(plain_network([[W]], [AT_FOLD + 1e-2]), None, None)
    starts = np.linspace(-2, 2, 41)[:, None]
    assert len(find_slow_points(step, starts)) == 0


def test_zeros_are_not_listed_beside_a_ghost():
    step = step_of(plain_network([[W]], [AT_FOLD - 1e-3]), None, None)
    found = find_slow_points(step, np.linspace(-2, 2, 41)[:, None])
    np.testing.assert_allclose(found.states, [[ghost(1e-3)[0]]], atol=1e-5)


def test_a_leak_slows_the_ghost_in_proportion():
    net = plain_network([[W]], [AT_FOLD - 1e-3], tau=4.0)
    found = find_slow_points(step_of(net, None, None), np.linspace(0, 1, 5)[:, None])
    state, speed = ghost(1e-3, leak=0.25)
    np.testing.assert_allclose(found.states, [[state]], atol=1e-5)
    np.testing.assert_allclose(found.speed, [speed], rtol=1e-5)


def test_a_constant_input_makes_the_ghost():
    net = plain_network([[W]])
    found = fixed_points(net, [AT_FOLD - 1e-3], n_starts=64, max_starts=64)
    np.testing.assert_allclose(found.slow.speed, [ghost(1e-3)[1]], rtol=1e-5)


def test_a_step_in_jax_has_the_same_ghost():
    def step(h, x):
        return jnp.tanh(W * h + x)

    found = fixed_points(step, [AT_FOLD - 1e-3], units=1, n_starts=64, max_starts=64)
    np.testing.assert_allclose(found.slow.states, [[ghost(1e-3)[0]]], atol=1e-5)
    np.testing.assert_allclose(found.slow.speed, [ghost(1e-3)[1]], rtol=1e-5)
    assert found.slow.outputs.shape == (1, 0)


def test_two_independent_units_have_the_sums_of_their_parts():
    """The first has a ghost (gap 1e-3), the second one of gap 4e-3: minima of q = q1 + q2.

    Each part is at its ghost or at its lower point, which is a zero of that part.
    """
    gaps, lows = (1e-3, 4e-3), []
    for gap in gaps:
        c = AT_FOLD - gap
        lows.append(optimize.brentq(lambda h, c=c: h - np.tanh(W * h + c), -1, 0, xtol=1e-15))
    net = plain_network(np.diag([W, W]), [AT_FOLD - gap for gap in gaps])
    rng = np.random.default_rng(0)
    found = find_slow_points(step_of(net, None, None), rng.uniform(-1.2, 1.2, (40, 2)))
    (one, slow), (two, fast) = ghost(gaps[0]), ghost(gaps[1])
    np.testing.assert_allclose(found.speed, [slow, fast, np.hypot(slow, fast)], rtol=1e-5)
    np.testing.assert_allclose(
        found.states, [[one, lows[1]], [lows[0], two], [one, two]], atol=1e-5
    )
    assert (np.diff(found.speed) > 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_two_coupled_units_have_the_minima_of_a_grid(seed):
    """Against SciPy's simplex from every local minimum of q on a grid of 201² states."""
    rng = np.random.default_rng(seed)
    weights = W * np.eye(2) + rng.normal(size=(2, 2)) * 0.1
    bias = np.full(2, AT_FOLD - 0.02)

    def q(h):
        return 0.5 * ((np.tanh(h @ weights.T + bias) - h) ** 2).sum(axis=-1)

    axis = np.linspace(-1.2, 1.2, 201)
    values = q(np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1))
    inner = values[1:-1, 1:-1]
    shifts = [(i, j) for i in (0, 1, 2) for j in (0, 1, 2) if (i, j) != (1, 1)]
    lowest = np.all([inner < values[i : i + 199, j : j + 199] for i, j in shifts], axis=0)
    expected = []
    for i, j in zip(*np.nonzero(lowest), strict=True):
        minimum = optimize.minimize(
            q,
            [axis[i + 1], axis[j + 1]],
            method="Nelder-Mead",
            options={"xatol": 1e-10, "fatol": 1e-18, "maxiter": 2000},
        )
        known = [np.linalg.norm(minimum.x - other[1:]) < 1e-2 for other in expected]
        if np.sqrt(2 * minimum.fun) > 1e-6 and not any(known):
            expected.append((np.sqrt(2 * minimum.fun), *minimum.x))
    expected = np.array(sorted(expected))
    assert len(expected) > 0
    found = find_slow_points(
        step_of(plain_network(weights, bias), None, None), rng.uniform(-1.2, 1.2, (60, 2))
    )
    np.testing.assert_allclose(found.speed, expected[:, 0], rtol=1e-4)
    np.testing.assert_allclose(found.states, expected[:, 1:], atol=1e-3)


def test_the_gradient_is_zero_at_every_slow_point():
    rng = np.random.default_rng(5)
    weights, bias = rng.normal(size=(6, 6)) * 0.9, rng.normal(size=6) * 0.2
    found = find_slow_points(
        step_of(plain_network(weights, bias), None, None), rng.normal(size=(40, 6))
    )
    for state, speed in zip(found.states, found.speed, strict=True):
        rates = np.tanh(weights @ state + bias)
        residual = rates - state
        jacobian = (1 - rates**2)[:, None] * weights
        gradient = (jacobian - np.eye(6)).T @ residual
        assert np.linalg.norm(residual) == pytest.approx(speed)
        assert np.linalg.norm(gradient) < 1.01e-3 * speed
        assert speed > 1e-7


def test_slow_points_of_a_search_that_settled_everywhere_are_none():
    found = fixed_points(plain_network([[0.5]]), n_starts=16)
    assert len(found.slow) == 0
    assert found.slow.states.shape == (0, 1)
    assert found.slow.outputs.shape == (0, 1)


def test_starts_that_are_not_finite_are_left_out():
    step = step_of(plain_network([[W]], [AT_FOLD - 1e-3]), None, None)
    found = find_slow_points(step, np.array([[np.nan], [0.5], [np.inf]]))
    np.testing.assert_allclose(found.states, [[ghost(1e-3)[0]]], atol=1e-5)


def test_a_ghost_among_many_units_is_found_by_the_search():
    """The one-unit ghost beside six units that fall silent."""
    weights = scipy.linalg.block_diag([[W]], 0.5 * np.eye(6))
    net = plain_network(weights, [AT_FOLD - 1e-3, *np.zeros(6)])
    found = fixed_points(net, n_starts=64, max_starts=64)
    assert len(found) == 1
    np.testing.assert_allclose(found.slow.states, [[ghost(1e-3)[0], *np.zeros(6)]], atol=1e-4)
    np.testing.assert_allclose(found.slow.speed, [ghost(1e-3)[1]], rtol=1e-4)
