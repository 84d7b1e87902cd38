"""Environments of neurogym: made by name, looked into through their wrappers, without noise."""

from __future__ import annotations

import copy
import importlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from attractory._errors import InvalidSetting, shown


class Copies:
    """Makes an environment as a copy of one that the caller made."""

    def __init__(self, environment: Any) -> None:
        self.environment = copy.deepcopy(environment)
        self.__qualname__ = type(environment).__qualname__  # how it is named in JSON

    def __call__(self) -> Any:
        return copy.deepcopy(self.environment)


def made_by(environment: str | Callable[..., Any], settings: dict[str, Any]) -> Any:
    """The environment, made with these settings."""
    make = _maker(environment) if isinstance(environment, str) else environment
    try:
        return make(**settings)
    except (TypeError, ValueError, KeyError) as error:
        raise InvalidSetting(
            f"environment {name_of(environment)}: cannot be made with {settings}: {error}"
        ) from None


def name_of(environment: str | Callable[..., Any]) -> str:
    if isinstance(environment, str):
        return environment
    return getattr(environment, "__qualname__", type(environment).__qualname__)


def take_out_noise(environment: Any) -> None:
    """Have neurogym's `add_randn` add its mean alone; noise that is drawn otherwise stays."""
    inner = innermost(environment)
    noisy = getattr(inner, "add_randn", None)
    if noisy is not None:
        # the numbers are drawn as before, so that the rest of a trial is the same
        inner.add_randn = lambda mu=0, sigma=1, *args, **named: noisy(mu, 0, *args, **named)


def _maker(name: str) -> Callable[..., Any]:
    """What makes the environment of a name: a class 'module:Class', or neurogym."""
    found = _class_named(name)
    if found is not None:
        return found
    try:
        neurogym = importlib.import_module("neurogym")
    except ImportError as error:
        raise InvalidSetting(
            f"environment = {shown(name)} needs neurogym ({error}): "
            "pip install 'attractory[neurogym]'"
        ) from None
    unknown = importlib.import_module("gymnasium").error.Error

    def make(**settings: Any) -> Any:
        try:
            return neurogym.make(name, **settings)
        except unknown as error:
            raise InvalidSetting(f"environment = {shown(name)} is not known: {error}") from None

    return make


def _class_named(name: str) -> type | None:
    """The class of 'module:Class'; None where the name is not of that form."""
    module, _, path = name.partition(":")
    if not path or not all(part.isidentifier() for part in path.split(".")):
        return None
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise InvalidSetting(f"environment = {shown(name)} is not allowed: {error}") from None
    return found


def by_name(kind: type) -> str | type:
    """'module:Class' where the class can be found by it, else the class itself."""
    name = f"{kind.__module__}:{kind.__qualname__}"
    try:
        return name if _class_named(name) is kind else kind
    except InvalidSetting:
        return kind


def dt_of(environment: Any) -> float:
    return float(innermost(environment).dt)


def innermost(environment: Any) -> Any:
    """The environment within all wrappers: it holds the trial."""
    return getattr(environment, "unwrapped", environment)


def outermost(environment: Any, method: str) -> Callable[..., Any] | None:
    """The method of the outermost wrapper that has it (gymnasium's own ones do not)."""
    while not hasattr(type(environment), method) and hasattr(environment, "env"):
        environment = environment.env
    return getattr(environment, method) if hasattr(type(environment), method) else None


@contextmanager
def gymnasium_silent() -> Iterator[None]:
    """Without the advice that gymnasium gives to those who write environments."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"(\x1b\[33m)?WARN: ")
        yield


@contextmanager
def numpy_seeded(seed: int) -> Iterator[None]:
    """For environments that draw from NumPy's global generator, whose state comes back after."""
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
