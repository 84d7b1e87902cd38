"""Fixed points of a 400-unit network from 300 starts: ours beside the usual minimisation of speed.

The usual way (Sussillo & Barak 2013, and the tools that followed): Adam on ½‖F(h) - h‖² in single
precision from states on trajectories, all starts in one batch, until every q is below 1e-12 or 5000
steps are done; then the Jacobian's eigenvalues at each end. Both in one process, in turn.

    python benchmarks/fixed_points.py [weights.hdf5]

Without a file: three planted bits in a random orthogonal network.
"""

from __future__ import annotations

import statistics
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

import attractory as at
from attractory.analysis.dynamics._starts import network_starts
from attractory.analysis.dynamics._step import step_of

STARTS, STEPS, TOLERANCE, REPEATS = 300, 5000, 1e-12, 3


def planted(units: int = 400, bits: int = 3) -> at.models.Network:
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(units, units)))[0]
    signs = np.linalg.qr(rng.normal(size=(units, bits)))[0]
    recurrent = 0.9 * turn + signs @ (1.6 * np.eye(bits)) @ signs.T
    return at.models.RateRNN.from_weights(recurrent, signs, signs.T)


def by_minimisation(network: at.models.Network, starts: np.ndarray) -> tuple[np.ndarray, float]:
    """End states (start, unit), and the median q there."""
    weights = jnp.asarray(network.recurrent_weights, jnp.float32)

    def q(states: jax.Array) -> jax.Array:
        return 0.5 * jnp.square(states - jnp.tanh(states @ weights.T)).sum(axis=1)

    optimizer = optax.adam(optax.exponential_decay(0.1, 500, 0.7))

    @jax.jit
    def step(
        states: jax.Array, memory: optax.OptState
    ) -> tuple[jax.Array, optax.OptState, jax.Array]:
        gradient = jax.grad(lambda s: q(s).sum())(states)
        moves, memory = optimizer.update(gradient, memory)
        return states + moves, memory, q(states).max()

    states = jnp.asarray(starts, jnp.float32)
    memory = optimizer.init(states)
    for i in range(STEPS):
        states, memory, worst = step(states, memory)
        if i % 100 == 0 and float(worst) < TOLERANCE:
            break
    ends = np.asarray(states, np.float64)
    for state in ends:
        slopes = 1 - np.tanh(network.recurrent_weights @ state) ** 2
        np.linalg.eig(slopes[:, None] * network.recurrent_weights)
    return ends, float(np.median(q(states)))


def main() -> None:
    network = at.load_keras(sys.argv[1]) if len(sys.argv) > 1 else planted()
    rng = np.random.default_rng(0)
    step = step_of(network, None, network.units)
    starts = network_starts(step, None, 0, rng, None).first(STARTS, rng)
    ours, usual = [], []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        points = at.analysis.fixed_points(network, n_starts=STARTS, max_starts=STARTS)
        ours.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        _, q = by_minimisation(network, starts)
        usual.append(time.perf_counter() - begun)
    print(
        f"{network.units} units, {points.completeness.starts} starts: {len(points)} points, "
        f"{int(points.certified.sum())} proved, largest residual {points.residuals.max():.1e}"
    )
    print(f"ours {statistics.median(ours):.2f} s, minimisation {statistics.median(usual):.2f} s")
    print(f"(median q {q:.1e}), ratio {statistics.median(usual) / statistics.median(ours):.1f}")


if __name__ == "__main__":
    main()
