"""Gated recurrences over a whole sequence, with the gradient of their weights kept out of the loop.

`gated`:

    p(t) = W h(t-1) + b,    s(t) = cell(p(t), drive(t), s(t-1))

h, the hidden state, is the first part of the cell's state s (an LSTM's s holds its memory, too).
GRU and LSTM are cells of this form: all that multiplies the state stands before the gates. The
backward loop makes only dLoss/dp; the gradient of W is one product over (time x trial) after it.

`gated_twice` is for a GRU whose reset gate acts before the product, which needs a second product:

    p(t) = W_1 h(t-1),    g(t), k(t) = gate(p(t), drive(t), h(t-1))
    q(t) = W_2 g(t),      h(t) = close(q(t), k(t), drive(t), h(t-1))

W holds W_1 and below it W_2. Its backward loop makes dLoss/dp and dLoss/dq.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

Cell = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]
Gate = Callable[[jax.Array, jax.Array, jax.Array], tuple[jax.Array, jax.Array]]
Close = Callable[[jax.Array, jax.Array, jax.Array, jax.Array], jax.Array]


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


def gated_twice_reference(
    gate: Gate,
    close: Close,
    recurrent: jax.Array,
    drive: jax.Array,
    initial_state: jax.Array,
) -> jax.Array:
    """The equations as written, differentiated by JAX."""
    first, second = _both(recurrent)

    def step(state: jax.Array, now: jax.Array) -> tuple[jax.Array, jax.Array]:
        gated_state, kept = gate(state @ first.T, now, state)
        state = close(gated_state @ second.T, kept, now, state)
        return state, state

    return jax.lax.scan(step, initial_state, drive)[1]


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def gated_twice(
    gate: Gate,
    close: Close,
    recurrent: jax.Array,
    drive: jax.Array,
    initial_state: jax.Array,
) -> jax.Array:
    """The states (time, trial, unit) after each step.

    gate(product, drive, state) returns what W_2 multiplies, (…, unit), and what is kept for close;
    close(product, kept, drive, state) returns the next state. Both act on each trial and unit by
    itself and must hold no arrays of their own. recurrent (gate x unit, unit), its last `unit`
    rows W_2; drive (time, trial, anything), initial_state (trial, unit).
    """
    return _forward_twice(gate, close, recurrent, drive, initial_state)[0]


def _both(recurrent: jax.Array) -> tuple[jax.Array, jax.Array]:
    """W_1 and W_2."""
    units = recurrent.shape[1]
    return recurrent[:-units], recurrent[-units:]


def _forward_twice(
    gate: Gate,
    close: Close,
    recurrent: jax.Array,
    drive: jax.Array,
    initial_state: jax.Array,
) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    first, second = (matrix.T for matrix in _both(recurrent))

    def step(state: jax.Array, now: jax.Array) -> tuple[jax.Array, tuple[jax.Array, ...]]:
        product = state @ first
        gated_state, kept = gate(product, now, state)
        closing = gated_state @ second
        state = close(closing, kept, now, state)
        return state, (state, product, closing)

    states, products, closings = jax.lax.scan(step, initial_state, drive)[1]
    return states, (recurrent, drive, initial_state, states, products, closings)


def _backward_twice(
    gate: Gate, close: Close, saved: tuple[jax.Array, ...], gradients: jax.Array
) -> tuple[Any, ...]:
    recurrent, drive, initial_state, states, products, closings = saved
    units = recurrent.shape[1]
    first, second = _both(recurrent)
    before = jnp.concatenate([initial_state[None], states[:-1]])

    def step(delta: jax.Array, now: tuple[jax.Array, ...]) -> tuple[jax.Array, Any]:
        gradient, product, closing, given, state = now
        (gated_state, kept), through_gate = jax.vjp(gate, product, given, state)
        through_close = jax.vjp(close, closing, kept, given, state)[1]
        of_closing, of_kept, given_last, state_last = through_close(delta + gradient)
        of_product, given_first, state_first = through_gate((of_closing @ second, of_kept))
        of_state = state_first + state_last + of_product @ first
        return of_state, (of_product, of_closing, given_first + given_last, gated_state)

    initial_gradient, (of_products, of_closings, of_drive, gated_states) = jax.lax.scan(
        step,
        jnp.zeros_like(initial_state),
        (gradients, products, closings, drive, before),
        reverse=True,
    )
    of_first = _flat(of_products).T @ before.reshape(-1, units)
    of_second = _flat(of_closings).T @ gated_states.reshape(-1, units)
    return jnp.concatenate([of_first, of_second]), of_drive, initial_gradient


def _flat(array: jax.Array) -> jax.Array:
    """Time and trial as one axis."""
    return array.reshape(-1, array.shape[-1])


gated_twice.defvjp(_forward_twice, _backward_twice)
