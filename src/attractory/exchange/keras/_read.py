"""Networks that Keras saved, read without Keras: from which layers, and in which order.

A file of Keras 2 or 3 holds the weights of its layers (`_stored`) and, when `model.save`
wrote it, a config that says what they compute (`_config`): JSON in the attribute
`model_config` of HDF5, or `config.json` in a `.keras` archive, a zip with `model.weights.h5`.
"""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from attractory._errors import FileProblem
from attractory.exchange._layers import Chain
from attractory.exchange.keras._arrays import chain_from
from attractory.exchange.keras._config import check_settings, described_layers, warn_of_masks
from attractory.exchange.keras._equations import check_said, equation, flag
from attractory.exchange.keras._file import Opened, opened
from attractory.exchange.keras._layer import (
    ALLOWED_LAYERS,
    INERT,
    RECURRENT,
    SAVE_AGAIN,
    KerasLayer,
    Refused,
    Said,
    listed,
    one_line,
    shown,
)
from attractory.exchange.keras._live import config_of, is_keras_model, stored_in, title_of
from attractory.exchange.keras._stored import Stored, stored_layers
from attractory.exchange.keras._versions import RECENT

_MOST_PATH = 120
_MOST_ORDERED = 6  # layers of different classes whose order is looked for


def read_keras(source: Any, said: Said = Said()) -> Chain:  # noqa: B008 (it cannot be changed)
    """Read a network that Keras saved: recurrent layers in a row, then one linear Dense layer.

    The recurrent layers are SimpleRNN, GRU and LSTM; the Dense layer may be inside
    TimeDistributed. Layers that do nothing after training (`INERT`) may stand among them. Arrays
    are float64 and hold exactly the stored numbers.

    A file from `model.save` and a live model say what the layers compute. Weights alone do not:
    what was the same in all versions of Keras is taken for granted (tanh units, a linear Dense,
    forward in time), the gates are those of the version that wrote the file, and what neither the
    shapes nor the version tell has to be said. Layers of one class are taken in the order of their
    numbers; if there are several classes, their shapes must say how they follow one another.

    Args:
        source: a path: HDF5 (Keras 2 or 3; a full model or weights alone) or a `.keras` archive;
            or a live model of Keras.
        said: what the caller says; the activations hold whatever the file says.

    Raises:
        FileProblem: the file is missing, damaged, of another kind, or holds a network that this
            reading would change. One line: which file, what is wrong with it, what is allowed.
        InvalidSetting: something is said that does not fit the layers.
    """
    name = title_of(source) if is_keras_model(source) else _short(os.fspath(source))
    try:
        if is_keras_model(source):
            return _chain(name, config_of(source), lambda: stored_in(source), said, None)
        with opened(Path(source)) as file:
            return _chain(name, file.config, lambda: _stored(file), said, file.size)
    except Refused as refused:
        raise FileProblem(one_line(f"{name}: {refused}")) from refused
    except MemoryError:
        raise FileProblem(one_line(f"{name}: its arrays do not fit into memory")) from None


def _chain(
    name: str,
    config: str | bytes | None,
    stored_layers: Callable[[], Stored],
    said: Said,
    size: int | None,
) -> Chain:
    """The config speaks first: what it says of a layer is plainer than what its arrays tell."""
    descriptions: Sequence[KerasLayer | None]
    if config is None:
        stored = _not_empty(stored_layers())
        layers = stored.layers
        found = _in_row(stored)
        descriptions = [None] * len(found)
    else:
        layers = described_layers(config)
        descriptions = described = _recurrent_then_readout(layers)
        check_settings(described[:-1], described[-1], said)
        stored = _not_empty(stored_layers())
        found = _matched(described, stored.layers)
    check_said(said, found)
    equations = [
        equation(description, layer, said, stored.version)
        for description, layer in zip(descriptions[:-1], found[:-1], strict=True)
    ]
    chain = chain_from(found[:-1], found[-1], equations, size)
    warn_of_masks(name, layers, config is not None)
    return chain


def _not_empty(stored: Stored) -> Stored:
    if any(layer.arrays for layer in stored.layers):
        return stored
    raise Refused(
        "holds no weights: the model was saved before it was built; call it on inputs, or "
        "model.build(...), and save it again"
    )


def _stored(file: Opened) -> Stored:
    stored = stored_layers(file.weights)
    return replace(stored, version=_version_of(file, stored))


def _version_of(file: Opened, stored: Stored) -> str | None:
    """The version of Keras that wrote a file, from wherever it stands."""
    beside = _version_in(file.metadata)
    if beside is None and stored.version in (None, RECENT):
        beside = _version_in(file.config)
    return stored.version if beside is None else beside


def _version_in(content: str | bytes | None) -> str | None:
    try:
        version = json.loads(content or "{}").get("keras_version")
    except (ValueError, AttributeError, RecursionError):
        return None
    return version if isinstance(version, str) else None


def _short(path: str) -> str:
    """A path, cut where it would leave no room for what is wrong with the file."""
    return path if len(path) <= _MOST_PATH else f"...{path[-_MOST_PATH:]}"


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
    promised = flag(description, "use_bias", default=True)  # Keras's default
    if promised != ("bias" in stored.arrays):
        state = "no bias" if promised else "a bias"
        raise Refused(
            f"{description.title} is described with use_bias={promised}, "
            f"but the file holds {state}; {SAVE_AGAIN}"
        )


def _in_row(stored: Stored) -> list[KerasLayer]:
    """The layers of a file of weights alone, as they follow one another."""
    *recurrent, readout = _recurrent_then_readout(stored.layers)
    if stored.ordered or len({layer.kind for layer in recurrent}) == 1:
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
