"""The models by name; each is registered where it is defined."""

from __future__ import annotations

from attractory._registry import Registry
from attractory._stored import stored_by_name
from attractory.models._model import Model

_registry: Registry[Model] = Registry(
    "model", Model, "attractory.models", name_of=lambda model: model.__name__, known=()
)
stored_by_name("model", Model, lambda kind: kind.__name__, _registry.find)
names, find, register = _registry.names, _registry.find, _registry.register
