"""PsychRNN's files: the network answers as PsychRNN's equation does, written as a plain loop."""

from __future__ import annotations

import pickle
import struct
import sys
import types
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import attractory as at
from attractory.exchange.psychrnn._pickled import Named, value_of_pickle
from attractory.runs import load_psychrnn

FUNCTIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}


def saved(folder, dale=True, **changes):
    """A file as `RNN.save` writes it: effective weights, and what they were made of beside them."""
    rng = np.random.default_rng(2)
    units, n_in, n_out = 8, 3, 2
    signs = np.where(np.arange(units) < 6, 1.0, -1.0)
    mask = (rng.uniform(size=(units, units)) < 0.6).astype(np.float32)
    recurrent = 0.4 * rng.normal(size=(units, units)) * mask
    arrays = {
        "W_rec": np.abs(recurrent) * signs if dale else recurrent,
        "W_in": np.abs(rng.normal(size=(units, n_in))),
        "W_out": np.abs(rng.normal(size=(n_out, units))) * (signs > 0 if dale else signs),
        "b_rec": 0.1 * rng.normal(size=units),
        "b_out": 0.1 * rng.normal(size=n_out),
        "init_state": 0.1 + 0.01 * rng.normal(size=(1, units)),
    }
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    arrays |= {"rec_connectivity": mask, "Dale_rec": np.diag(signs if dale else 0 * signs + 1)}
    arrays |= {"Dale_out": np.diag(np.maximum(signs, 0)) if dale else np.eye(units)}
    arrays |= {"dale_ratio": np.array(0.75 if dale else None)}
    arrays |= changes
    path = folder / "weights.npz"
    np.savez(path, **{name: a for name, a in arrays.items() if a is not False})
    return path, arrays


def by_hand(arrays, inputs, phi, alpha):
    x = np.repeat(arrays["init_state"], len(inputs), axis=0).astype(np.float64)
    states, outputs = [], []
    for u in np.swapaxes(inputs, 0, 1):
        into = phi(x) @ arrays["W_rec"].T + u @ arrays["W_in"].T + arrays["b_rec"]
        x = (1 - alpha) * x + alpha * into
        states.append(x)
        outputs.append(phi(x) @ arrays["W_out"].T + arrays["b_out"])
    return np.stack(states, 1), np.stack(outputs, 1)


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_outputs_are_those_of_the_equation(activation, tmp_path):
    path, arrays = saved(tmp_path)
    network = load_psychrnn(path, activation=activation, tau=50.0, dt=10.0)
    inputs = np.random.default_rng(3).normal(size=(5, 40, 3))
    path = network.simulate(inputs, precision="float64")
    states, outputs = by_hand(arrays, inputs, FUNCTIONS[activation], 0.2)
    np.testing.assert_allclose(path.states, states, atol=1e-12)
    np.testing.assert_allclose(path.outputs, outputs, atol=1e-12)
    np.testing.assert_allclose(network.respond(inputs), outputs, atol=1e-5)


def test_masks_and_signs_are_applied_where_the_file_did_not(tmp_path):
    expected = load_psychrnn(saved(tmp_path)[0]).weights
    _, arrays = saved(tmp_path)
    rng = np.random.default_rng(4)
    raw = {
        "W_rec": arrays["W_rec"] * np.where(rng.uniform(size=(8, 8)) < 0.5, 1, -1)
        + 3 * (1 - arrays["rec_connectivity"]),
        "W_in": -arrays["W_in"],
        "W_out": -arrays["W_out"] + (np.diag(arrays["Dale_out"]) == 0),
    }
    raw = {name: array.astype(np.float32) for name, array in raw.items()}
    made = load_psychrnn(saved(tmp_path, **raw)[0]).weights
    for name, array in expected.items():
        np.testing.assert_array_equal(made[name], array)


def test_dales_law_is_seen_in_what_was_read(tmp_path):
    network = load_psychrnn(saved(tmp_path)[0])
    assert at.analysis.connectivity(network).dale_violations == 0
    assert network.model.dt == 10.0


