"""The loss that is trained and validated: mean squared error over what the mask counts."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from attractory.kernels import Precision, Shards
from attractory.models import Model, Weights
from attractory.tasks import Batch


def mean_over_shards(sums: Any, counted: jax.Array, shards: Shards) -> Any:
    """Sums over the trials of each shard (a pytree, each (here, …)) as means over the whole batch.

    counted: the mask's sums over the trials of each shard, (here,). Devices meet here and nowhere
    before: one that waited for another's count, on the thread that the other needs, would hold it
    up for a whole forward pass.
    """
    total, counted = shards.sum((sums, counted))
    counted = jnp.maximum(counted, 1e-12)  # a batch may count nothing
    return jax.tree.map(lambda value: value / counted, total)


def squared_error(
    model: Model,
    weights: Weights,
    trials: Batch,
    key: jax.Array,
    precision: Precision = "float32",
) -> jax.Array:
    """Sum of the squared errors that the mask counts, each weighted by it."""
    outputs = model.outputs(weights, trials.inputs, key, precision)
    return jnp.sum(trials.mask * jnp.square(outputs - trials.targets))
