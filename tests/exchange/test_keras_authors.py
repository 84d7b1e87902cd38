"""Reading needs no Keras; the files of the paper's author."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from exchange.keras_files import (
    AUTHOR_FILES,
    N_UNITS,
    ZEROS,
    legacy_config,
    legacy_layers,
    only,
    refusal,
    replaced_layer,
    simulated,
    write_legacy,
)

from attractory.exchange._layers import Chain
from attractory.exchange.keras._read import read_keras

# Keras 3.15 itself calls NumPy 2 in a way that NumPy deprecates; nothing of ours is let off.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


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
