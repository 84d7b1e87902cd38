"""Keras files that would take much: time in the HDF5 library, memory, the disk, a process."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from fuzz.harness import mutated, refuses_or_reads

import attractory as at
from attractory.exchange.keras import _file as _keras_file
from attractory.exchange.keras import _hdf5 as _keras_hdf5
from attractory.exchange.keras._layer import Refused


def write(path, units, density=1.0, zeros=False, **stored):
    """Weights of a SimpleRNN alone as Keras 2 wrote them, with h5py's settings for storing."""
    rng = np.random.default_rng(0)
    shapes = {
        "simple_rnn_1": {"kernel:0": (2, units), "recurrent_kernel:0": (units, units)},
        "dense_1": {"kernel:0": (units, 2), "bias:0": (2,)},
    }
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in shapes]
        for name, arrays in shapes.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{each}".encode() for each in arrays]
            for each, shape in arrays.items():
                values = np.zeros(shape, np.float32)
                if not zeros:
                    values = rng.normal(size=shape).astype(np.float32)
                    values *= rng.random(shape) < density
                group.create_dataset(f"{name}/{each}", data=values, **stored)
    return path


def announcing(path, units, dtype="f2"):
    """Chunks of a fill value, none of which is in the file."""
    with h5py.File(write(path, 4), "a") as file:
        for name, shape in {
            "simple_rnn_1/simple_rnn_1/kernel:0": (2, units),
            "simple_rnn_1/simple_rnn_1/recurrent_kernel:0": (units, units),
            "dense_1/dense_1/kernel:0": (units, 2),
        }.items():
            del file[name]
            chunks = tuple(min(4000, n) for n in shape)
            file.create_dataset(
                name, shape=shape, dtype=dtype, chunks=chunks, compression="gzip", fillvalue=0.0
            )
    return path


def refusal(path):
    """The line with which a file is refused: soon, and within bounds of memory."""
    lines = []

    def read():
        try:
            return at.load_keras(path)
        except at.FileProblem as refused:
            lines.append(str(refused))
            raise

    assert refuses_or_reads(read, path.stat().st_size, path.name) is None
    return lines[0]


def test_an_array_that_the_file_does_not_hold_is_refused(tmp_path):
    path = announcing(tmp_path / "w.h5", 16_000)
    assert path.stat().st_size < 20_000
    assert "lacks numbers of its array 'simple_rnn_1/kernel:0'" in refusal(path)


def test_a_list_of_very_many_layers_is_refused_at_once(tmp_path):
    path = write(tmp_path / "w.h5", 4)
    with h5py.File(path, "a") as file:
        del file.attrs["layer_names"]
        file.attrs["layer_names0"] = [f"n{i}".encode() for i in range(600)]
    assert "lists 600 layers; allowed: at most 500" in refusal(path)


def test_zeros_that_would_take_gigabytes_are_refused_unread(tmp_path):
    path = write(tmp_path / "w.h5", 6_000, zeros=True, compression="gzip", compression_opts=1)
    assert path.stat().st_size < 2**20
    assert "announces 36024002 numbers, which take 275 MB; allowed for a file of" in refusal(path)


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"compression": "gzip"},
        {"compression": "gzip", "shuffle": True, "chunks": True},
        {"chunks": (7, 5)},
        {"compression": "lzf", "fletcher32": True},
    ],
)
def test_honest_files_are_read_however_they_are_stored(stored, tmp_path):
    for density, units in ((1.0, 60), (0.05, 300)):
        same = at.load_keras(write(tmp_path / "plain.h5", units, density)).weights
        arrays = at.load_keras(write(tmp_path / "w.h5", units, density, **_for_all(stored))).weights
        for name, array in same.items():
            np.testing.assert_array_equal(arrays[name], array)


def _for_all(stored):
    """Chunks of a given size fit matrices only: h5py chooses them for the others."""
    return {**stored, "chunks": True} if stored.get("chunks") else stored


@pytest.mark.slow
def test_a_large_sparse_compressed_network_is_read_within_bounds(tmp_path):
    path = write(tmp_path / "w.h5", 3_000, 0.05, compression="gzip", compression_opts=1)
    network = refuses_or_reads(lambda: at.load_keras(path), path.stat().st_size, "sparse")
    assert network.units == 3_000
    assert 0.04 < np.mean(network.recurrent_weights != 0) < 0.06


