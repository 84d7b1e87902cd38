"""What is trained and validated: the loss of outputs against targets, over what the mask counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from attractory._registry import Registry
from attractory.kernels import Precision, Shards
from attractory.models import Model, Weights
from attractory.tasks import Batch

# (outputs, targets, mask), each (trial, time, output), -> the sum over all of them, of shape ()
Loss = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]


def squared_error(outputs: jax.Array, targets: jax.Array, mask: jax.Array) -> jax.Array:
    """Sum of the squared errors, each weighted by the mask."""
    return jnp.sum(mask * jnp.square(outputs - targets))


_registry: Registry[Loss] = Registry(
    "loss",
    None,
    "attractory.rules",
    name_of=lambda loss: loss.__name__,
    known=(squared_error,),
    decorator="attractory.rules.loss",
    accepts=callable,
)
find_loss, loss_names = _registry.find, _registry.names


def loss(function: Loss) -> Loss:
    """Make a loss known by its name; a decorator. `BPTT(loss="absolute_error")` then trains by it.

        @at.rules.loss
        def absolute_error(outputs, targets, mask):
            return jnp.sum(mask * jnp.abs(outputs - targets))

    The function takes outputs, targets and mask, each (trial, time, output), in JAX operations, and
    returns their sum; what is trained is that sum over the sum of the mask. Raises InvalidSetting
    for the name of another loss.
    """
    return _registry.register(function)


def loss_of_trials(
    of: Loss,
    model: Model,
    weights: Weights,
    trials: Batch,
    key: jax.Array,
    precision: Precision = "float32",
) -> jax.Array:
    """The loss of a model's outputs to trials, a sum over what the mask counts."""
    outputs = model.outputs(weights, trials.inputs, key, precision)
    return of(outputs, trials.targets, trials.mask)


def mean_over_shards(sums: Any, counted: jax.Array, shards: Shards) -> Any:
    """Sums over the trials of each shard (a pytree, each (here, …)) as means over the whole batch.

    counted: the mask's sums over the trials of each shard, (here,). Devices meet here and nowhere
    before: one that waited for another's count, on the thread that the other needs, would hold it
    up for a whole forward pass.
    """
    total, counted = shards.sum((sums, counted))
    counted = jnp.maximum(counted, 1e-12)  # a batch may count nothing
    return jax.tree.map(lambda value: value / counted, total)
