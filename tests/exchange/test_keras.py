"""Reading Keras files: Keras 3 itself writes the modern ones and predicts the numbers to match.

The files of Keras 2.3 are built by hand after the layout of those that the paper's author
published, and those themselves are read where they lie beside the project.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from attractory._errors import FileProblem
from attractory.exchange._layers import Chain, Layer
from attractory.exchange.keras._activations import KERAS_ACTIVATIONS
from attractory.exchange.keras._read import read_keras

# Keras 3.15 itself calls NumPy 2 in a way that NumPy deprecates; nothing of ours is let off.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

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


# Files that the real Keras 3 writes


@pytest.fixture(scope="module")
def keras(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "jax")
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras_home")))
        return pytest.importorskip("keras", reason="the real Keras writes these files")


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


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"use_bias": False},
        {"activation": "relu", "distributed": True},
        {"activation": "sigmoid", "functional": True},
        {"use_bias": False, "readout_bias": False, "distributed": True, "functional": True},
    ],
    ids=lambda settings: "-".join(map(str, settings.values())) or "plain",
)
def test_a_network_read_back_gives_the_outputs_that_keras_predicts(
    keras: Any, tmp_path: Path, settings: dict[str, Any]
) -> None:
    model = keras_model(keras, **settings)
    inputs = np.random.default_rng(4).normal(size=(4, 50, N_INPUTS)).astype(np.float32)
    expected = model.predict(inputs, verbose=0)
    truth = settings.get("activation", "tanh")
    for name in FORMATS:
        path = saved(model, tmp_path / name)
        net = read_keras(path)
        assert only(net).activation == activation_in(path, truth), name
        assert (only(net).bias is not None) == settings.get("use_bias", True), name
        assert (net.output_bias is not None) == settings.get("readout_bias", True), name
        # A file of weights alone has lost the activation: the user has to give it again.
        outputs = simulated(replaced_layer(net, activation=truth), inputs)
        np.testing.assert_allclose(outputs, expected, atol=1e-5, rtol=0, err_msg=name)


@pytest.mark.parametrize("name", FORMATS)
def test_every_matrix_is_the_transpose_of_keras_own_kernel(
    keras: Any, tmp_path: Path, name: str
) -> None:
    model = keras_model(keras)
    net = read_keras(saved(model, tmp_path / name))
    kernel, recurrent_kernel, bias, output_kernel, output_bias = model.get_weights()
    expected = Chain(
        (Layer("RNN", recurrent_kernel.T, kernel.T, bias, activation="tanh"),),
        output_kernel.T,
        output_bias,
    )
    assert_same(net, expected)
    assert only(net).input_weights.shape == (N_UNITS, N_INPUTS)
    assert net.output_weights.shape == (N_OUTPUTS, N_UNITS)
    assert {a.dtype for a in (only(net).recurrent_weights, only(net).input_weights)} == {
        np.dtype(np.float64)
    }


def test_the_arrays_of_an_optimizer_are_ignored(keras: Any, tmp_path: Path) -> None:
    model = keras_model(keras)
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    for name in FORMATS:
        path = saved(model, tmp_path / name)
        net = read_keras(path)
        np.testing.assert_array_equal(only(net).recurrent_weights, model.get_weights()[1].T)
    with h5py.File(path, "r") as file:
        assert "optimizer_weights" in file


@pytest.mark.parametrize("name", FORMATS)
def test_layers_that_act_in_training_alone_are_passed_over(
    keras: Any, tmp_path: Path, name: str
) -> None:
    layers = keras.layers
    settings = {"return_sequences": True, "stateful": True, "dropout": 0.1, **ZEROS}
    recurrent = layers.SimpleRNN(N_UNITS, **settings)
    noisy = [layers.GaussianNoise(0.1), recurrent, layers.Dropout(0.2), layers.Dense(N_OUTPUTS)]
    model = with_random_weights(keras.Sequential([keras.Input((5, N_INPUTS), 2), *noisy]))
    net = read_keras(saved(model, tmp_path / name))
    np.testing.assert_array_equal(only(net).recurrent_weights, model.get_weights()[1].T)


def test_a_recurrent_activation_of_none_is_linear(keras: Any, tmp_path: Path) -> None:
    model = keras_model(keras, activation=None)
    assert only(read_keras(saved(model, tmp_path / "m.keras"))).activation == "linear"


def test_half_precision_is_read_exactly(keras: Any, tmp_path: Path) -> None:
    layers = keras.layers
    recurrent = layers.SimpleRNN(N_UNITS, dtype="float16", return_sequences=True, **ZEROS)
    model = with_random_weights(
        keras.Sequential([keras.Input((None, 3)), recurrent, layers.Dense(2, dtype="float16")])
    )
    net = read_keras(saved(model, tmp_path / "m.keras"))
    np.testing.assert_array_equal(only(net).recurrent_weights, model.get_weights()[1].T)


def test_the_known_activations_are_those_of_keras(keras: Any) -> None:
    builtin = {name for name in dir(keras.activations) if not name.startswith("_")}
    assert builtin - {"get", "serialize", "deserialize"} <= KERAS_ACTIVATIONS


def test_a_folder_called_as_in_keras_2_13_is_read(keras: Any, tmp_path: Path) -> None:
    path = saved(keras_model(keras), tmp_path / "m.weights.h5")
    before = read_keras(path)
    with h5py.File(path, "a") as file:
        file.move("layers", "_layer_checkpoint_dependencies")
    assert_same(read_keras(path), before)


def refused_models(keras: Any) -> dict[str, tuple[list[Any], list[str]]]:
    """Layers after the input, and the words with which every file of them is refused."""
    layers = keras.layers
    rnn = {"return_sequences": True, **ZEROS}
    return {
        "cell": (
            [layers.RNN(layers.LSTMCell(4), return_sequences=True, name="rnn"), layers.Dense(2)],
            ["'rnn'", "of kind 'RNN'", "SimpleRNN, GRU, LSTM layers in a row"],
        ),
        "two dense": (
            [layers.SimpleRNN(4, **rnn), layers.Dense(3), layers.Dense(2)],
            ["2 Dense layers", "dense"],
        ),
        "no recurrent": ([layers.Dense(2)], ["no recurrent layer"]),
        "no dense": ([layers.SimpleRNN(4, **rnn)], ["no Dense readout"]),
        "activation layer": (
            [layers.SimpleRNN(4, **rnn), layers.Activation("relu"), layers.Dense(2)],
            ["'activation", "of kind"],
        ),
        "normalization": (
            [layers.SimpleRNN(4, **rnn), layers.BatchNormalization(), layers.Dense(2)],
            ["'batch_normalization", "of kind"],
        ),
        "bidirectional": (
            [layers.Bidirectional(layers.SimpleRNN(4, **rnn)), layers.Dense(2)],
            ["'bidirectional", "'Bidirectional'", "SimpleRNN, GRU, LSTM layers in a row"],
        ),
    }


# fmt: off
REFUSED = [
    "cell", "two dense", "no recurrent", "no dense", "activation layer", "normalization",
    "bidirectional",
]
# fmt: on


@pytest.mark.parametrize("case", REFUSED)
def test_other_layers_are_refused_by_name_in_every_format(
    keras: Any, tmp_path: Path, case: str
) -> None:
    layers, words = refused_models(keras)[case]
    model = keras.Sequential([keras.Input((None, N_INPUTS)), *layers])
    for name in FORMATS:
        message = refusal(saved(model, tmp_path / name))
        for word in words:
            assert word in message, name


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
@pytest.mark.parametrize(
    ("recurrent", "readout", "words"),
    [
        ({"kind": "LSTM", "activation": "relu"}, {}, ["'memory' (LSTM)", "activation='relu'"]),
        (
            {"kind": "GRU", "recurrent_activation": "relu"},
            {},
            ["'memory' (GRU)", "recurrent_activation='relu'; allowed: 'sigmoid', 'hard_sigmoid'"],
        ),
        ({"go_backwards": True}, {}, ["'memory'", "go_backwards=True"]),
        ({}, {"activation": "sigmoid"}, ["'reading'", "'sigmoid'", "'linear'"]),
        ({"activation": "custom"}, {}, ["'memory'", "custom activation ('doubled')"]),
        ({}, {"activation": "custom"}, ["'reading'", "custom activation ('doubled')"]),
        ({"activation": "object"}, {}, ["'memory'", "custom activation ('LeakyReLU')"]),
    ],
)
def test_settings_that_change_the_numbers_are_refused(
    keras: Any, tmp_path: Path, name: str, recurrent: Any, readout: Any, words: list[str]
) -> None:
    def doubled(x: Any) -> Any:
        return 2 * x

    own = {"custom": doubled, "object": keras.layers.LeakyReLU()}
    recurrent, readout = (
        {key: own.get(value, value) for key, value in settings.items()}
        for settings in (recurrent, readout)
    )
    layers = keras.layers
    kind = getattr(layers, recurrent.pop("kind", "SimpleRNN"))
    first = kind(4, return_sequences=True, name="memory", **recurrent, **ZEROS)
    last = layers.Dense(2, name="reading", **readout)
    model = keras.Sequential([keras.Input((None, N_INPUTS)), first, last])
    message = refusal(saved(model, tmp_path / name))
    for word in words:
        assert word in message


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_graph_that_is_not_a_chain_is_refused(keras: Any, tmp_path: Path, name: str) -> None:
    layers = keras.layers
    x = keras.Input((None, N_INPUTS), name="stimulus")
    h = layers.SimpleRNN(4, return_sequences=True, **ZEROS)(x)
    dense = layers.Dense(2, name="reading")
    forked = keras.Model(x, [dense(h), h])
    assert "has 2 outputs ('reading'" in refusal(saved(forked, tmp_path / name))

    start = keras.Input((4,), name="start")
    h = layers.SimpleRNN(4, return_sequences=True, **ZEROS)(x, initial_state=start)
    started = keras.Model([x, start], layers.Dense(2)(h))
    assert "has 2 inputs ('stimulus', 'start')" in refusal(saved(started, tmp_path / name))

    h, state = layers.GRU(4, return_sequences=True, return_state=True, name="first", **ZEROS)(x)
    h = layers.GRU(4, return_sequences=True, name="second", **ZEROS)(h, initial_state=state)
    handed = keras.Model(x, layers.Dense(2)(h))
    message = refusal(saved(handed, tmp_path / name))
    assert "feeds layer 'second' with more, or with another, than the output" in message

    twice = layers.SimpleRNN(N_INPUTS, return_sequences=True, name="twice", **ZEROS)
    repeated = keras.Model(x, layers.Dense(2)(twice(twice(x))))
    assert "uses layer 'twice' 2 times" in refusal(saved(repeated, tmp_path / name))


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_readout_before_the_recurrence_is_refused(keras: Any, tmp_path: Path, name: str) -> None:
    layers = [keras.layers.Dense(4, name="d"), keras.layers.SimpleRNN(4, name="r", **ZEROS)]
    model = keras.Sequential([keras.Input((None, 4)), *layers])
    assert "'d' stands before the SimpleRNN 'r'" in refusal(saved(model, tmp_path / name))


@pytest.mark.parametrize("layer", ["simple_rnn", "dense"])
def test_an_activation_that_is_a_layer_shows_even_in_weights_alone(
    keras: Any, tmp_path: Path, layer: str
) -> None:
    own = {layer: {"activation": keras.layers.LeakyReLU()}}
    recurrent = keras.layers.SimpleRNN(4, **own.get("simple_rnn", {}), **ZEROS)
    layers = [recurrent, keras.layers.Dense(2, **own.get("dense", {}))]
    model = keras.Sequential([keras.Input((None, 3)), *layers])
    message = refusal(saved(model, tmp_path / "m.weights.h5"))
    assert f"layer {layer!r} has parts that cannot be imported ('activation')" in message


def test_custom_code_under_a_keras_name_is_refused(keras: Any, tmp_path: Path) -> None:
    class SimpleRNN(keras.layers.SimpleRNN):
        pass

    layers = [SimpleRNN(4, name="mine", **ZEROS), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((None, 4)), *layers])
    assert "'mine' is of kind 'SimpleRNN (custom code)'" in refusal(
        saved(model, tmp_path / "m.keras")
    )


def test_of_a_users_own_model_class_only_the_weights_are_read(keras: Any, tmp_path: Path) -> None:
    class Mine(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = keras.layers.SimpleRNN(4, return_sequences=True, **ZEROS)
            self.out = keras.layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.out(self.rnn(x))

        def get_config(self) -> dict[str, Any]:
            return {}

    model = Mine()
    model(np.zeros((1, 2, 3), np.float32))
    with_random_weights(model)
    assert "model of class 'Mine'" in refusal(saved(model, tmp_path / "m.keras"))
    net = read_keras(saved(model, tmp_path / "m.weights.h5"))
    np.testing.assert_array_equal(net.output_weights, model.out.kernel.numpy().T)


def test_a_layer_without_all_its_weights_is_refused(keras: Any, tmp_path: Path) -> None:
    path = saved(keras_model(keras), tmp_path / "m.weights.h5")
    with h5py.File(path, "a") as file:
        del file["layers/simple_rnn/cell/vars/2"]
        del file["layers/simple_rnn/cell/vars/1"]
    assert "layer 'simple_rnn' has no recurrent_kernel" in refusal(path)


def test_a_quantized_readout_is_refused(keras: Any, tmp_path: Path) -> None:
    path = saved(keras_model(keras), tmp_path / "m.weights.h5")
    with h5py.File(path, "a") as file:
        variables = file["layers/dense/vars"]
        kernel = variables["0"][()]
        del variables["0"]
        variables["0"] = kernel.astype(np.int8)
        assert "kernel of layer 'dense' has type int8" in refusal_of_open(file, path)
        variables["2"] = np.ones(2)
        assert "'dense' holds 3 arrays" in refusal_of_open(file, path)


def refusal_of_open(file: h5py.File, path: Path) -> str:
    """The refusal of a file that is being edited, as a copy of what it holds now."""
    file.flush()
    now = path.with_name("now.h5")
    with h5py.File(now, "w") as target:
        for key in file:
            file.copy(key, target)
    return refusal(now)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_cut_anywhere_is_refused(keras: Any, tmp_path: Path, name: str) -> None:
    whole = saved(keras_model(keras), tmp_path / name).read_bytes()
    cut = tmp_path / f"cut-{name}"
    for length in [0, 1, 4, 8, 9, 100, *np.linspace(200, len(whole) - 1, 20).astype(int)]:
        cut.write_bytes(whole[:length])
        message = refusal(cut)
        assert ("damaged or cut off" if length > 8 else "") in message


def test_an_archive_with_a_cut_inside_is_refused(keras: Any, tmp_path: Path) -> None:
    path = saved(keras_model(keras), tmp_path / "m.keras")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}

    def refused_with(**changes: bytes | None) -> str:
        changed = tmp_path / "changed.keras"
        with zipfile.ZipFile(changed, "w") as archive:
            for name, content in members.items():
                new = changes.get(name.partition(".")[0], content)
                if new is not None:
                    archive.writestr(name, new)
        return refusal(changed)

    assert "damaged or cut off" in refused_with(model=members["model.weights.h5"][:5000])
    assert "damaged or cut off" in refused_with(model=b"")
    assert "without model.weights.h5" in refused_with(model=None)
    assert "without config.json" in refused_with(config=None)
    assert "not JSON" in refused_with(config=b"")
    assert "not JSON" in refused_with(config=b"\xff\xfe")
    assert "not JSON" in refused_with(config=b"[" * 100_000)
    assert "no valid 'class_name'" in refused_with(config=b"[]")


def test_a_bit_flipped_inside_an_archive_is_refused(keras: Any, tmp_path: Path) -> None:
    path = saved(keras_model(keras), tmp_path / "m.keras")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1  # the weights fill the middle; the zip has a checksum of them
    path.write_bytes(content)
    assert "damaged or cut off" in refusal(path)


# Files as Keras 2.3 wrote them, built by hand


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


def test_a_full_legacy_model_is_read(tmp_path: Path) -> None:
    layers = legacy_layers()
    path = write_legacy(tmp_path / "m.hdf5", layers, legacy_config())
    assert_same(read_keras(path), legacy_network(layers, "relu"))
    assert_same(read_keras(str(path)), legacy_network(layers, "relu"))


def test_legacy_weights_alone_are_read_as_tanh_and_linear(tmp_path: Path) -> None:
    layers = legacy_layers()
    assert_same(read_keras(write_legacy(tmp_path / "w.h5", layers)), legacy_network(layers))


def test_the_names_of_other_keras_2_versions_are_understood(tmp_path: Path) -> None:
    layers = legacy_layers()
    renamed = {
        "input_1": {},
        "memory_1": {
            f"memory_1/simple_rnn_cell/{name}_1:0": array
            for name, array in zip(ARRAYS, layers["memory_1"].values(), strict=True)
        },
        "dropout_1": {},
        "dense_1": layers["dense_1"],
    }
    assert_same(read_keras(write_legacy(tmp_path / "w.h5", renamed)), legacy_network(layers))


def test_a_list_of_names_that_keras_split_is_joined(tmp_path: Path) -> None:
    layers = legacy_layers()
    path = write_legacy(tmp_path / "w.h5", layers)
    with h5py.File(path, "a") as file:
        del file.attrs["layer_names"]
        file.attrs["layer_names0"] = np.array([b"memory_1"])
        file.attrs["layer_names1"] = np.array([b"dense_1"])
    assert_same(read_keras(path), legacy_network(layers))


def test_the_bare_list_of_layers_of_early_keras_2_is_read(tmp_path: Path) -> None:
    config = legacy_config()
    config["config"] = config["config"]["layers"]
    layers = legacy_layers()
    path = write_legacy(tmp_path / "m.h5", layers, config)
    assert_same(read_keras(path), legacy_network(layers, "relu"))


def test_what_the_file_is_called_does_not_matter(keras: Any, tmp_path: Path) -> None:
    layers = legacy_layers()
    path = write_legacy(tmp_path / "m.keras", layers, legacy_config())
    assert_same(read_keras(path), legacy_network(layers, "relu"))
    archive = saved(keras_model(keras), tmp_path / "a.keras")
    assert only(read_keras(archive.rename(tmp_path / "a.hdf5"))).activation == "tanh"


# The error cases, on legacy files


@pytest.mark.parametrize("full", [True, False], ids=["model", "weights"])
@pytest.mark.parametrize(
    ("layer", "array", "shape", "words"),
    [
        ("memory_1", 0, (3, 6), "the kernel of layer 'memory_1' has shape (3, 6)"),
        ("memory_1", 0, (7,), "the kernel of layer 'memory_1' has shape (7,)"),
        ("memory_1", 1, (7, 6), "the recurrent_kernel of layer 'memory_1' has shape (7, 6)"),
        ("memory_1", 1, (7, 7, 1), "the recurrent_kernel of layer 'memory_1' has shape"),
        ("memory_1", 2, (6,), "the bias of layer 'memory_1' has shape (6,)"),
        ("memory_1", 2, (2, 7), "the bias of layer 'memory_1' has shape (2, 7)"),
        ("dense_1", 0, (6, 2), "the kernel of layer 'dense_1' has shape (6, 2)"),
        ("dense_1", 1, (3,), "the bias of layer 'dense_1' has shape (3,)"),
        ("memory_1", 1, (0, 0), "the recurrent_kernel of layer 'memory_1' has shape (0, 0)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    tmp_path: Path, full: bool, layer: str, array: int, shape: tuple[int, ...], words: str
) -> None:
    layers = legacy_layers()
    layers[layer][list(layers[layer])[array]] = np.zeros(shape, np.float32)
    message = refusal(write_legacy(tmp_path / "m.h5", layers, legacy_config() if full else None))
    assert words in message


@pytest.mark.parametrize(
    ("layer", "array", "name"),
    [
        ("memory_1", 0, "kernel"),
        ("memory_1", 1, "recurrent_kernel"),
        ("memory_1", 2, "bias"),
        ("dense_1", 0, "kernel"),
        ("dense_1", 1, "bias"),
    ],
)
def test_nan_and_infinity_are_counted_and_their_matrix_named(
    tmp_path: Path, layer: str, array: int, name: str
) -> None:
    layers = legacy_layers()
    values = layers[layer][list(layers[layer])[array]]
    values.flat[:2] = np.nan, -np.inf
    message = refusal(write_legacy(tmp_path / "m.h5", layers))
    assert f"the {name} of layer {layer!r} has 2 NaN or infinite values of {values.size}" in message


def test_numbers_beyond_float32_and_signalling_nan_are_counted_too(tmp_path: Path) -> None:
    layers = legacy_layers()
    values = layers["dense_1"]["dense_1/kernel:0"]
    for bad in (values.astype(np.float64), values.copy()):
        bad.flat[0] = 1e300 if bad.dtype == np.float64 else np.nan
        if bad.dtype == np.float32:
            bad.view(np.uint32).flat[0] = 0x7FA00000  # a NaN that raises a flag when it is copied
        layers["dense_1"]["dense_1/kernel:0"] = bad
        message = refusal(write_legacy(tmp_path / "m.h5", layers))
        assert "the kernel of layer 'dense_1' has 1 NaN or infinite values of 14" in message


def test_numbers_that_are_not_real_are_refused(tmp_path: Path) -> None:
    layers = legacy_layers()
    layers["dense_1"]["dense_1/kernel:0"] = np.ones((N_UNITS, 2), np.complex64)
    message = refusal(write_legacy(tmp_path / "m.h5", layers))
    assert "the kernel of layer 'dense_1' has type complex64" in message


def legacy_gated(gates: int, bias_shape: tuple[int, ...]) -> dict[str, dict[str, np.ndarray]]:
    """The layers with so many gates; each gate has another bias."""
    layers = legacy_layers()
    cell = {key: np.tile(array, gates) for key, array in layers["memory_1"].items()}
    cell["memory_1/bias:0"] = np.arange(np.prod(bias_shape), dtype=np.float32).reshape(bias_shape)
    return {**layers, "memory_1": cell}


@pytest.mark.parametrize(("gates", "bias_shape", "kind"), [(3, (2, 21), "GRU"), (4, (28,), "LSTM")])
def test_gated_layers_are_known_by_their_shapes_whatever_their_name(
    tmp_path: Path, gates: int, bias_shape: tuple[int, ...], kind: str
) -> None:
    layers = legacy_gated(gates, bias_shape)
    (layer,) = read_keras(write_legacy(tmp_path / "w.h5", layers)).layers
    assert layer.kind == kind
    assert layer.recurrent_weights.shape == (gates * N_UNITS, N_UNITS)
    assert layer.bias is not None
    first = [int(block[0]) for block in np.split(layer.bias, gates)]
    assert first == ([7, 0, 14] if kind == "GRU" else [0, 7, 14, 21])


@pytest.mark.parametrize(
    ("gates", "bias_shape", "words"),
    [
        (3, (42,), "'memory_1' is of kind 'CuDNNGRU'"),
        (4, (56,), "'memory_1' is of kind 'CuDNNLSTM'"),
        (4, (2, 28), "the bias of layer 'memory_1' has shape (2, 28)"),
    ],
)
def test_gated_layers_of_other_equations_are_refused(
    tmp_path: Path, gates: int, bias_shape: tuple[int, ...], words: str
) -> None:
    layers = legacy_gated(gates, bias_shape)
    assert words in refusal(write_legacy(tmp_path / "w.h5", layers))


def test_the_weights_must_be_those_of_the_described_layers(tmp_path: Path) -> None:
    path = write_legacy(tmp_path / "m.h5", legacy_gated(4, (28,)), legacy_config())
    assert "describes 0 LSTM layers but holds the weights of 1" in refusal(path)
    config = legacy_config()
    config["config"]["layers"].insert(1, copy.deepcopy(config["config"]["layers"][0]))
    path = write_legacy(tmp_path / "m.h5", legacy_layers(), config)
    assert "describes 2 SimpleRNN layers but holds the weights of 1" in refusal(path)


@pytest.mark.parametrize("bad", ["not", "even", ["numbers"], None])
def test_arrays_without_a_shape_are_refused(tmp_path: Path, bad: Any) -> None:
    path = write_legacy(tmp_path / "w.h5", legacy_layers())
    with h5py.File(path, "a") as file:
        del file["memory_1/memory_1/recurrent_kernel:0"]
        file["memory_1/memory_1/recurrent_kernel:0"] = h5py.Empty("f4") if bad is None else bad
    refusal(path)


def test_legacy_layers_are_counted(tmp_path: Path) -> None:
    layers = legacy_layers()
    cell, dense = layers.items()
    cases: dict[str, dict[str, Any]] = {
        "has no recurrent layer": {"dense_1": layers["dense_1"]},
        "has no Dense readout": {"memory_1": layers["memory_1"]},
        "the kernel of layer 'copy' has shape (3, 7); allowed beside the others: (7, 7)": dict(
            [cell, ("copy", cell[1]), dense]
        ),
        "2 Dense layers ('dense_1', 'copy')": dict([cell, dense, ("copy", dense[1])]),
        "'dense_1' stands before the SimpleRNN 'memory_1'": dict([dense, cell]),
        "'stimulus' is of kind 'unknown (no arrays)'": {"stimulus": {}, **layers},
        "'memory_1' holds two arrays 'bias'": {
            **layers,
            "memory_1": {**cell[1], "b/bias:0": np.zeros(N_UNITS)},
        },
        "'norm' is of kind 'unknown (its arrays: gamma)'": {
            **layers,
            "norm": {"norm/gamma:0": np.zeros(N_UNITS)},
        },
    }
    for words, content in cases.items():
        assert words in refusal(write_legacy(tmp_path / "w.h5", content))


@pytest.mark.parametrize("promised", [True, False])
def test_a_bias_must_be_where_the_config_says(tmp_path: Path, promised: bool) -> None:
    layers = legacy_layers()
    if promised:
        del layers["memory_1"]["memory_1/bias:0"]
    path = write_legacy(tmp_path / "m.h5", layers, legacy_config(use_bias=promised))
    assert f"'memory_1' is described with use_bias={promised}" in refusal(path)


@pytest.mark.parametrize("activation", ["my_function", 3, ["tanh"], {"class_name": "Mine"}, {}])
def test_an_activation_that_is_not_keras_own_is_refused(tmp_path: Path, activation: Any) -> None:
    config = legacy_config(activation=activation)
    message = refusal(write_legacy(tmp_path / "m.h5", legacy_layers(), config))
    assert "layer 'memory_1' has a custom activation" in message


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ((), 3),
        ((), "text"),
        (("class_name",), None),
        (("class_name",), "Graph"),
        (("config",), 1),
        (("config", "layers"), None),
        (("config", "layers"), [3]),
        (("config", "layers", 0), {}),
        (("config", "layers", 0, "class_name"), 1),
        (("config", "layers", 0, "config"), []),
        (("config", "layers", 1, "config"), None),
        (("config", "layers", 1, "class_name"), "TimeDistributed"),
    ],
)
def test_a_config_of_another_form_is_refused(
    tmp_path: Path, where: tuple[str | int, ...], value: Any
) -> None:
    whole = {"top": copy.deepcopy(legacy_config())}
    keys: list[Any] = ["top", *where]
    parent: Any = whole
    for key in keys[:-1]:
        parent = parent[key]
    parent[keys[-1]] = value
    refusal(write_legacy(tmp_path / "m.h5", legacy_layers(), whole["top"]))


def test_odd_but_harmless_graph_fields_do_not_break_the_reading(tmp_path: Path) -> None:
    config = legacy_config()
    config["config"]["output_layers"] = 3
    config["config"]["layers"][0]["inbound_nodes"] = "many"
    layers = legacy_layers()
    net = read_keras(write_legacy(tmp_path / "m.h5", layers, config))
    assert_same(net, legacy_network(layers, "relu"))


def test_names_from_the_file_cannot_break_the_line(tmp_path: Path) -> None:
    layers = legacy_layers()
    layers["a\nb" + "x" * 5000] = {}
    message = refusal(write_legacy(tmp_path / "w.h5", layers))
    assert len(message) <= 300


# Files that are none


def test_paths_without_a_keras_file_are_refused(tmp_path: Path) -> None:
    assert "there is no such file" in refusal(tmp_path / "absent.h5")
    assert "is a folder" in refusal(tmp_path)
    text = tmp_path / "notes.h5"
    text.write_text("not a network")
    assert "neither HDF5 nor a zip archive" in refusal(text)
    pickled = tmp_path / "net.pkl"
    pickled.write_bytes(b"\x80\x04\x95")
    assert "neither HDF5 nor a zip archive" in refusal(pickled)
    with pytest.raises(FileProblem, match="x: cannot be read") as caught:
        read_keras(tmp_path / ("x" * 5000))
    assert len(str(caught.value)) <= 300


def test_hdf5_and_zip_from_elsewhere_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.h5"
    with h5py.File(path, "w") as file:
        file["numbers"] = np.arange(3)
    assert "without the layers of a Keras model" in refusal(path)
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("readme.txt", "hello")
    assert "zip archive without config.json" in refusal(archive)


# Hostile files


@pytest.fixture
def legacy(tmp_path: Path) -> Path:
    return write_legacy(tmp_path / "w.h5", legacy_layers())


def replaced(path: Path, name: str, link: Any) -> Path:
    with h5py.File(path, "a") as file:
        del file[name]
        file[name] = link
    return path


@pytest.mark.parametrize("where", ["memory_1", "memory_1/memory_1", "dense_1/dense_1/kernel:0"])
def test_links_are_refused(tmp_path: Path, legacy: Path, where: str) -> None:
    elsewhere = write_legacy(tmp_path / "elsewhere.h5", legacy_layers())
    link = h5py.ExternalLink(str(elsewhere), where)
    assert "is a link" in refusal(replaced(legacy, where, link))
    assert "is a link" in refusal(replaced(legacy, where, h5py.ExternalLink("absent.h5", where)))
    assert "is a link" in refusal(replaced(legacy, where, h5py.SoftLink(f"/{where}")))


@pytest.mark.parametrize("top", ["model_weights", "layers", "_layer_checkpoint_dependencies"])
def test_a_link_at_the_top_is_refused(tmp_path: Path, legacy: Path, top: str) -> None:
    path = tmp_path / "top.h5"
    with h5py.File(path, "w") as file:
        file[top] = h5py.ExternalLink(str(legacy), "/")
    assert f"its {top!r} is a link" in refusal(path)


def test_arrays_that_lie_in_other_files_are_refused(tmp_path: Path, legacy: Path) -> None:
    name = "dense_1/dense_1/kernel:0"
    raw = tmp_path / "raw.bin"
    raw.write_bytes(bytes(4 * N_UNITS * 2))
    with h5py.File(legacy, "a") as file:
        del file[name]
        stored = [(str(raw), 0, 4 * N_UNITS * 2)]
        file.create_dataset(name, shape=(N_UNITS, 2), dtype="f4", external=stored)
    assert "stored in another file" in refusal(legacy)

    other = write_legacy(tmp_path / "other.h5", legacy_layers())
    layout = h5py.VirtualLayout(shape=(N_UNITS, 2), dtype="f4")
    layout[:] = h5py.VirtualSource(str(other), name, shape=(N_UNITS, 2))
    with h5py.File(legacy, "a") as file:
        del file[name]
        file.create_virtual_dataset(name, layout)
    assert "stored in another file" in refusal(legacy)


def test_a_file_that_contains_itself_does_not_trap_the_reader(keras: Any, tmp_path: Path) -> None:
    legacy = write_legacy(tmp_path / "w.h5", legacy_layers())
    with h5py.File(legacy, "a") as file:
        file["memory_1/again"] = file["/"]
    assert_same(read_keras(legacy), legacy_network(legacy_layers()))
    modern = saved(keras_model(keras), tmp_path / "m.weights.h5")
    with h5py.File(modern, "a") as file:
        file["layers/again"] = file["/layers"]
    assert "'again' is of kind 'again'" in refusal(modern)


@pytest.mark.parametrize(
    "names",
    [
        [b"absent"],
        [b"memory_1", b"memory_1", b"dense_1"],
        [b""],
        [b"memory_1/absent"],
        [b"/memory_1"],
        [b"memory_1/memory_1/kernel:0"],
        [b".."],
        [b"\xff"],
        [1.5],
        b"memory_1",
    ],
)
def test_lists_of_names_that_lead_nowhere_are_refused(legacy: Path, names: Any) -> None:
    with h5py.File(legacy, "a") as file:
        file.attrs["layer_names"] = names
    refusal(legacy)


# Keras stays out


def test_reading_needs_no_keras(tmp_path: Path) -> None:
    path = write_legacy(tmp_path / "m.h5", legacy_layers(), legacy_config())
    program = f"""
