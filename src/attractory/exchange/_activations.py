"""The names of activations in other frameworks, as the activations' own records say them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from attractory._errors import InvalidSetting, nearest, shown
from attractory.kernels import ACTIVATIONS, ActivationFunction

Framework = Literal["keras", "torch", "onnx"]


def names_there(framework: Framework, allowed: Collection[str] | None = None) -> dict[str, str]:
    """Our names of the activations that a framework has, each to its name there.

    Users' own activations are among them as soon as they are registered. allowed: the names that
    count there; None: all.
    """
    named = {name: getattr(record, framework) for name, record in ACTIVATIONS.items()}
    return {
        ours: theirs
        for ours, theirs in named.items()
        if theirs is not None and (allowed is None or theirs in allowed)
    }


def name_there(
    framework: Framework,
    activation: str | ActivationFunction,
    whose: str,
    allowed: Collection[str] | None = None,
) -> str:
    """A framework's name of an activation; InvalidSetting where it has no such function.

    whose: where it is to be, as the message says it ("Keras", "ONNX's RNN").
    """
    known, name = names_there(framework, allowed), name_of(activation)
    if name not in known:
        said = name if isinstance(name, str) else getattr(name, "__name__", repr(name))
        raise InvalidSetting(
            f"activation = {shown(said)} has no counterpart in {whose}; {nearest(said, known)}"
        )
    return known[str(name)]


def names_here(framework: Framework) -> dict[str, str]:
    """The same from there to here; of several that have one name there, the first registered."""
    found: dict[str, str] = {}
    for ours, theirs in names_there(framework).items():
        found.setdefault(theirs, ours)
    return found


def name_of(activation: str | ActivationFunction) -> str | ActivationFunction:
    """The name of a registered function, or of one that has a name already; else the function."""
    if isinstance(activation, str):
        return activation
    known = (name for name, record in ACTIVATIONS.items() if record.function is activation)
    return next(known, activation)
