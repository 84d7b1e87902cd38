"""The config in a Keras file: which layers there are and what they compute."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from attractory._errors import nearest
from attractory.kernels import Activation
from attractory.runs._keras_activations import KERAS_ACTIVATIONS, SAME_HERE
from attractory.runs._keras_layer import (
    ALLOWED_LAYERS,
    SAVE_AGAIN,
    KerasLayer,
    Refused,
    listed,
    not_reset_after,
    shown,
)

_SAY_IT = "or say which: load_keras(path, activation=...)"


def described_layers(config: Any) -> list[KerasLayer]:
    """The layers of a model's config (JSON), in the order of the model."""
    model = _model(config)
    # Keras before 2.2.3 wrote the layers of a Sequential as a bare list.
    entries = model if isinstance(model, list) else _field(model, "layers", list)
    layers = [_described_layer(entry) for entry in entries]
    if isinstance(model, dict):
        _check_chain(model, layers)
    return layers


def checked_activations(
    recurrent: Sequence[KerasLayer], readout: KerasLayer, given: str | Activation | None
) -> list[str | Activation]:
    """The activation of each recurrent layer, by our names, once no other setting would change the
    numbers; `given` stands for that of every SimpleRNN."""
    output = _keras_name(readout, "activation", default="linear")
    if output != "linear":
        name = shown(readout.name)
        raise Refused(f"the Dense readout {name} has the activation {output!r}; allowed: 'linear'")
    for layer in recurrent:
        _check_recurrent(layer)
    return [
        given if given is not None and layer.kind == "SimpleRNN" else _activation(layer)
        for layer in recurrent
    ]


def _check_recurrent(layer: KerasLayer) -> None:
    settings = layer.settings
    if settings.get("go_backwards"):
        raise Refused(f"{layer.title} has go_backwards=True; allowed: go_backwards=False")
    if layer.kind == "SimpleRNN":
        return
    for key, only in [("activation", "tanh"), ("recurrent_activation", "sigmoid")]:
        found = _keras_name(layer, key, default=only)
        if found != only:
            raise Refused(f"{layer.title} ({layer.kind}) has {key}={found!r}; allowed: {only!r}")
    # Keras before 2.1.3 knew no other way than False, and wrote nothing.
    if layer.kind == "GRU" and not settings.get("reset_after", False):
        raise not_reset_after(layer)


def _activation(layer: KerasLayer) -> str:
    name = _keras_name(layer, "activation", default="tanh")
    if name not in SAME_HERE:
        raise Refused(
            f"activation {name!r} has no counterpart here; {nearest(name, SAME_HERE)}; {_SAY_IT}"
        )
    return SAME_HERE[name]


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
        raise Refused(f"its model config has no valid {key!r}; {SAVE_AGAIN}")
    return value


def _described_layer(entry: Any) -> KerasLayer:
    kind = _field(entry, "class_name", str)
    settings = _field(entry, "config", dict)
    name = str(settings.get("name", kind))
    if _is_custom(entry):
        return KerasLayer(name, f"{kind} (custom code)", settings)
    inner = settings.get("layer")
    if kind == "TimeDistributed" and isinstance(inner, dict):
        kind = f"TimeDistributed({inner.get('class_name')})"
        if kind == "TimeDistributed(Dense)" and not _is_custom(inner):
            return KerasLayer(name, "Dense", _field(inner, "config", dict))
    return KerasLayer(name, kind, settings)


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
    found: list[tuple[str, int]] = []
    rest = [calls]
    while rest:
        part = rest.pop()
        if isinstance(part, dict):
            rest += part.values()
        elif isinstance(part, list):
            if [type(x) for x in part[:3]] == [str, int, int]:
                found.append((part[0], part[2]))
            rest += part
    return found


def _keras_name(layer: KerasLayer, key: str, default: str) -> str:
    value = layer.settings.get(key, default)
    if value is None:  # Keras: "if you pass None, no activation is applied"
        return "linear"
    if isinstance(value, str) and value in KERAS_ACTIVATIONS:
        return value
    raise Refused(
        f"{layer.title} has a custom {key} ({_custom_name(value)}), whose code is not in the "
        "file; allowed: one of Keras's own, such as 'tanh' or 'relu'"
    )


def _custom_name(value: Any) -> str:
    """What Keras calls a custom function (its name is the config) or object (it has a class)."""
    if not isinstance(value, dict):
        return shown(value)
    config = value.get("config")
    return shown(config if isinstance(config, str) else value.get("class_name"))