import importlib.abc, sys

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {{"keras", "tensorflow", "tf_keras"}}:
            raise ImportError(name + " must not be imported")

sys.meta_path.insert(0, Blocker())
from attractory.exchange.keras._read import read_keras
print(read_keras({str(path)!r}).layers[0].recurrent_weights.shape)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"({N_UNITS}, {N_UNITS})"


# The files of the paper's author


@pytest.fixture
def author_file(request: pytest.FixtureRequest) -> Path:
    path = AUTHOR_FILES / getattr(request, "param", "ff_3b_weights-20.hdf5")
    if not path.is_file():
        pytest.skip(f"the author's weights are not beside this project: no {path}")
    return path


@pytest.mark.parametrize(
    "author_file",
    ["_N_00_initial.hdf5", "ff_3b_weights-01.hdf5", "ff_3b_weights-20.hdf5"],
    indirect=True,
)
def test_the_authors_weights_are_the_transposed_kernels(author_file: Path) -> None:
    net = read_keras(author_file)
    with h5py.File(author_file, "r") as file:
        cell = file["model_weights/simple_rnn_10/simple_rnn_10"]
        dense = file["model_weights/dense_10/dense_10"]
        np.testing.assert_array_equal(only(net).recurrent_weights, cell["recurrent_kernel:0"][()].T)
        np.testing.assert_array_equal(only(net).input_weights, cell["kernel:0"][()].T)
        np.testing.assert_array_equal(net.output_weights, dense["kernel:0"][()].T)
        np.testing.assert_array_equal(net.output_bias, dense["bias:0"][()])
    assert only(net).recurrent_weights.shape == (400, 400)
    assert only(net).input_weights.shape == (400, 3)
    assert net.output_weights.shape == (3, 400)
    assert only(net).bias is None
    assert only(net).activation == "tanh"


