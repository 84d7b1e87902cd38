"""The loss that is trained and validated: mean squared error over what the mask counts."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from attractory.kernels import Precision
from attractory.models import RateRNN, Weights
from attractory.tasks import Batch


def summed(value: jax.Array, axis: str | None) -> jax.Array:
    """The sum over the devices that share a batch."""
    return value if axis is None else jax.lax.psum(value, axis)


def mask_total(trials: Batch, axis: str | None = None) -> jax.Array:
    """Sum of the mask over the whole batch, at least a tiny number (a batch may count nothing)."""
    return jnp.maximum(summed(jnp.sum(trials.mask), axis), 1e-12)


def squared_error(
    model: RateRNN,
    weights: Weights,
    trials: Batch,
    key: jax.Array,
    precision: Precision = "float32",
) -> jax.Array:
    """Sum of the squared errors that the mask counts, each weighted by it."""
    outputs = model.outputs(weights, trials.inputs, key, precision)
    return jnp.sum(trials.mask * jnp.square(outputs - trials.targets))
