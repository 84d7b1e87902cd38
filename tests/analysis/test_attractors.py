"""Stable points and oscillations that states end in."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from analysis.planted import planted_bits, rotation
from scipy import optimize

from attractory import InvalidSetting, analysis, models


def test_states_of_independent_bits_go_to_the_memory_of_their_signs():
    points = analysis.fixed_points(planted_bits(2), n_starts=128)
    known = analysis.attractors(points)
    assert known.oscillations == ()
    rng = np.random.default_rng(0)
    states = rng.normal(size=(40, 24))
    ends = known.follow(states, 2000)
    wanted = np.sign(points.step.outputs(states))  # a -> tanh(2a) keeps the sign of each bit
    assert np.array_equal(np.sign([known.output(i) for i in ends]), wanted)


def test_a_cycle_of_period_two_is_found_with_its_values():
    # h -> tanh(-2h): from a0 to -a0, where a0 = tanh(2 a0)
    net = models.RateRNN.from_weights([[-2.0]], [[1.0]], [[3.0]])
    points = analysis.fixed_points(net, n_starts=32)
    assert len(points) == 1
    assert points.n_unstable[0] == 1
    (cycle,) = analysis.attractors(points).oscillations
    a0 = 0.9575040240772687  # solves a = tanh(2a)
    assert cycle.kind == "periodic"
    assert cycle.period == 2
    assert cycle.frequency == pytest.approx(0.5)
    assert cycle.output_high[0] == pytest.approx(3 * a0, rel=1e-6)
    assert cycle.output_low[0] == pytest.approx(-3 * a0, rel=1e-6)
    assert cycle.speed == pytest.approx(2 * a0, rel=1e-6)
    slope = 2 * (1 - a0**2)  # of both steps
    assert cycle.lyapunov == pytest.approx(np.log(slope), rel=1e-3)


def test_a_closed_curve_is_quasi_periodic_with_the_frequency_of_its_turn():
    angle = 2 * np.pi * 0.1234
    points = analysis.fixed_points(rotation(angle), n_starts=64)
    (curve,) = analysis.attractors(points).oscillations
    assert curve.kind == "quasi-periodic"
    assert curve.frequency == pytest.approx(0.1234, abs=0.004)  # near: tanh is not a rotation
    assert abs(curve.lyapunov) < 2e-3
    assert np.abs(curve.mean).max() < 0.02


def test_oscillations_of_an_odd_network_come_with_their_mirror_image():
    # two stable bits, and beside each a rotation that is driven by nothing: mean states ±
    net = rotation(0.9)
    recurrent = np.zeros((3, 3))
    recurrent[:2, :2], recurrent[2, 2] = net.recurrent_weights, 2.0
    both = models.RateRNN.from_weights(recurrent, np.eye(3), np.eye(3), output_bias=[0.0, 0.0, 0.5])
    points = analysis.fixed_points(both, n_starts=128)
    found = analysis.attractors(points)
    assert len(found.oscillations) == 2
    one, other = found.oscillations
    assert np.allclose(one.mean, -other.mean, atol=1e-12)
    assert one.output_mean[2] + other.output_mean[2] == pytest.approx(1.0)  # twice the bias
    low, high = other.output_low, other.output_high
    assert low[2] - 1e-9 <= other.output_mean[2] <= high[2] + 1e-9
    assert np.allclose(low[:2], -one.output_high[:2])
    states = np.array([[0.5, 0.1, 0.3], [0.2, 0.4, -0.3]])
    ends = found.follow(states, 3000)
    assert np.sign([found.state(i)[2] for i in ends]).tolist() == [1, -1]


def test_known_attractors_are_kept_and_others_added():
    points = analysis.fixed_points(rotation(0.7), n_starts=64)
    first = analysis.attractors(points)
    again = analysis.attractors(first, np.array([[0.3, 0.2]]))
    assert len(again.oscillations) == len(first.oscillations) == 1
    assert again.oscillations[0].hits == first.oscillations[0].hits + 1


def beside_a_saddle():
    """One unit with a stable point and a saddle 4e-4 apart, a far stable point, and a second unit
    that decays: network, the fixed points' first entries (stable, saddle, far)."""
    gain = 1.5
    # h = tanh(1.5 h + b) is at a fold where 1.5 (1 - h²) = 1; a little off it there are two points
    fold = -np.sqrt(1 - 1 / gain)

    def off(h, b):
        return np.tanh(gain * h + b) - h

    b0 = np.arctanh(fold) - gain * fold
    b = b0 - 2.6e-8
    stable = optimize.brentq(off, fold - 1e-2, fold, args=(b,), xtol=1e-15)
    saddle = optimize.brentq(off, fold, fold + 1e-2, args=(b,), xtol=1e-15)
    far = optimize.brentq(off, 0.5, 1.0, args=(b,), xtol=1e-15)
    net = models.RateRNN.from_weights(np.diag([gain, 0.9]), np.eye(2), np.eye(2), bias=[b, 0.0])
    return net, (stable, saddle, far)


