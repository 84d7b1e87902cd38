"""Gated and stacked networks from Keras files answer with Keras's own numbers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import attractory as at
from attractory.exchange.keras._read import read_keras

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

FORMATS = ("net.keras", "net.h5", "net.weights.h5")
ROWS = {
    "gru": ["GRU"],
    "lstm": ["LSTM"],
    "two grus": ["GRU", "GRU"],
    "all kinds": ["LSTM", "SimpleRNN", "GRU"],
}


def model_of(kinds: list[str], units: list[int], **settings: Any) -> Any:
    """A Keras model with random weights, its biases too; two inputs, two outputs."""
    recurrent = [
        getattr(keras.layers, kind)(n, return_sequences=True, **settings)
        for kind, n in zip(kinds, units, strict=True)
    ]
    readout = keras.layers.TimeDistributed(keras.layers.Dense(2))
    model = keras.Sequential([keras.Input((None, 2)), *recurrent, readout])
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(scale=0.6, size=w.shape) for w in model.get_weights()])
    return model


def saved(model: Any, path: Path) -> Path:
    (model.save_weights if path.name.endswith(".weights.h5") else model.save)(path)
    return path


@pytest.mark.parametrize("use_bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("kinds", ROWS.values(), ids=list(ROWS))
def test_a_network_gives_keras_numbers_from_every_format(kinds, use_bias, tmp_path):
    model = model_of(kinds, [5, 6, 4][: len(kinds)], use_bias=use_bias)
    inputs = np.random.default_rng(2).normal(size=(3, 12, 2)).astype(np.float32)
    expected = np.asarray(model(inputs))
    for name in FORMATS:
        unsaid = "GRU" in kinds and not use_bias and name == "net.weights.h5"
        network = at.load_keras(saved(model, tmp_path / name), reset_after=unsaid or None)
        got = network.simulate(inputs).outputs
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5, err_msg=name)
        one_layer = {"GRU": at.models.GRU, "LSTM": at.models.LSTM}.get(kinds[0])
        assert type(network.model) is (one_layer if len(kinds) == 1 else at.models.Stacked)


@pytest.mark.parametrize("name", FORMATS)
def test_layers_come_in_the_models_order_however_many(name, tmp_path):
    units = list(range(2, 14))  # "gru_10" stands before "gru_2" in the file
    quick = {"kernel_initializer": "zeros", "recurrent_initializer": "zeros"}
    layers = read_keras(saved(model_of(["GRU"] * 12, units, **quick), tmp_path / name)).layers
    assert [layer.units for layer in layers] == units


def test_weights_alone_do_not_always_say_in_which_order(tmp_path):
    model = model_of(["LSTM", "GRU"], [2, 2])
    weights = saved(model, tmp_path / "net.weights.h5")
    with pytest.raises(at.FileProblem, match="does not say how its recurrent layers") as caught:
        at.load_keras(weights)
    assert "\n" not in str(caught.value)
    for name in FORMATS[:2]:  # a whole model says it
        layers = read_keras(saved(model, tmp_path / name)).layers
        assert [layer.kind for layer in layers] == ["LSTM", "GRU"]


def test_one_array_for_several_layers_is_counted_as_often(tmp_path, monkeypatch):
    """Hard links could make a small file announce a network of any size."""
    path = saved(model_of(["LSTM"], [2]), tmp_path / "net.weights.h5")
    with h5py.File(path, "a") as file:
        for i in range(1, 100):
            file[f"layers/lstm_{i}"] = file["layers/lstm"]
    assert len(read_keras(path).layers) == 100
    monkeypatch.setattr("attractory.exchange.keras._arrays._MOST_BASE", 0)
    monkeypatch.setattr("attractory.exchange.keras._arrays._MOST_TIMES", 0.1)
    with pytest.raises(at.FileProblem, match="announces 4006 numbers, which take"):
        at.load_keras(path)


def test_only_a_simple_rnn_lets_its_activation_be_chosen(tmp_path):
    path = saved(model_of(["GRU"], [3]), tmp_path / "net.keras")
    with pytest.raises(at.InvalidSetting, match="activation = 'relu' .* no SimpleRNN, .* GRU"):
        at.load_keras(path, activation="relu")


def test_a_function_that_the_file_lacks_can_be_given(tmp_path):
    def doubled(x):
        return 2 * x

    rnn = keras.layers.SimpleRNN(4, activation=doubled, return_sequences=True)
    model = keras.Sequential([keras.Input((None, 2)), rnn, keras.layers.Dense(1)])
    path = saved(model, tmp_path / "net.keras")
    with pytest.raises(at.FileProblem, match="custom activation"):
        at.load_keras(path)
    inputs = np.random.default_rng(2).normal(size=(1, 4, 2)).astype(np.float32)
    got = at.load_keras(path, activation=doubled).simulate(inputs).outputs
    np.testing.assert_allclose(got, np.asarray(model(inputs)), rtol=1e-5, atol=1e-5)
