"""PsychRNN's files: the network answers as PsychRNN's equation does, written as a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

import attractory as at
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
        ({"W_in": np.array(None)}, "not readable as a .npz file"),
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
