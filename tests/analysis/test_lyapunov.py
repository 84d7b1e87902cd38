"""Lyapunov exponents of maps whose exponents are known, and of any cell by determinants."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import attractory as at
from attractory.analysis import LyapunovExponents, lyapunov_exponents
from attractory.analysis.dynamics._step import step_of
from attractory.models import GRU, LSTM, CurrentRNN, Network, RateRNN
from attractory.tasks import Trials


def henon(h, x):
    return jnp.array([1 - 1.4 * h[0] ** 2 + h[1], 0.3 * h[0]])


def lorenz(h, x, dt=0.01):
    """A step of Runge and Kutta's."""

    def flow(h):
        return jnp.array(
            [10 * (h[1] - h[0]), h[0] * (28 - h[2]) - h[1], h[0] * h[1] - 8 / 3 * h[2]]
        )

    first = flow(h)
    second = flow(h + dt / 2 * first)
    third = flow(h + dt / 2 * second)
    fourth = flow(h + dt * third)
    return h + dt / 6 * (first + 2 * second + 2 * third + fourth)


def linear(matrix):
    units = len(matrix)
    ones = np.ones((units, 1))
    return RateRNN.from_weights(matrix, ones, ones.T, activation="linear")


def random_trials(units=1, count=2, steps=12):
    inputs = np.random.default_rng(3).normal(size=(count, steps, units))
    return Trials(inputs, np.zeros((count, steps, 1)))


def test_henons_map():
    found = lyapunov_exponents(henon, units=2, steps=4000, starts=32)
    np.testing.assert_allclose(found.exponents, [0.4192, -1.6232], atol=2e-3)
    # the determinant of its Jacobian is -0.3 everywhere
    np.testing.assert_allclose(found.by_start.sum(axis=1), np.log(0.3), atol=1e-12)
    assert found.low[0] < 0.4192 < found.high[0]
    assert "go apart" in found.statement
    assert abs(found.dimension - 1.258) < 3e-3


def test_lorenzs_flow_per_unit_of_time():
    found = lyapunov_exponents(
        lorenz, units=3, steps=15_000, washout=2000, starts=64, every=5, dt=0.01
    )
    np.testing.assert_allclose(found.per_time, [0.9056, 0, -14.5723], atol=1e-2)
    np.testing.assert_allclose(found.per_time.sum(), -41 / 3, atol=1e-3)


def test_a_linear_network_has_the_logarithms_of_its_moduli():
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(5, 5))
    matrix = (matrix + matrix.T) / 4  # real eigenvalues: the directions settle on one order
    moduli = np.sort(np.abs(np.linalg.eigvalsh(matrix)))[::-1]
    found = lyapunov_exponents(linear(matrix), steps=200, washout=1000, starts=2)
    np.testing.assert_allclose(found.exponents, np.log(moduli), atol=1e-10)
    assert found.units == 5


def test_a_pair_of_complex_eigenvalues_shares_its_modulus():
    turning = 0.9 * np.array([[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]])
    found = lyapunov_exponents(linear(turning), steps=50, washout=0, starts=1)
    np.testing.assert_allclose(found.exponents, np.log(0.9), atol=1e-12)
    assert np.isnan(found.low).all()


def test_weak_random_weights_come_to_rest_and_strong_ones_are_chaotic():
    weights = np.random.default_rng(1).normal(size=(60, 60)) / np.sqrt(60)
    ones = np.ones((60, 1))
    weak, strong = (RateRNN.from_weights(gain * weights, ones, ones.T) for gain in (0.5, 2.5))
    # at rest at 0, where the slope of tanh is 1
    radius = np.abs(np.linalg.eigvals(0.5 * weights)).max()
    asked = {"n": 1, "starts": 4}
    quiet = lyapunov_exponents(weak, **asked)
    np.testing.assert_allclose(quiet.exponents[0], np.log(radius), atol=2e-3)
    assert quiet.high[0] < 0
    assert lyapunov_exponents(strong, **asked).low[0] > 0


