"""What the back-propagated gradient grows or shrinks by on its way back over a step."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from attractory.models import Model, Weights

SHORTEST = 1e-12  # of a gradient of length 1 after a step: its square root has a slope there


def gradient_growth(
    model: Model,
    weights: Weights,
    inputs: jax.Array,
    states: jax.Array,
    of_outputs: jax.Array,
    start: jax.Array | None = None,
) -> jax.Array:
    """‖λ ∂s(t)/∂s(t-1)‖ / ‖λ‖ for λ = ∂loss/∂s(t), (time, trial); 1 where λ is 0.

    inputs, states: (time, trial, …). of_outputs (trial, time, output): ∂loss/∂z. As a function of
    the weights it is that of ∂s(t)/∂s(t-1) alone (Pascanu et al. 2013, equation 10). start (trial,
    state): where trials begin; None: in the network's own state.
    """
    if start is None:
        start = model.first_state(weights, inputs.shape[1], inputs.dtype)
    before = jnp.concatenate([start[None], states[:-1]])
    # everything but the weights in the step's own Jacobian is taken as given
    fixed, before, states, of_outputs = jax.lax.stop_gradient((weights, before, states, of_outputs))

    def read(states: jax.Array) -> jax.Array:
        return jnp.einsum("tbu,ou->bto", model.hidden(states), fixed["output_weights"])

    (direct,) = jax.vjp(read, states)[1](of_outputs)

    def earlier(later: jax.Array, now: Any) -> tuple[jax.Array, jax.Array]:
        states, x, read_there = now
        gradient = later + read_there
        return _pulled_back(model, fixed, states, x, gradient), gradient

    nothing = jnp.zeros_like(start)
    gradients = jax.lax.scan(earlier, nothing, (before, inputs, direct), reverse=True)[1]
    length = _length(gradients)
    there = length > 0
    directions = gradients / jnp.where(there, length, 1.0)
    over_time = jax.vmap(_pulled_back, in_axes=(None, None, 0, 0, 0))
    after = over_time(model, weights, before, inputs, directions)
    grown = jnp.sqrt(jnp.sum(jnp.square(after), axis=-1) + SHORTEST**2)
    return jnp.where(there[..., 0], grown, 1.0)


def _length(vectors: jax.Array) -> jax.Array:
    """Of the last axis, which stays; squares of gradients may leave the range of float32."""
    most = jnp.max(jnp.abs(vectors), axis=-1, keepdims=True)
    scaled = vectors / jnp.where(most > 0, most, 1.0)
    return most * jnp.sqrt(jnp.sum(jnp.square(scaled), axis=-1, keepdims=True))


def _pulled_back(
    model: Model, weights: Weights, states: jax.Array, x: jax.Array, gradients: jax.Array
) -> jax.Array:
    """The gradients (trial, state) one step earlier."""

    def of_trial(state: jax.Array, x: jax.Array, gradient: jax.Array) -> jax.Array:
        return jax.vjp(lambda s: model.step(weights, s, x), state)[1](gradient)[0]

    return jax.vmap(of_trial)(states, x, gradients)