@pytest.mark.parametrize("plain", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_passing_a_stable_point_beyond_its_saddle_is_not_coming_to_it(plain):
    net, (stable, saddle, far) = beside_a_saddle()
    assert 2e-4 < saddle - stable < 8e-4
    given = np.array([[stable, 0.0], [saddle, 0.0], [far, 0.0]])
    if plain:
        recurrent, bias = net.recurrent_weights, net.weights["bias"]
        points = analysis.fixed_points(
            lambda h, x: jnp.tanh(recurrent @ h + bias), units=2, n_starts=64,
            initial_states=given + 1e-5,
        )  # fmt: skip
    else:
        points = analysis.fixed_points(net, n_starts=256, initial_states=given)
    assert len(points) == 3
    # its second entry brings it nearer to both while it is still on the far side of the saddle
    state = np.array([[saddle + 1e-4, 0.5], [saddle - 1e-4, 0.5]])
    truth = state.copy()
    for _ in range(80_000):
        truth = np.tanh(truth @ net.recurrent_weights.T + net.weights["bias"])
    assert np.allclose(truth[:, 0], [far, stable], atol=1e-6)
    ends = analysis.Attractors(points, ()).follow(state, 80_000)
    assert np.allclose(points.states[ends, 0], [far, stable], atol=1e-6)


def test_a_slow_spiral_inwards_is_no_oscillation():
    # it shrinks by 2e-4 a step: after 6000 steps it still turns, and goes to the origin
    points = analysis.fixed_points(rotation(0.3, gain=1 - 2e-4), n_starts=32)
    assert len(points.stable) == 1
    found = analysis.attractors(points, np.array([[0.01, 0.0], [0.0, 0.02]]))
    assert found.oscillations == ()
    assert found.lost == 2
    assert found.follow(np.array([[0.01, 0.0]]), 100_000).tolist() == [0]


def test_a_border_is_found_where_states_are_still_on_their_way():
    # tanh(1.002 h): the memories are at ±√0.006, states take thousands of steps to come there
    net = models.RateRNN.from_weights([[1.002]], [[1.0]], [[1.0]])
    points = analysis.fixed_points(net, n_starts=64)
    first, second = points.stable.tolist()
    border = analysis.basin_border(points, first, second, steps=500)
    assert border.share == pytest.approx(0.5, abs=1e-4)
    assert border.beyond == second
    (push, _) = analysis.smallest_disturbances(points, steps=500)
    assert push.size == pytest.approx(abs(float(points.states[first, 0])), rel=1e-3)
    assert push.end == second


@pytest.mark.parametrize(
    ("states", "steps", "match"),
    [(np.zeros((2, 3)), 10, "states has shape"), (None, 0, "steps = 0")],
)
def test_bad_input(states, steps, match):
    points = analysis.fixed_points(planted_bits(1), n_starts=16)
    with pytest.raises(InvalidSetting, match=match):
        analysis.attractors(points, states, steps)
