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
    """Sum of the squared errors, each weighted by the mask.

    Parameters
    ----------
    outputs, targets, mask : array (trial, time, output)
        What the network says, what is asked for, and the weights.

    Returns
    -------
    scalar array
        The sum.
    """
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
    """Make a loss known by its name; a decorator.

    `BPTT(loss="absolute_error")` then trains by it. What is trained is the loss's sum over the sum
    of the mask.

    Parameters
    ----------
    function : callable
        It takes outputs, targets and mask, each (trial, time, output), in JAX operations, and
        returns their sum.

    Returns
    -------
    callable
        The function.

    Raises
    ------
    InvalidSetting
        For the name of another loss.

    Examples
    --------
    ::

        @at.rules.loss
        def absolute_error(outputs, targets, mask):
            return jnp.sum(mask * jnp.abs(outputs - targets))
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
    """The loss of a model's outputs to trials, a sum over what the mask counts.

    Parameters
    ----------
    of : callable
        The loss, such as `squared_error`.
    model : Model
        The model of the network.
    weights : dict of arrays
        Its weights.
    trials : Batch
        The trials.
    key : JAX random key
        For the model's noise.
    precision : "float32" or "bfloat16"
        Of the recurrent products.

    Returns
    -------
    scalar array
        The sum.
    """
    outputs = model.outputs(weights, trials.inputs, key, precision)
    return of(outputs, trials.targets, trials.mask)


def mean_over_shards(sums: Any, counted: jax.Array, shards: Shards) -> Any:
    """Sums over the trials of each shard as means over the whole batch.

    Parameters
    ----------
    sums : pytree of arrays (here, …)
        The sums of each shard.
    counted : array (here,)
        The mask's sums over the trials of each shard.
    shards : Shards
        The shards of the batch.

    Returns
    -------
    pytree of arrays (…)
        The means.

    Notes
    -----
    Devices meet here and nowhere before: one that waited for another's count, on the thread that
    the other needs, would hold it up for a whole forward pass.
    """
    total, counted = shards.sum((sums, counted))
    counted = jnp.maximum(counted, 1e-12)  # a batch may count nothing
    return jax.tree.map(lambda value: value / counted, total)
