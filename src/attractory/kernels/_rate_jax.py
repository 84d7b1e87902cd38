"""The rate network over a whole sequence in JAX: the reference, and a faster gradient of the same.

    a(t) = W h(t-1) + W_in x(t) + drive(t)
    h(t) = (1 - leak) h(t-1) + leak phi(a(t)),    leak = dt / tau
    z(t) = W_out h(t)

The gradient keeps what does not depend on the state out of the loop: the backward loop makes only
dLoss/da, and the gradient of W is one product over (time x trial) after it.
"""

from __future__ import annotations

from functools import partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp

from attractory.kernels._activation import Activation

Precision = Literal["float32", "bfloat16"]


class RateWeights(NamedTuple):
    """recurrent (unit, unit), input (unit, input), output (output, unit), all [to, from]."""

    recurrent: jax.Array
    input: jax.Array
    output: jax.Array


def reference(
    activation: Activation,
    leak: float,
    weights: RateWeights,
    inputs: jax.Array,
    initial_state: jax.Array,
    drive: jax.Array | None = None,
) -> tuple[jax.Array, jax.Array]:
    """The equations as written, differentiated by JAX: what every other kernel is held to."""

    def step(
        state: jax.Array, now: tuple[jax.Array, jax.Array | None]
    ) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        x, extra = now
        argument = state @ weights.recurrent.T + x @ weights.input.T
        rates = activation(argument if extra is None else argument + extra)
        state = (1.0 - leak) * state + leak * rates
        return state, (state, state @ weights.output.T)

    return jax.lax.scan(step, initial_state, (inputs, drive))[1]


def portable(
    activation: Activation,
    leak: float,
    precision: Precision,
    weights: RateWeights,
    inputs: jax.Array,
    initial_state: jax.Array,
    drive: jax.Array | None = None,
) -> tuple[jax.Array, jax.Array]:
    """The same with the faster gradient, for any activation and any device."""
    total = jnp.einsum("tbi,ui->tbu", inputs, weights.input)
    if drive is not None:
        total = total + drive
    states = _recurrence(activation, leak, precision, weights.recurrent, total, initial_state)
    return states, jnp.einsum("tbu,ou->tbo", states, weights.output)


@partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def _recurrence(
    activation: Activation,
    leak: float,
    precision: Precision,
    recurrent: jax.Array,
    drive: jax.Array,
    initial_state: jax.Array,
) -> jax.Array:
    """The states (time, trial, unit) for a drive that holds all but the recurrent input."""
    return _forward(activation, leak, precision, recurrent, drive, initial_state)[0]


def _forward(
    activation: Activation,
    leak: float,
    precision: Precision,
    recurrent: jax.Array,
    drive: jax.Array,
    initial_state: jax.Array,
) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    # with leak 1 the state is phi(a) itself
    from_state = activation.slope_from_value if leak == 1.0 else None
    turned = recurrent.T

    def step(state: jax.Array, now: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        argument = _product(state, turned, precision) + now
        state = (1.0 - leak) * state + leak * activation(argument)
        return state, (state, argument)

    states, arguments = jax.lax.scan(step, initial_state, drive)[1]
    if from_state is not None:
        slopes = from_state(states)
    else:
        slopes = leak * jax.jvp(activation, (arguments,), (jnp.ones_like(arguments),))[1]
    return states, (recurrent, initial_state, states, slopes)


def _backward(
    activation: Activation,
    leak: float,
    precision: Precision,
    saved: tuple[jax.Array, ...],
    state_gradients: jax.Array,
) -> tuple[jax.Array, jax.Array, jax.Array]:
    recurrent, initial_state, states, slopes = saved

    def step(delta: jax.Array, now: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        gradient, slope = now
        delta = delta + gradient  # of the loss with respect to the state after this step
        drive_gradient = delta * slope
        before = _product(drive_gradient, recurrent, precision)
        if leak != 1.0:
            before = before + (1.0 - leak) * delta
        return before, drive_gradient

    initial_gradient, drive_gradients = jax.lax.scan(
        step, jnp.zeros_like(initial_state), (state_gradients, slopes), reverse=True
    )
    before = jnp.concatenate([initial_state[None], states[:-1]])
    units = recurrent.shape[0]
    recurrent_gradient = _product(
        drive_gradients.reshape(-1, units).T, before.reshape(-1, units), precision
    )
    return recurrent_gradient, drive_gradients, initial_gradient


_recurrence.defvjp(_forward, _backward)


def _product(left: jax.Array, right: jax.Array, precision: Precision) -> jax.Array:
    if precision == "float32":
        return left @ right
    return jnp.matmul(
        left.astype(jnp.bfloat16),
        right.astype(jnp.bfloat16),
        preferred_element_type=jnp.float32,
    )
