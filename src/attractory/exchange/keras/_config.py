"""The config in a Keras file: which layers there are and what they compute."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attractory.exchange.keras._activations import keras_name
from attractory.exchange.keras._equations import flag
from attractory.exchange.keras._layer import (
    ALLOWED_LAYERS,
    INERT,
    SAVE_AGAIN,
    KerasLayer,
    Refused,
    Said,
    listed,
    one_line,
    shown,
)

_LARGEST_PULSE = 1.0
_MOST_WRAPPED = 5  # TimeDistributed in TimeDistributed has no use
# What a call may hand over beside the tensor that it acts on, and that changes what it computes.
_CALL_SETTINGS = ("training", "mask", "initial_state", "constants")


def described_layers(config: Any) -> list[KerasLayer]:
    """The layers of a model's config (JSON), in the order of the model."""
    model = _model(config)
    # Keras before 2.2.3 wrote the layers of a Sequential as a bare list.
    entries = model if isinstance(model, list) else _field(model, "layers", list)
    layers = [_described_layer(entry) for entry in entries]
    if isinstance(model, dict):
        _check_chain(model, layers)
    return layers


def check_settings(recurrent: Sequence[KerasLayer], readout: KerasLayer, said: Said) -> None:
    """Refuse settings that would change the numbers and are no part of an `Equation`, and
    functions whose code is not in the file, unless the caller says what stands for them."""
    output = keras_name(readout, "activation", default="linear")
    if output != "linear":
        name = shown(readout.name)
        raise Refused(
            f"the Dense readout {name} has the activation {shown(output)}; allowed: 'linear'"
        )
    for layer in recurrent:
        for key in ("go_backwards", "time_major"):
            if flag(layer, key, default=False):
                raise Refused(f"{layer.title} has {key}=True; allowed: {key}=False")
        if layer.kind == "SimpleRNN":
            if said.activation is None:
                keras_name(layer, "activation", default="tanh")
        else:
            if said.recurrent_activation is None:
                keras_name(layer, "recurrent_activation", default="sigmoid")
            found = keras_name(layer, "activation", default="tanh")
            if found != "tanh":
                raise Refused(
                    f"{layer.title} ({layer.kind}) has activation={shown(found)}; allowed: 'tanh'"
                )


def warn_of_masks(path: str, layers: Sequence[KerasLayer], described: bool) -> None:
    """One line for a Masking layer that may skip steps of ordinary trials.

    It skips a step in which all inputs are `mask_value`. A value beyond the pulses of tasks stands
    for padding, which trials here do not have; a smaller one may be silence or a pulse.
    """
    for layer in layers:
        if layer.kind != "Masking":
            continue
        value = layer.settings.get("mask_value", 0.0) if described else "unknown"
        if isinstance(value, (int, float)) and not abs(value) <= _LARGEST_PULSE:
            continue
        warnings.warn(
            one_line(
                f"{path}: {layer.title} (Masking, mask_value {shown(value)}) is passed over: Keras "
                "skips steps in which all inputs have this value, here they are steps like others"
            ),
            UserWarning,
            stacklevel=2,
        )


def _model(config: Any) -> Any:
    try:
        described = json.loads(config)
    except (ValueError, TypeError, RecursionError) as error:
        raise Refused(f"its model config is not JSON; {SAVE_AGAIN}") from error
    kind = _field(described, "class_name", str)
    if kind not in {"Sequential", "Functional", "Model"}:
        raise Refused(f"holds a model of class {shown(kind)}; allowed: Sequential, Functional")
    return _field(described, "config", (dict, list))


def _field(entry: Any, key: str, kind: type | tuple[type, ...]) -> Any:
    value = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(value, kind):
        raise Refused(f"its model config has no valid {shown(key)}; {SAVE_AGAIN}")
    return value


