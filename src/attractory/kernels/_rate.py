"""The rate network over a whole sequence: the fastest kernel that this machine has for it."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from attractory.kernels import _rate_jax, _rate_native
from attractory.kernels._activation import Activation, ActivationFunction
from attractory.kernels._activations import activation_of
from attractory.kernels._native import native
from attractory.kernels._rate_jax import Precision, RateWeights
from attractory.kernels._windows import in_windows


def rate_network(
    activation: ActivationFunction,
    leak: float,
    weights: RateWeights,
    inputs: jax.Array,
    initial_state: jax.Array,
    drive: jax.Array | None = None,
    precision: Precision = "float32",
    window: int | None = None,
) -> tuple[jax.Array, jax.Array]:
    """States (time, trial, unit) and readouts (time, trial, output) after each step.

        h(t) = (1 - leak) h(t-1) + leak phi(W h(t-1) + W_in x(t) + drive(t)),    z(t) = W_out h(t)

    inputs (time, trial, input), initial_state (trial, unit), drive (time, trial, unit): what else
    reaches the units (noise), or None. The activation must act on each element by itself.
    Differentiable in every array; can be vmapped over networks. With precision "bfloat16" the
    factors of the recurrent products (those of the gradient, too) are rounded to 8 bits; sums,
    states and gradients stay float32. Where `bfloat16_missing` it is float32 throughout. window:
    steps through which a gradient goes back, as in `in_windows`.
    """
    record = activation_of(activation)
    precision = _usable(precision, record)
    arguments = (record, leak, precision, weights, inputs, initial_state, drive)
    if _is_native(record, weights.recurrent.dtype):
        if window is None:
            return _rate_native.states_and_outputs(*arguments)
        return _rate_native.in_windows(window, *arguments)

    def portable(state: jax.Array, given: Any) -> tuple[jax.Array, jax.Array]:
        x, extra = given
        return _rate_jax.portable(record, leak, precision, weights, x, state, extra)

    made: tuple[jax.Array, jax.Array] = in_windows(portable, window, (inputs, drive), initial_state)
    return made


def rate_outputs(
    activation: ActivationFunction,
    leak: float,
    weights: RateWeights,
    inputs: jax.Array,
    initial_state: jax.Array,
    drive: jax.Array | None = None,
    precision: Precision = "float32",
) -> jax.Array:
    """The readouts of `rate_network` alone: states are kept only where a gradient needs them."""
    record = activation_of(activation)
    precision = _usable(precision, record)
    arguments = (record, leak, precision, weights, inputs, initial_state, drive)
    if _is_native(record, weights.recurrent.dtype):
        return _rate_native.outputs_alone(*arguments)
    return _rate_jax.portable(*arguments)[1]


def rate_outputs_and_sizes(
    activation: ActivationFunction,
    leak: float,
    weights: RateWeights,
    inputs: jax.Array,
    initial_state: jax.Array,
    drive: jax.Array | None = None,
    precision: Precision = "float32",
    window: int | None = None,
) -> tuple[jax.Array, jax.Array]:
    """The readouts of `rate_network`, and how large its states are.

    sizes (time, trial, 2): the sums over units of |h| and of h². Neither the states nor their
    gradient are made as an array of its own where the native kernel is.
    """
    record = activation_of(activation)
    if _is_native(record, weights.recurrent.dtype):
        precision = _usable(precision, record)
        return _rate_native.outputs_and_sizes(
            window or 0, record, leak, precision, weights, inputs, initial_state, drive
        )
    states, readouts = rate_network(
        activation, leak, weights, inputs, initial_state, drive, precision, window
    )
    sums = [jnp.sum(jnp.abs(states), axis=-1), jnp.sum(jnp.square(states), axis=-1)]
    return readouts, jnp.stack(sums, axis=-1)


def bfloat16_missing(activation: ActivationFunction) -> str | None:
    """Why precision "bfloat16" would not be faster here than float32; None where it is."""
    if jax.default_backend() != "cpu":
        return None
    if not native():
        return f"the native kernels are missing: {native().missing}"
    if not native().bfloat16:
        return "this processor has no products of bfloat16 numbers (AVX-512 BF16)"
    if not _rate_native.known(activation_of(activation)):
        return "the native kernels do not have this activation"
    return None


def _usable(precision: Precision, activation: Activation) -> Precision:
    return "float32" if bfloat16_missing(activation) else precision


def _is_native(activation: Activation, dtype: jnp.dtype) -> bool:
    return (
        jax.default_backend() == "cpu"
        and dtype == jnp.float32
        and _rate_native.known(activation)
        and bool(native())
    )
