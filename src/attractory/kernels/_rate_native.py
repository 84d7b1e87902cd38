"""The rate network by the native kernels: two calls, one forward and one backward through time."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from attractory._cores import available_cores
from attractory.kernels._activation import Activation
from attractory.kernels._native import native
from attractory.kernels._rate_jax import Precision, RateWeights
from attractory.kernels._shards import shards_of


def known(activation: Activation) -> bool:
    """Whether the native kernels have this activation."""
    return activation.native is not None


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
    states, _, outputs, _ = _forward(activation, leak, precision, arguments, keep=("states",))
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
    states, rates, outputs, _ = _forward(activation, leak, precision, arguments, _needed(leak))
    return (states, outputs), (*arguments, states, rates)


def _needed(leak: float) -> tuple[str, ...]:
    return ("states",) if leak == 1.0 else ("states", "rates")


def _forward(
    activation: Activation,
    leak: float,
    precision: Precision,
    arguments: tuple[Any, ...],
    keep: tuple[str, ...],
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """States, rates, outputs, sizes; without elements but the outputs where they are not kept."""
    weights, inputs, initial_state, drive = arguments
    steps, trials, _ = inputs.shape
    sequence = (steps, trials, initial_state.shape[1])
    shapes: list[tuple[int, ...]] = [
        sequence if "states" in keep else (0,),
        sequence if "rates" in keep else (0,),
        (steps, trials, weights.output.shape[0]),
        (steps, trials, 2) if "sizes" in keep else (0,),
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
    window: int = 0,
    size_gradients: jax.Array | None = None,
) -> tuple[Any, ...]:
    weights, inputs, initial_state, drive, states, rates = saved
    shapes = [
        *(w.shape for w in weights),
        inputs.shape,
        (0,) if drive is None else drive.shape,
        initial_state.shape,
    ]
    of_sizes = _nothing() if size_gradients is None else size_gradients
    given = (state_gradients, output_gradients, of_sizes)
    operands = (*weights, inputs, initial_state, states, rates, *given)
    *of_weights, of_inputs, of_drive, of_start = _call(
        "rate_backward", shapes, operands, activation, leak, precision, window
    )
    return RateWeights(*of_weights), of_inputs, of_start, None if drive is None else of_drive


states_and_outputs.defvjp(
    _saving,
    lambda activation, leak, precision, saved, gradients: _backward(
        activation, leak, precision, saved, *gradients
    ),
)


@partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2, 3))
def in_windows(
    window: int,
    activation: Activation,
    leak: float,
    precision: Precision,
    weights: RateWeights,
    inputs: jax.Array,
    initial_state: jax.Array,
    drive: jax.Array | None = None,
) -> tuple[jax.Array, jax.Array]:
    """As `states_and_outputs`; gradients do not go back from one window of steps into another."""
    return states_and_outputs(activation, leak, precision, weights, inputs, initial_state, drive)


in_windows.defvjp(
    lambda window, *arguments: _saving(*arguments),
    lambda window, activation, leak, precision, saved, gradients: _backward(
        activation, leak, precision, saved, gradients[0], gradients[1], window
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


@partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2, 3))
def outputs_and_sizes(
    window: int,
    activation: Activation,
    leak: float,
    precision: Precision,
    weights: RateWeights,
    inputs: jax.Array,
    initial_state: jax.Array,
    drive: jax.Array | None = None,
) -> tuple[jax.Array, jax.Array]:
    """As `rate_outputs_and_sizes`; window 0: gradients go back through all steps."""
    arguments = (weights, inputs, initial_state, drive)
    return _forward(activation, leak, precision, arguments, keep=("sizes",))[2:]


def _saving_for_sizes(
    window: int, activation: Activation, leak: float, precision: Precision, *arguments: Any
) -> tuple[tuple[jax.Array, jax.Array], Any]:
    keep = (*_needed(leak), "sizes")
    states, rates, *made = _forward(activation, leak, precision, arguments, keep)
    return (made[0], made[1]), (*arguments, states, rates)


outputs_and_sizes.defvjp(
    _saving_for_sizes,
    # no gradient of the states is an array: the kernel makes it of those of the sizes, row by row
    lambda window, activation, leak, precision, saved, gradients: _backward(
        activation, leak, precision, saved, _nothing(), gradients[0], window, gradients[1]
    ),
)


class _Call(NamedTuple):
    """A native function and what it is told beside its arrays; hashable."""

    name: str
    activation: Activation
    leak: float
    precision: Precision
    shapes: tuple[tuple[int, ...], ...]  # of the results, for one shard
    window: int  # steps through which a gradient goes back; 0: all of them

    def __call__(self, operands: tuple[jax.Array, ...], shards: int | None = None) -> Any:
        """The results; with a number of shards all operands but the weights, and all results,
        have an axis for them."""
        leading = () if shards is None else (shards,)
        trials = operands[_INPUTS].shape[-2]
        function = jax.ffi.ffi_call(
            native().targets[self.name],
            [jax.ShapeDtypeStruct((*leading, *shape), jnp.float32) for shape in self.shapes],
            vmap_method="broadcast_all",
        )
        return function(
            *operands,
            activation=np.int32(self.activation.native or 0),
            bfloat16=self.precision == "bfloat16",
            leak=np.float32(self.leak),
            threads=np.int64(_threads()),
            shards=np.int64(1 if shards is None else shards),
            pieces=np.int64(shards_of(trials) if shards is None else 1),
            window=np.int64(self.window),
        )


_WEIGHTS, _INPUTS = 3, 3  # the first operands are the weights, the next one the inputs


def _call(
    name: str,
    shapes: list[tuple[int, ...]],
    operands: tuple[jax.Array, ...],
    activation: Activation,
    leak: float,
    precision: Precision,
    window: int = 0,
) -> Any:
    call = _Call(name, activation, leak, precision, tuple(shapes), window)
    return _batched(call)(*operands)


@lru_cache(maxsize=128)
def _batched(call: _Call) -> Any:
    """The call as a function of its operands.

    Mapped over shards (the same weights for all) it is still one call, which reads the weights once
    for all of them; mapped over networks it is one call with weights for each.
    """

    @jax.custom_batching.custom_vmap
    def function(*operands: jax.Array) -> Any:
        return call(operands)

    @function.def_vmap
    def over_shards(size: int, mapped: list[bool], *operands: jax.Array) -> Any:
        if any(mapped[:_WEIGHTS]):
            axes = [0 if is_mapped else None for is_mapped in mapped]
            made = jax.vmap(lambda *each: call(each), in_axes=axes)(*operands)
        else:
            stacked = [
                array if is_mapped else jnp.broadcast_to(array, (size, *array.shape))
                for array, is_mapped in zip(operands[_WEIGHTS:], mapped[_WEIGHTS:], strict=True)
            ]
            made = call((*operands[:_WEIGHTS], *stacked), size)
        return made, jax.tree.map(lambda _: True, made)

    return function


def _threads() -> int:
    """The cores that one device may use: all of them where JAX shows one device."""
    return max(1, available_cores() // jax.local_device_count())


def _nothing() -> jax.Array:
    """Stands for an array that is not there."""
    return jnp.zeros((0,), jnp.float32)
