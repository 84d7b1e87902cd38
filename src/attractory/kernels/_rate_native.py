"""The rate network by the native kernels: two calls, one forward and one backward through time."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attractory._machine import available_cores
from attractory.kernels._native import native
from attractory.kernels._rate_jax import Activation, Precision, RateWeights, linear

_NUMBERS: dict[Any, int] = {
    jnp.tanh: 0,
    jax.nn.relu: 1,
    jax.nn.sigmoid: 2,
    jax.nn.softplus: 3,
    linear: 4,
}


def known(activation: Activation) -> bool:
    """Whether the native kernels have this activation."""
    return activation in _NUMBERS


@partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def states_and_outputs(
    activation: Activation,
    leak: float,
    precision: Precision,
    weights: RateWeights,
    inputs: jax.Array,
    initial_state: jax.Array,
    drive: jax.Array | None = None,
) -> tuple[jax.Array, jax.Array]:
    """As `rate_network`."""
    arguments = (weights, inputs, initial_state, drive)
    states, _, outputs = _forward(activation, leak, precision, arguments, keep=("states",))
    return states, outputs


@partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def outputs_alone(
    activation: Activation,
    leak: float,
    precision: Precision,
    weights: RateWeights,
    inputs: jax.Array,
    initial_state: jax.Array,
    drive: jax.Array | None = None,
) -> jax.Array:
    """The outputs; the states are kept only where a gradient needs them."""
    arguments = (weights, inputs, initial_state, drive)
    return _forward(activation, leak, precision, arguments, keep=())[2]


def _saving(
    activation: Activation, leak: float, precision: Precision, *arguments: Any
) -> tuple[tuple[jax.Array, jax.Array], Any]:
    """What the gradient needs: the states, and the rates where they are not the same."""
    keep = ("states",) if leak == 1.0 else ("states", "rates")
    states, rates, outputs = _forward(activation, leak, precision, arguments, keep)
    return (states, outputs), (*arguments, states, rates)


def _forward(
    activation: Activation,
    leak: float,
    precision: Precision,
    arguments: tuple[Any, ...],
    keep: tuple[str, ...],
) -> tuple[jax.Array, jax.Array, jax.Array]:
    weights, inputs, initial_state, drive = arguments
    steps, trials, _ = inputs.shape
    sequence = (steps, trials, initial_state.shape[1])
    shapes: list[tuple[int, ...]] = [
        sequence if "states" in keep else (0,),
        sequence if "rates" in keep else (0,),
        (steps, trials, weights.output.shape[0]),
    ]
    operands = (*weights, inputs, _nothing() if drive is None else drive, initial_state)
    return _call("rate_forward", shapes, operands, activation, leak, precision)


def _backward(
    activation: Activation,
    leak: float,
    precision: Precision,
    saved: Any,
    state_gradients: jax.Array,
    output_gradients: jax.Array,
) -> tuple[Any, ...]:
    weights, inputs, initial_state, drive, states, rates = saved
    shapes = [
        *(w.shape for w in weights),
        inputs.shape,
        (0,) if drive is None else drive.shape,
        initial_state.shape,
    ]
    operands = (*weights, inputs, initial_state, states, rates, state_gradients, output_gradients)
    *of_weights, of_inputs, of_drive, of_start = _call(
        "rate_backward", shapes, operands, activation, leak, precision
    )
    return RateWeights(*of_weights), of_inputs, of_start, None if drive is None else of_drive


states_and_outputs.defvjp(
    _saving,
    lambda activation, leak, precision, saved, gradients: _backward(
        activation, leak, precision, saved, *gradients
    ),
)


def _saving_for_outputs(
    activation: Activation, leak: float, precision: Precision, *arguments: Any
) -> tuple[jax.Array, Any]:
    (_, outputs), saved = _saving(activation, leak, precision, *arguments)
    return outputs, saved


outputs_alone.defvjp(
    _saving_for_outputs,
    lambda activation, leak, precision, saved, gradients: _backward(
        activation, leak, precision, saved, _nothing(), gradients
    ),
)


def _call(
    name: str,
    shapes: list[tuple[int, ...]],
    operands: tuple[jax.Array, ...],
    activation: Activation,
    leak: float,
    precision: Precision,
) -> Any:
    function = jax.ffi.ffi_call(
        native().targets[name],
        [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes],
        vmap_method="broadcast_all",
    )
    return function(
        *operands,
        activation=np.int32(_NUMBERS[activation]),
        bfloat16=precision == "bfloat16",
        leak=np.float32(leak),
        threads=np.int64(_threads()),
    )


def _threads() -> int:
    """The cores that one device may use: all of them where JAX shows one device."""
    return max(1, available_cores() // jax.local_device_count())


def _nothing() -> jax.Array:
    """Stands for an array that is not there."""
    return jnp.zeros((0,), jnp.float32)
