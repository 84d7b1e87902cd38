"""Files as Keras 2.3 wrote them, built by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from exchange.keras_files import (
    ARRAYS,
    assert_same,
    keras_model,
    legacy_config,
    legacy_layers,
    legacy_network,
    only,
    saved,
    write_legacy,
)

from attractory.exchange.keras._read import read_keras

# Keras 3.15 itself calls NumPy 2 in a way that NumPy deprecates; nothing of ours is let off.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
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
