"""What Keras files do not say: settled by shapes and versions, or refused until the caller says it.

The files are laid out by hand as each version of Keras wrote them; the numbers to match are of a
plain loop in NumPy, which in turn is held against Keras 3 where that has the same layer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest

import attractory as at

os.environ.setdefault("KERAS_BACKEND", "jax")

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

N, INPUTS, OUTPUTS = 5, 2, 2
GATES = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}
SIGMOIDS = {
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "2": lambda a: np.clip(0.2 * a + 0.5, 0, 1),  # hard_sigmoid of Keras 2
    "3": lambda a: np.clip(a / 6 + 0.5, 0, 1),
}
TRIALS = np.random.default_rng(9).normal(size=(3, 20, INPUTS))


def arrays_of(kind, bias=True, reset_after=False):
    rng = np.random.default_rng(4)
    rows = GATES[kind] * N
    made = {
        "kernel": rng.normal(size=(INPUTS, rows)),
        "recurrent_kernel": rng.normal(size=(N, rows)) * 0.8,
    }
    if bias:
        made["bias"] = rng.normal(size=(2, rows) if reset_after else (rows,))
    return {name: array.astype(np.float32) for name, array in made.items()}


READOUT = {
    "kernel": np.random.default_rng(5).normal(size=(N, OUTPUTS)).astype(np.float32),
    "bias": np.array([0.3, -0.2], np.float32),
}


def plain(kind, arrays, gates="sigmoid", reset_after=False):
    """Outputs (trial, time, output) by Keras's equations, with Keras's order of gates."""
    sigma = SIGMOIDS[gates]
    kernel, recurrent = arrays["kernel"], arrays["recurrent_kernel"]
    bias = np.broadcast_to(arrays.get("bias", 0.0), (2, kernel.shape[1]) if reset_after else
                           (kernel.shape[1],))  # fmt: skip
    h = c = np.zeros((len(TRIALS), N))
    outputs = []
    for x in np.swapaxes(TRIALS, 0, 1):
        drive = x @ kernel + (bias[0] if reset_after else bias)
        if kind == "SimpleRNN":
            h = np.tanh(drive + h @ recurrent)
        elif kind == "LSTM":
            i, f, g, o = np.split(drive + h @ recurrent, 4, axis=-1)
            c = sigma(f) * c + sigma(i) * np.tanh(g)
            h = sigma(o) * np.tanh(c)
        else:
            d_z, d_r, d_n = np.split(drive, 3, axis=-1)
            b_z, b_r, b_n = np.split(bias[1], 3) if reset_after else (0, 0, 0)
            r_z, r_r, r_n = np.split(recurrent, 3, axis=-1)
            z, r = sigma(d_z + h @ r_z + b_z), sigma(d_r + h @ r_r + b_r)
            inner = r * (h @ r_n + b_n) if reset_after else (r * h) @ r_n
            h = z * h + (1 - z) * np.tanh(d_n + inner)
        outputs.append(h @ READOUT["kernel"] + READOUT["bias"])
    return np.stack(outputs, axis=1)


def write_old(path, kind, arrays, version="2.2.4", settings=None, more=()):
    """HDF5 as Keras 2 wrote it: weights alone, or with the settings of the layer a whole model."""
    with h5py.File(path, "w") as file:
        top = file
        if settings is not None:
            layers = [
                *more,
                {"class_name": kind, "config": {"name": "cell_1", "units": N, **settings}},
                {"class_name": "Dense", "config": {"name": "dense_1", "activation": "linear"}},
            ]
            config = {"class_name": "Sequential", "config": {"layers": layers}}
            file.attrs["model_config"] = json.dumps(config)
            top = file.create_group("model_weights")
        for group in {file, top}:
            if version is not None:
                group.attrs["keras_version"] = version
        top.attrs["layer_names"] = [b"cell_1", b"dense_1"]
        for name, own in (("cell_1", arrays), ("dense_1", READOUT)):
            group = top.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{each}:0".encode() for each in own]
            for each, array in own.items():
                group[f"{name}/{each}:0"] = array
    return path


def write_recent(path, kind, arrays):
    """Weights alone as Keras 3 writes them."""
    with h5py.File(path, "w") as file:
        name = {"SimpleRNN": "simple_rnn", "GRU": "gru", "LSTM": "lstm"}[kind]
        for place, own in ((f"layers/{name}/cell", arrays), ("layers/dense", READOUT)):
            for i, array in enumerate(own.values()):
                file[f"{place}/vars/{i}"] = array
    return path


def assert_computes(network, expected):
    got = network.simulate(TRIALS, precision="float64").outputs
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)


def refusal(path, kind=at.FileProblem, **said):
    with pytest.raises(kind) as caught:
        at.load_keras(path, **said)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) <= 300
    return line


# Which function the gates are


@pytest.mark.parametrize(
    ("versions", "gates"),
    [
        # -tf: of TensorFlow 1.12 and 2.2
        (("2.0.8", "2.2.4", "2.2.5", "2.1.6-tf"), "2"),
        (("2.3.0", "2.3.1", "2.3.0-tf", "2.11.0", "3.4.1"), "sigmoid"),
    ],
)
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_weights_alone_have_the_gates_of_their_version(kind, versions, gates, tmp_path):
    arrays = arrays_of(kind)
    expected = plain(kind, arrays, gates)
    for version in versions:
        network = at.load_keras(write_old(tmp_path / "w.h5", kind, arrays, version))
        assert_computes(network, expected)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_where_the_version_does_not_tell_the_caller_has_to(kind, tmp_path):
    arrays = arrays_of(kind)
    for version in (None, "", "newest", "2", "2.2.4-tf"):
        path = write_old(tmp_path / "w.h5", kind, arrays, version)
        line = refusal(path)
        assert "does not say whether the gates of layer 'cell_1'" in line
        assert "recurrent_activation=" in line
    for said, gates in [("sigmoid", "sigmoid"), ("hard_sigmoid_keras2", "2"),
                        ("hard_sigmoid_keras3", "3")]:  # fmt: skip
        network = at.load_keras(path, recurrent_activation=said)
        assert_computes(network, plain(kind, arrays, gates))


def test_a_simple_rnn_needs_no_version(tmp_path):
    arrays = arrays_of("SimpleRNN")
    for version in ("2.2.4-tf", None, "1.0.0"):
        path = write_old(tmp_path / "w.h5", "SimpleRNN", arrays, version)
        assert_computes(at.load_keras(path), plain("SimpleRNN", arrays))


@pytest.mark.parametrize(("version", "gates"), [("2.2.4", "2"), ("2.15.0", "2"), ("3.0.0", "3")])
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_hard_sigmoid_is_that_of_the_version(kind, version, gates, tmp_path):
    arrays = arrays_of(kind)
    expected = plain(kind, arrays, gates)
    told = {"recurrent_activation": "hard_sigmoid"}
    path = write_old(tmp_path / "m.h5", kind, arrays, version, told)
    assert_computes(at.load_keras(path), expected)
    path = write_old(tmp_path / "w.h5", kind, arrays, version)
    assert_computes(at.load_keras(path, recurrent_activation="hard_sigmoid"), expected)


def test_hard_sigmoid_of_no_version_is_refused(tmp_path):
    arrays = arrays_of("LSTM")
    told = {"recurrent_activation": "hard_sigmoid"}
    old = write_old(tmp_path / "m.h5", "LSTM", arrays, None, told)
    recent = write_recent(tmp_path / "w.weights.h5", "LSTM", arrays)
    assert "hard_sigmoid_keras2" in refusal(old)
    assert "hard_sigmoid_keras3" in refusal(recent, recurrent_activation="hard_sigmoid")
    network = at.load_keras(old, recurrent_activation="hard_sigmoid_keras3")
    assert_computes(network, plain("LSTM", arrays, "3"))


def test_a_config_that_leaves_the_gates_out_means_the_default_of_its_version(tmp_path):
    arrays = arrays_of("LSTM")
    for version, gates in (("2.2.4", "2"), ("2.4.0", "sigmoid")):
        path = write_old(tmp_path / "m.h5", "LSTM", arrays, version, {})
        assert_computes(at.load_keras(path), plain("LSTM", arrays, gates))
    assert "does not say whether" in refusal(
        write_old(tmp_path / "m.h5", "LSTM", arrays, "2.2.4-tf", {})
    )


# Where the reset gate of a GRU acts


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("write", ["old", "recent", "model"])
def test_the_bias_of_a_gru_tells_where_its_reset_gate_acts(write, reset_after, tmp_path):
    arrays = arrays_of("GRU", reset_after=reset_after)
    path = tmp_path / "w.h5"
    if write == "recent":
        write_recent(path, "GRU", arrays)
    else:
        told = None if write == "old" else {"reset_after": reset_after}
        write_old(path, "GRU", arrays, "2.4.0", told)
    network = at.load_keras(path)
    assert network.model.reset_after == reset_after
    assert_computes(network, plain("GRU", arrays, reset_after=reset_after))
    at.load_keras(path, reset_after=reset_after)
    line = refusal(path, at.InvalidSetting, reset_after=not reset_after)
    assert f"has reset_after={reset_after}" in line


@pytest.mark.parametrize("write", ["old", "recent"])
def test_without_a_bias_the_caller_has_to_say_it(write, tmp_path):
    arrays = arrays_of("GRU", bias=False)
    path = tmp_path / "w.h5"
    if write == "recent":
        write_recent(path, "GRU", arrays)
    else:
        write_old(path, "GRU", arrays, "2.4.0")
    assert "say reset_after=True" in refusal(path)
    for reset_after in (True, False):
        network = at.load_keras(path, reset_after=reset_after)
        assert_computes(network, plain("GRU", arrays, reset_after=reset_after))


def test_a_config_says_it_without_a_bias_too_and_its_absence_is_false(tmp_path):
    arrays = arrays_of("GRU", bias=False)
    for told, reset_after in [({"reset_after": True}, True), ({"reset_after": False}, False),
                              ({}, False)]:  # fmt: skip
        path = write_old(tmp_path / "m.h5", "GRU", arrays, "2.4.0", {"use_bias": False, **told})
        assert_computes(at.load_keras(path), plain("GRU", arrays, reset_after=reset_after))
        refusal(path, at.InvalidSetting, reset_after=not reset_after)


def test_a_config_against_its_bias_is_refused(tmp_path):
    path = write_old(tmp_path / "m.h5", "GRU", arrays_of("GRU"), "2.4.0", {"reset_after": True})
    assert "described with reset_after=True, but its bias is that of" in refusal(path)


@pytest.mark.parametrize(
    ("kind", "said", "words"),
    [
        ("LSTM", {"reset_after": True}, "there is no GRU"),
        ("SimpleRNN", {"recurrent_activation": "sigmoid"}, "SimpleRNN has no gates"),
        ("LSTM", {"recurrent_activation": "relu"}, "recurrent_activation = 'relu' is not allowed"),
        ("LSTM", {"recurrent_activation": 3}, "recurrent_activation = 3 is not allowed"),
        ("GRU", {"reset_after": "yes"}, "reset_after = 'yes' is not allowed"),
        ("LSTM", {"activation": "relu"}, "there is no SimpleRNN"),
    ],
)
def test_what_is_said_must_fit(kind, said, words, tmp_path):
    path = write_old(tmp_path / "w.h5", kind, arrays_of(kind), "2.4.0")
    assert words in refusal(path, at.InvalidSetting, **said)


# The same by commands


@pytest.mark.slow
def test_what_a_file_leaves_unsaid_can_be_said_in_the_shell(tmp_path):
    arrays = arrays_of("GRU", bias=False)
    path = write_old(tmp_path / "w.h5", "GRU", arrays, "2.2.4-tf")
    out = tmp_path / "run"
    said = ["--recurrent-activation", "hard_sigmoid", "--no-reset-after"]
    subprocess.run(
        [sys.executable, "-m", "attractory", "import", path, "--out", out, *said],
        check=True,
        capture_output=True,
    )
    assert_computes(at.load(out).networks[0], plain("GRU", arrays, "2"))


def test_an_argument_that_a_kind_of_file_does_not_have_is_one_line(tmp_path):
    with pytest.raises(at.InvalidSetting, match="reset_after = True is not allowed for .npz"):
        at.runs.load_network(tmp_path / "w.npz", reset_after=True)


# The loop above, and the reading, against Keras itself


@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
def test_keras_3_computes_what_the_loop_does(kind, tmp_path):
    keras = pytest.importorskip("keras")
    theirs = {"recurrent_activation": "hard_sigmoid"}
    theirs |= {"reset_after": False} if kind == "GRU" else {}
    layer = getattr(keras.layers, kind)(N, return_sequences=True, name="mine", **theirs)
    model = keras.Sequential([keras.Input((None, INPUTS)), layer, keras.layers.Dense(OUTPUTS)])
    arrays = arrays_of(kind)
    model.set_weights([*arrays.values(), *READOUT.values()])
    expected = np.asarray(model(TRIALS.astype(np.float32)))
    np.testing.assert_allclose(plain(kind, arrays, "3"), expected, rtol=0, atol=1e-5)
    assert_computes(at.load_keras(model), expected)
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        assert_computes(at.load_keras(tmp_path / name), expected)


def test_a_keras_archive_of_keras_2_has_its_hard_sigmoid(tmp_path):
    arrays = arrays_of("LSTM")
    weights = write_recent(tmp_path / "w.h5", "LSTM", arrays).read_bytes()
    layers = [
        {"class_name": "LSTM", "config": {"name": "a", "recurrent_activation": "hard_sigmoid"}},
        {"class_name": "Dense", "config": {"name": "b"}},
    ]
    config = {"class_name": "Sequential", "config": {"layers": layers}}
    for version, gates in (("2.15.0", "2"), ("3.1.0", "3")):
        with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
            archive.writestr("config.json", json.dumps(config))
            archive.writestr("metadata.json", json.dumps({"keras_version": version}))
            archive.writestr("model.weights.h5", weights)
        assert_computes(at.load_keras(tmp_path / "m.keras"), plain("LSTM", arrays, gates))
