"""What each recurrent layer computes: from a config, or from weights alone and what is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from attractory._errors import InvalidSetting, nearest
from attractory.exchange.keras._activations import keras_name, same_here
from attractory.exchange.keras._layer import SAVE_AGAIN, Equation, KerasLayer, Refused, Said, shown
from attractory.exchange.keras._versions import default_gates, hard_sigmoid
from attractory.models import GateFunction

_SAY_ACTIVATION = "or say which: load_keras(path, activation=...)"
_SAY_GATES = "say which: load_keras(path, recurrent_activation=...)"
# What a caller may say. Keras's own name means what the file's version of Keras calls so.
_GATES: dict[str, GateFunction] = {
    "sigmoid": "sigmoid",
    "hard_sigmoid_keras2": "hard_sigmoid_keras2",
    "hard_sigmoid_keras3": "hard_sigmoid",
}


def check_said(said: Said, layers: Sequence[KerasLayer]) -> None:
    """InvalidSetting for something said that no layer has, or that is no function of gates."""
    kinds = {layer.kind for layer in layers} - {"Dense"}
    there = " and ".join(sorted(kinds))
    if said.activation is not None and "SimpleRNN" not in kinds:
        raise InvalidSetting(
            f"activation = {shown(said.activation)} is not allowed: there is no SimpleRNN, and "
            f"that of {there} is always tanh; allowed: None"
        )
    gates = said.recurrent_activation
    if gates is not None:
        known = (*_GATES, "hard_sigmoid")
        if not isinstance(gates, str) or gates not in known:
            raise InvalidSetting(
                f"recurrent_activation = {shown(gates)} is not allowed; {nearest(gates, known)}"
            )
        if not kinds & {"GRU", "LSTM"}:
            raise InvalidSetting(
                f"recurrent_activation = {shown(gates)} is not allowed: {there} has no gates; "
                "allowed: None"
            )
    if said.reset_after is not None:
        if not isinstance(said.reset_after, bool):
            raise InvalidSetting(
                f"reset_after = {shown(said.reset_after)} is not allowed; allowed: True, False"
            )
        if "GRU" not in kinds:
            raise InvalidSetting(
                f"reset_after = {said.reset_after} is not allowed: there is no GRU; allowed: None"
            )


def equation(
    description: KerasLayer | None, stored: KerasLayer, said: Said, version: str | None
) -> Equation:
    """What a layer computes; `description` is None where there are weights alone.

    version: of the Keras that wrote it, None where that is not known. Refused where the file
    cannot tell and nobody says it.
    """
    if description is not None:  # by the name that the user gave it
        stored = replace(stored, name=description.name)
    if stored.kind == "SimpleRNN":
        return Equation(activation=_activation(description, said))
    gates = _gates(description, stored, said, version)
    if stored.kind == "LSTM":
        return Equation(recurrent_activation=gates)
    return Equation(recurrent_activation=gates, reset_after=_reset_after(description, stored, said))


def _activation(description: KerasLayer | None, said: Said) -> Any:
    if said.activation is not None:
        return said.activation
    if description is None:
        return "tanh"  # Keras's default, in all versions
    name = keras_name(description, "activation", default="tanh")
    known = same_here()
    if name not in known:
        allowed = nearest(name, known)
        raise Refused(
            f"activation {shown(name)} has no counterpart here; {_SAY_ACTIVATION}; {allowed}"
        )
    return known[name]


def _gates(
    description: KerasLayer | None, stored: KerasLayer, said: Said, version: str | None
) -> GateFunction:
    name = said.recurrent_activation
    if name is None and description is not None and "recurrent_activation" in description.settings:
        name = keras_name(description, "recurrent_activation", default="sigmoid")
    if name is None:
        found = default_gates(version)
        if found is None:
            raise Refused(
                f"does not say whether the gates of {stored.title} ({stored.kind}) are sigmoid or "
                f"hard_sigmoid, and {_of(version)} had either; {_SAY_GATES}"
            )
        return found
    if name != "hard_sigmoid":
        if name not in _GATES:
            raise Refused(
                f"{stored.title} ({stored.kind}) has recurrent_activation={shown(name)}; "
                "allowed: 'sigmoid', 'hard_sigmoid'"
            )
        return _GATES[name]
    meant = hard_sigmoid(version)
    if meant is None:
        raise Refused(
            "does not say which Keras wrote it: the hard_sigmoid of Keras 2 (x/5 + 1/2) and 3 "
            "(x/6 + 1/2) differ; say recurrent_activation='hard_sigmoid_keras2' or "
            "'hard_sigmoid_keras3'"
        )
    return meant


def _of(version: str | None) -> str:
    return "Keras" if version is None else f"Keras {shown(version)}"


def _reset_after(description: KerasLayer | None, stored: KerasLayer, said: Said) -> bool:
    """Where the reset gate of a GRU acts: told by the config, and by the shape of the bias."""
    by_bias = None
    if "bias" in stored.arrays:
        by_bias = len(stored.arrays["bias"].shape) == 2
    told = by_bias
    if description is not None:
        # Keras before 2.1.3 knew no other way than False, and wrote nothing.
        told = flag(description, "reset_after", default=False)
    if None not in (told, by_bias) and told != by_bias:
        raise Refused(
            f"{stored.title} (GRU) is described with reset_after={told}, but its bias is that of "
            f"reset_after={by_bias}; {SAVE_AGAIN}"
        )
    if said.reset_after is not None and told is not None and said.reset_after != told:
        raise InvalidSetting(
            f"reset_after = {said.reset_after} is not allowed: {stored.title} has "
            f"reset_after={told}; allowed: None, {told}"
        )
    found = said.reset_after if told is None else told
    if found is None:
        raise Refused(
            f"{stored.title} (GRU) has no bias, so that weights alone do not say whether its reset "
            "gate acts before or after the product; say reset_after=True (default since "
            "TensorFlow 2) or False (before)"
        )
    return found


def flag(layer: KerasLayer, key: str, default: bool) -> bool:
    """A setting that is True or False."""
    value = layer.settings.get(key, default)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise Refused(f"{layer.title} has {key}={shown(value)}; allowed: True, False")
    return value
