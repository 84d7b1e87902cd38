"""Networks in files of Keras: written by Keras 3 itself, or by hand as Keras 2 wrote them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from attractory._errors import FileProblem
from attractory.exchange._layers import Chain, Layer
from attractory.exchange.keras._read import read_keras

AUTHOR_FILES = Path(__file__).resolve().parents[3] / "shared" / "data" / "jarne2024"
N_INPUTS, N_UNITS, N_OUTPUTS = 3, 7, 2
FORMATS = ("model.keras", "model.weights.h5", "model.h5")
# Initial weights that are replaced or never looked at: zeros spare the time to compile others.
ZEROS = {"kernel_initializer": "zeros", "recurrent_initializer": "zeros"}
FUNCTIONS = {
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
}


def only(net: Chain) -> Layer:
    """The one recurrent layer of a network, a SimpleRNN."""
    (layer,) = net.layers
    assert layer.kind == "RNN"
    assert layer.recurrent_bias is None
    return layer


def replaced_layer(net: Chain, **changes: Any) -> Chain:
    return dataclasses.replace(net, layers=(dataclasses.replace(only(net), **changes),))


def simulated(net: Chain, inputs: np.ndarray) -> np.ndarray:
    """Outputs (trial, time, output) of the plain recurrence in float64."""
    layer = only(net)
    phi = FUNCTIONS[layer.activation]
    h = np.zeros((len(inputs), layer.units))
    outputs = []
    for x in np.swapaxes(inputs.astype(np.float64), 0, 1):
        current = h @ layer.recurrent_weights.T + x @ layer.input_weights.T
        h = phi(current if layer.bias is None else current + layer.bias)
        z = h @ net.output_weights.T
        outputs.append(z if net.output_bias is None else z + net.output_bias)
    return np.stack(outputs, axis=1)


def refusal(path: Path) -> str:
    """The message with which a file is refused: one line that starts with the file."""
    with pytest.raises(FileProblem) as caught:
        read_keras(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    assert len(message) <= 300
    return message.removeprefix(f"{path}: ")


def assert_same(net: Chain, other: Chain) -> None:
    pairs = [(net, other), *zip(net.layers, other.layers, strict=True)]
    for got, expected in pairs:
        for name in (entry.name for entry in dataclasses.fields(got) if entry.name != "layers"):
            np.testing.assert_array_equal(getattr(got, name), getattr(expected, name), err_msg=name)


def keras_model(
    keras: Any,
    activation: str = "tanh",
    use_bias: bool = True,
    readout_bias: bool = True,
    distributed: bool = False,
    functional: bool = False,
) -> Any:
    """A model with random weights, its biases too (Keras starts them at 0)."""
    layers = keras.layers
    settings = {"activation": activation, "use_bias": use_bias, "name": "memory"}
    recurrent = layers.SimpleRNN(N_UNITS, return_sequences=True, **settings, **ZEROS)
    readout = layers.Dense(N_OUTPUTS, use_bias=readout_bias, kernel_initializer="zeros")
    readout = layers.TimeDistributed(readout) if distributed else readout
    inputs = keras.Input((None, N_INPUTS))
    if functional:
        model = keras.Model(inputs, readout(recurrent(inputs)))
    else:
        model = keras.Sequential([inputs, recurrent, readout])
    return with_random_weights(model)


def with_random_weights(model: Any) -> Any:
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(scale=0.4, size=w.shape) for w in model.get_weights()])
    return model


def saved(model: Any, path: Path) -> Path:
    save = model.save_weights if path.name.endswith(".weights.h5") else model.save
    save(path)
    return path


def activation_in(path: Path, truth: str) -> str:
    return "tanh" if path.name.endswith(".weights.h5") else truth


def refusal_of_open(file: h5py.File, path: Path) -> str:
    """The refusal of a file that is being edited, as a copy of what it holds now."""
    file.flush()
    now = path.with_name("now.h5")
    with h5py.File(now, "w") as target:
        for key in file:
            file.copy(key, target)
    return refusal(now)


CELL = "memory_1/{}:0"
ARRAYS = ("kernel", "recurrent_kernel", "bias")


def legacy_layers(seed: int = 0) -> dict[str, dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    shapes = ((N_INPUTS, N_UNITS), (N_UNITS, N_UNITS), (N_UNITS,))
    cell = [rng.normal(scale=0.4, size=shape).astype(np.float32) for shape in shapes]
    dense = [rng.normal(size=shape).astype(np.float32) for shape in ((N_UNITS, 2), (2,))]
    return {
        "memory_1": {f"memory_1/{n}:0": a for n, a in zip(ARRAYS, cell, strict=True)},
        "dense_1": {"dense_1/kernel:0": dense[0], "dense_1/bias:0": dense[1]},
    }


def legacy_config(**recurrent: Any) -> dict[str, Any]:
    cell = {"name": "memory_1", "units": N_UNITS, "activation": "relu", "use_bias": True}
    dense = {"name": "dense_1", "units": 2, "activation": "linear", "use_bias": True}
    return {
        "class_name": "Sequential",
        "config": {
            "name": "sequential_1",
            "layers": [
                {"class_name": "SimpleRNN", "config": {**cell, **recurrent}},
                {"class_name": "Dense", "config": dense},
            ],
        },
    }


def write_legacy(path: Path, layers: dict[str, dict[str, np.ndarray]], config: Any = None) -> Path:
    """What `save_model` (with a config) or `save_weights` (without) of Keras 2.3.1 wrote."""
    with h5py.File(path, "w") as file:
        top = file
        if config is not None:
            file.attrs.update(keras_version="2.3.1", backend="tensorflow")
            file.attrs["model_config"] = json.dumps(config)
            top = file.create_group("model_weights")
        top.attrs.update(keras_version="2.3.1", backend="tensorflow")
        top.attrs["layer_names"] = np.array([name.encode() for name in layers])
        for name, arrays in layers.items():
            group = top.create_group(name)
            group.attrs["weight_names"] = np.array([key.encode() for key in arrays])
            for key, array in arrays.items():
                group[key] = array
    return path


def legacy_network(layers: dict[str, dict[str, np.ndarray]], activation: str = "tanh") -> Chain:
    kernel, recurrent_kernel, bias = layers["memory_1"].values()
    output_kernel, output_bias = layers["dense_1"].values()
    return Chain(
        (Layer("RNN", recurrent_kernel.T, kernel.T, bias, activation=activation),),
        output_kernel.T,
        output_bias,
    )
