"""The recurrence and its hand-written gradient, against NumPy loops, finite differences, JAX."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from attractory.kernels import rate_recurrence, rate_recurrence_reference


def bump(x):
    return x / (1.0 + x * x)


IN_NUMPY = {
    jnp.tanh: np.tanh,
    jax.nn.relu: lambda x: np.maximum(x, 0.0),
    jax.nn.sigmoid: special.expit,
    jax.nn.softplus: lambda x: np.logaddexp(0.0, x),
    bump: bump,
}
CASES = [(phi, leak) for phi in IN_NUMPY for leak in (1.0, 0.3)]
CASES += [(jnp.tanh, 0.1), (jnp.tanh, 0.9)]
NAMES = [f"{phi.__name__}-{leak}" for phi, leak in CASES]


def problem(steps, trials, units, seed=0, dtype=np.float32):
    """weights, drive, initial state; and the weights of a scalar loss on all states."""
    rng = np.random.default_rng(seed)
    shapes = [(units, units), (steps, trials, units), (trials, units), (steps, trials, units)]
    weights, drive, start, loss = (rng.normal(size=shape).astype(dtype) for shape in shapes)
    return (weights / np.sqrt(units).astype(dtype), drive, start), loss


def plain_states(phi, leak, weights, drive, start):
    """The equation, unit by unit."""
    steps, trials, units = drive.shape
    state, states = start.copy(), np.empty_like(drive)
    for t in range(steps):
        before = state.copy()
        for b in range(trials):
            for i in range(units):
                reached = sum(weights[i, j] * before[b, j] for j in range(units))
                rate = phi(reached + drive[t, b, i])
                state[b, i] = (1 - leak) * before[b, i] + leak * rate
        states[t] = state
    return states


def weighed(recurrence, phi, leak, loss, arguments):
    return jnp.sum(loss * recurrence(phi, leak, *arguments))


def gradients(phi, leak, arguments, loss):
    """Those of `rate_recurrence`, then those of the reference."""

    @jax.jit
    def both(arguments):
        return [
            jax.grad(partial(weighed, recurrence, phi, leak, loss))(arguments)
            for recurrence in (rate_recurrence, rate_recurrence_reference)
        ]

    return both(arguments)


def assert_close(found, expected, tolerance):
    for one, other in zip(found, expected, strict=True):
        error = np.linalg.norm(np.asarray(one) - np.asarray(other))
        assert error <= tolerance * np.linalg.norm(np.asarray(other))


@pytest.mark.parametrize(("phi", "leak"), CASES, ids=NAMES)
def test_values_and_gradients_equal_a_numpy_loop_and_its_finite_differences(phi, leak):
    arguments, loss = problem(5, 2, 3, seed=1, dtype=np.float64)
    in_numpy = IN_NUMPY[phi]
    differences = []
    for which in range(3):
        slope = np.empty_like(arguments[which])
        for index in np.ndindex(slope.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = [a.copy() for a in arguments]
                moved[which][index] += step
                ends.append(np.sum(loss * plain_states(in_numpy, leak, *moved)))
            slope[index] = (ends[0] - ends[1]) / 2e-6
        differences.append(slope)
    with jax.enable_x64(True):
        states = rate_recurrence(phi, leak, *arguments)
        assert states.dtype == np.float64
        found, _ = gradients(phi, leak, arguments, loss)
    np.testing.assert_allclose(
        states, plain_states(in_numpy, leak, *arguments), rtol=1e-12, atol=1e-13
    )
    assert_close(found, differences, 1e-7)


@pytest.mark.parametrize(("phi", "leak"), CASES, ids=NAMES)
def test_float32_gradients_equal_those_of_the_reference(phi, leak):
    arguments, loss = problem(40, 3, 16, seed=2)
    found, expected = gradients(phi, leak, arguments, loss)
    assert all(g.dtype == np.float32 for g in found)
    assert_close(found, expected, 1e-5)


@pytest.mark.parametrize("leak", [1.0, 0.3])
def test_many_networks_at_once_have_the_gradients_of_each(leak):
    several = [problem(40, 3, 16, seed=seed) for seed in (3, 4)]
    stacked = [np.stack(arrays) for arrays in zip(*(a for a, _ in several), strict=True)]
    losses = np.stack([loss for _, loss in several])

    def one(arguments, loss):
        return jax.grad(partial(weighed, rate_recurrence, jnp.tanh, leak, loss))(arguments)

    found = jax.jit(jax.vmap(one))(tuple(stacked), losses)
    for net, (arguments, loss) in enumerate(several):
        _, expected = gradients(jnp.tanh, leak, arguments, loss)
        assert_close([g[net] for g in found], expected, 1e-5)


def test_networks_can_share_the_drive():
    (weights, drive, start), loss = problem(40, 3, 16, seed=5)
    both = np.stack([weights, -weights])

    def cost(weights):
        return weighed(rate_recurrence, jnp.tanh, 1.0, loss, (weights, drive, start))

    found = jax.jit(jax.vmap(jax.grad(cost)))(both)
    for net, own in enumerate(both):
        _, expected = gradients(jnp.tanh, 1.0, (own, drive, start), loss)
        assert_close([found[net]], expected[:1], 1e-5)


def test_relu_has_slope_0_where_its_argument_is_exactly_0():
    silent = (np.zeros((2, 2), np.float32), np.zeros((3, 1, 2), np.float32))
    start = np.ones((1, 2), np.float32)
    found, _ = gradients(jax.nn.relu, 1.0, (*silent, start), np.ones((3, 1, 2)))
    for gradient in found:
        np.testing.assert_array_equal(gradient, 0.0)


@settings(max_examples=5, deadline=None, derandomize=True, database=None)
@given(
    steps=st.integers(1, 6),
    trials=st.integers(1, 3),
    units=st.integers(1, 4),
    leak=st.sampled_from([1.0, 0.5]),
)
def test_any_shape_agrees_with_the_loop_and_the_reference(steps, trials, units, leak):
    arguments, loss = problem(steps, trials, units, seed=7)
    states = rate_recurrence(jnp.tanh, leak, *arguments)
    np.testing.assert_allclose(
        states, plain_states(np.tanh, leak, *arguments), rtol=1e-5, atol=1e-6
    )
    found, expected = gradients(jnp.tanh, leak, arguments, loss)
    assert_close(found, expected, 1e-5)
