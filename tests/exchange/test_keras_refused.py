"""What Keras 3 writes and would compute something else here is refused, by name."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from exchange.keras_files import (
    FORMATS,
    N_INPUTS,
    ZEROS,
    keras_model,
    refusal,
    refusal_of_open,
    saved,
    with_random_weights,
)

from attractory.exchange.keras._read import read_keras

# Keras 3.15 itself calls NumPy 2 in a way that NumPy deprecates; nothing of ours is let off.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


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
