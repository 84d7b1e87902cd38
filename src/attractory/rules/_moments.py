"""Weighted sums over the points of many trials that linear regressions are solved from.

The columns of a point are the hidden state of the units, a 1, and the target of one output. Their
moments, Σ weight · column · columnᵀ, hold all that a least-squares readout needs, and add up over
trials. They are float64: the smallest directions of a reservoir, which tell what it remembers, are
lost in float32.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from attractory.rules._float64 import as_bits

LEAST = 1e-30  # in place of a sum over nothing: no weights are so small, and float32 holds it


def moments(states: jax.Array, targets: jax.Array, mask: jax.Array) -> jax.Array:
    """The moments of some trials.

    Parameters
    ----------
    states : array (trial, time, unit)
        Hidden states.
    targets, mask : array (trial, time, output)
        What is asked for, and the weights of the points.

    Returns
    -------
    array (output, column, column, 2)
        In float64, as the bits that programs in float32 hand on (`as_bits`).

    Notes
    -----
    The points of one output may count otherwise than those of another; where all count alike, which
    is seen as the numbers come, the product of the states is made once.
    """
    n_outputs = targets.shape[2]
    with jax.enable_x64(True):
        wide = jnp.concatenate([states, jnp.ones_like(states[..., :1])], axis=2)
        known = wide.reshape(-1, wide.shape[2]).astype(jnp.float64)
        asked, weights = (x.reshape(-1, n_outputs).astype(jnp.float64) for x in (targets, mask))
        alike = jnp.all(weights == weights[:, :1])
        summed = jax.lax.cond(alike, _counted_alike, _counted_apart, known, asked, weights)
        return as_bits(summed)


def _counted_alike(known: jax.Array, asked: jax.Array, weights: jax.Array) -> jax.Array:
    """Moments of outputs whose points have the same weights, (output, column, column)."""
    columns = jnp.concatenate([known, asked], axis=1)
    product = _symmetric_product(columns, weights[:, :1])
    n_known = known.shape[1]
    chosen = [[*range(n_known), n_known + output] for output in range(asked.shape[1])]
    return jnp.stack([product[jnp.ix_(*2 * [jnp.array(own, jnp.int32)])] for own in chosen])


def _counted_apart(known: jax.Array, asked: jax.Array, weights: jax.Array) -> jax.Array:
    """Moments of outputs, each with weights of its own, (output, column, column)."""

    def of_output(own: tuple[jax.Array, jax.Array]) -> jax.Array:
        columns = jnp.concatenate([known, own[0][:, None]], axis=1)
        return _symmetric_product(columns, own[1][:, None])

    return jax.lax.map(of_output, (asked.T, weights.T))


def _symmetric_product(columns: jax.Array, weights: jax.Array) -> jax.Array:
    """Σ weight · column · columnᵀ over points, (column, column), in two thirds of the time.

    Only the upper half and the last quarter are multiplied: the rest is the same.
    """
    half = columns.shape[1] // 2
    weighted = (weights * columns).T
    upper = weighted[:half] @ columns
    last = weighted[half:] @ columns[:, half:]
    lower = jnp.concatenate([upper[:, half:].T, last], axis=1)
    return jnp.concatenate([upper, lower])


def ridge_readouts(of: jax.Array, ridges: jax.Array, bias: bool) -> tuple[jax.Array, jax.Array]:
    """The readouts of one output that have the least squared error and small weights.

    Parameters
    ----------
    of : array (column, column)
        Moments, in float64.
    ridges : array (ridge,)
        What is added to the diagonal of the states' covariance, as shares of its mean.
    bias : bool
        Whether there is a bias; it is not made small.

    Returns
    -------
    weights : array (ridge, unit)
        NaN where the covariance with the ridge is not positive definite in float64.
    bias : array (ridge,)
        0 without one.
    """
    squares, products, means, target_mean = covariances(of, bias)
    units = len(squares)
    mean_square = jnp.trace(squares) / units

    def with_ridge(ridge: jax.Array) -> jax.Array:
        added = ridge * mean_square + LEAST
        factor = jax.scipy.linalg.cho_factor(squares + added * jnp.eye(units), lower=True)
        return jax.scipy.linalg.cho_solve(factor, products)

    weights = jax.lax.map(with_ridge, ridges)
    return weights, (target_mean - weights @ means) if bias else jnp.zeros_like(ridges)


def covariances(of: jax.Array, centred: bool) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Sums of products around the means, or around 0, and the means.

    Parameters
    ----------
    of : array (column, column)
        Moments, in float64.
    centred : bool
        Whether the products are around the means.

    Returns
    -------
    squares : array (unit, unit)
        Of states with states.
    products : array (unit,)
        Of states with the target.
    means : array (unit,)
        Of the states.
    target_mean : scalar array
        Of the target.
    """
    counted = jnp.maximum(of[-2, -2], LEAST)
    means, target_mean = of[:-2, -2] / counted, of[-1, -2] / counted
    squares, products = of[:-2, :-2], of[:-2, -1]
    if centred:
        squares = squares - counted * jnp.outer(means, means)
        products = products - counted * means * target_mean
    return squares, products, means, target_mean


def squared_errors(of: jax.Array, weights: jax.Array, bias: jax.Array) -> jax.Array:
    """The sum of the squared errors of a readout on the points that moments were summed over.

    Parameters
    ----------
    of : array (column, column)
        Moments, in float64.
    weights : array (unit,)
        Of the readout.
    bias : scalar array
        Of the readout.

    Returns
    -------
    scalar array
        The sum.
    """
    left = jnp.concatenate([-weights, -bias[None], jnp.ones_like(bias)[None]])
    return jnp.maximum(left @ of @ left, 0.0)  # a difference of large numbers, and no less than 0
