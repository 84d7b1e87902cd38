"""The penalties that come with the package: each is a mean, whatever the size of the network."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from attractory.models import Weights

# ‖W^k‖^(1/k) with k = 2^4 is at most N^(1/32) times too large for N equal eigenvalues (20 % of 400)
SQUARINGS = 4
FLAT = 1e-12  # below it a share counts as 0: its logarithm, and a length of 0, have no slope


def weights_l1(weights: Weights) -> jax.Array:
    """The mean size of the entries of each array, summed over arrays."""
    return _over_arrays(weights, jnp.abs)


def weights_l2(weights: Weights) -> jax.Array:
    """The mean square of the entries of each array, summed over arrays."""
    return _over_arrays(weights, jnp.square)


def sparse_connections(recurrent: jax.Array) -> jax.Array:
    """1 less the sparseness of Hoyer (2004): 0 for a single connection, 1 for equal ones.

    With n entries w it is (‖w‖₁ / ‖w‖₂ - 1) / (√n - 1): the size of the weights does not matter, as
    it does for `weights_l1`.
    """
    most = recurrent.size**0.5
    length = jnp.sqrt(jnp.sum(jnp.square(recurrent)) + FLAT)
    return (jnp.sum(jnp.abs(recurrent)) / length - 1.0) / max(most - 1.0, 1.0)


def recurrent_radius(recurrent: jax.Array, most: float = 1.0) -> jax.Array:
    """The square of what the spectral radius has above `most`, from a smooth upper bound of it.

    The bound is ‖W^16‖^(1/16) with the Frobenius norm: no eigenvalue is larger in modulus (Gelfand
    1941), and it has a gradient where eigenvalues meet.
    """
    # norms are taken out on the way, or powers would leave the range of float32
    matrix, log_norm = recurrent, jnp.zeros((), recurrent.dtype)
    for _ in range(SQUARINGS):
        norm = jnp.linalg.norm(matrix) + FLAT
        matrix = (matrix / norm) @ (matrix / norm)
        log_norm = 2.0 * (log_norm + jnp.log(norm))
    log_norm = log_norm + jnp.log(jnp.linalg.norm(matrix) + FLAT)
    return jnp.square(jax.nn.relu(jnp.exp(log_norm / 2**SQUARINGS) - most))


def rates_l1(absolutes: jax.Array, own: jax.Array) -> jax.Array:
    """The mean size of the rates, over units and steps."""
    return _over_time(absolutes, own)


def rates_l2(squares: jax.Array, own: jax.Array) -> jax.Array:
    """The mean square of the rates, over units and steps."""
    return _over_time(squares, own)


def rates_change(rates: jax.Array, own: jax.Array) -> jax.Array:
    """The mean square of what the rates change by from one step to the next."""
    changes = jnp.mean(jnp.square(rates[1:] - rates[:-1]), axis=1)
    return jnp.sum(own[1:] * changes) / jnp.maximum(jnp.sum(own[1:]), 1.0)


def mean_rates(rates: jax.Array, own: jax.Array, target: float = 0.0) -> jax.Array:
    """The mean over units of (mean rate of the unit in the trial - target)²."""
    means = _over_time(rates, own)
    return jnp.mean(jnp.square(means - target))


def mean_rates_entropy(rates: jax.Array, own: jax.Array) -> jax.Array:
    """1 less the entropy of how units share the activity: 0 all alike, 1 one unit alone.

    The shares are those of the units' mean |rate| in the trial; the entropy is in units of log N.
    """
    means = _over_time(jnp.abs(rates), own) + FLAT
    shares = means / jnp.sum(means)
    most = jnp.log(jnp.maximum(1.0 * shares.size, 2.0))
    return 1.0 + jnp.sum(shares * jnp.log(shares)) / most


def vanishing_gradient(growth: jax.Array, own: jax.Array) -> jax.Array:
    """The mean over steps of (growth of the gradient on its way back over the step - 1)².

    Ω of Pascanu, Mikolov & Bengio (2013), equation 9.
    """
    return _over_time(jnp.square(growth - 1.0), own)


def _over_arrays(weights: Weights, size: Callable[[jax.Array], jax.Array]) -> jax.Array:
    return jnp.stack([jnp.mean(size(array)) for array in weights.values()]).sum()


def _over_time(values: jax.Array, own: jax.Array) -> jax.Array:
    """The mean over a trial's own steps, of values (time, …)."""
    return jnp.tensordot(own, values, axes=1) / jnp.sum(own)
