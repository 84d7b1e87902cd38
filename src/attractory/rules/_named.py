"""What a rule names and may give settings to: an optimiser, a schedule of the learning rate."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from attractory._errors import InvalidSetting, nearest, shown
from attractory._registry import Registry

Named = str | dict[str, Any]  # its name; or its settings, with "name" among them


@dataclass(frozen=True)
class Maker:
    """A function that makes what is named.

    needs: the arguments that the rule gives it, by name. defaults: its settings, and what they
    usually are.
    """

    function: Callable[..., Any]
    needs: tuple[str, ...]
    defaults: dict[str, Any]

    @property
    def name(self) -> str:
        """What it is called."""
        return self.function.__name__


def maker(kind: str, function: Callable[..., Any], gives: tuple[str, ...]) -> Maker:
    """The record of a function, which gets what it asks for of `gives`; all else are settings.

    Raises InvalidSetting for a setting without a usual value, and where the first of `gives`, which
    it cannot do without, is no argument of it.
    """
    if not callable(function):
        raise InvalidSetting(f"{kind}: {shown(function)} is no function")
    parameters = inspect.signature(function).parameters
    needs = tuple(name for name in parameters if name in gives)
    defaults = {name: each.default for name, each in parameters.items() if name not in gives}
    if gives[0] not in needs or inspect.Parameter.empty in defaults.values():
        raise InvalidSetting(
            f"{kind} {shown(function.__name__)}: its function gets {gives[0]!r}, and may ask for "
            f"{', '.join(gives[1:])}; further arguments are settings and need a usual value"
        )
    return Maker(function, needs, defaults)


def makers(kind: str, known: tuple[Maker, ...]) -> Registry[Maker]:
    """The registry of all makers of a kind: `attractory.rules.KIND` makes a user's own known."""
    return Registry(
        kind,
        None,
        "attractory.rules",
        name_of=lambda made: made.name,
        known=known,
        decorator=f"attractory.rules.{kind}",
        accepts=lambda part: isinstance(part, Maker),
    )


@dataclass(frozen=True)
class Chosen:
    """What a field of a rule names, with all its settings."""

    field: str
    maker: Maker
    settings: dict[str, Any]

    def __call__(self, **given: Any) -> Any:
        """Make it, from all that the rule can give; InvalidSetting where its settings forbid it."""
        needed = {name: given[name] for name in self.maker.needs}
        try:
            return self.maker.function(**needed, **self.settings)
        except jax.errors.JAXTypeError:
            raise  # of a function that looks at what JAX traces, for whoever traces it
        except (TypeError, ValueError) as error:
            raise InvalidSetting(f"{self.field}: {error}") from error


def chosen(field: str, value: Named, registry: Registry[Maker]) -> Chosen:
    """What a field of a rule names; ValueError for what is unknown or has a wrong value."""
    settings: dict[str, Any] = {"name": value} if isinstance(value, str) else dict(value)
    name = settings.pop("name", None)
    try:
        found: Maker = registry.find(name)
    except InvalidSetting as error:
        raise ValueError(str(error) if field == registry.kind else f"{field}: {error}") from None
    for setting, given in settings.items():
        if setting not in found.defaults:
            known = nearest(setting, ["name", *found.defaults])
            raise ValueError(f"{field}: {found.name} has no setting {shown(setting)}; {known}")
        place = f"{field}.{setting}"
        settings[setting] = _like(found.defaults[setting], place, given)
    return Chosen(field, found, found.defaults | settings)


def only_name(value: Any) -> Any:
    """The name alone, where there are no settings: to say the same is to be the same."""
    return value["name"] if isinstance(value, dict) and set(value) == {"name"} else value


def _like(usual: Any, place: str, value: Any) -> Any:
    """A setting of the kind of its usual value; None stands for a number that may be missing."""
    if isinstance(usual, bool):
        if not isinstance(value, (bool, np.bool_)):
            raise ValueError(f"{place} = {shown(value)} is not allowed: true or false")
        return bool(value)
    if isinstance(usual, tuple):
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{place} = {shown(value)} is not allowed: a list of numbers")
        return tuple(_number(place, each) for each in value)
    if isinstance(usual, (int, float)) or (usual is None and value is not None):
        return _number(place, value)
    return value


def _number(place: str, value: Any) -> float:
    is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise ValueError(f"{place} = {shown(value)} is not allowed: a number")
    return value.item() if isinstance(value, np.number) else value