def _described_layer(entry: Any) -> KerasLayer:
    kind = _field(entry, "class_name", str)
    settings = _field(entry, "config", dict)
    name = str(settings.get("name", kind))
    if _is_custom(entry):
        return KerasLayer(name, f"{kind[:80]} (custom code)", settings)
    if kind == "TimeDistributed":
        inner = _inside(settings)
        if inner is not None and (inner.kind == "Dense" or inner.kind in INERT):
            return KerasLayer(name, inner.kind, inner.settings)
        return KerasLayer(name, "TimeDistributed of another layer than Dense", settings)
    layer = KerasLayer(name, kind, settings)
    if kind == "Activation":
        function = keras_name(layer, "activation", default="linear")
        if function == "linear":
            return KerasLayer(name, "Identity", settings)
        return KerasLayer(name, f"Activation({shown(function)})", settings)
    return layer


def _inside(settings: Mapping[str, Any]) -> KerasLayer | None:
    """What a TimeDistributed wraps."""
    for _ in range(_MOST_WRAPPED):
        entry = settings.get("layer")
        if not isinstance(entry, dict) or not isinstance(entry.get("class_name"), str):
            return None
        if entry["class_name"] != "TimeDistributed":
            return _described_layer(entry)
        settings = _field(entry, "config", dict)
    return None


def _is_custom(entry: Mapping[str, Any]) -> bool:
    """Whether a class is the user's own, even under a Keras name (HDF5 does not show it)."""
    module = entry.get("module", "keras")
    return bool(entry.get("registered_name")) or not str(module).startswith("keras")


def _check_chain(model: Mapping[str, Any], layers: Sequence[KerasLayer]) -> None:
    """Refuse a graph that is not one chain (classes that merge branches are refused elsewhere)."""
    inputs = [layer.name for layer in layers if layer.kind == "InputLayer"]
    if len(inputs) > 1:
        raise Refused(f"has {len(inputs)} inputs ({listed(inputs)}); allowed: 1")
    outputs = _tensor_names(model.get("output_layers"))
    if len(outputs) > 1:
        raise Refused(f"has {len(outputs)} outputs ({listed(outputs)}); allowed: 1, the readout")
    before = ""
    for entry, layer in zip(model["layers"], layers, strict=True):
        _check_fed(layer, entry.get("inbound_nodes"), before)
        _check_call(layer, entry.get("inbound_nodes"))
        before = layer.name


def _check_fed(layer: KerasLayer, calls: Any, before: str) -> None:
    """Refuse a layer that gets anything but the output of the layer before it."""
    if isinstance(calls, list) and len(calls) > 1:
        raise Refused(f"uses {layer.title} {len(calls)} times; {ALLOWED_LAYERS}")
    sources = _sources(calls)
    if sources not in ([], [(before, 0)]):
        names = listed(sorted({name for name, _ in sources}))
        raise Refused(
            f"feeds {layer.title} with more, or with another, than the output of the layer before "
            f"it (from {names}); {ALLOWED_LAYERS}"
        )


def _check_call(layer: KerasLayer, calls: Any) -> None:
    """Refuse a call that computes something else, such as a dropout with training=True."""
    for part in _parts(calls):
        for key in _CALL_SETTINGS:
            if isinstance(part, dict) and part.get(key) not in (None, False):
                raise Refused(f"calls {layer.title} with {key}; {ALLOWED_LAYERS}")


def _parts(content: Any) -> Iterator[Any]:
    """All lists and dictionaries in a piece of JSON."""
    rest = [content]
    while rest:
        part = rest.pop()
        if isinstance(part, (dict, list)):
            yield part
            rest += part.values() if isinstance(part, dict) else part


def _tensor_names(outputs: Any) -> list[str]:
    """The layers whose outputs leave the model: a `["dense", 0, 0]`, or a list or dict of such."""
    if isinstance(outputs, dict):
        outputs = list(outputs.values())
    if not isinstance(outputs, list) or not outputs:
        return []
    if isinstance(outputs[0], str):
        return [outputs[0]]
    return [str(tensor[0]) if isinstance(tensor, list) and tensor else "?" for tensor in outputs]


def _sources(calls: Any) -> list[tuple[str, int]]:
    """What goes into a call: the layer and which output, of all `["lstm", 0, 1, ...]` within."""
    return [
        (part[0], part[2])
        for part in _parts(calls)
        if isinstance(part, list) and [type(x) for x in part[:3]] == [str, int, int]
    ]
