"""Recurrent layers and a readout: what a network has in common with those of other frameworks."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from attractory._errors import AttractoryError, InvalidSetting
from attractory.exchange._activations import name_of
from attractory.kernels import ActivationFunction
from attractory.models import (
    GRU,
    LSTM,
    GateFunction,
    LowRankRNN,
    Model,
    Network,
    RateRNN,
    Stacked,
    Weights,
    check_weights,
)

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
OPEN = 30.0  # the bias of a gate that is 1 in float32

# what a layer may hold that another framework has, and what says only how it was trained
_known_weights = frozenset(
    {
        *("recurrent_weights", "left_vectors", "right_vectors", "input_weights"),
        *("bias", "recurrent_bias", "output_weights", "output_bias"),
        *("recurrent_mask", "recurrent_fixed"),
    }
)


@dataclass(frozen=True, eq=False)
class Layer:
    """A recurrent layer; matrices are [to, from], the gates in the order of `GRU` and `LSTM`.

    kind: "RNN", "GRU" or "LSTM", with 1, 3 or 4 gates. recurrent_weights (gate x unit, unit),
    input_weights (gate x unit, input), bias (gate x unit,), None where there is none;
    recurrent_bias, the same: a GRU has it when it has the other, other kinds have none.
    activation: of an RNN: a function, or its name. recurrent_activation: of the gates, as in `GRU`.
    reset_after: of a GRU; where it is False there is no recurrent_bias.
    """

    kind: str
    recurrent_weights: np.ndarray
    input_weights: np.ndarray
    bias: np.ndarray | None = None
    recurrent_bias: np.ndarray | None = None
    activation: str | ActivationFunction = "tanh"
    recurrent_activation: GateFunction = "sigmoid"
    reset_after: bool = True

    @property
    def units(self) -> int:
        return int(self.recurrent_weights.shape[1])


@dataclass(frozen=True, eq=False)
class Chain:
    """Recurrent layers, each fed by the one before, and a linear readout of the last.

    All states start at 0. output_weights (output, unit), output_bias (output,) or None.
    """

    layers: tuple[Layer, ...]
    output_weights: np.ndarray
    output_bias: np.ndarray | None = None


def network_of(chain: Chain, copy: bool = True) -> Network:
    """The network; arrays that are not float32 become float64.

    copy: False where the chain's arrays are nobody else's, so that large ones are held once. Raises
    InvalidSetting where a weight is not finite (sums of biases are made here), or so large that it
    is none in float32.
    """
    models = [_model(layer) for layer in chain.layers]
    own = [_arrays(layer) for layer in chain.layers]
    biased = chain.output_bias is not None
    if len(models) == 1:
        model, weights = models[0].replace(output_bias=biased), own[0]
    else:
        model = Stacked(layers=tuple(models), output_bias=biased)
        weights = {f"layer_{i}.{n}": w for i, each in enumerate(own, 1) for n, w in each.items()}
    weights["output_weights"] = chain.output_weights
    if chain.output_bias is not None:
        weights["output_bias"] = chain.output_bias
    check_weights(weights)
    return Network(model, {name: _as_float(array, copy) for name, array in weights.items()})


def chain_of(network: Network, framework: str) -> Chain:
    """The layers of a network in float32, for a framework whose cells have neither leak nor noise.

    Raises InvalidSetting for a network that would compute something else there.
    """
    if network.model.output_noise > 0:
        raise _noisy(framework, "output_noise")
    network = network.closed_loop()  # no other framework has layers with feedback of a readout
    weights = network.weights
    layers = tuple(_layers(network.model, weights, framework))
    bias = weights.get("output_bias")
    return Chain(
        layers, _single(weights["output_weights"]), None if bias is None else _single(bias)
    )


def foreign(package: str) -> Any:
    """A framework that is needed now; AttractoryError names the extra that brings it."""
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise AttractoryError(
            f"{package} is needed here and is not installed: pip install 'attractory[{package}]'"
        ) from None


def _model(layer: Layer) -> Model:
    biased = layer.bias is not None
    tau = _constant_tau(layer)
    if tau is not None:
        return RateRNN(units=layer.units, tau=tau, bias=True)
    if layer.kind == "RNN":
        return RateRNN(units=layer.units, activation=layer.activation, bias=biased)
    gates = layer.recurrent_activation
    if layer.kind == "LSTM":
        return LSTM(units=layer.units, bias=biased, recurrent_activation=gates)
    return GRU(
        units=layer.units,
        bias=biased,
        recurrent_activation=gates,
        reset_after=layer.reset_after,
    )


def _arrays(layer: Layer) -> Weights:
    if _constant_tau(layer) is not None:
        candidate = slice(2 * layer.units, None)
        return {
            "recurrent_weights": layer.recurrent_weights[candidate],
            "input_weights": layer.input_weights[candidate],
            "bias": np.asarray(layer.bias)[candidate],
        }
    names = ("recurrent_weights", "input_weights", "bias", "recurrent_bias")
    return {name: getattr(layer, name) for name in names if getattr(layer, name) is not None}


def _layers(model: Model, weights: Weights, framework: str) -> Iterator[Layer]:
    if type(model) is Stacked:
        for i, each in enumerate(model.layers, 1):
            prefix = f"layer_{i}."
            own = {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}
            yield from _layers(each, own, framework)
        return
    if type(model) in (RateRNN, LowRankRNN):
        kind = "RNN"
    elif type(model) in (GRU, LSTM):
        kind = type(model).__name__
    else:
        raise InvalidSetting(
            f"a {type(model).__name__} has no counterpart in {framework}; "
            "allowed: RateRNN, LowRankRNN, GRU, LSTM, and Stacked of these"
        )
    _check_same_numbers(model, weights, framework)
    bias, recurrent_bias = (
        _single(weights[name]) if name in weights else None for name in ("bias", "recurrent_bias")
    )
    layer = Layer(
        kind,
        _single(model.recurrent_weights(weights)),
        _single(weights["input_weights"]),
        bias,
        recurrent_bias,
        name_of(getattr(model, "activation", "tanh")),
        getattr(model, "recurrent_activation", "sigmoid"),
        getattr(model, "reset_after", True),
    )
    yield layer if model.leak == 1.0 else _as_gated(layer, model.leak)


def _as_gated(layer: Layer, leak: float) -> Layer:
    """A leaky tanh layer as the GRU that it is: reset gate 1, update gate 1 - leak, always."""
    units = layer.units
    gates = np.zeros((2 * units, 1), np.float32)
    biases = np.zeros(3 * units, np.float32)
    biases[:units] = OPEN
    biases[units : 2 * units] = np.log(1 / leak - 1)
    if layer.bias is not None:
        biases[2 * units :] = layer.bias
    return Layer(
        "GRU",
        np.concatenate([np.repeat(gates, units, axis=1), layer.recurrent_weights]),
        np.concatenate(
            [np.repeat(gates, layer.input_weights.shape[1], axis=1), layer.input_weights]
        ),
        biases,
        np.zeros_like(biases),
    )


def _constant_tau(layer: Layer) -> float | None:
    """tau over dt of a layer that `_as_gated` made, or one like it; None for another."""
    if layer.kind != "GRU" or layer.bias is None or layer.recurrent_bias is None:
        return None
    if layer.recurrent_activation != "sigmoid":  # whose gates were open at another bias
        return None
    units = layer.units
    gates = slice(0, 2 * units)
    if layer.recurrent_weights[gates].any() or layer.input_weights[gates].any():
        return None
    biases = layer.bias[gates] + layer.recurrent_bias[gates]
    update = biases[units:]
    if (biases[:units] < OPEN).any() or np.ptp(update) != 0 or layer.recurrent_bias.any():
        return None
    return _fewest_digits(update[0])


def _fewest_digits(logit: np.floating[Any]) -> float:
    """The roundest tau whose update gate has this bias: as it was before it became a float32."""
    tau = 1 + np.exp(np.float64(logit))
    for digits in range(1, 17):
        rounded = float(f"{tau:.{digits}g}")
        if rounded > 1 and logit.dtype.type(np.log(rounded - 1)) == logit:
            return rounded
    return max(1.0, float(tau))


def _check_same_numbers(model: Model, weights: Weights, framework: str) -> None:
    if model.leak != 1.0 and name_of(getattr(model, "activation", "")) != "tanh":
        tau, dt = getattr(model, "tau", None), model.step_length
        raise InvalidSetting(
            f"tau = {tau} with dt = {dt}: this {type(model).__name__} leaks, the cells of "
            f"{framework} do not; allowed: dt = tau, or a RateRNN with activation 'tanh', which is "
            "written as a GRU with constant gates"
        )
    if model.has_cell_noise():
        raise _noisy(framework, "recurrent_noise")
    unknown = sorted(set(weights) - _known_weights)
    if unknown:
        raise InvalidSetting(f"the weights {unknown[0]!r} have no counterpart in {framework}")


def _noisy(framework: str, field: str) -> InvalidSetting:
    return InvalidSetting(
        f"{field} is not 0, and {framework} has no such noise; take it out of the model first: "
        f"model.replace({field}=0)"
    )


def _single(array: Any) -> np.ndarray:
    return np.asarray(array, np.float32)


def _as_float(array: np.ndarray, copy: bool) -> np.ndarray:
    """A copy, unless nobody could change the array, so that the network stays as it is."""
    kind = array.dtype if array.dtype == np.float32 else np.float64
    return np.array(array, dtype=kind, copy=True if copy else None)
