"""Fixed points on kinks, solved by hand: no Jacobian, one for each side, and never stable."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from analysis.planted import plain_network

import attractory as at
from attractory.analysis import fixed_points, linearisation, spectrum
from attractory.models import GRU


def test_the_origin_that_every_state_flees_is_not_stable():
    """h -> relu(3 h): 0 stays, any h > 0 grows threefold each step."""
    found = fixed_points(plain_network([[3.0]], None, "relu"))
    assert len(found) == 1
    assert found.kinked.all()
    assert not len(found.stable)
    assert found.n_unstable[0] == -1
    assert not found.decided.any()
    assert np.isnan(found.eigenvalues).all()
    assert "on a kink" in found.statement
    assert "stable" not in found.statement.replace("unstable", "")
    multipliers = sorted(side.eigenvalues[0].real for side in found.sides(0))
    assert multipliers == [0.0, 3.0]


@pytest.mark.parametrize("epsilon", [1e-2, 1e-4])
def test_a_leaky_line_attractor_has_its_time_constant_on_its_own_side(epsilon):
    """W = v vᵀ (1 - ε) with v > 0: along v a leaky step multiplies by 1 - ε dt/tau."""
    along = np.array([0.6, 0.8])
    net = plain_network(np.outer(along, along) * (1 - epsilon), None, "relu", tau=10.0, dt=1.0)
    found = fixed_points(net)
    assert found.kinked.tolist() == [True]
    active = [side for side in found.sides(0) if side.above.all()]
    assert len(active) == 1
    expected = -1.0 / np.log1p(-epsilon / 10)
    assert active[0].time_constants[0] == pytest.approx(expected, rel=1e-6)
    # both units hear the same drive: the sides on which they differ cannot be reached
    assert {tuple(side.above) for side in found.sides(0)} == {(True, True), (False, False)}


def test_a_point_on_a_kink_away_from_the_origin():
    """hard_tanh(h/2 + 1/2) = h at h = 1, exactly where the curve bends: to the left it halves."""
    found = fixed_points(plain_network([[0.5]], [0.5], "hard_tanh"))
    assert found.states.tolist() == [[1.0]]
    assert found.kinked.all()
    assert found.exact.all()
    assert sorted(side.eigenvalues[0].real for side in found.sides(0)) == [0.0, 0.5]
    assert found.completeness.proved


def test_a_unit_that_hears_no_other_may_stay_on_a_kink():
    """Its drive never changes: the Jacobian does not depend on its slope."""
    found = fixed_points(plain_network([[0.0, 0.0], [1.0, 0.5]], [0.0, 1.0], "relu"))
    assert found.states.tolist() == [[0.0, 2.0]]
    assert not found.kinked.any()
    assert found.certified.all()
    assert found.decided.all()


def test_every_relu_network_without_bias_has_its_origin_on_a_kink():
    rng = np.random.default_rng(0)
    for units in (3, 9, 30):
        recurrent = rng.normal(size=(units, units)) / np.sqrt(units) / 3
        found = fixed_points(plain_network(recurrent, None, "relu"), n_starts=32, max_starts=32)
        assert found.kinked[np.abs(found.states).max(axis=1) == 0].all()
        assert not len(found.stable)


@pytest.mark.parametrize(
    "function", [jax.nn.selu, lambda u: jnp.where(u > 0, 2.0 * u, jnp.tanh(u))]
)
def test_kinks_of_functions_that_nothing_is_known_of_are_noticed(function):
    found = fixed_points(plain_network([[0.5]], None, function), n_starts=32, max_starts=32)
    assert found.kinked[np.abs(found.states[:, 0]) < 1e-9].all()


def test_kinks_of_other_models_are_noticed():
    cell = at.models.CurrentRNN(units=2, activation="relu", tau=10.0, dt=1.0).build(1, 1, seed=0)
    found = fixed_points(cell, n_starts=4, max_starts=4)
    origin = np.abs(found.states).max(axis=1) < 1e-9
    assert origin.any()
    assert found.kinked[origin].all()


def gated_unit(gate):
    """h' = u h + (1 - u) tanh(r (h / 2 + 1) - 1); the gate is min(1, h / 6 + 1), the other ½."""
    net = GRU(units=1, recurrent_activation="hard_sigmoid").build(1, 1)
    weights = {name: np.zeros_like(array) for name, array in net.weights.items()}
    row = {"reset": 0, "update": 1}[gate]
    weights["recurrent_weights"][[row, 2], 0] = 1.0, 0.5
    weights["bias"][[row, 2]] = 3.0, -1.0
    weights["recurrent_bias"][2] = 1.0
    return replace(net, weights=weights)


def test_a_hard_gate_that_is_just_open_is_on_a_kink():
    """At 0 the slope of the reset gate is 1/6 below and 0 above."""
    found = fixed_points(gated_unit("reset"), n_starts=16, max_starts=16)
    assert found.kinked.tolist() == [True]
    assert abs(found.states[0, 0]) < 1e-12
    multipliers = sorted(side.eigenvalues[0].real for side in found.sides(0))
    np.testing.assert_allclose(multipliers, [0.75, 0.75 + 0.5 / 6], atol=1e-7)


def test_points_that_a_shut_gate_keeps_where_they_are_are_not_called_stable():
    """Every h > 0 is its own next state: the multiplier is 1, on the border of stability."""
    found = fixed_points(gated_unit("update"), n_starts=16, max_starts=16)
    kept = found.states[:, 0] > 1e-6
    assert kept.sum() > 3
    assert f"1 stable, {kept.sum()} undecided" in found.statement


def test_linearisation_on_a_kink_asks_for_a_side():
    net = plain_network([[3.0, 0.0], [0.0, 2.0]], None, "relu")
    with pytest.raises(at.InvalidSetting, match="on a kink"):
        linearisation(net, np.zeros(2))
    beside = linearisation(net, np.zeros(2), side=[1.0, -1.0])
    np.testing.assert_allclose(np.sort(beside.eigenvalues.real), [0.0, 3.0])
    with pytest.raises(at.InvalidSetting, match="side"):
        linearisation(net, np.zeros(2), side=[0.0, 0.0])
    linearisation(net, [0.1, 0.2])  # next to it there is a Jacobian


def test_the_spectrum_beside_a_kink_says_so():
    stack = at.models.Stacked(layers=(at.models.RateRNN(units=3, activation="relu"),) * 2)
    assert spectrum(stack.build(1, 1, seed=0)).of == "Jacobian beside 0"


def test_leading_frequency_is_that_of_the_mode_that_decays_slowest():
    """λ = 0.9 and ±1.2 i with dt/tau = 0.1: 0.99 decays more slowly than |0.9 ± 0.12 i| = 0.908."""
    turning = np.array([[0.9, 0.0, 0.0], [0.0, 0.0, -1.2], [0.0, 1.2, 0.0]])
    net = at.models.RateRNN.from_weights(
        turning, np.ones((3, 1)), np.ones((1, 3)), tau=10.0, dt=1.0
    )
    found = spectrum(net)
    assert found.radius == pytest.approx(1.2)
    assert found.leading_frequency == 0.0


def test_states_may_come_to_rest_on_a_kink():
    """relu(h/2) shrinks to 0, relu(3 h) leaves it: the one is an attractor, the other is none."""
    for gain, rests in ((0.5, (0,)), (3.0, ())):
        points = fixed_points(plain_network([[gain]], None, "relu"))
        found = at.analysis.attractors(points, np.array([[0.1], [0.2]]), steps=200)
        assert found.rests == rests
        assert found.numbers == list(rests)
