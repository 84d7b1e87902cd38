"""The rate recurrence over a whole sequence, with a hand-written gradient.

    h(t+1) = (1 - leak) h(t) + leak * phi(W h(t) + drive(t)),    leak = dt / tau

`drive` holds everything that does not depend on the state (input, bias, noise), so that it is made
by one product outside of the loop. The gradient keeps to the same idea: the backward loop makes
only the deltas, and the gradient of W is one product over (time x trial) after it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

Activation = Callable[[jax.Array], jax.Array]

# With leak 1 the state is phi(a) itself, and for these phi'(a) follows from it alone.
_SLOPE_FROM_STATE: dict[Any, Callable[[jax.Array], jax.Array]] = {
    jnp.tanh: lambda state: 1.0 - state * state,
    jax.nn.sigmoid: lambda state: state * (1.0 - state),
    jax.nn.relu: lambda state: (state > 0).astype(state.dtype),
}


def rate_recurrence_reference(
    activation: Activation,
    leak: float,
    recurrent_weights: jax.Array,
    drive: jax.Array,
    initial_state: jax.Array,
) -> jax.Array:
    """The recurrence as written, differentiated by JAX: what `rate_recurrence` is held to.

    recurrent_weights (unit, unit) as [to, from], drive (time, trial, unit), initial_state (trial,
    unit). Returns the states after each step, (time, trial, unit).
    """

    def step(state: jax.Array, now: jax.Array) -> tuple[jax.Array, jax.Array]:
        rates = activation(state @ recurrent_weights.T + now)
        state = (1.0 - leak) * state + leak * rates
        return state, state

    return jax.lax.scan(step, initial_state, drive)[1]


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def rate_recurrence(
    activation: Activation,
    leak: float,
    recurrent_weights: jax.Array,
    drive: jax.Array,
    initial_state: jax.Array,
) -> jax.Array:
    """Same arguments and result as `rate_recurrence_reference`, with a faster gradient.

    The activation must act on each element by itself.
    """
    return rate_recurrence_reference(activation, leak, recurrent_weights, drive, initial_state)


def _forward(
    activation: Activation,
    leak: float,
    recurrent_weights: jax.Array,
    drive: jax.Array,
    initial_state: jax.Array,
) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    if leak == 1.0 and activation in _SLOPE_FROM_STATE:
        states = rate_recurrence_reference(
            activation, leak, recurrent_weights, drive, initial_state
        )
        slopes = _SLOPE_FROM_STATE[activation](states)
        return states, (recurrent_weights, initial_state, states, slopes)

    turned = recurrent_weights.T

    def step(state: jax.Array, now: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        argument = state @ turned + now
        state = (1.0 - leak) * state + leak * activation(argument)
        return state, (state, argument)

    states, arguments = jax.lax.scan(step, initial_state, drive)[1]
    slopes = leak * jax.jvp(activation, (arguments,), (jnp.ones_like(arguments),))[1]
    return states, (recurrent_weights, initial_state, states, slopes)


def _backward(
    activation: Activation, leak: float, saved: tuple[jax.Array, ...], state_gradients: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    recurrent_weights, initial_state, states, slopes = saved

    def step(delta: jax.Array, now: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        gradient, slope = now
        delta = delta + gradient  # of the loss with respect to the state after this step
        drive_gradient = delta * slope
        before = drive_gradient @ recurrent_weights
        if leak != 1.0:
            before = before + (1.0 - leak) * delta
        return before, drive_gradient

    initial_gradient, drive_gradients = jax.lax.scan(
        step, jnp.zeros_like(initial_state), (state_gradients, slopes), reverse=True
    )
    states_before = jnp.concatenate([initial_state[None], states[:-1]])
    weight_gradient = jnp.einsum("tbi,tbj->ij", drive_gradients, states_before)
    return weight_gradient, drive_gradients, initial_gradient


rate_recurrence.defvjp(_forward, _backward)
