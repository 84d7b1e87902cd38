"""Files that are none of Keras's, and files that mean harm."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from exchange.keras_files import (
    N_UNITS,
    assert_same,
    keras_model,
    legacy_layers,
    legacy_network,
    refusal,
    saved,
    write_legacy,
)

from attractory._errors import FileProblem
from attractory.exchange.keras._read import read_keras

# Keras 3.15 itself calls NumPy 2 in a way that NumPy deprecates; nothing of ours is let off.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


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
