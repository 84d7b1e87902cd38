"""Stable points and oscillations that states end in."""

from __future__ import annotations

import numpy as np
import pytest
from analysis.planted import planted_bits, rotation

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
    net = models.Network.from_weights([[-2.0]], [[1.0]], [[3.0]])
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
    both = models.Network.from_weights(recurrent, np.eye(3), np.eye(3), output_bias=[0.0, 0.0, 0.5])
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


@pytest.mark.parametrize(
    ("states", "steps", "match"),
    [(np.zeros((2, 3)), 10, "states has shape"), (None, 0, "steps = 0")],
)
def test_bad_input(states, steps, match):
    points = analysis.fixed_points(planted_bits(1), n_starts=16)
    with pytest.raises(InvalidSetting, match=match):
        analysis.attractors(points, states, steps)