def remembered(net: Chain) -> np.ndarray:
    """The sign of each output (channel, output) long after a pulse up, then down, on a channel."""
    inputs = np.zeros((3, 160, 3))
    for channel in range(3):
        inputs[channel, 20:40, channel] = 1
        inputs[channel, 90:110, channel] = -1
    outputs = simulated(net, inputs)
    return np.stack([outputs[:, 80], outputs[:, 150]])


def test_the_authors_trained_network_remembers_only_in_the_right_orientation(
    author_file: Path,
) -> None:
    net = read_keras(author_file)
    up, down = remembered(net)
    assert (np.diag(up) > 0.5).all()
    assert (np.diag(down) < -0.5).all()
    turned = replaced_layer(net, recurrent_weights=only(net).recurrent_weights.T)
    assert (np.diag(remembered(turned)[0]) < 0.5).all()


def test_keras_itself_predicts_the_same_from_the_authors_file(
    keras: Any, author_file: Path
) -> None:
    layers = keras.layers
    recurrent = layers.SimpleRNN(400, use_bias=False, return_sequences=True, **ZEROS)
    model = keras.Sequential([keras.Input((None, 3)), recurrent, layers.Dense(3)])
    model.load_weights(author_file)
    inputs = np.random.default_rng(5).normal(size=(2, 50, 3)).astype(np.float32)
    expected = model.predict(inputs, verbose=0)
    np.testing.assert_allclose(simulated(read_keras(author_file), inputs), expected, atol=1e-5)


