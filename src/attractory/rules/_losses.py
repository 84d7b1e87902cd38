"""The losses that come with the package, and which targets each of them fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

# (outputs, targets, mask), each (trial, time, output), -> the sum over all of them, of shape ()
Loss = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]

SHORTEST = 1e-2  # outputs this short have no direction; those of a trained network are of order 1


class Fitting(NamedTuple):
    """Which targets a loss fits: in words, and as a question to targets and mask."""

    in_words: str
    fits: Callable[[np.ndarray, np.ndarray], bool]


def fitting(
    in_words: str, fits: Callable[[np.ndarray, np.ndarray], bool]
) -> Callable[[Loss], Loss]:
    """Say which targets a loss fits; a decorator. Without it a loss fits all."""

    def decorate(loss: Loss) -> Loss:
        setattr(loss, _FITTING, Fitting(in_words, fits))
        return loss

    return decorate


def fitting_of(loss: Loss) -> Fitting | None:
    """Which targets a loss fits; None: all of them."""
    return getattr(loss, _FITTING, None)


_FITTING = "fitting"


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


def _are_probabilities(targets: np.ndarray, mask: np.ndarray) -> bool:
    counted = targets[mask > 0]
    return bool(np.all((counted >= 0) & (counted <= 1)))


@fitting("targets from 0 to 1", _are_probabilities)
def sigmoid_cross_entropy(outputs: jax.Array, targets: jax.Array, mask: jax.Array) -> jax.Array:
    """Sum of the cross-entropies of targets and σ(outputs), each output by itself (nats).

    The outputs are log odds: an output of 0 says 1/2. Scores that compare an output with its target
    see the log odds, not the probabilities.

    Parameters
    ----------
    outputs, targets, mask : array (trial, time, output)
        Log odds, targets from 0 to 1, and the weights.

    Returns
    -------
    scalar array
        The sum.
    """
    # -y log σ(z) - (1 - y) log σ(-z), which does not overflow so
    return jnp.sum(mask * (jax.nn.softplus(outputs) - targets * outputs))


def _name_one_output(targets: np.ndarray, mask: np.ndarray) -> bool:
    counted = mask > 0
    asked = counted.any(axis=-1)
    are_flags = np.isin(targets, (0, 1)) | ~counted
    ones = (counted & (targets == 1)).sum(axis=-1)
    # where all that counts are zeros, it must be one of those that do not count
    named = (ones == 1) | ((ones == 0) & ~counted.all(axis=-1))
    return targets.shape[-1] > 1 and bool(are_flags.all() and named[asked].all())


@fitting("two outputs or more, one of them 1 at a time and the others 0", _name_one_output)
def softmax_cross_entropy(outputs: jax.Array, targets: jax.Array, mask: jax.Array) -> jax.Array:
    """Sum of -log p over steps, p being the share of the output whose target is 1 (nats).

    The outputs are made shares by softmax: p = exp(z) / Σ exp(z). The label of a step is the output
    whose target is 1. Where all targets that count are 0, it is one of those that the mask leaves
    out, and p is the share of all these (an answer that nothing tells: not fixation, but either
    option).

    Parameters
    ----------
    outputs, targets, mask : array (trial, time, output)
        Log shares up to a constant, targets of 0 and 1, and the weights; a step weighs as much as
        its outputs together.

    Returns
    -------
    scalar array
        The sum.
    """
    counted = mask > 0
    label = counted & (targets > 0.5)
    label = jnp.where(jnp.any(label, axis=-1, keepdims=True), label, ~counted)
    # targets that name nothing ask for nothing
    label = jnp.where(jnp.any(label, axis=-1, keepdims=True), label, True)
    everything = jax.nn.logsumexp(outputs, axis=-1)
    named = jax.nn.logsumexp(outputs, axis=-1, where=label)
    return jnp.sum(jnp.sum(mask, axis=-1) * (everything - named))


def _have_a_direction(targets: np.ndarray, mask: np.ndarray) -> bool:
    return targets.shape[-1] > 1 and bool(np.any(mask * targets != 0))


@fitting("two outputs or more that are not all 0", _have_a_direction)
def cosine(outputs: jax.Array, targets: jax.Array, mask: jax.Array) -> jax.Array:
    """Sum of 1 - cos of the angle between outputs and targets over steps.

    How large the outputs are is left open. Steps whose targets are all 0 have no direction and add
    nothing.

    Parameters
    ----------
    outputs, targets, mask : array (trial, time, output)
        What the network says, what is asked for, and the weights; a step weighs as much as its
        outputs together.

    Returns
    -------
    scalar array
        The sum.

    Notes
    -----
    The length |z| of the outputs is taken as √(|z|² + 0.01²), so that outputs of 0 have a gradient.
    """
    there = jnp.any((mask > 0) & (targets != 0), axis=-1)
    inner = jnp.sum(mask * outputs * targets, axis=-1)
    weight = jnp.sum(mask, axis=-1)
    of_outputs = jnp.sum(mask * jnp.square(outputs), axis=-1) + SHORTEST**2 * weight
    of_targets = jnp.sum(mask * jnp.square(targets), axis=-1)
    lengths = jnp.sqrt(jnp.where(there, of_outputs * of_targets, 1.0))
    return jnp.sum(jnp.where(there, weight * (1.0 - inner / lengths), 0.0))
