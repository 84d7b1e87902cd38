"""Live models of Keras: described by Keras itself, their arrays as they are now."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from attractory.exchange.keras._layer import KerasLayer, Refused, shown
from attractory.exchange.keras._stored import Stored, layer_of

_HOMES = ("keras", "tf_keras", "tensorflow")  # the packages that have a Keras


@dataclass(frozen=True, eq=False)
class LiveArray:
    """Numbers of a live model."""

    values: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    @property
    def type(self) -> str:
        return self.values.dtype.newbyteorder("<").str

    def rows(self) -> Iterator[np.ndarray]:
        yield self.values


def is_keras_model(source: Any) -> bool:
    return _home(source) is not None and hasattr(source, "layers") and hasattr(source, "to_json")


def title_of(model: Any) -> str:
    return f"the {type(model).__name__} {shown(str(model.name))}"


def config_of(model: Any) -> str:
    """The config of a model (JSON)."""
    try:
        return str(model.to_json())
    except Exception as error:  # a class of the user's own may do anything
        reason = f"{type(error).__name__}: {error}"[:80]
        raise Refused(f"cannot be described ({reason}); allowed: Sequential, Functional") from None


def stored_in(model: Any) -> Stored:
    """The layers of a model with their arrays."""
    return Stored([_layer(layer) for layer in model.layers], True, _version(model))


def _layer(layer: Any) -> KerasLayer:
    arrays = [
        (str(variable.name), LiveArray(np.asarray(values)))
        for variable, values in zip(layer.weights, layer.get_weights(), strict=True)
    ]
    return layer_of(str(layer.name), arrays)


def _home(model: Any) -> str | None:
    """The package of the Keras that a model belongs to."""
    for kind in type(model).__mro__:
        package = kind.__module__.partition(".")[0]
        if package in _HOMES:
            return package
    return None


def _version(model: Any) -> str | None:
    """Of the Keras that computes with this model."""
    module: Any = sys.modules.get(_home(model) or "")
    module = getattr(module, "keras", module) if _home(model) == "tensorflow" else module
    version = getattr(module, "__version__", None)
    return version if isinstance(version, str) else None
