"""The names of activations: Keras's own, and those that are the same functions here."""

from __future__ import annotations

from typing import Any

from attractory.exchange._activations import name_there, names_here
from attractory.exchange.keras._layer import KerasLayer, Refused, shown
from attractory.kernels import ActivationFunction

# What `keras.activations` calls its own functions; another name means code that the file lacks.
# fmt: off
KERAS_ACTIVATIONS = frozenset({
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish",
    "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink",
    "threshold",
})
# fmt: on

# Functions of one name that differ are not among the records' names (Keras's gelu is the exact one,
# its leaky_relu has another slope, its hard_sigmoid changed from Keras 2 to 3).
_ALIASES = {"swish": "silu"}  # of Keras's own names: files have either


def same_here() -> dict[str, str]:
    """Keras's names of the functions that are the same here, each to its name here."""
    found = names_here("keras")
    aliases = {other: found[name] for other, name in _ALIASES.items() if name in found}
    return {**aliases, **found}


def keras_activation(activation: str | ActivationFunction) -> str:
    """What Keras calls an activation; InvalidSetting where it has no such function."""
    return name_there("keras", activation, "Keras", KERAS_ACTIVATIONS)


def keras_name(layer: KerasLayer, key: str, default: str) -> str:
    """What a config calls a function; Refused for one whose code is not in the file."""
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
