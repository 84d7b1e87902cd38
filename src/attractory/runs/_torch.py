"""Networks from PyTorch: modules, state dicts, safetensors files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open

from attractory._errors import FileProblem, InvalidSetting
from attractory.models import Network
from attractory.runs._layers import GATES, Chain, Layer, foreign, network_of
from attractory.runs._torch_write import ACTIVATIONS

_ALLOWED = "allowed: nn.RNN, nn.GRU, nn.LSTM in a row and after them one nn.Linear"
_INERT = {"Dropout", "Identity", "ModuleList", "ModuleDict", "Sequential"}  # and losses
_KINDS = {gates: kind for kind, gates in GATES.items()}


class _Said(NamedTuple):
    """What arrays do not tell, by the prefix of a layer's names ("" where it is not there).

    order: the prefixes as layers follow each other, None where that is not known.
    """

    activations: Mapping[str, str]
    order: tuple[str, ...] | None = None


def from_torch(source: Any, activation: str | None = None) -> Network:
    """A network from PyTorch: one or more nn.RNN, nn.GRU or nn.LSTM, then one nn.Linear.

    source: an nn.Module that holds these (in the order in which they are used), its state dict, a
    dict of NumPy arrays with the names of one, or the path of a `.safetensors` file with one. The
    readout is taken to read every step of the last layer; states start at 0. The two biases of
    nn.RNN and nn.LSTM are summed. torch itself is only needed for a module.

    activation: of every nn.RNN, "tanh" or "relu". None: as the module or file says (its metadata:
    "activation", or one for a layer, as "layers.0.activation"), and "tanh" where nothing does, as
    in a state dict. A GRU whose gates are constant is the leaky rate network that
    `to_torch` makes one of.

    Raises InvalidSetting (FileProblem for a file) in one line when there is something else in it:
    two directions, projections, other layers with weights, several readouts, a module with its
    nn.Linear first, arrays of recurrent layers whose names do not tell their order by a number.
    """
    if activation not in (None, *ACTIVATIONS):
        raise InvalidSetting(f"activation = {activation!r} is not allowed: 'tanh', 'relu'")
    if isinstance(source, (str, Path)):
        arrays, said = _from_file(Path(source))
        try:
            return network_of(_chain(arrays, activation, said))
        except InvalidSetting as error:
            raise FileProblem(f"{source}: {error}") from None
    if isinstance(source, Mapping):
        return network_of(_chain(_as_arrays(source), activation, _Said({})))
    if not hasattr(source, "named_modules"):
        raise InvalidSetting(
            f"source is of type {type(source).__name__}; allowed: an nn.Module, a state dict, the "
            "path of a .safetensors file"
        )
    said = _from_module(source)
    return network_of(_chain(_as_arrays(source.state_dict()), activation, said))


def _from_file(path: Path) -> tuple[dict[str, np.ndarray], _Said]:
    """The arrays of a file, and the activations that it names."""
    if path.suffix != ".safetensors":
        raise FileProblem(
            f"{path}: this ending is not allowed: .safetensors (a pickled .pt file could run code; "
            "write safetensors.torch.save_file(module.state_dict(), path) where it was made)"
        )
    if not path.exists():
        raise FileProblem(f"{path}: there is no such file")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise FileProblem(f"{path}: damaged, not readable as safetensors ({error})") from None
    said = {n.removesuffix("activation"): a for n, a in metadata.items() if _is_activation(n)}
    for activation in said.values():
        if activation not in ACTIVATIONS:
            raise FileProblem(
                f"{path}: activation = {activation!r} is not one of nn.RNN; allowed: 'tanh', 'relu'"
            )
    try:
        return _as_arrays(arrays), _Said(said)
    except InvalidSetting as error:
        raise FileProblem(f"{path}: {error}") from None


def _is_activation(name: str) -> bool:
    return name == "activation" or name.endswith(".activation")


def _as_arrays(source: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """NumPy arrays by name: float32 as they are, other numbers as float64."""
    found = {}
    for name, value in source.items():
        if hasattr(value, "detach"):  # a tensor, perhaps of a type that NumPy does not have
            value = value.detach().cpu()
            value = (value.double() if value.itemsize > 4 else value.float()).numpy()
        try:
            array = np.asarray(value)
            array = array if array.dtype == np.float32 else array.astype(np.float64)
        except (TypeError, ValueError):
            raise InvalidSetting(f"{name!r} is no array of numbers") from None
        if not np.isfinite(array).all():
            raise InvalidSetting(f"{name!r} has values that are not finite; all must be")
        found[str(name)] = array
    return found


def _from_module(module: Any) -> _Said:
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
            raise InvalidSetting(f"{place} cannot be read; {_ALLOWED}")
        elif (
            not home.startswith("torch.nn")
            and next(part.parameters(recurse=False), None) is not None
        ):
            raise InvalidSetting(f"{place} has parameters of its own; {_ALLOWED}")
    if early and order:
        raise InvalidSetting(f"{early} stands before the recurrent layers; {_ALLOWED}")
    return _Said(activations, tuple(order))


def _chain(arrays: dict[str, np.ndarray], activation: str | None, said: _Said) -> Chain:
    """The layers and the readout of a state dict."""
    places: set[tuple[str, int]] = set()  # a prefix, a number
    for name in arrays:
        match = re.fullmatch(r"(.*?)(weight|bias)_(ih|hh)_l(\d+)", name)
        if match:
            places.add((match[1], int(match[4])))
        elif re.search(r"_(ih|hh|hr)_l\d+|_reverse$|(weight|bias)_(ih|hh)$", name):
            raise InvalidSetting(f"{name!r} belongs to a layer that cannot be read; {_ALLOWED}")
    if not places:
        raise InvalidSetting(
            f"there is no recurrent layer (weight_ih_l0, weight_hh_l0); {_ALLOWED}"
        )
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
                f"which comes first, {', '.join(repr(p) for p in found)}: arrays do not tell; "
                "allowed: recurrent layers that are numbered, or the nn.Module itself"
            )
        return found
    shared = sorted(set(found) - set(known))
    if shared:
        raise InvalidSetting(f"{shared[0]!r} is a layer that stands there twice; {_ALLOWED}")
    return list(known)


def _numbers(prefix: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", prefix)]


def _read_layer(arrays: dict[str, np.ndarray], prefix: str, number: int, activation: str) -> Layer:
    def named(part: str) -> np.ndarray | None:
        return arrays.get(f"{prefix}{part}_l{number}")

    into, recurrent = named("weight_ih"), named("weight_hh")
    where = f"{prefix}weight_hh_l{number}"
    if into is None or recurrent is None:
        raise InvalidSetting(f"{where!r} or its weight_ih is missing; {_ALLOWED}")
    gates = len(recurrent) // max(1, recurrent.shape[-1]) if recurrent.ndim == 2 else 0
    if gates not in _KINDS or len(recurrent) != gates * recurrent.shape[1]:
        raise InvalidSetting(
            f"{where!r} has shape {recurrent.shape}; it must be (gates · units, units), 1, 3 or 4 "
            "gates"
        )
    if into.ndim != 2 or len(into) != len(recurrent):
        raise InvalidSetting(
            f"'{prefix}weight_ih_l{number}' has shape {into.shape}; it must be "
            f"({len(recurrent)}, inputs)"
        )
    bias, recurrent_bias = named("bias_ih"), named("bias_hh")
    for name, vector in [("bias_ih", bias), ("bias_hh", recurrent_bias)]:
        if (vector is None) != (bias is None) or (
            vector is not None and vector.shape != (len(recurrent),)
        ):
            raise InvalidSetting(f"'{prefix}{name}_l{number}' must have shape ({len(recurrent)},)")
    kind = _KINDS[gates]
    if kind != "GRU" and bias is not None and recurrent_bias is not None:
        bias, recurrent_bias = bias + recurrent_bias, None
    return Layer(kind, recurrent, into, bias, recurrent_bias, activation)


def _readout(arrays: dict[str, np.ndarray], units: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Weights and bias of the one linear layer."""
    others = {name: a for name, a in arrays.items() if not re.search(r"_(ih|hh)_l\d+$", name)}
    weights = [name for name in others if re.fullmatch(r"(.*\.)?weight", name)]
    if len(weights) != 1:
        named = ", ".join(sorted(weights)) or "none"
        raise InvalidSetting(f"one linear readout is needed, found: {named}; {_ALLOWED}")
    name = weights[0]
    bias_name = name.removesuffix("weight") + "bias"
    strange = sorted(set(others) - {name, bias_name})
    if strange:
        raise InvalidSetting(f"{strange[0]!r} cannot be read; {_ALLOWED}")
    weight, bias = others[name], others.get(bias_name)
    if weight.ndim != 2 or weight.shape[1] != units:
        raise InvalidSetting(
            f"{name!r} has shape {weight.shape}; it must be (outputs, {units}), the units of the "
            "last layer"
        )
    if bias is not None and bias.shape != (len(weight),):
        raise InvalidSetting(f"{bias_name!r} has shape {bias.shape}; it must be ({len(weight)},)")
    return weight, bias
