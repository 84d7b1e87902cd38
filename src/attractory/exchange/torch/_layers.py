"""Layers of nn.RNN, nn.GRU and nn.LSTM, and a readout, from their arrays' names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from attractory._errors import InvalidSetting, shown
from attractory.exchange._layers import GATES, Chain, Layer, foreign
from attractory.exchange.torch._state import strange

ALLOWED = "allowed: nn.RNN, nn.GRU, nn.LSTM in a row and after them one nn.Linear"
# of torch.nn: containers, and what changes nothing when a trained network is used; losses, too
_INERT = {"Dropout", "Identity", "ModuleList", "ModuleDict", "Sequential"}
_KINDS = {gates: kind for kind, gates in GATES.items()}
_ENTRY = re.compile(r"(.*?)(weight|bias)_(ih|hh)_l(\d+)")


class Said(NamedTuple):
    """What arrays do not tell, by the prefix of a layer's names ("" where it is not there).

    order: the prefixes as layers follow each other, None where that is not known.
    """

    activations: Mapping[str, str]
    order: tuple[str, ...] | None = None


def has_layers(names: Collection[str]) -> bool:
    """Whether names of arrays are those of a recurrent layer of torch."""
    return any(_ENTRY.fullmatch(name) for name in names)


def said_by_module(module: Any) -> Said:
    """The order and activations of a module's layers, once it holds nothing that is not read."""
    torch = foreign("torch")
    order, activations, early = [], {}, ""
    for name, part in module.named_modules():
        kind, home = type(part).__name__, type(part).__module__
        place, prefix = f"{name or 'the module'} ({kind})", f"{name}." if name else ""
        if isinstance(part, torch.nn.RNNBase):
            if part.bidirectional or part.proj_size:
                what = "two directions" if part.bidirectional else "projections"
                raise InvalidSetting(f"{place} has {what}; allowed: one direction, no projections")
            order.append(prefix)
            activations[prefix] = getattr(part, "nonlinearity", "tanh")
        elif isinstance(part, torch.nn.Linear) and not order:
            early = early or place
        elif home == "torch.nn.modules.loss":
            continue
        elif home.startswith("torch.nn") and kind not in {*_INERT, "Linear"}:
            raise InvalidSetting(f"{place} cannot be read; {ALLOWED}")
        elif (
            not home.startswith("torch.nn")
            and next(part.parameters(recurse=False), None) is not None
        ):
            raise InvalidSetting(f"{place} has parameters of its own; {ALLOWED}")
    if early and order:
        raise InvalidSetting(f"{early} stands before the recurrent layers; {ALLOWED}")
    return Said(activations, tuple(order))


def chain_of_arrays(arrays: dict[str, np.ndarray], activation: str | None, said: Said) -> Chain:
    """The layers and the readout of a state dict."""
    places: set[tuple[str, int]] = set()  # a prefix, a number
    for name in arrays:
        match = _ENTRY.fullmatch(name)
        if match:
            places.add((match[1], int(match[4])))
        elif re.search(r"_(ih|hh|hr)_l\d+|_reverse$|(weight|bias)_(ih|hh)$", name):
            raise InvalidSetting(f"{shown(name)} belongs to a layer that cannot be read; {ALLOWED}")
    if not places:
        raise InvalidSetting(f"there is no recurrent layer (weight_ih_l0, weight_hh_l0); {ALLOWED}")
    layers = []
    order = _order({prefix for prefix, _ in places}, said.order)
    for prefix, number in sorted(places, key=lambda place: (order.index(place[0]), place[1])):
        own = said.activations.get(prefix, said.activations.get("", "tanh"))
        layers.append(_read_layer(arrays, prefix, number, activation or own))
    for below, above in pairwise(layers):
        if above.input_weights.shape[1] != below.units:
            raise InvalidSetting(
                f"a layer of {below.units} units is followed by one with "
                f"{above.input_weights.shape[1]} inputs; they must be equal"
            )
    return Chain(tuple(layers), *_readout(arrays, layers[-1].units))


