"""Lyapunov exponents beside lyapynov's, along the same trajectory."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import attractory as at
from attractory.analysis import lyapunov_exponents


@pytest.fixture(scope="module")
def lyapynov():
    return pytest.importorskip("lyapynov")


def their_exponents(lyapynov, step, jacobian, start, washout, steps):
    """Of the steps after the washout, in which its directions have settled, too.

    It begins with the unit vectors, ours with random ones: both end along the same directions.
    """
    system = lyapynov.DiscreteDS(start, 0, lambda h, t: step(h), lambda h, t: jacobian(h))
    _, means = lyapynov.LCE(system, len(start), 0, washout + steps, True)
    sums = means * np.arange(1, washout + steps + 1)[:, None]
    return (sums[-1] - sums[washout - 1]) / steps


def test_henons_map(lyapynov):
    """For as many steps as rounding does not yet make two trajectories of one."""
    asked = {"washout": 12, "steps": 25}
    theirs = their_exponents(
        lyapynov,
        lambda h: np.array([1 - 1.4 * h[0] ** 2 + h[1], 0.3 * h[0]]),
        lambda h: np.array([[-2.8 * h[0], 1.0], [0.3, 0.0]]),
        np.zeros(2),
        **asked,
    )
    found = lyapunov_exponents(
        lambda h, x: jnp.array([1 - 1.4 * h[0] ** 2 + h[1], 0.3 * h[0]]),
        units=2,
        initial_states=np.zeros((1, 2)),
        **asked,
    )
    np.testing.assert_allclose(found.exponents, theirs, atol=1e-6)


def test_a_network_that_oscillates(lyapynov):
    asked = {"washout": 400, "steps": 600}
    rng = np.random.default_rng(0)
    turning = 1.2 * np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
    weights = np.zeros((4, 4))
    weights[:2, :2], weights[2:, 2:] = turning, np.diag([0.8, -0.3])
    weights[:2, 2:], weights[2:, :2] = 0.2 * rng.normal(size=(2, 2, 2))
    weights = weights.astype(np.float32).astype(float)
    net = at.models.RateRNN.from_weights(weights, np.ones((4, 1)), np.ones((1, 4)))
    start = rng.normal(size=4)
    theirs = their_exponents(
        lyapynov,
        lambda h: np.tanh(weights @ h),
        lambda h: (1 - np.tanh(weights @ h) ** 2)[:, None] * weights,
        start,
        **asked,
    )
    found = lyapunov_exponents(net, n=4, initial_states=start[None], **asked)
    np.testing.assert_allclose(found.exponents, np.sort(theirs)[::-1], atol=1e-6)
