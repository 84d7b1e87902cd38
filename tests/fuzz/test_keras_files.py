"""Mutated Keras files: each is read, or refused in one line, soon and within bounds of memory.

The files are written by hand in Keras's layouts, so that Keras is not needed: HDF5 of Keras 2
(weights alone, a whole model), of Keras 3 (`.weights.h5`), and `.keras` archives, whose bytes are
mutated as they stand, or inside: the JSON or the HDF5 before it is packed.
"""

from __future__ import annotations

import json
import zipfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import pytest
from fuzz.harness import cases, mutated, mutated_json, refuses_or_reads

import attractory as at

KINDS = {"SimpleRNN": ("simple_rnn", 1, 1), "GRU": ("gru", 3, 2), "LSTM": ("lstm", 4, 1)}
N, INPUTS, OUTPUTS = 5, 2, 2

# A Masking that is passed over is noted, which is no fault; half-precision overflow is no news.
pytestmark = pytest.mark.filterwarnings("ignore:.*Masking")


def config_of(kind: str) -> dict:
    def layer(name: str, **settings) -> dict:
        return {
            "class_name": name,
            "config": {"name": name.lower(), "trainable": True, "dtype": "float32", **settings},
        }

    recurrent = layer(
        kind, units=N, activation="tanh", use_bias=True, go_backwards=False, return_sequences=True
    )
    if kind != "SimpleRNN":
        recurrent["config"] |= {"recurrent_activation": "hard_sigmoid", "implementation": 2}
    if kind == "GRU":
        recurrent["config"]["reset_after"] = True
    layers = [
        layer("InputLayer", batch_shape=[None, None, INPUTS]),
        layer("Masking", mask_value=0.0),
        recurrent,
        layer("Dropout", rate=0.2),
        {"class_name": "TimeDistributed", "config": {"name": "td", "layer": layer("Dense")}},
    ]
    return {"class_name": "Sequential", "config": {"name": "net", "layers": layers}}


def arrays_of(kind: str) -> tuple[dict, dict]:
    _, gates, rows = KINDS[kind]
    rng = np.random.default_rng(3)
    bias = (gates * N,) if rows == 1 else (rows, gates * N)
    shapes = {"kernel": (INPUTS, gates * N), "recurrent_kernel": (N, gates * N), "bias": bias}
    cell = {name: rng.normal(size=s).astype(np.float32) for name, s in shapes.items()}
    shapes = {"kernel": (N, OUTPUTS), "bias": (OUTPUTS,)}
    return cell, {name: rng.normal(size=s).astype(np.float32) for name, s in shapes.items()}


def old_layout(file: h5py.File, kind: str, config: dict | None) -> None:
    top = file
    if config is not None:
        file.attrs["model_config"] = json.dumps(config)
        top = file.create_group("model_weights")
    top.attrs["keras_version"] = "2.4.0"
    top.attrs["layer_names"] = np.array([b"dropout", b"rnn", b"td"])
    names = {"dropout": {}, **dict(zip(("rnn", "td"), arrays_of(kind), strict=True))}
    for name, arrays in names.items():
        group = top.create_group(name)
        paths = [f"{name}/cell/{each}:0" for each in arrays]
        group.attrs["weight_names"] = np.array([path.encode() for path in paths], dtype="S40")
        for path, array in zip(paths, arrays.values(), strict=True):
            group[path] = array


def recent_layout(file: h5py.File, kind: str) -> None:
    cell, readout = arrays_of(kind)
    name = KINDS[kind][0]
    for place, arrays in (
        (f"layers/{name}/cell", cell),
        ("layers/time_distributed/layer", readout),
    ):
        for i, array in enumerate(arrays.values()):
            chunked = {"chunks": True, "compression": "gzip"} if array.ndim == 2 else {}
            file.create_dataset(f"{place}/vars/{i}", data=array, **chunked)
    file.create_group("layers/dropout/vars")


@cache
def hdf5(layout: str, kind: str) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "w.h5"
        with h5py.File(path, "w") as file:
            if layout == "recent":
                recent_layout(file, kind)
            else:
                old_layout(file, kind, config_of(kind) if layout == "model" else None)
        return path.read_bytes()


def archive(path: Path, config: str, weights: bytes, packed: bool) -> bytes:
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr("metadata.json", json.dumps({"keras_version": "3.4.0"}))
        file.writestr("config.json", config)
        file.writestr("model.weights.h5", weights)
    return path.read_bytes()


def mutant(path: Path, seed: int) -> bytes:
    """A mutated file: seven ways, in turn, of three kinds of network."""
    kind = tuple(KINDS)[seed // 7 % 3]
    whole = json.dumps(config_of(kind))
    way = seed % 7
    if way < 3:
        return mutated(hdf5(("weights", "model", "recent")[way], kind), seed)
    if way == 3:
        return mutated(archive(path, whole, hdf5("recent", kind), seed % 2 == 0), seed)
    if way == 4:
        strange = json.dumps(mutated_json(config_of(kind), seed))
        return archive(path, strange, hdf5("recent", kind), True)
    if way == 5:
        return archive(path, whole, mutated(hdf5("recent", kind), seed), True)
    with h5py.File(path, "w") as file:
        old_layout(file, kind, mutated_json(config_of(kind), seed))
    return path.read_bytes()


@cases(63, 6300)
def test_mutated_files_are_read_or_refused(seeds, tmp_path):
    path = tmp_path / "net.keras"
    for seed in seeds:
        path.unlink(missing_ok=True)
        content = mutant(path, seed)
        path.write_bytes(content)
        network = refuses_or_reads(lambda: at.load_keras(path), len(content), f"seed {seed}")
        if network is not None:
            assert all(np.isfinite(array).all() for array in network.weights.values())


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_that_are_mutated_are_read_as_they_stand(kind, tmp_path):
    path = tmp_path / "net.keras"
    cell, readout = arrays_of(kind)
    for layout in ("weights", "model", "recent"):
        path.write_bytes(hdf5(layout, kind))
        network = at.load_keras(path)
        np.testing.assert_array_equal(network.output_weights, readout["kernel"].T)
    archive(path, json.dumps(config_of(kind)), hdf5("recent", kind), True)
    weights = at.load_keras(path).weights["recurrent_weights"]
    assert sorted(weights.ravel()) == sorted(cell["recurrent_kernel"].astype(float).ravel())
