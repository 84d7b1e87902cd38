"""Networks for PyTorch: as a module, and as a state dict in a file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from attractory._arguments import takes
from attractory._errors import FileProblem, InvalidSetting
from attractory._files import a_path, replacing, save_safetensors
from attractory.exchange._activations import name_there
from attractory.exchange._layers import Chain, Layer, chain_of, foreign
from attractory.models import Network, one_network

NONLINEARITIES = ("tanh", "relu")  # those of nn.RNN


@takes(network=one_network)
def to_torch(network: Network) -> Any:
    """The network as a torch.nn.Module.

    Parameters
    ----------
    network : Network
        The network that is turned into a module.

    Returns
    -------
    torch.nn.Module
        (trial, time, input) goes in, (trial, time, output) out. Its layers are `layers` (a
        ModuleList of nn.RNN, nn.GRU or nn.LSTM of one layer each, batch first) and `readout`
        (nn.Linear).

    Raises
    ------
    InvalidSetting
        For a network that would compute something else there (noise, another activation than tanh
        or relu).
    AttractoryError
        When torch is missing.

    Notes
    -----
    A leaky tanh network becomes a GRU with constant gates, which computes the same.
    """
    chain = _checked(network)
    foreign("torch")
    return _module_class()(chain)


@takes(network=one_network, path=a_path)
def save_torch(network: Network, path: str | Path) -> Path:
    """Write a network as a `.safetensors` file with the state dict of `to_torch`'s module.

    Parameters
    ----------
    network : Network
        The network that is written.
    path : str or Path
        The file; an existing one is replaced.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FileProblem
        For another ending or when the file cannot be written.
    InvalidSetting
        As `to_torch`.

    Notes
    -----
    `from_torch` reads it back, activation included; torch is not needed.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise FileProblem(f"{path}: this ending is not allowed: .safetensors")
    chain = _checked(network)
    said = {
        f"layers.{i}.activation": _nonlinearity(layer)
        for i, layer in enumerate(chain.layers)
        if layer.kind == "RNN"
    }
    with replacing(path) as beside:
        save_safetensors(_state_dict(chain), beside, said or None)
    return path


def _checked(network: Network) -> Chain:
    """The layers, where nn.RNN has their activations."""
    chain = chain_of(network, "PyTorch")
    for layer in chain.layers:
        if not layer.reset_after or layer.recurrent_activation != "sigmoid":
            raise InvalidSetting(
                f"a {layer.kind} with reset_after = {layer.reset_after}, recurrent_activation = "
                f"{layer.recurrent_activation!r} has no counterpart in PyTorch; allowed: True, "
                "'sigmoid'"
            )
        if layer.kind == "RNN":
            _nonlinearity(layer)
    return chain


def _nonlinearity(layer: Layer) -> str:
    """nn.RNN's name of a layer's activation; InvalidSetting where it has no such function."""
    return name_there("torch", layer.activation, "PyTorch's nn.RNN", NONLINEARITIES)


def _state_dict(chain: Chain) -> dict[str, np.ndarray]:
    """The arrays by the names that they have in torch."""
    found: dict[str, np.ndarray] = {}
    for i, layer in enumerate(chain.layers):
        own = {"weight_ih": layer.input_weights, "weight_hh": layer.recurrent_weights}
        if layer.bias is not None:
            zero = np.zeros_like(layer.bias)
            own |= {"bias_ih": layer.bias}
            own |= {"bias_hh": zero if layer.recurrent_bias is None else layer.recurrent_bias}
        found |= {f"layers.{i}.{name}_l0": array for name, array in own.items()}
    found["readout.weight"] = chain.output_weights
    if chain.output_bias is not None:
        found["readout.bias"] = chain.output_bias
    return found


@cache
def _module_class() -> Any:
    """The module's class, made when torch is first needed."""
    torch = foreign("torch")

    class RecurrentNetwork(torch.nn.Module):  # type: ignore[name-defined]
        """Recurrent layers in a row and a linear readout of every step."""

        def __init__(self, chain: Chain) -> None:
            super().__init__()
            self.layers = torch.nn.ModuleList(_layer(torch, layer) for layer in chain.layers)
            outputs, units = chain.output_weights.shape
            biased = chain.output_bias is not None
            self.readout = torch.nn.Linear(units, outputs, bias=biased)
            arrays = {name: torch.from_numpy(a.copy()) for name, a in _state_dict(chain).items()}
            self.load_state_dict(arrays)

        def forward(self, inputs: Any) -> Any:
            states = inputs
            for layer in self.layers:
                states, _ = layer(states)
            return self.readout(states)

    return RecurrentNetwork


def _layer(torch: Any, layer: Layer) -> Any:
    more = {"nonlinearity": _nonlinearity(layer)} if layer.kind == "RNN" else {}
    kind = getattr(torch.nn, layer.kind)
    biased = layer.bias is not None
    inputs = layer.input_weights.shape[1]
    return kind(inputs, layer.units, bias=biased, batch_first=True, **more)
