"""A format of a user's own, and what decides between formats."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import attractory as at
from attractory.cli import main
from attractory.exchange import _format
from attractory.models import GRU, RateRNN

INPUTS = np.random.default_rng(0).normal(size=(2, 10, 1)).astype(np.float32)


@pytest.fixture
def registry(monkeypatch):
    """What is registered here is gone afterwards."""
    monkeypatch.setattr(_format._registry, "parts", dict(_format._registry.parts))


@pytest.fixture
def lab(registry):
    @at.exchange.register
    class Lab(at.exchange.Format):
        """Matrices in JSON, under an ending that Keras has, too."""

        name = "lab"
        endings = (".h5", ".lab.json")
        in_words = "a file of our lab"

        def sniff(self, path):
            return json.loads(path.read_text())["lab"] == "ours"

        def read(self, path, activation="tanh"):
            said = json.loads(path.read_text())
            matrices = {name: np.array(said[name]) for name in ("recurrent", "input", "output")}
            return RateRNN.from_weights(**matrices, activation=activation)

        def write(self, network, path):
            arrays = {"recurrent": network.recurrent_weights}
            arrays |= {n: network.weights[f"{n}_weights"] for n in ("input", "output")}
            lists = {name: np.asarray(array).tolist() for name, array in arrays.items()}
            path.write_text(json.dumps({"lab": "ours", **lists}))

    return Lab


@pytest.fixture
def network():
    return RateRNN(units=4, output_bias=False).build(1, 1, seed=3)


def same(one, other):
    np.testing.assert_allclose(
        one.simulate(INPUTS).outputs, other.simulate(INPUTS).outputs, rtol=0, atol=1e-6
    )


def test_it_is_written_by_name_and_read_by_content(lab, network, tmp_path):
    path = at.exchange.write(network, tmp_path / "net.h5", format="lab")
    assert path == tmp_path / "net.h5"
    same(at.exchange.read(path), network)
    same(at.exchange.read(path, format="lab"), network)
    same(at.exchange.read(at.exchange.write(network, tmp_path / "a" / "b" / "n.lab.json")), network)
    assert at.exchange.read(path, activation="relu").model.activation == "relu"
    same(at.exchange.read(at.exchange.write(network, tmp_path / "net.lab.json")), network)


def test_an_ending_that_several_write_needs_a_name(lab, network, tmp_path):
    with pytest.raises(at.InvalidSetting) as caught:
        at.exchange.write(network, tmp_path / "net.h5")
    line = "several formats have this ending, 'keras' (a file of Keras), 'lab' (a file of our lab)"
    assert f"{line}; say format=NAME" in str(caught.value)


def test_a_file_that_is_none_or_several_of_them_is_told_with_their_names(lab, tmp_path):
    path = tmp_path / "net.h5"
    with pytest.raises(at.FileProblem, match="net.h5: there is no such file"):
        at.exchange.read(path)
    path.write_text("words")
    with pytest.raises(at.FileProblem, match="none of 'keras' .*, 'lab' .*; say which .*format="):
        at.exchange.read(path)

    @at.exchange.register
    class Twin(lab):
        name = "twin"

    path.write_text('{"lab": "ours"}')
    with pytest.raises(at.FileProblem, match="could be any of 'lab' .*, 'twin' .*format=NAME"):
        at.exchange.read(path)
    with pytest.raises(at.FileProblem, match="net.h5: not readable as a file of our lab .KeyError"):
        at.exchange.read(path, format="lab")


def test_the_commands_know_it(lab, tmp_path, monkeypatch, capsys):
    def attractory(*arguments):
        monkeypatch.setattr(sys, "argv", ["attractory", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code, capsys.readouterr().err

    network = RateRNN(units=4, output_bias=False).build(2, 2, seed=3)
    at.exchange.write(network, tmp_path / "net.h5", format="lab")
    for number, more in enumerate([[], ["--format", "lab"], ["--say", "activation=relu"]]):
        attractory("import", tmp_path / "net.h5", "--out", tmp_path / f"run{number}", *more)
    run = at.load(tmp_path / "run0")
    np.testing.assert_allclose(run.networks[0].recurrent_weights, network.recurrent_weights)
    assert at.load(tmp_path / "run2").model.activation == "relu"
    attractory("export", tmp_path / "run0", "--format", "lab")
    back = at.exchange.read(tmp_path / "run0" / "export" / "network_0.h5")
    np.testing.assert_allclose(back.recurrent_weights, network.recurrent_weights)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--say", "tau"], "--say 'tau' is not allowed: KEY=VALUE, as tau=100"),
        (["--say", "format=keras"], "is not allowed: KEY=VALUE"),
        (["--say", "colour=red"], "colour = 'red' is not allowed for .npz files; allowed:"),
        (["--format", "onnx"], "an ONNX file is written only, not read; allowed: keras"),
        (["--format", "tflite"], "format = 'tflite' is not allowed"),
    ],
)
def test_the_command_refuses_in_one_line(arguments, words, tmp_path, monkeypatch, capsys):
    (tmp_path / "net.npz").write_text("words")
    monkeypatch.setattr(sys, "argv", ["attractory", "import", f"{tmp_path}/net.npz", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_what_is_no_format_is_not_registered(registry):
    def refused(match, **said):
        facts = {"name": "x", "endings": (".x",), "in_words": "an x", "read": print, **said}
        facts = {fact: value for fact, value in facts.items() if value is not None}
        with pytest.raises(at.InvalidSetting, match=match):
            at.exchange.register(type("X", (at.exchange.Format,), facts))

    refused("X.name = None is not allowed", name=None)
    refused("X.endings = 'x' is not allowed: a tuple of endings", endings="x")
    refused("X defines neither read nor write", read=None)
    refused("X has no sniff", name="x")
    refused("name 'keras' belongs to", name="keras", sniff=print)
    with pytest.raises(at.InvalidSetting, match="is no subclass of attractory.exchange.Format"):
        at.exchange.register(dict)


@pytest.mark.parametrize("name", ["tflite", None, 3, "onnx"])
def test_an_unknown_format_is_told_with_those_that_there_are(name, tmp_path, network):
    if name is not None:
        with pytest.raises(at.InvalidSetting, match="allowed: keras, psychrnn, torch, torch.save"):
            at.exchange.read(tmp_path / "net.h5", format=name)
    with pytest.raises((at.InvalidSetting, at.FileProblem), match="allowed: .*keras"):
        at.exchange.write(network, tmp_path / "net.txt", name if name != "onnx" else "psychrnn")


def test_other_endings_are_told(tmp_path):
    with pytest.raises(at.FileProblem, match="networks are not read from '.onnx' files; allowed:"):
        at.exchange.read(tmp_path / "net.onnx")
    with pytest.raises(at.FileProblem, match="networks are not written to '.npz' files; allowed:"):
        at.exchange.write(GRU(units=2).build(1, 1), tmp_path / "net.npz")


def test_what_is_refused_leaves_nothing_behind(tmp_path, network):
    noisy = at.models.Network(network.model.replace(output_noise=0.1), network.weights)
    with pytest.raises(at.InvalidSetting, match="output_noise is not 0"):
        at.exchange.write(noisy, tmp_path / "folder" / "net.safetensors")
    (tmp_path / "file").write_text("")
    with pytest.raises(at.FileProblem, match="cannot be written"):
        at.exchange.write(network, tmp_path / "file" / "net.safetensors")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_the_room_needs_no_other_framework():
    code = "import sys, attractory.exchange\n"
    code += "print({n.split('.')[0] for n in sys.modules} & {'keras', 'torch', 'onnx', 'h5py'})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
