"""Damaged .npz, safetensors and torch files: one line or a network, soon, in bounds of memory."""

from __future__ import annotations

import io
import json
import pickle
import random
import struct
import zipfile
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pytest
from fuzz.harness import STRANGE, cases, mutated, refuses_or_reads
from safetensors.numpy import save

import attractory as at

UNITS, INPUTS, OUTPUTS = 6, 3, 2


def npz_arrays():
    rng = np.random.default_rng(0)
    shapes = {"W_rec": (UNITS, UNITS), "W_in": (UNITS, INPUTS), "W_out": (OUTPUTS, UNITS)}
    shapes |= {"b_rec": (UNITS,), "b_out": (OUTPUTS,), "init_state": (1, UNITS)}
    arrays = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    arrays |= {"rec_connectivity": np.ones((UNITS, UNITS)), "dale_ratio": np.array(None)}
    arrays |= {"Dale_rec": np.eye(UNITS), "Dale_out": np.eye(UNITS)}
    return arrays | {"transfer_function": np.array(np.tanh, dtype=object)}


def layers(prefix="core."):
    rng = np.random.default_rng(1)
    shapes = {prefix + "weight_hh_l0": (UNITS, UNITS), prefix + "weight_ih_l0": (UNITS, INPUTS)}
    shapes |= {prefix + "bias_hh_l0": (UNITS,), prefix + "bias_ih_l0": (UNITS,)}
    shapes |= {"out.weight": (OUTPUTS, UNITS), "out.bias": (OUTPUTS,)}
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def currents():
    rng = np.random.default_rng(2)
    shapes = {"rnn.m": (UNITS, 1), "rnn.n": (1, UNITS), "rnn.w_inp": (INPUTS, UNITS)}
    shapes |= {"rnn.w_out": (UNITS, 1), "x0": (1, UNITS), "rnn.w_inp_scale": (1,)}
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


SAID = {"activation": "tanh", "tau": 10.0, "dt": 1.0, "read": "rates", "over_units": True}


@lru_cache
def original(kind):
    """The bytes of a good file of each kind, and how it is read."""
    out = io.BytesIO()
    if kind == "npz":
        np.savez(out, **npz_arrays())
    elif kind == "packed.npz":
        np.savez_compressed(out, **npz_arrays())
    elif kind == "layers.safetensors":
        out.write(save(layers(), {"activation": "relu"}))
    elif kind == "currents.safetensors":
        out.write(save(currents()))
    else:
        torch = pytest.importorskip("torch")
        state = {name: torch.from_numpy(array) for name, array in layers().items()}
        torch.save({"model": state, "epoch": 3}, out,
                   _use_new_zipfile_serialization=kind != "old.pt")  # fmt: skip
    return out.getvalue()


KINDS = {
    "npz": (".npz", at.load_psychrnn),
    "packed.npz": (".npz", at.load_psychrnn),
    "layers.safetensors": (".safetensors", at.from_torch),
    "currents.safetensors": (".safetensors", partial(at.from_torch, bias="inside", **SAID)),
    "new.pt": (".pt", at.from_torch),
    "old.pt": (".pt", at.from_torch),
}


def checked(read, data, case):
    """Read, and where a network comes of it, it has finite weights that fit each other."""
    network = refuses_or_reads(read, len(data), case)
    if network is not None:
        assert isinstance(network, at.models.Network), case
        for name, array in network.weights.items():
            assert np.isfinite(np.asarray(array, np.float32)).all(), f"{case}: {name}"
        shapes = network.model.weight_shapes(network.n_inputs, network.n_outputs)
        assert {n: np.shape(a) for n, a in network.weights.items()} == shapes, case


@pytest.mark.parametrize("kind", KINDS)
@cases(5, 600)
def test_damaged_bytes(kind, seeds, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ending, read = KINDS[kind]
    path = Path("a" + ending)
    for seed in seeds:
        data = mutated(original(kind), seed)
        path.write_bytes(data)
        checked(partial(read, path), data, f"{kind} {seed}")


SHAPES = [
    *("(30000, 30000)", "(10**9,)", "(1000000000000, 3)", "(-1,)", "(0, 6)", "()", "(1, 6, 6)"),
    *("(6.0, 6)", "(True, 6)", f"({10**30},)", "[6, 6]"),
]
HEADS = [
    *("{'descr': '<f4'", "(" * 3000, "''", "{'descr': 'O', 'shape': ()}", "1" * 5000),
    "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '|V8', 'fortran_order': True, 'shape': (3,), }",
]


def member(rng, array):
    """The bytes of a .npy member with something strange in its head, its type or its content."""
    kind = rng.choice(["type", "shape", "head", "version", "pickle", "value", "cut"])
    out = io.BytesIO()
    if kind == "type":
        types = ["<f2", "<f8", ">f4", "<i8", "|u1", "<c8", "<U4", "|S3", "<M8[s]", "|b1", "<f16"]
        np.save(out, np.ones(array.shape).astype(rng.choice(types)))
        return out.getvalue()
    if kind == "pickle":
        held = rng.choice([*STRANGE, np.tanh, print, range(3), 1j, b"x", {1}, float, np.float64(2)])
        one = np.empty((), object)
        one[()] = held
        np.save(out, one)
        return (
            mutated(out.getvalue(), rng.randrange(10**9)) if rng.random() < 0.5 else out.getvalue()
        )
    if kind == "value":
        strange = array.astype(float)
        strange.flat[rng.randrange(strange.size)] = rng.choice([np.nan, np.inf, 1e300, -3e38, 1e38])
        np.save(out, strange)
        return out.getvalue()
    if kind == "shape":
        head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {rng.choice(SHAPES)}, }}"
    elif kind == "head":
        head = rng.choice(HEADS)
    else:
        head = "{'descr': '<f4', 'fortran_order': False, 'shape': (6, 6), }"
    version = rng.choice([(2, 0), (3, 0), (9, 9)]) if kind == "version" else (1, 0)
    length = struct.pack("<H" if version == (1, 0) else "<I", len(head))
    content = bytes(144) if kind != "cut" else bytes(rng.randrange(144))
    return b"\x93NUMPY" + bytes(version) + length + head.encode() + content