@pytest.mark.parametrize(
    "model",
    [RateRNN(units=3, dt=1.0, tau=4.0), CurrentRNN(units=3, dt=1.0, tau=4.0), GRU(units=2),
     LSTM(units=2), RateRNN(units=3, feedback=True)],
    ids=["rates", "currents", "gru", "lstm", "feedback"],
)  # fmt: skip
def test_all_together_are_the_determinants_along_the_trials(model):
    built = model.build(1, 1, seed=2)
    rng = np.random.default_rng(4)
    net = Network(built.model, {n: rng.normal(size=w.shape) for n, w in built.weights.items()})
    trials = random_trials()
    found = lyapunov_exponents(net, trials=trials, washout=3)
    step = step_of(net, None, None)
    for trial, inputs in enumerate(trials.inputs):
        path = net.simulate(inputs, precision="float64").states
        logarithms = [
            np.linalg.slogdet(step.with_inputs(inputs[t]).jacobians(path[t - 1][None])[0])[1]
            for t in range(3, len(inputs))
        ]
        np.testing.assert_allclose(found.by_start[trial].sum(), np.mean(logarithms), rtol=1e-8)
    assert found.steps.tolist() == [9, 9]


def test_what_fills_shorter_trials_does_not_count():
    net = RateRNN(units=3).build(1, 1, seed=0)
    whole = random_trials(count=2, steps=12)
    ends = Trials(
        whole.inputs, whole.targets, epoch_names=("all",), epochs=np.array([[0, 12], [0, 8]])
    )
    shorter = Trials(whole.inputs[1:, :8], whole.targets[1:, :8])
    found = lyapunov_exponents(net, trials=ends, washout=2)
    assert found.steps.tolist() == [10, 6]
    alone = lyapunov_exponents(net, trials=shorter, washout=2)
    np.testing.assert_allclose(found.by_start[1].sum(), alone.by_start[0].sum(), rtol=1e-8)


def test_orthonormal_less_often_is_the_same():
    asked = {"units": 2, "steps": 40, "washout": 0, "starts": 2, "initial_states": np.zeros((1, 2))}
    each, seldom = (lyapunov_exponents(henon, every=every, **asked) for every in (1, 4))
    np.testing.assert_allclose(seldom.by_start, each.by_start, atol=1e-9)


def test_the_interval_is_students():
    found = lyapunov_exponents(henon, units=2, steps=100, starts=5)
    first = found.by_start[:, 0]
    low, high = stats.t.interval(0.95, 4, first.mean(), stats.sem(first))
    np.testing.assert_allclose([found.low[0], found.high[0]], [low, high])


def test_disturbances_that_vanish_are_minus_infinity():
    silent = RateRNN.from_weights(
        np.eye(2), np.ones((2, 1)), np.ones((1, 2)), bias=-np.ones(2), activation="relu"
    )
    found = lyapunov_exponents(silent, steps=5, washout=2, starts=2)
    assert (found.exponents == -np.inf).all()
    assert "come together" in found.statement
    assert found.dimension == 0


@pytest.mark.parametrize(
    ("exponents", "units", "dimension"),
    [
        ([1.0, -0.5, -1.0], 3, 2.5),
        ([-0.1, -1.0], 2, 0.0),
        ([0.5, -0.1], 5, np.nan),
        ([0.5, 0.1], 2, 2.0),
    ],
)
def test_kaplan_and_yorkes_dimension_by_hand(exponents, units, dimension):
    found = np.array(exponents)
    made = LyapunovExponents(found, found, found, found[None], np.ones(1, int), 0, 1.0, units)
    np.testing.assert_equal(made.dimension, dimension)


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"dt": 2.0}, "dt = 2 is not allowed: the network has steps of its own"),
        ({"trials": random_trials(), "inputs": [0.0]}, "inputs and trials are given"),
        ({"trials": random_trials(), "washout": 12}, "washout = 12 is not allowed: trial 0"),
        ({"trials": random_trials(), "initial_states": np.ones((3, 2))}, "3 states; there are 2"),
        ({"n": 0}, "n = 0 is not allowed: a whole number, 1 or more"),
    ],
)
def test_what_is_not_allowed_is_one_line(asked, complaint):
    with pytest.raises(at.InvalidSetting, match=complaint):
        lyapunov_exponents(linear(0.5 * np.eye(2)), **asked)


def test_growth_without_bound_is_one_line():
    with pytest.raises(at.InvalidSetting, match="states of 2 of 2 starts grow without bound"):
        lyapunov_exponents(henon, initial_states=9 * np.ones((2, 2)), steps=20)
