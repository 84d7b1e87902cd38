"""What is trained and validated: the loss of outputs against targets, over what the mask counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attractory._errors import InvalidSetting, shown
from attractory._registry import Registry
from attractory.kernels import Precision, Shards, window_argument
from attractory.models import Model, Weights
from attractory.rules._losses import (
    Loss,
    cosine,
    fitting,
    fitting_of,
    sigmoid_cross_entropy,
    softmax_cross_entropy,
    squared_error,
)
from attractory.tasks import Batch, Task

LOOKED_AT = 64  # trials of a task whose targets are looked at: those of its silent loss, too

_registry: Registry[Loss] = Registry(
    "loss",
    None,
    "attractory.rules",
    name_of=lambda loss: loss.__name__,
    known=(squared_error, sigmoid_cross_entropy, softmax_cross_entropy, cosine),
    decorator="attractory.rules.loss",
    accepts=callable,
)
find_loss, loss_names = _registry.find, _registry.names


def loss(
    function: Loss | None = None,
    *,
    targets: str = "",
    fits: Callable[[np.ndarray, np.ndarray], bool] | None = None,
) -> Any:
    """Make a loss known by its name; a decorator.

    `BPTT(loss="absolute_error")` then trains by it. What is trained is the loss's sum over the sum
    of the mask.

    Parameters
    ----------
    function : callable
        It takes outputs, targets and mask, each (trial, time, output), in JAX operations, and
        returns their sum.
    targets : str
        Which targets it fits, in words: "targets above 0". With `fits`.
    fits : callable, optional
        It takes targets and mask as NumPy arrays and returns whether they are such. None: the loss
        fits all targets.

    Returns
    -------
    callable
        The function; with `targets` and `fits` alone, the decorator.

    Raises
    ------
    InvalidSetting
        For the name of another loss, and where one of `targets` and `fits` is missing.

    Examples
    --------
    ::

        @at.rules.loss
        def absolute_error(outputs, targets, mask):
            return jnp.sum(mask * jnp.abs(outputs - targets))
    """
    if bool(targets) != (fits is not None):
        raise InvalidSetting(
            f"loss: targets = {shown(targets)} and fits = {shown(fits)} go together: both or "
            "neither"
        )

    def decorate(made: Loss) -> Loss:
        known: Loss = _registry.register(made)
        return known if fits is None else fitting(targets, fits)(known)

    return decorate if function is None else decorate(function)


def check_fits(of: Loss, task: Task) -> None:
    """InvalidSetting where a loss does not fit the targets of a task; it names those that do."""
    needed = fitting_of(of)
    if needed is None:
        return
    trials = task.sample(LOOKED_AT, seed=0)
    if needed.fits(trials.targets, trials.mask):
        return
    every = {name: fitting_of(find_loss(name)) for name in loss_names()}
    fit = [n for n, other in every.items() if not other or other.fits(trials.targets, trials.mask)]
    raise InvalidSetting(
        f"loss = {shown(of.__name__)} does not fit the targets of {task.name}: it needs "
        f"{needed.in_words}; these fit: {', '.join(fit)}"
    )


def loss_of_trials(
    of: Loss,
    model: Model,
    weights: Weights,
    trials: Batch,
    key: jax.Array,
    precision: Precision = "float32",
    window: int | None = None,
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
    window : int, optional
        Steps through which a gradient goes back; None: all of them.

    Returns
    -------
    scalar array
        The sum.
    """
    outputs = model.outputs(weights, trials.inputs, key, precision, **window_argument(window))
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
