"""Recursive least squares in float64, inside of programs whose usual numbers are float32."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from attractory.rules._float64 import as_bits


class Updated(NamedTuple):
    """What one sample changes.

    factor: u (regressor,), with P after the sample being P - u uᵀ. solved (row, regressor).
    before, after: errors of each row on this sample (row,).
    """

    factor: jax.Array
    solved: jax.Array
    before: jax.Array
    after: jax.Array


def after_sample(
    inverse: jax.Array,
    pending: jax.Array,
    solved: jax.Array,
    regressors: jax.Array,
    targets: jax.Array,
    counted: jax.Array,
    speed: jax.Array,
) -> Updated:
    """The weights after one more sample r, by k = P r, g = 1/(1 + rᵀk), w -= speed · g e kᵀ.

    P, the inverse of the regressors' correlations, is inverse - pendingᵀ pending: what single
    samples take off it waits in `pending` (sample, regressor), so that the large matrix is read for
    each sample, but written once for many. counted (row,): 0 for rows that the sample does not
    count; where it counts none, nothing changes.
    """
    gain = inverse @ regressors - pending.T @ (pending @ regressors)
    share = 1.0 / (1.0 + regressors @ gain)
    before = counted * (solved @ regressors - targets)
    changed = solved - speed * share * jnp.outer(before, gain)
    after = counted * (changed @ regressors - targets)
    factor = jnp.max(counted) * jnp.sqrt(share) * gain
    return Updated(factor, changed, before, after)


def with_pending(inverse: jax.Array, pending: jax.Array) -> jax.Array:
    """P after the samples of `pending`."""
    return inverse - pending.T @ pending


def symmetric(inverse: jax.Array) -> jax.Array:
    """P without what rounding made unequal of it and its transpose."""
    return (inverse + inverse.T) / 2.0


def first_inverse(size: int, alpha: float) -> jax.Array:
    """P before the first sample, 1/alpha, as the bits that a rule's state keeps."""
    with jax.enable_x64(True):
        return as_bits(jnp.eye(size, dtype=jnp.float64) / alpha)
