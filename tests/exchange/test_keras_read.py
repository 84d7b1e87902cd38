"""Files that the real Keras 3 writes: read without Keras, to Keras's own numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from exchange.keras_files import (
    FORMATS,
    N_INPUTS,
    N_OUTPUTS,
    N_UNITS,
    ZEROS,
    activation_in,
    assert_same,
    keras_model,
    only,
    replaced_layer,
    saved,
    simulated,
    with_random_weights,
)

from attractory.exchange._layers import Chain, Layer
from attractory.exchange.keras._activations import KERAS_ACTIVATIONS
from attractory.exchange.keras._read import read_keras

# Keras 3.15 itself calls NumPy 2 in a way that NumPy deprecates; nothing of ours is let off.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


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
