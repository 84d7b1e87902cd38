"""The numbers of Keras layers, checked and turned from Keras's (from, to) to [to, from]."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from attractory.exchange._layers import GATES, Chain, Layer
from attractory.exchange.keras._layer import (
    KERAS_ORDER,
    RECURRENT,
    SAVE_AGAIN,
    Array,
    Equation,
    KerasLayer,
    Refused,
    shown,
)

Shape = tuple[int | None, ...]

# Of numbers: networks are computed in float32 unless asked otherwise.
_LARGEST = float(np.finfo(np.float32).max)
_TYPES = ("<f2", "<f4", "<f8")
# Of memory, what a file of so many bytes may ask for: each of its numbers takes 8 bytes here.
# Real weights take 2 to 8 in the file; compressed networks with few connections take less, but
# kilobytes of zeros can announce terabytes, so small files have a limit of their own.
_MOST_TIMES, _MOST_BASE = 10, 100 * 2**20


def chain_from(
    recurrent: Sequence[KerasLayer],
    readout: KerasLayer,
    equations: Sequence[Equation],
    size: int | None,
) -> Chain:
    """The layers in float64, with exactly the stored numbers, once their shapes fit together.

    size: of the file that they are in (bytes), None for those of a live model.
    """
    if size is not None:
        _check_size([*recurrent, readout], size)
    layers: list[Layer] = []
    for layer, equation in zip(recurrent, equations, strict=True):
        layers.append(_layer(layer, layers[-1].units if layers else None, equation))
    output = _to_from(readout, "kernel", (layers[-1].units, None))
    bias = _array(readout, "bias", (len(output),)) if "bias" in readout.arrays else None
    return Chain(tuple(layers), output, bias)


def _layer(layer: KerasLayer, n_inputs: int | None, equation: Equation) -> Layer:
    kind = RECURRENT[layer.kind]
    units = _n_units(layer, GATES[kind])
    rows = GATES[kind] * units
    order = KERAS_ORDER[kind]
    bias, recurrent_bias = _biases(layer, rows, equation.reset_after)
    return Layer(
        kind,
        _to_from(layer, "recurrent_kernel", (units, rows), order),
        _to_from(layer, "kernel", (n_inputs, rows), order),
        bias,
        recurrent_bias,
        equation.activation,
        equation.recurrent_activation,
        equation.reset_after,
    )


def _biases(
    layer: KerasLayer, rows: int, reset_after: bool
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The bias of the inputs, and that of the recurrence, which only a GRU has."""
    if "bias" not in layer.arrays:
        return None, None
    order = KERAS_ORDER[RECURRENT[layer.kind]]
    if layer.kind == "GRU" and reset_after:
        both = _to_from(layer, "bias", (2, rows), order)
        return both[:, 0].copy(), both[:, 1].copy()
    return _array(layer, "bias", (rows,), order), None


def _n_units(layer: KerasLayer, gates: int) -> int:
    shape = _found_array(layer, "recurrent_kernel").shape
    if len(shape) != 2 or shape[1] != gates * shape[0] or 0 in shape:
        where = f"the recurrent_kernel of {layer.title}"
        form = "a square matrix (units, units)" if gates == 1 else f"(units, {gates} * units)"
        raise Refused(f"{where} has shape {shown(shape)}; allowed: {form}")
    return int(shape[0])


def _to_from(
    layer: KerasLayer, name: str, shape: Shape, order: tuple[int, ...] = (0,)
) -> np.ndarray:
    """A matrix that Keras stores as (from, to)."""
    array = _checked(layer, name, shape)
    made = np.empty(array.shape[::-1])
    first = 0
    for rows in _finite(layer, name, array):
        _set_gates(made[:, first : first + len(rows)], rows.T, order)
        first += len(rows)
    return made


def _array(layer: KerasLayer, name: str, shape: Shape, order: tuple[int, ...] = (0,)) -> np.ndarray:
    array = _checked(layer, name, shape)
    made = np.empty(array.shape)
    _set_gates(made, np.concatenate(list(_finite(layer, name, array))), order)
    return made


def _set_gates(made: np.ndarray, stored: np.ndarray, order: tuple[int, ...]) -> None:
    """Fill `made`, one gate below the other, from gates in Keras's order."""
    units = len(made) // len(order)
    for ours, theirs in enumerate(order):
        made[ours * units : (ours + 1) * units] = stored[theirs * units : (theirs + 1) * units]


def _checked(layer: KerasLayer, name: str, shape: Shape) -> Array:
    """An array, once its shape and type are found sound."""
    array = _found_array(layer, name)
    where = f"the {name} of {layer.title}"
    _check_shape(where, array.shape, shape)
    if array.type not in _TYPES:
        raise Refused(
            f"{where} has type {shown_type(array.type)}; allowed: float16, float32, float64"
        )
    return array


def _finite(layer: KerasLayer, name: str, array: Array) -> Iterator[np.ndarray]:
    """The rows of an array; Refused after the last one when a number is not finite in float32."""
    n_bad = n_rows = 0
    for rows in array.rows():
        with np.errstate(invalid="ignore"):  # as some NaN make it, in a comparison and in a copy
            # half precision cannot say the largest number of single precision
            wide = np.abs(rows).astype(np.promote_types(rows.dtype, np.float32))
            n_bad += int(np.count_nonzero(~(wide <= _LARGEST)))
            n_rows += len(rows)
            yield rows
    where = f"the {name} of {layer.title}"
    if n_rows != array.shape[0]:
        raise Refused(f"{where} has {n_rows} rows of {array.shape[0]}; {SAVE_AGAIN}")
    if n_bad:
        count = f"{n_bad} NaN or infinite values of {int(np.prod(array.shape))}"
        raise Refused(f"{where} has {count}; allowed: finite numbers up to {_LARGEST:.2g}")


def shown_type(name: str) -> str:
    try:
        return str(np.dtype(name))
    except TypeError:
        return shown(name)


def _found_array(layer: KerasLayer, name: str) -> Array:
    if name not in layer.arrays:
        raise Refused(f"{layer.title} has no {name}; {SAVE_AGAIN}")
    return layer.arrays[name]


def _check_shape(where: str, shape: tuple[int, ...], allowed: Shape) -> None:
    fits = len(shape) == len(allowed) and all(
        want in (None, got) for got, want in zip(shape, allowed, strict=True)
    )
    if not fits or 0 in shape:
        wanted = ", ".join("any" if want is None else str(want) for want in allowed)
        raise Refused(f"{where} has shape {shown(shape)}; allowed beside the others: ({wanted})")


def _check_size(layers: Sequence[KerasLayer], size: int) -> None:
    arrays = [array for layer in layers for array in layer.arrays.values()]
    total = 8 * sum(np.prod(array.shape, dtype=float) for array in arrays)
    most = _MOST_TIMES * size + _MOST_BASE
    if total > most:
        raise Refused(
            f"announces {total / 8:.0f} numbers, which take {total / 2**20:.0f} MB; allowed for a "
            f"file of {size} bytes: {most / 2**20:.0f} MB"
        )