def _order(prefixes: Iterable[str], known: tuple[str, ...] | None) -> list[str]:
    """The prefixes as their layers follow each other; names in a file come in any order."""
    found = sorted(prefixes, key=_numbers)
    if known is None:
        stems = {re.sub(r"\d+", "", prefix) for prefix in found}
        if len(stems) > 1:
            raise InvalidSetting(
                f"which comes first, {', '.join(shown(p) for p in found[:4])}: arrays do not "
                "tell; allowed: recurrent layers that are numbered, or the nn.Module itself"
            )
        return found
    shared = sorted(set(found) - set(known))
    if shared:
        raise InvalidSetting(f"{shown(shared[0])} is a layer that stands there twice; {ALLOWED}")
    return list(known)


def _numbers(prefix: str) -> list[int]:
    # a number of very many digits is no place of a layer, and Python refuses to read it
    return [int(number[:18]) for number in re.findall(r"\d+", prefix)]


def _read_layer(arrays: dict[str, np.ndarray], prefix: str, number: int, activation: str) -> Layer:
    def named(part: str) -> np.ndarray | None:
        return arrays.get(f"{prefix}{part}_l{number}")

    into, recurrent = named("weight_ih"), named("weight_hh")
    where = shown(f"{prefix}weight_hh_l{number}")
    if into is None or recurrent is None:
        raise InvalidSetting(f"{where} or its weight_ih is missing; {ALLOWED}")
    gates = len(recurrent) // max(1, recurrent.shape[-1]) if recurrent.ndim == 2 else 0
    if gates not in _KINDS or len(recurrent) != gates * recurrent.shape[1]:
        raise InvalidSetting(
            f"{where} has shape {recurrent.shape}; it must be (gates · units, units), 1, 3 or 4 "
            "gates"
        )
    if into.ndim != 2 or len(into) != len(recurrent) or not into.size:
        raise InvalidSetting(
            f"{shown(f'{prefix}weight_ih_l{number}')} has shape {into.shape}; it must be "
            f"({len(recurrent)}, inputs)"
        )
    bias, recurrent_bias = named("bias_ih"), named("bias_hh")
    for name, vector in [("bias_ih", bias), ("bias_hh", recurrent_bias)]:
        if (vector is None) != (bias is None) or (
            vector is not None and vector.shape != (len(recurrent),)
        ):
            raise InvalidSetting(
                f"{shown(f'{prefix}{name}_l{number}')} must have shape ({len(recurrent)},)"
            )
    kind = _KINDS[gates]
    if kind != "GRU" and bias is not None and recurrent_bias is not None:
        bias, recurrent_bias = bias + recurrent_bias, None
    return Layer(kind, recurrent, into, bias, recurrent_bias, activation)


def _readout(arrays: dict[str, np.ndarray], units: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Weights and bias of the one linear layer."""
    others = {name: a for name, a in arrays.items() if not re.search(r"_(ih|hh)_l\d+$", name)}
    weights = [name for name in others if re.fullmatch(r"(.*\.)?weight", name)]
    if len(weights) != 1:
        named = ", ".join(name[:60] for name in sorted(weights)[:3]) or "none"
        raise InvalidSetting(f"one linear readout is needed, found: {named}; {ALLOWED}")
    name = weights[0]
    bias_name = name.removesuffix("weight") + "bias"
    unknown = sorted(set(others) - {name, bias_name})
    if unknown:
        raise strange(unknown[0], ALLOWED)
    weight, bias = others[name], others.get(bias_name)
    if weight.ndim != 2 or weight.shape[1] != units or not weight.size:
        raise InvalidSetting(
            f"{shown(name)} has shape {weight.shape}; it must be (outputs, {units}), the units of "
            "the last layer"
        )
    if bias is not None and bias.shape != (len(weight),):
        raise InvalidSetting(
            f"{shown(bias_name)} has shape {bias.shape}; it must be ({len(weight)},)"
        )
    return weight, bias
