"""Files of Keras 2 with something wrong in them are refused, by name."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from exchange.keras_files import (
    N_UNITS,
    assert_same,
    legacy_config,
    legacy_layers,
    legacy_network,
    refusal,
    write_legacy,
)

from attractory.exchange.keras._read import read_keras

# Keras 3.15 itself calls NumPy 2 in a way that NumPy deprecates; nothing of ours is let off.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


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
