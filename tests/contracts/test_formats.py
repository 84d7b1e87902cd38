"""What every registered file format keeps to, those of users included."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from fuzz.harness import mutated
from safetensors.numpy import save_file

import attractory as at
from attractory.exchange._by_format import _sniffs
from attractory.models import GRU, CurrentRNN, Network, RateRNN

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

NAMES = at.exchange.names()
READ = [name for name in NAMES if at.exchange.find(name).reads]
NETWORKS = {
    "rates": RateRNN(units=6, activation="relu", bias=True),
    "leaky": RateRNN(units=6, tau=3.0),
    "gates": GRU(units=6),
}


def network(model: Any = GRU(units=6)) -> Network:  # noqa: B008 (it cannot be changed)
    return model.build(3, 2, seed=1)


# Files of formats that write none themselves


def saved_by_torch(folder: Path) -> list[Path]:
    torch = pytest.importorskip("torch")
    state = at.to_torch(network()).state_dict()
    torch.save(state, folder / "net.pt")
    torch.save({"epoch": 3, "model": state}, folder / "net.ckpt")
    torch.save(state, folder / "net.pth", _use_new_zipfile_serialization=False)
    return [folder / "net.pt", folder / "net.ckpt", folder / "net.pth"]


def saved_by_psychrnn(folder: Path) -> list[Path]:
    made = CurrentRNN(units=6, activation="relu", bias=True, trained_start=True).build(3, 2, seed=1)
    theirs = {"recurrent_weights": "W_rec", "input_weights": "W_in", "bias": "b_rec",
              "output_weights": "W_out", "output_bias": "b_out"}  # fmt: skip
    arrays = {theirs[name]: np.asarray(w) for name, w in made.weights.items() if name in theirs}
    np.savez(folder / "net.npz", init_state=np.zeros((1, 6), np.float32), **arrays)
    return [folder / "net.npz"]


OTHERS_WRITE = {"torch.save": saved_by_torch, "psychrnn": saved_by_psychrnn}


def own_files(name: str, folder: Path) -> list[Path]:
    """Files of a format, one for each of its endings where it writes them itself."""
    folder.mkdir(parents=True, exist_ok=True)
    format = at.exchange.find(name)()
    if not format.writes:
        return OTHERS_WRITE[name](folder)
    pytest.importorskip(name)
    return [format.write(network(), folder / f"net{ending}") for ending in format.endings]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, list[Path]]:
    folder = tmp_path_factory.mktemp("formats")
    return {name: own_files(name, folder / name) for name in NAMES}


class Bomb:
    """Something that leaves a file behind when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