def test_it_can_be_trained_further_start_included(tmp_path):
    network = load_psychrnn(saved(tmp_path, dale=False)[0], dt=20.0)
    task = at.tasks.get("flipflop", bits=1, steps=110, pulse=4, delay=4, dt=20.0)
    rule = at.rules.BPTT(steps=2, batch=4)
    run = at.train(task, network.model.replace(units=10), rule, progress=False)
    assert np.abs(run.networks[0].weights["initial_state"]).max() > 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"W_rec": False}, "'W_rec' is missing; allowed: what PsychRNN's Basic models save"),
        (
            {"W_out": np.ones((2, 5), np.float32)},
            r"'W_out' has shape \(2, 5\); it must be \(2, 8\)",
        ),
        ({"W_f": np.ones((11, 8))}, "'W_f' belongs to PsychRNN's LSTM, which is not read"),
        ({"b_rec": np.array(1.0)}, r"'b_rec' has shape \(\); it must be \(8,\)"),
        ({"W_in": np.ones(3)}, r"'W_in' has shape \(3,\); it must be a matrix"),
        ({"rec_connectivity": np.ones((8, 7))}, r"'rec_connectivity' has shape \(8, 7\)"),
        ({"Dale_rec": False}, "'Dale_rec' is missing, but there is a 'dale_ratio'"),
        ({"b_rec": np.full(8, np.nan)}, "'b_rec' must hold finite numbers"),
        ({"W_in": np.array(None)}, "'W_in' must hold finite numbers"),
        ({"W_in": np.full((8, 3), 1 + 1j)}, "'W_in' must hold finite numbers"),
        ({"W_rec": np.full((8, 8), 1e300)}, r"recurrent_weights has a value of size 1e\+300"),
        (
            {"W_rec": np.full((8, 8), 1e30), "rec_connectivity": np.full((8, 8), 3e38)},
            "recurrent_weights has a value of size 3e",
        ),
        (
            {"W_rec": np.full((8, 8), 10, np.float32), "rec_connectivity": np.full((8, 8), 3e38)},
            "recurrent_weights has values that are not finite",
        ),
        ({"tau": np.array([1.0, 2.0])}, "'tau' has shape .2,.; it must be one number"),
    ],
)
def test_a_wrong_file_is_said_in_one_line(changes, said, tmp_path):
    path, _ = saved(tmp_path, **changes)
    with pytest.raises(at.FileProblem, match=said) as caught:
        load_psychrnn(path)
    assert "\n" not in str(caught.value)


def test_what_is_no_file_of_this_kind(tmp_path):
    other = tmp_path / "other.npz"
    other.write_bytes(b"nothing")
    with pytest.raises(at.FileProblem, match="not readable"):
        load_psychrnn(other)
    with other.open("wb") as file:
        np.save(file, np.ones(3))
    with pytest.raises(at.FileProblem, match="not readable"):
        load_psychrnn(other)
    with pytest.raises(at.FileProblem, match="there is no such file"):
        load_psychrnn(tmp_path / "none.npz")


def in_module(monkeypatch, home, name):
    """A function that is pickled under a name of a library that is not here."""

    def function(x):
        raise AssertionError("called")

    module = types.ModuleType(home)
    setattr(module, name, function)
    function.__module__, function.__qualname__ = home, name
    parts = home.split(".")
    for i in range(1, len(parts)):
        above = ".".join(parts[:i])
        monkeypatch.setitem(sys.modules, above, types.ModuleType(above))
    monkeypatch.setitem(sys.modules, home, module)
    return function


STORED = {
    ("tensorflow.python.ops.math_ops", "tanh"): "tanh",
    ("tensorflow.python.ops.math_ops", "sigmoid"): "sigmoid",
    ("tensorflow.python.ops.gen_nn_ops", "relu"): "relu",
    ("tensorflow.python.ops.gen_nn_ops", "softplus"): "softplus",
    ("tensorflow.python.ops.gen_nn_ops", "softsign"): "soft_sign",
    ("tensorflow.python.ops.array_ops", "identity"): "linear",
    ("keras.src.activations.activations", "elu"): "elu",
}


@pytest.mark.parametrize(("stored", "activation"), STORED.items(), ids=str)
def test_the_transfer_function_is_read_by_its_name(stored, activation, tmp_path, monkeypatch):
    function = in_module(monkeypatch, *stored)
    path, _ = saved(tmp_path, transfer_function=np.array(function, dtype=object))
    assert load_psychrnn(path).model.activation == activation
    assert load_psychrnn(path, activation=activation).model.activation == activation
    other = "relu" if activation != "relu" else "tanh"
    with pytest.raises(at.FileProblem, match=f"activation = '{other}' contradicts"):
        load_psychrnn(path, activation=other)


def test_numpys_functions_and_texts_are_read_too(tmp_path):
    for stored, activation in [
        (np.array(np.tanh, dtype=object), "tanh"),
        (np.array("sigmoid"), "sigmoid"),
        (np.array("softplus", dtype=object), "softplus"),
        (np.array(None, dtype=object), "relu"),
    ]:
        path, _ = saved(tmp_path, transfer_function=stored)
        assert load_psychrnn(path).model.activation == activation


def own(x):
    return x


