"""Networks that Keras saved, read without Keras: from which layers, and in which order.

A file of Keras 2 or 3 holds the weights of its layers (`_keras_stored`) and, when `model.save`
wrote it, a config that says what they compute (`_keras_config`): JSON in the attribute
`model_config` of HDF5, or `config.json` in a `.keras` archive, a zip with `model.weights.h5`.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attractory._errors import FileProblem, InvalidSetting
from attractory.kernels import Activation
from attractory.runs._keras_arrays import chain_from
from attractory.runs._keras_config import checked_activations, described_layers
from attractory.runs._keras_file import opened
from attractory.runs._keras_layer import (
    ALLOWED_LAYERS,
    INERT,
    RECURRENT,
    SAVE_AGAIN,
    KerasLayer,
    Refused,
    listed,
    shown,
)
from attractory.runs._keras_stored import stored_layers
from attractory.runs._layers import Chain

_MOST_ORDERED = 6  # layers of different classes whose order is looked for


def read_keras(path: str | os.PathLike[str], activation: str | Activation | None = None) -> Chain:
    """Read a network that Keras saved: recurrent layers in a row, then one linear Dense layer.

    The recurrent layers are SimpleRNN, GRU (reset_after=True) and LSTM; the Dense layer may be
    inside TimeDistributed. Layers that do nothing after training (Input, Dropout, GaussianNoise)
    may stand among them. Arrays are float64 and hold exactly the stored numbers.

    A file of weights alone does not say what the layers compute: the activations are taken to be
    Keras's defaults, a GRU without bias to have reset_after=True, and `go_backwards` cannot be
    seen. Layers of one class are taken in the order of their numbers; if there are several
    classes, their shapes must say how they follow one another. A file from `model.save` says it
    all.

    Args:
        path: HDF5 (Keras 2 or 3; a full model or weights alone) or a `.keras` archive.
        activation: that of every SimpleRNN, whatever the file says.

    Raises:
        FileProblem: the file is missing, damaged, of another kind, or holds a network that this
            reading would change. One line: which file, what is wrong with it, what is allowed.
        InvalidSetting: an activation is given, and no layer has one that may be chosen.
    """
    try:
        return _read(Path(path), activation)
    except Refused as refused:
        raise FileProblem(" ".join(f"{os.fspath(path)}: {refused}".split())) from refused


def _read(path: Path, activation: str | Activation | None) -> Chain:
    with opened(path) as (file, config):
        if config is None:
            found = _in_row(*stored_layers(file))
            activations = ["tanh" if activation is None else activation] * (len(found) - 1)
        else:
            described = _recurrent_then_readout(described_layers(config))
            activations = checked_activations(described[:-1], described[-1], activation)
            found = _matched(described, stored_layers(file)[0])
        if activation is not None:
            _check_chosen(activation, found)
        return chain_from(found[:-1], found[-1], activations)


def _check_chosen(activation: Any, layers: Sequence[KerasLayer]) -> None:
    kinds = {layer.kind for layer in layers}
    if "SimpleRNN" not in kinds:
        raise InvalidSetting(
            f"activation = {activation!r} is not allowed: the file has no SimpleRNN, and that of "
            f"{' and '.join(sorted(kinds - {'Dense'}))} is always tanh; allowed: None"
        )


def _recurrent_then_readout(layers: Sequence[KerasLayer]) -> list[KerasLayer]:
    """The recurrent layers, and last the readout, once there is nothing else that counts."""
    for layer in layers:
        if layer.kind not in {*RECURRENT, *INERT, "Dense"}:
            raise Refused(f"{layer.title} is of kind {shown(layer.kind)}; {ALLOWED_LAYERS}")
    kept = [layer for layer in layers if layer.kind not in INERT]
    readouts = [layer for layer in kept if layer.kind == "Dense"]
    if len(kept) == len(readouts):
        raise Refused(f"has no recurrent layer; {ALLOWED_LAYERS}")
    if not readouts:
        raise Refused(f"has no Dense readout; {ALLOWED_LAYERS}")
    if len(readouts) > 1:
        names = listed([layer.name for layer in readouts])
        raise Refused(f"has {len(readouts)} Dense layers ({names}); {ALLOWED_LAYERS}")
    last = kept[-1]
    if last.kind != "Dense":
        names = f"{shown(readouts[0].name)} stands before the {last.kind} {shown(last.name)}"
        raise Refused(f"the Dense {names}; {ALLOWED_LAYERS}")
    return kept


def _matched(described: Sequence[KerasLayer], stored: Sequence[KerasLayer]) -> list[KerasLayer]:
    """The stored layers in the order of the described ones: the next of its class for each."""
    known = {*RECURRENT, "Dense"}
    # The config speaks for the other layers that hold no arrays.
    kept = _recurrent_then_readout([each for each in stored if each.arrays or each.kind in known])
    held, told = (Counter(layer.kind for layer in layers) for layers in (kept, described))
    for kind in sorted(known):
        if held[kind] != told[kind]:
            raise Refused(
                f"describes {told[kind]} {kind} layers but holds the weights of {held[kind]}; "
                f"{SAVE_AGAIN}"
            )
    by_kind = {kind: iter([each for each in kept if each.kind == kind]) for kind in known}
    found = [next(by_kind[layer.kind]) for layer in described]
    for layer, match in zip(described, found, strict=True):
        _check_bias(layer, match)
    return found


def _check_bias(description: KerasLayer, stored: KerasLayer) -> None:
    promised = bool(description.settings.get("use_bias", True))  # True is Keras's default
    if promised != ("bias" in stored.arrays):
        state = "no bias" if promised else "a bias"
        raise Refused(
            f"{description.title} is described with use_bias={promised}, "
            f"but the file holds {state}; {SAVE_AGAIN}"
        )


def _in_row(stored: Sequence[KerasLayer], ordered: bool) -> list[KerasLayer]:
    """The layers of a file of weights alone, as they follow one another."""
    *recurrent, readout = _recurrent_then_readout(stored)
    if ordered or len({layer.kind for layer in recurrent}) == 1:
        return [*recurrent, readout]
    rows = []
    if len(recurrent) <= _MOST_ORDERED:
        rows = [
            [*row, readout]
            for row in itertools.permutations(recurrent)
            if _keeps_numbers(row, recurrent) and _fits([*row, readout])
        ]
    if len(rows) != 1:
        names = listed([layer.name for layer in recurrent])
        raise Refused(
            f"does not say how its recurrent layers ({names}) follow one another, and their shapes "
            "do not either; allowed: a file from model.save, which says it"
        )
    return rows[0]


def _keeps_numbers(row: Sequence[KerasLayer], numbered: Sequence[KerasLayer]) -> bool:
    """Whether the layers of each class stand in the order of their numbers."""
    kinds = {layer.kind for layer in numbered}
    return all(
        [x.name for x in row if x.kind == kind] == [x.name for x in numbered if x.kind == kind]
        for kind in kinds
    )


def _fits(row: Sequence[KerasLayer]) -> bool:
    """Whether each layer has as many inputs as the one before it has units."""
    return all(
        _length(after, "kernel") == _length(before, "recurrent_kernel")
        for before, after in itertools.pairwise(row)
    )


def _length(layer: KerasLayer, name: str) -> int | None:
    return next(iter(layer.arrays[name].shape), None) if name in layer.arrays else None