@cases(10, 1200)
def test_strange_members_of_an_npz(seeds, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("a.npz")
    arrays = npz_arrays()
    for seed in seeds:
        rng = random.Random(seed)
        method = rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
        chosen = rng.sample(list(arrays), rng.choice([1, 1, 2]))
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, array in arrays.items():
                out = io.BytesIO()
                np.save(out, array)
                data = member(rng, np.ones((6, 6))) if name in chosen else out.getvalue()
                archive.writestr(name + rng.choice([".npy", ".npy", ".npy", ""]), data)
            if rng.random() < 0.2:
                archive.writestr(rng.choice(["x" * 3000, "\n", "activation.npy"]), b"")
        said = {"activation": "tanh"} if rng.random() < 0.3 else {}
        checked(partial(at.load_psychrnn, path, **said), path.read_bytes(), f"member {seed}")


@cases(5, 300)
def test_pickles_with_strange_content(seeds, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("a.npz")
    for seed in seeds:
        rng = random.Random(seed)
        one = np.empty((), object)
        one[()] = rng.choice([np.tanh, None, 0.8, "relu", len, np.float64(0.5), {"a": [1]}])
        pickled = mutated(pickle.dumps(one, rng.randrange(6)), seed)
        head = "{'descr': '|O', 'fortran_order': False, 'shape': (), }".ljust(117) + "\n"
        data = b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + head.encode() + pickled
        np.savez(path, **{n: a for n, a in npz_arrays().items() if n != "transfer_function"})
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("transfer_function.npy", data)
        checked(partial(at.load_psychrnn, path), path.read_bytes(), f"pickle {seed}")


TYPES = [
    "F64",
    "F16",
    "BF16",
    "F8_E4M3",
    "F8_E5M2",
    "F4",
    "I8",
    "U64",
    "BOOL",
    "C64",
    "F8_E8M0",
    "X",
]


METADATA = [
    *({"activation": "gelu" * 99}, {"activation": "a\nb"}, {"a": 1}, [], {"core.activation": ""}),
]


@cases(10, 900)
def test_strange_headers_of_safetensors(seeds, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("a.safetensors")
    for seed in seeds:
        rng = random.Random(seed)
        data = original(rng.choice(["layers.safetensors", "currents.safetensors"]))
        size = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8 : 8 + size])
        name = rng.choice([each for each in header if each != "__metadata__"])
        kind = rng.choice(["type", "shape", "offset", "name", "metadata", "field"])
        if kind == "type":
            header[name]["dtype"] = rng.choice(TYPES)
        elif kind == "shape":
            header[name]["shape"] = rng.choice(
                [[36], [6, 6, 1], [2**40, 2**40], [0], [], [-1], [1.5]]
            )
        elif kind == "offset":
            header[name]["data_offsets"] = rng.choice([[0, 2**60], [4, 0], [0, 0], [-4, 0], [0]])
        elif kind == "name":
            header[rng.choice(["a\nb", "x" * 3000, "", "é" * 300, "n.wi"])] = header.pop(name)
        elif kind == "metadata":
            header["__metadata__"] = rng.choice(METADATA)
        else:
            header[name][rng.choice(["dtype", "shape"])] = rng.choice(STRANGE)
        head = json.dumps(header).encode()
        made = struct.pack("<Q", len(head)) + head + data[8 + size :]
        path.write_bytes(made)
        said = {"bias": "inside", **SAID} if "rnn.m" in header else {}
        checked(partial(at.from_torch, path, **said), made, f"safetensors {seed}")


@cases(10, 600)
def test_strange_state_dicts(seeds):
    for seed in seeds:
        rng = random.Random(seed)
        state = dict(rng.choice([layers, currents])())
        said = dict(SAID, bias="inside") if "x0" in state else {}
        name = rng.choice(list(state))
        kind = rng.choice(["value", "shape", "remove", "rename", "add", "nest"])
        if kind == "value":
            state[name] = rng.choice(
                [*STRANGE, np.full((6, 6), 1e300), np.array("a"), np.ones(3, "c8")]
            )
        elif kind == "shape":
            state[name] = np.ones(rng.choice([(), (0,), (6,), (6, 6, 6), (0, 6), (12, 6), (24, 6)]))
        elif kind == "remove":
            del state[name]
        elif kind == "rename":
            state[
                rng.choice([name + "_reverse", "a." + name, "x" * 999, "1" * 9999 + name, "\n"])
            ] = state.pop(name)
        elif kind == "add":
            state[rng.choice(["step", "loss", "epoch", "gate.weight", "net.wi", 5, None])] = (
                rng.choice([*STRANGE, np.ones((6, 6)), np.array(3)])
            )
        else:
            state = {rng.choice(["model", 3, ""]): state, "other": rng.choice(STRANGE)}
        key = rng.choice([None, None, "model", "x\ny" * 200])
        checked(partial(at.from_torch, state, key=key, **said), b"", f"state dict {seed}")
