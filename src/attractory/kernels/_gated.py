"""A gated recurrence over a whole sequence, with the gradient of its weights kept out of the loop.

    p(t) = W h(t-1) + b,    s(t) = cell(p(t), drive(t), s(t-1))

h, the hidden state, is the first part of the cell's state s (an LSTM's s holds its memory, too).
GRU and LSTM are cells of this form: all that multiplies the state stands before the gates. The
backward loop makes only dLoss/dp; the gradient of W is one product over (time x trial) after it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

Cell = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]


def gated_reference(
    cell: Cell,
    recurrent: jax.Array,
    bias: jax.Array,
    drive: jax.Array,
    initial_state: jax.Array,
) -> jax.Array:
    """The equations as written, differentiated by JAX."""
    units = recurrent.shape[1]

    def step(state: jax.Array, now: jax.Array) -> tuple[jax.Array, jax.Array]:
        state = cell(state[:, :units] @ recurrent.T + bias, now, state)
        return state, state

    return jax.lax.scan(step, initial_state, drive)[1]


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def gated(
    cell: Cell,
    recurrent: jax.Array,
    bias: jax.Array,
    drive: jax.Array,
    initial_state: jax.Array,
) -> jax.Array:
    """The states (time, trial, state) after each step.

    cell(product, drive, state) acts on each trial and unit by itself and must hold no arrays of its
    own. recurrent (gate x unit, unit), bias (gate x unit,), drive (time, trial, anything),
    initial_state (trial, state) whose first `unit` columns are the hidden state.
    """
    return _forward(cell, recurrent, bias, drive, initial_state)[0]


def _forward(
    cell: Cell,
    recurrent: jax.Array,
    bias: jax.Array,
    drive: jax.Array,
    initial_state: jax.Array,
) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    units, turned = recurrent.shape[1], recurrent.T

    def step(state: jax.Array, now: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        product = state[:, :units] @ turned + bias
        state = cell(product, now, state)
        return state, (state, product)

    states, products = jax.lax.scan(step, initial_state, drive)[1]
    return states, (recurrent, drive, initial_state, states, products)


def _backward(cell: Cell, saved: tuple[jax.Array, ...], gradients: jax.Array) -> tuple[Any, ...]:
    recurrent, drive, initial_state, states, products = saved
    units = recurrent.shape[1]
    before = jnp.concatenate([initial_state[None], states[:-1]])

    def step(delta: jax.Array, now: tuple[jax.Array, ...]) -> tuple[jax.Array, Any]:
        gradient, product, given, state = now
        pull_back = jax.vjp(cell, product, given, state)[1]
        of_product, of_drive, of_state = pull_back(delta + gradient)
        of_state = of_state.at[:, :units].add(of_product @ recurrent)
        return of_state, (of_product, of_drive)

    initial_gradient, (of_products, of_drive) = jax.lax.scan(
        step, jnp.zeros_like(initial_state), (gradients, products, drive, before), reverse=True
    )
    flat = of_products.reshape(-1, len(recurrent))
    of_recurrent = flat.T @ before[..., :units].reshape(-1, units)
    return of_recurrent, flat.sum(0), of_drive, initial_gradient


gated.defvjp(_forward, _backward)
