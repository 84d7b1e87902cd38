"""A recurrence of currents over a whole sequence, the gradient of its weights out of the loop.

    x(t) = (1 - leak) x(t-1) + leak W phi(x(t-1)) + drive(t)

The backward loop makes only dLoss/dx; the gradient of W is one product over (time x trial) after
it.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from attractory.kernels._activation import ActivationFunction


def current_reference(
    activation: ActivationFunction,
    leak: float,
    recurrent: jax.Array,
    drive: jax.Array,
    initial_state: jax.Array,
) -> jax.Array:
    """The equation as written, differentiated by JAX."""

    def step(state: jax.Array, given: jax.Array) -> tuple[jax.Array, jax.Array]:
        state = (1.0 - leak) * state + leak * (activation(state) @ recurrent.T) + given
        return state, state

    return jax.lax.scan(step, initial_state, drive)[1]


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def current_network(
    activation: ActivationFunction,
    leak: float,
    recurrent: jax.Array,
    drive: jax.Array,
    initial_state: jax.Array,
) -> jax.Array:
    """The states (time, trial, unit) after each step.

    recurrent (unit, unit), drive (time, trial, unit), initial_state (trial, unit). The activation
    must act on each element by itself. Differentiable in the three arrays.
    """
    return current_reference(activation, leak, recurrent, drive, initial_state)


_Saved = tuple[jax.Array, jax.Array, jax.Array]


def _forward(
    activation: ActivationFunction,
    leak: float,
    recurrent: jax.Array,
    drive: jax.Array,
    initial_state: jax.Array,
) -> tuple[jax.Array, _Saved]:
    states = current_reference(activation, leak, recurrent, drive, initial_state)
    return states, (recurrent, initial_state, states)


def _backward(
    activation: ActivationFunction, leak: float, saved: _Saved, gradients: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    recurrent, initial_state, states = saved
    before = jnp.concatenate([initial_state[None], states[:-1]])
    rates, pull_back = jax.vjp(activation, before)
    (slopes,) = pull_back(jnp.ones_like(rates))  # phi acts on each element by itself

    def step(delta: jax.Array, now: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        gradient, slope = now
        delta = delta + gradient
        return (1.0 - leak) * delta + leak * slope * (delta @ recurrent), delta

    of_initial, of_drive = jax.lax.scan(
        step, jnp.zeros_like(initial_state), (gradients, slopes), reverse=True
    )
    units = len(recurrent)
    of_recurrent = leak * (of_drive.reshape(-1, units).T @ rates.reshape(-1, units))
    return of_recurrent, of_drive, of_initial


current_network.defvjp(_forward, _backward)