def archive_of(path, weights, zeros=0, config=None):
    """A .keras archive; its weights are followed by so many bytes of zeros."""
    if config is None:
        layers = [{"class_name": "SimpleRNN", "config": {"name": "a", "use_bias": False}},
                  {"class_name": "Dense", "config": {"name": "b"}}]  # fmt: skip
        config = json.dumps({"class_name": "Sequential", "config": {"layers": layers}})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("config.json", config)
        with archive.open("model.weights.h5", "w", force_zip64=True) as member:
            member.write(weights)
            for _ in range(zeros // 2**20):
                member.write(bytes(2**20))
    return path


def test_a_zip_that_unpacks_to_far_more_is_refused_before_it_does(tmp_path):
    weights = write(tmp_path / "w.h5", 20).read_bytes()
    path = archive_of(tmp_path / "m.keras", weights, zeros=300 * 2**20)
    assert path.stat().st_size < 2 * 2**20
    assert "its model.weights.h5 unpacks to 3145" in refusal(path)
    assert at.load_keras(archive_of(tmp_path / "m.keras", weights, zeros=2**20)).units == 20
    config = "[" + "[]," * 2**21 + "[]]"
    path = archive_of(tmp_path / "m.keras", weights, config=config)
    assert "its config.json unpacks to" in refusal(path)


def test_an_archive_packed_in_another_way_is_refused(tmp_path):
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", b"")
    assert "its config.json is packed in a way that Keras does not use" in refusal(path)


# The library in a process of its own


@pytest.fixture(scope="module")
def hanging(tmp_path_factory):
    """A file that the HDF5 library does not come back from."""
    path = tmp_path_factory.mktemp("hang") / "w.h5"
    whole = write(path, 7).read_bytes()
    heap = whole.index(b"GCOL")  # of texts: those of layer_names
    # free space of size 0 in the heap: the library looks for the next object at the same place
    path.write_bytes(whole[: heap + 16] + bytes(16) + whole[heap + 32 :])
    return path


def test_a_file_that_the_library_hangs_on_is_refused_and_the_next_one_is_read(hanging, tmp_path):
    program = f"""
import resource, h5py
resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
dict(h5py.File({str(hanging)!r}).attrs)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True)
    assert done.returncode < 0  # killed after a second of computing
    assert "the HDF5 library broke off or did not come back" in refusal(hanging)
    assert at.load_keras(write(tmp_path / "w.h5", 5)).units == 5


def test_a_helper_that_was_killed_is_replaced(tmp_path):
    path = write(tmp_path / "w.h5", 5)
    at.load_keras(path)
    (helper,) = _keras_hdf5._running
    os.kill(helper._process.pid, signal.SIGKILL)
    helper._process.wait()
    assert at.load_keras(path).units == 5
    assert len(_keras_hdf5._running) == 1


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_a_reader_that_dies_in_the_middle_is_one_line_and_the_next_file_is_read(tmp_path):
    path = write(tmp_path / "w.h5", 5)
    with _keras_hdf5.opened_hdf5(path, path.stat().st_size) as weights:
        os.kill(_child_of(_keras_hdf5._running[0]._process.pid), signal.SIGSEGV)
        with pytest.raises(Refused, match="the HDF5 library broke off"):
            weights.texts("layer_names")
    assert at.load_keras(path).units == 5


def _child_of(process):
    return int(Path(f"/proc/{process}/task/{process}/children").read_text())


def test_nothing_of_a_file_is_left_when_the_next_is_read_at_the_same_place(tmp_path):
    path = tmp_path / "w.h5"
    for seed in range(6):
        units = random.Random(seed).randrange(3, 9)
        write(path, units)
        assert at.load_keras(path).units == units
        path.write_bytes(mutated(path.read_bytes(), seed))
        refuses_or_reads(lambda: at.load_keras(path), path.stat().st_size, str(seed))


def test_what_is_unpacked_is_gone_as_soon_as_it_is_open(tmp_path, monkeypatch):
    """So nothing stays in the temporary folder where the reader is killed."""
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(unpacked))
    archive = archive_of(tmp_path / "m.keras", write(tmp_path / "w.h5", 5).read_bytes())
    with _keras_file.opened(archive) as file:
        assert not list(unpacked.iterdir())
        assert list(file.weights)


def test_threads_take_turns(tmp_path):
    paths = [write(tmp_path / f"{units}.h5", units) for units in (3, 4, 5, 6)]
    found = {}

    def read(path):
        found[path] = at.load_keras(path).units

    threads = [threading.Thread(target=read, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[path] for path in paths] == [3, 4, 5, 6]


@pytest.mark.slow
def test_the_helper_ends_with_its_process(tmp_path):
    path = write(tmp_path / "w.h5", 5)
    program = f"""
import os, attractory as at
from attractory.exchange.keras import _hdf5 as _keras_hdf5
from attractory.exchange.keras._layer import Refused
at.load_keras({str(path)!r})
print(_keras_hdf5._running[0]._process.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL
    for _ in range(50):
        try:
            os.kill(int(done.stdout), 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("the helper goes on without the process that started it")
