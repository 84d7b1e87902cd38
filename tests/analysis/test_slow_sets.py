"""Slow sets: planted lines, rings, planes, cycles and chains, whose sizes and drifts are known."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import attractory as at
from attractory.analysis import slow_sets

UNITS = 12
BASIS = np.linalg.qr(np.random.default_rng(0).normal(size=(UNITS, UNITS)))[0].T
LEAKS = pytest.mark.parametrize("leak", [1e-4, 1e-7])


def within(dimensions, moved):
    """A map that moves the first coordinates as said and halves the others; in a turned basis."""

    def step(h, x):
        coordinates = jnp.asarray(BASIS) @ h
        inside = moved(coordinates[:dimensions])
        return jnp.asarray(BASIS).T @ jnp.concatenate([inside, 0.5 * coordinates[dimensions:]])

    return step


def in_polar(turned):
    """A ring of radius 1 in two dimensions; `turned` takes the angle a step further."""

    def moved(c):
        radius, angle = jnp.hypot(*c), jnp.arctan2(c[1], c[0])
        radius = radius + 0.5 * radius * (1 - radius**2) / (1 + radius**2)
        return radius * jnp.stack([jnp.cos(turned(angle)), jnp.sin(turned(angle))])

    return moved


@pytest.fixture(autouse=True)
def precise():
    with jax.enable_x64(True):
        yield


def only(step, **settings):
    found = slow_sets(step, units=UNITS, **settings)
    assert len(found) == 1, found.statement
    return found, found.sets[0]


@LEAKS
def test_a_line_has_its_length_direction_and_leak(leak):
    found, line = only(within(1, lambda c: jnp.clip((1 - leak) * c, -1, 1)))
    assert (line.kind, line.dimension, line.n_resting) == ("line", 1, 1)
    np.testing.assert_allclose(line.extent, [2.0], rtol=0.05)
    np.testing.assert_allclose(np.abs(line.direction @ BASIS[0]), [1.0], atol=1e-6)
    assert line.drift_time == pytest.approx(1 / leak, rel=1e-3)
    assert "a line attractor, extent" in found.statement
    steps = np.linalg.norm(np.diff(line.states, axis=0), axis=1)
    assert steps.max() <= 1.6 * found.reach / 40  # in order, no gap
    here = np.abs(line.states @ BASIS[0]) < 0.99  # beyond it is the clip that moves them
    forward = np.sign((line.states[-1] - line.states[0]) @ BASIS[0])
    drift = -leak * (line.states[here] @ BASIS[0]) * forward
    np.testing.assert_allclose(line.drift[here, 0], drift, atol=1e-3 * leak)


@LEAKS
def test_a_plane_has_two_lengths(leak):
    edge = jnp.array([1.0, 0.6])
    _, plane = only(within(2, lambda c: jnp.clip((1 - leak) * c, -edge, edge)))
    assert (plane.kind, plane.dimension) == ("plane", 2)
    np.testing.assert_allclose(plane.extent, [2.0, 1.2], rtol=0.05)
    np.testing.assert_allclose(np.abs(plane.direction @ BASIS[:2].T), np.eye(2), atol=0.02)
    assert plane.drift_time == pytest.approx(1 / leak, rel=1e-3)


@LEAKS
def test_a_ring_closes_and_drifts_to_one_place(leak):
    found, ring = only(within(2, in_polar(lambda angle: angle - leak * jnp.sin(angle))))
    assert (ring.kind, ring.dimension, ring.n_resting) == ("ring", 1, 1)
    np.testing.assert_allclose(ring.extent, [2 * np.pi], rtol=0.05)
    assert ring.drift_time == pytest.approx(1 / leak, rel=0.05)
    assert found.speed_share < 1e-3


def test_a_ring_that_turns_takes_its_period():
    _, ring = only(within(2, in_polar(lambda angle: angle + 1e-5)))
    assert (ring.kind, ring.n_resting) == ("ring", 0)
    assert ring.drift_time == pytest.approx(2 * np.pi / 1e-5, rel=0.05)


def test_without_drift_the_time_is_infinite():
    _, line = only(within(1, lambda c: jnp.clip(c, -1, 1)))
    assert line.kind == "line"
    assert np.isinf(line.drift_time) or line.drift_time > 1e12


def test_a_limit_cycle_is_no_slow_set():
    found = slow_sets(within(2, in_polar(lambda angle: angle + 0.1)), units=UNITS)
    assert found.continuous == []


def test_a_slow_limit_cycle_is_told_from_a_ring_by_the_duration():
    step = within(2, in_polar(lambda angle: angle + 2e-3))
    assert only(step)[1].kind == "ring"  # half of its 3142 steps are more than the 1000
    assert only(step, duration=10_000)[1].kind == "cycle"
    assert only(step, duration=100)[1].kind == "ring"


def waves(c):
    """Five resting places at multiples of 0.4."""
    return jnp.clip(c - 2e-3 * jnp.sin(5 * jnp.pi * c), -1, 1)


def test_points_that_can_be_told_apart_are_a_chain():
    found, chain = only(within(1, waves))
    assert (chain.kind, chain.dimension, chain.n_resting) == ("chain", 0, 5)
    assert "a chain of 5 points" in found.statement
    # they cannot be told apart in the time in which nothing moves a tenth of the way to the next
    assert only(within(1, waves), duration=10)[1].kind == "line"


def test_fixed_points_far_apart_are_points():
    found = slow_sets(within(1, lambda c: jnp.tanh(2 * c)), units=UNITS)
    assert {each.kind for each in found.sets} == {"point"}
    places = np.sort([each.states[0] @ BASIS[0] for each in found.sets])
    np.testing.assert_allclose(places[[0, -1]], [-0.9575, 0.9575], atol=0.02)


def test_a_network_with_a_line_along_one_vector():
    """W = v vᵀ with |v| = 1 and relu rates: every c v with c >= 0 is a fixed point."""
    v = np.abs(np.random.default_rng(1).normal(size=10))
    v = v / np.linalg.norm(v)
    net = at.models.RateRNN.from_weights(
        np.outer(v, v), v[:, None], v[None], activation="relu", tau=5.0
    )
    found = slow_sets(net, duration=500)
    assert [each.kind for each in found.continuous] == ["line"]
    line = found.sets[0]
    np.testing.assert_allclose(np.abs(line.direction @ v), [1.0], atol=1e-6)
    np.testing.assert_allclose(line.outputs[:, 0], line.states @ v)
    assert np.isinf(line.drift_time)


def test_it_is_saved_and_comes_back(tmp_path):
    found, line = only(within(1, lambda c: jnp.clip(c, -1, 1)))
    back = at.analysis.SlowSets.load(found.save(tmp_path / "sets.safetensors"))
    assert back.statement == found.statement
    np.testing.assert_array_equal(back.sets[0].states, line.states)
    assert len(found.table()) == 1


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"tolerance": 0}, "tolerance = 0 is not allowed"),
        ({"tolerance": True}, "tolerance = True is not allowed"),
        ({"n_starts": 0}, "n_starts = 0 is not allowed"),
        ({"duration": -1}, "duration = -1 is not allowed"),
        ({"task": "andd"}, "task .andd. is unknown"),
    ],
)
def test_bad_settings_are_one_line(settings, complaint):
    with pytest.raises(at.InvalidSetting, match=complaint):
        slow_sets(at.models.RateRNN(units=3).build(1, 1), **settings)


def test_a_line_that_states_leave_is_no_attractor():
    """The same line with a direction across it in which states leave."""

    def moved(c):
        return jnp.stack([jnp.clip(c[0], -1, 1), jnp.tanh(1.5 * c[1])])

    on_it = np.linspace(-0.9, 0.9, 24)[:, None] * BASIS[:1]
    found = slow_sets(within(2, moved), initial_states=on_it)
    leaving = [each for each in found.continuous if each.n_unstable]
    assert [each.n_unstable for each in leaving] == [1]
    np.testing.assert_allclose(np.abs(leaving[0].direction @ BASIS[0]), [1.0], atol=1e-6)
    assert "a slow line with 1 unstable dimension across it" in found.statement
    assert only(within(1, lambda c: jnp.clip(c, -1, 1)))[1].n_unstable == 0


def test_trajectories_that_run_away_do_not_say_what_is_slow():
    with pytest.raises(at.InvalidSetting, match="every trajectory runs away"):
        slow_sets(lambda h, x: 1e9 * (h + 1), units=2)
    found = slow_sets(lambda h, x: 2 * h, units=3)
    assert found.typical_speed < 1e6


def test_a_volume_in_which_nothing_moves_is_a_set_of_three_dimensions():
    inside = np.random.default_rng(0).uniform(-1, 1, (120, 3))
    found = slow_sets(lambda h, x: h, initial_states=inside, n_starts=60)
    assert [(each.kind, each.dimension) for each in found.sets] == [("set", 3)]
    assert "a set attractor of 3 dimensions" in found.statement
    assert "without drift" in found.statement