def junk(folder: Path, own: Path) -> list[Path]:
    """Twenty files that hold no network, some of them cut ones of the format itself."""
    rng = np.random.default_rng(0)
    content = own.read_bytes()
    contents = [b"", b"\0", b"PK", b"\x89HDF\r\n\x1a\n", b"some words\nof text\n", b"[1, 2, 3]",
                b'{"a": 1}', b"time,state\n0,1\n", (30).to_bytes(8, "little") + b"{}"]  # fmt: skip
    contents += [rng.bytes(size) for size in (7, 1000)]
    contents += [content[: len(content) * part // 8] for part in (1, 4, 7)] + [content[:-1]]
    contents.append(pickle.dumps(Bomb(folder / "unpickled")))
    paths = [folder / f"junk_{i}{own.suffix}" for i in range(20)]
    for path, each in zip(paths, contents, strict=False):
        path.write_bytes(each)
    with zipfile.ZipFile(paths[16], "w") as archive:
        archive.writestr("readme.txt", "words")
    np.savez(folder / "other.npz", states=np.zeros(3))
    (folder / "other.npz").rename(paths[17])
    save_file({"states": np.zeros(3)}, paths[18])
    with h5py.File(paths[19], "w") as file:
        file["states"] = np.zeros(3)
    return paths


@pytest.mark.parametrize("name", NAMES)
def test_a_format_says_what_it_is(name):
    format = at.exchange.find(name)
    assert format.name == name
    assert format.reads or format.writes
    assert all(ending.startswith(".") for ending in format.endings)
    assert name in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_it_knows_its_own_files_and_no_other_formats(name, files, tmp_path):
    format = at.exchange.find(name)()
    for path in files[name]:
        assert _sniffs(format, path), path
    for other in set(NAMES) - {name}:
        for path in files[other]:
            renamed = tmp_path / f"{other}_{path.name}{format.endings[0]}"
            renamed.write_bytes(path.read_bytes())
            assert not _sniffs(format, renamed), path


@pytest.mark.parametrize("name", NAMES)
def test_junk_is_not_its_own_or_refused_in_one_line(name, files, tmp_path):
    format = at.exchange.find(name)()
    paths = junk(tmp_path, files[name][0])
    assert len(paths) == 20
    for path in paths:
        known = _sniffs(format, path)
        if format.reads:
            with pytest.raises(at.FileProblem) as caught:
                format.read(path)
            assert "\n" not in str(caught.value)
            assert path.name in str(caught.value)
        else:
            assert not known, path
    assert not (tmp_path / "unpickled").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_file_is_looked_at_without_harm(name, files, tmp_path):
    format = at.exchange.find(name)()
    deep = b"[" * 100_000
    contents = [mutated(path.read_bytes(), seed) for path in files[name][:2] for seed in range(25)]
    for content in [*contents, len(deep).to_bytes(8, "little") + deep, deep]:
        path = tmp_path / f"damaged{format.endings[0]}"
        path.write_bytes(content)
        assert _sniffs(format, path) in (True, False)


@pytest.mark.parametrize("model", NETWORKS)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_reads_back_the_same(name, model, tmp_path):
    format = at.exchange.find(name)
    if not (format.reads and format.writes):
        pytest.skip("one way only")
    pytest.importorskip(name)
    there = network(NETWORKS[model])
    inputs = np.random.default_rng(2).normal(size=(4, 20, 3)).astype(np.float32)
    for ending in format.endings:
        path = at.exchange.write(there, tmp_path / f"net{ending}")
        back = at.exchange.read(path)
        expected = there.simulate(inputs).outputs
        np.testing.assert_allclose(back.simulate(inputs).outputs, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", READ)
def test_content_decides_between_formats_of_one_ending(name, files, tmp_path, monkeypatch):
    """All formats that read are given the same ending: each file is read by its own."""
    for other in READ:
        monkeypatch.setattr(at.exchange.find(other), "endings", (".net",))
    seen = []
    monkeypatch.setattr(at.exchange.find(name), "read", lambda self, path: seen.append(path))
    for path in files[name]:
        renamed = tmp_path / f"{path.stem}.net"
        renamed.write_bytes(path.read_bytes())
        with pytest.raises(at.InvalidSetting, match="a Network is needed"):
            at.exchange.read(renamed)
    assert len(seen) == len(files[name])


@pytest.mark.parametrize("name", READ)
def test_a_file_of_any_name_is_read_as_the_format_that_is_said(name, files, tmp_path):
    inputs = np.zeros((1, 5, 3), np.float32)
    for path in files[name]:
        renamed = tmp_path / f"{path.stem}_{path.suffix[1:]}.strange"
        renamed.write_bytes(path.read_bytes())
        expected = at.exchange.read(path).simulate(inputs).outputs
        got = at.exchange.read(renamed, format=name).simulate(inputs).outputs
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("name", NAMES)
def test_what_goes_one_way_says_so(name, files, tmp_path):
    format = at.exchange.find(name)
    if not format.reads:
        with pytest.raises(at.InvalidSetting, match=f"'{name}' .* is written only, not read"):
            at.exchange.read(files[name][0], format=name)
    if not format.writes:
        with pytest.raises(at.InvalidSetting, match=f"'{name}' .* is read only, not written"):
            at.exchange.write(network(), tmp_path / "net.any", format=name)
        assert not (tmp_path / "net.any").exists()


@pytest.mark.parametrize("name", READ)
def test_a_setting_that_it_does_not_have_is_refused(name, tmp_path):
    settings = at.exchange.find(name).settings()
    if settings is not None:
        with pytest.raises(at.InvalidSetting, match="colour = 'red' is not allowed for .any files"):
            at.exchange.read(tmp_path / "net.any", format=name, colour="red")
        json.dumps(settings)
