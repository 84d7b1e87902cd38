"""Networks for Keras: as a model of its own, and as a file."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from attractory._arguments import takes
from attractory._errors import FileProblem, InvalidSetting
from attractory._files import a_path, replacing
from attractory.exchange._layers import Chain, Layer, chain_of, foreign
from attractory.exchange.keras._activations import keras_activation
from attractory.exchange.keras._layer import RECURRENT, other_order
from attractory.models import Network, one_network

_ENDINGS = (".weights.h5", ".keras", ".h5", ".hdf5")  # the first that fits counts
_CLASSES = {ours: theirs for theirs, ours in RECURRENT.items()}


@takes(network=one_network)
def to_keras(network: Network) -> Any:
    """The network as a `keras.Sequential`: SimpleRNN, GRU or LSTM layers, then a linear Dense.

    Parameters
    ----------
    network : Network
        The network that is turned into a model of Keras.

    Returns
    -------
    keras.Sequential
        It maps inputs (trial, time, input) to outputs (trial, time, output) in float32, its layers
        are called layer_1, layer_2, ..., readout.

    Raises
    ------
    InvalidSetting
        For a network that would compute something else in Keras (a leak, noise, an activation that
        Keras does not have).
    AttractoryError
        When Keras is missing.

    Notes
    -----
    Keras must be installed; where neither KERAS_BACKEND nor TensorFlow is there, it is imported
    with JAX as its backend.
    """
    chain = chain_of(network, "Keras")
    settings = [_settings(layer) for layer in chain.layers]
    keras = _keras()
    model = keras.Sequential(
        [
            keras.Input((None, chain.layers[0].input_weights.shape[1]), dtype="float32"),
            *(
                getattr(keras.layers, _CLASSES[layer.kind])(**each, name=f"layer_{i}")
                for i, (layer, each) in enumerate(zip(chain.layers, settings, strict=True), 1)
            ),
            keras.layers.Dense(
                len(chain.output_weights),
                use_bias=chain.output_bias is not None,
                dtype="float32",
                name="readout",
            ),
        ],
        name="network",
    )
    model.set_weights(list(_arrays(chain)))
    return model


@takes(network=one_network, path=a_path)
def save_keras(network: Network, path: str | Path) -> Path:
    """Write a network to a file that Keras loads, and `load_keras`.

    Parameters
    ----------
    network : Network
        The network that is written.
    path : str or Path
        The file; an existing one is replaced. The name's ending says the format: `.keras`, `.h5`
        and `.hdf5` (a whole model in the older HDF5), `.weights.h5` (weights alone, without the
        activation).

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FileProblem
        For another ending or when the file cannot be written.
    InvalidSetting, AttractoryError
        As `to_keras`.
    """
    path = Path(path)
    ending = next((each for each in _ENDINGS if path.name.endswith(each)), None)
    if ending is None:
        raise FileProblem(
            f"{path}: Keras writes no file of this ending; allowed: {', '.join(sorted(_ENDINGS))}"
        )
    model = to_keras(network)
    save = model.save_weights if ending == ".weights.h5" else model.save
    with replacing(path) as beside:
        made = beside.with_name(beside.name + ending)  # Keras, too, goes by the ending
        try:
            save(made)
            made.replace(beside)
        finally:
            made.unlink(missing_ok=True)
    return path


def _settings(layer: Layer) -> dict[str, Any]:
    """The arguments of the Keras class."""
    if layer.kind == "RNN":
        settings: dict[str, Any] = {"activation": keras_activation(layer.activation)}
    else:
        settings = {"activation": "tanh", "recurrent_activation": _gates(layer)}
    if layer.kind == "GRU":
        settings["reset_after"] = layer.reset_after
    return {
        "units": layer.units,
        "use_bias": layer.bias is not None,
        "return_sequences": True,
        "dtype": "float32",
        **settings,
    }


def _gates(layer: Layer) -> str:
    if layer.recurrent_activation == "hard_sigmoid_keras2":
        raise InvalidSetting(
            "recurrent_activation = 'hard_sigmoid_keras2' has no counterpart in Keras 3, whose "
            "hard_sigmoid is another function; allowed: sigmoid, hard_sigmoid"
        )
    return layer.recurrent_activation


def _arrays(chain: Chain) -> Iterator[np.ndarray]:
    """All arrays, (from, to) and with the gates in Keras's order, as `set_weights` wants them."""
    for layer in chain.layers:
        yield other_order(layer.kind, layer.input_weights).T
        yield other_order(layer.kind, layer.recurrent_weights).T
        biases = [b for b in (layer.bias, layer.recurrent_bias) if b is not None]
        if biases:
            turned = [other_order(layer.kind, bias) for bias in biases]
            yield np.stack(turned) if len(turned) == 2 else turned[0]
    yield chain.output_weights.T
    if chain.output_bias is not None:
        yield chain.output_bias


def _keras() -> Any:
    # Keras asks for TensorFlow unless told otherwise; JAX is there in any case.
    if "keras" in sys.modules or importlib.util.find_spec("tensorflow") is not None:
        return foreign("keras")
    with _backend("jax"):
        return foreign("keras")


@contextmanager
def _backend(name: str) -> Iterator[None]:
    """KERAS_BACKEND as it is, or `name` for as long as Keras is being imported."""
    if "KERAS_BACKEND" in os.environ:
        yield
        return
    os.environ["KERAS_BACKEND"] = name
    try:
        yield
    finally:
        del os.environ["KERAS_BACKEND"]
