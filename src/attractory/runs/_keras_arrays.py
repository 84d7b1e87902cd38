"""The numbers of Keras layers, checked and turned from Keras's (from, to) to [to, from]."""

from __future__ import annotations

from collections.abc import Sequence

import h5py
import numpy as np

from attractory.kernels import Activation
from attractory.runs._keras_file import damage_refused
from attractory.runs._keras_layer import (
    RECURRENT,
    SAVE_AGAIN,
    KerasLayer,
    Refused,
    not_reset_after,
    other_order,
)
from attractory.runs._layers import GATES, Chain, Layer

Shape = tuple[int | None, ...]

# A few kilobytes of compressed zeros can announce terabytes: refused before anything is read.
_MOST_NUMBERS = 2**28


def chain_from(
    recurrent: Sequence[KerasLayer], readout: KerasLayer, activations: Sequence[str | Activation]
) -> Chain:
    """The layers in float64, with exactly the stored numbers, once their shapes fit together."""
    _check_size([*recurrent, readout])
    layers: list[Layer] = []
    for layer, activation in zip(recurrent, activations, strict=True):
        layers.append(_layer(layer, layers[-1].units if layers else None, activation))
    output = _to_from(readout, "kernel", (layers[-1].units, None))
    bias = _array(readout, "bias", (len(output),)) if "bias" in readout.arrays else None
    return Chain(tuple(layers), output, bias)


def _layer(layer: KerasLayer, n_inputs: int | None, activation: str | Activation) -> Layer:
    kind = RECURRENT[layer.kind]
    units = _n_units(layer, GATES[kind])
    rows = GATES[kind] * units
    bias, recurrent_bias = _biases(layer, rows)
    return Layer(
        kind,
        other_order(kind, _to_from(layer, "recurrent_kernel", (units, rows))),
        other_order(kind, _to_from(layer, "kernel", (n_inputs, rows))),
        None if bias is None else other_order(kind, bias),
        None if recurrent_bias is None else other_order(kind, recurrent_bias),
        activation,
    )


def _biases(layer: KerasLayer, rows: int) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The bias of the inputs, and that of the recurrence, which only a GRU has."""
    if "bias" not in layer.arrays:
        return None, None
    if layer.kind != "GRU":
        return _array(layer, "bias", (rows,)), None
    if layer.arrays["bias"].shape == (rows,):
        raise not_reset_after(layer)
    inputs, recurrent = _array(layer, "bias", (2, rows))
    return inputs, recurrent


def _n_units(layer: KerasLayer, gates: int) -> int:
    shape = _found_array(layer, "recurrent_kernel").shape
    if len(shape) != 2 or shape[1] != gates * shape[0] or 0 in shape:
        where = f"the recurrent_kernel of {layer.title}"
        form = "a square matrix (units, units)" if gates == 1 else f"(units, {gates} * units)"
        raise Refused(f"{where} has shape {shape}; allowed: {form}")
    return int(shape[0])


def _to_from(layer: KerasLayer, name: str, shape: Shape) -> np.ndarray:
    return np.ascontiguousarray(_array(layer, name, shape).T)


def _array(layer: KerasLayer, name: str, shape: Shape) -> np.ndarray:
    """The numbers as stored, `(from, to)`, once their shape, type and values are found sound."""
    dataset = _found_array(layer, name)
    where = f"the {name} of {layer.title}"
    _check_shape(where, dataset.shape, shape)
    with damage_refused():
        if dataset.dtype.kind != "f":
            raise Refused(f"{where} has type {dataset.dtype}; allowed: float16, float32, float64")
        values = np.asarray(dataset[()], dtype=np.float64)
    n_bad = int(np.count_nonzero(~np.isfinite(values)))
    if n_bad:
        count = f"{n_bad} NaN or infinite values of {values.size}"
        raise Refused(f"{where} has {count}; allowed: finite numbers")
    return values


def _found_array(layer: KerasLayer, name: str) -> h5py.Dataset:
    if name not in layer.arrays:
        raise Refused(f"{layer.title} has no {name}; {SAVE_AGAIN}")
    return layer.arrays[name]


def _check_shape(where: str, shape: tuple[int, ...], allowed: Shape) -> None:
    fits = len(shape) == len(allowed) and all(
        want in (None, got) for got, want in zip(shape, allowed, strict=True)
    )
    if not fits or 0 in shape:
        wanted = ", ".join("any" if want is None else str(want) for want in allowed)
        raise Refused(f"{where} has shape {shape}; allowed beside the others: ({wanted})")


def _check_size(layers: Sequence[KerasLayer]) -> None:
    arrays = [array for layer in layers for array in layer.arrays.values()]
    total = sum(np.prod(array.shape, dtype=float) for array in arrays)
    if total > _MOST_NUMBERS:
        raise Refused(f"announces {total:.0f} numbers; allowed: at most {_MOST_NUMBERS} numbers")