class Callable:
    def __call__(self, x):
        return x


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (own, r"'transfer_function' is '[\w.]*test_psychrnn.own'"),
        (partial(own, x=1), "'transfer_function' is 'what functools.partial makes'"),
        (Callable(), "'transfer_function' is 'what .*Callable makes'|cannot be read"),
        (print, "is 'builtins.print'"),
        (np.maximum, "is 'numpy.maximum'"),
        ({"alpha": 0.2}, "'transfer_function' is"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_function_that_is_not_known_must_be_said(function, said, tmp_path):
    stored = np.empty((), object)
    stored[()] = function
    path, _ = saved(tmp_path, transfer_function=stored)
    with pytest.raises(at.FileProblem, match=said + ".*activation='relu'") as caught:
        load_psychrnn(path)
    assert "\n" not in str(caught.value)
    assert load_psychrnn(path, activation="softplus").model.activation == "softplus"


def test_functions_whose_values_differ_here_are_not_taken_by_their_name(tmp_path, monkeypatch):
    for name in ("leaky_relu", "gelu", "hard_sigmoid"):  # other slopes, another approximation
        function = in_module(monkeypatch, "tensorflow.python.ops.nn_ops", name)
        path, _ = saved(tmp_path, transfer_function=np.array(function, dtype=object))
        with pytest.raises(at.FileProblem, match=f"nn_ops.{name}', which is not known here"):
            load_psychrnn(path)


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_nothing_is_unpickled(tmp_path):
    mark = tmp_path / "ran"
    for name in ("transfer_function", "dale_ratio", "W_in"):
        path, _ = saved(tmp_path, **{name: np.array(Evil(mark), dtype=object)})
        with pytest.raises(at.FileProblem):
            load_psychrnn(path)
    assert not mark.exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_all_protocols_are_read(protocol):
    for value in (None, 0.25, 7, True, "text", np.float64(0.8), np.float32(0.5)):
        data = pickle.dumps(np.array(value, dtype=object), protocol)
        assert value_of_pickle(data) == value
    data = pickle.dumps(np.array(own, dtype=object), protocol)
    assert value_of_pickle(data) == Named(own.__module__, "own")


def test_dales_ratio_may_be_pickled(tmp_path):
    signed = load_psychrnn(saved(tmp_path)[0]).weights["recurrent_weights"]
    raw = {"W_rec": -np.abs(signed), "dale_ratio": np.array(np.float64(0.75), dtype=object)}
    made = load_psychrnn(saved(tmp_path, **raw)[0]).weights["recurrent_weights"]
    np.testing.assert_allclose(made, signed, atol=1e-7)


def test_times_in_the_file_are_taken(tmp_path):
    path, _ = saved(tmp_path, tau=np.array(50.0), dt=np.array(5.0))
    assert (load_psychrnn(path).model.tau, load_psychrnn(path).model.dt) == (50.0, 5.0)
    assert load_psychrnn(path, tau=20.0).model.tau == 20.0


OTHERS = Path(__file__).resolve().parents[3] / "shared" / "data" / "others"


@pytest.mark.skipif(not OTHERS.is_dir(), reason="the published networks are not here")
@pytest.mark.parametrize(
    ("name", "units", "signs"),
    [
        ("psychrnn_docs_saved_weights.npz", 50, None),
        ("psychrnn_tianw6_delay_discrim.npz", 100, (80, 20)),
    ],
)
def test_published_networks(name, units, signs):
    network = load_psychrnn(OTHERS / name)
    with np.load(OTHERS / name) as file:
        arrays = {n: file[n] for n in ALL}
    inputs = np.random.default_rng(3).normal(size=(3, 30, 2))
    outputs = by_hand(arrays, inputs, FUNCTIONS["relu"], 0.1)[1]
    np.testing.assert_allclose(network.simulate(inputs).outputs, outputs, atol=1e-5)
    (entry,) = at.analysis.audit(network).entries
    assert network.units == units
    if signs is None:
        assert entry.mixed_columns == units
    else:
        assert (entry.excitatory, entry.inhibitory) == signs


ALL = ("W_rec", "W_in", "W_out", "b_rec", "b_out", "init_state")


def packed(path, arrays, name, head, data, method=zipfile.ZIP_DEFLATED):
    """A .npz file with one member of hand-made content."""
    np.savez(path, **{n: a for n, a in arrays.items() if n != name and a is not False})
    with zipfile.ZipFile(path, "a", method) as archive, archive.open(name + ".npy", "w") as out:
        head = head + b" " * (63 - (len(head) + 10) % 64) + b"\n"
        out.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head)
        for part in data:
            out.write(part)
    return path


@pytest.mark.parametrize("length", [4000, 10**6, 10**12])
def test_a_small_file_does_not_take_much_memory(length, tmp_path):
    _, arrays = saved(tmp_path)
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({length}, {length}), }}".encode()
    path = packed(tmp_path / "a.npz", arrays, "W_rec", head, [bytes(10**6)] * 70)
    assert path.stat().st_size < 10**6
    with pytest.raises(at.FileProblem, match=r"not readable.*'W_rec' would take \d+ MiB"):
        load_psychrnn(path)


def test_strange_archives_are_refused(tmp_path):
    _, arrays = saved(tmp_path)
    for head in (b"{'descr': '<f4', ", b"(((((", b"{'descr': 'x', 'fortran_order': 0, 'shape': 1}"):
        path = packed(tmp_path / "a.npz", arrays, "W_rec", head, [])
        with pytest.raises(at.FileProblem, match="not readable as a .npz file"):
            load_psychrnn(path)
    good = b"{'descr': '<f4', 'fortran_order': False, 'shape': (8, 8), }"
    path = packed(tmp_path / "a.npz", arrays, "W_rec", good, [bytes(256)], zipfile.ZIP_BZIP2)
    with pytest.raises(at.FileProblem, match="'W_rec' is packed by method 12"):
        load_psychrnn(path)