def test_the_files_built_by_hand_are_laid_out_as_the_authors(
    author_file: Path, tmp_path: Path
) -> None:
    by_hand = write_legacy(tmp_path / "m.h5", legacy_layers(), legacy_config())
    with h5py.File(author_file, "r") as theirs, h5py.File(by_hand, "r") as ours:
        assert set(ours.attrs) == set(theirs.attrs) - {"training_config"}
        ours, theirs = ours["model_weights"], theirs["model_weights"]
        assert set(ours.attrs) == set(theirs.attrs)
        assert ours.attrs["layer_names"].dtype.kind == theirs.attrs["layer_names"].dtype.kind == "S"
        dense, reference = ours["dense_1"], theirs["dense_10"]
        assert set(dense.attrs) == set(reference.attrs) == {"weight_names"}
        assert set(dense["dense_1"]) == set(reference["dense_10"]) == {"kernel:0", "bias:0"}


def test_the_authors_file_cut_anywhere_is_refused(author_file: Path, tmp_path: Path) -> None:
    whole = author_file.read_bytes()
    cut = tmp_path / "cut.hdf5"
    for length in [10, 2048, len(whole) // 2, len(whole) - 1]:
        cut.write_bytes(whole[:length])
        assert "damaged or cut off" in refusal(cut)
