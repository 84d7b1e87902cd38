"""Networks handed to Keras: it computes the same, and what it saves comes back the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from few import few

import attractory as at
from attractory.exchange.keras._activations import same_here
from attractory.models import GRU, LSTM, Constraints, LowRankRNN, Network, RateRNN, Stacked
from attractory.runs import load_keras, save_keras, to_keras

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

INPUTS = np.random.default_rng(0).normal(size=(3, 15, 2)).astype(np.float32)
WHOLE = ("net.keras", "net.h5", "net.hdf5")
MODELS = {
    "tanh": RateRNN(units=5),
    "relu with bias": RateRNN(units=5, activation="relu", bias=True, output_bias=False),
    "softsign": RateRNN(units=5, activation="soft_sign"),
    "a function": RateRNN(units=5, activation=jax.nn.silu, bias=True),
    "low rank": LowRankRNN(units=6, rank=2),
    "gru": GRU(units=5),
    "gru without bias": GRU(units=5, bias=False),
    "gru, reset before": GRU(units=5, reset_after=False),
    "lstm": LSTM(units=5),
    "lstm without bias": LSTM(units=5, bias=False, output_bias=False),
    "stacked": Stacked(layers=(GRU(units=4), RateRNN(units=3, activation="sigmoid"))),
}


def network_of(model: Any, inputs: int = 2, outputs: int = 3) -> Network:
    """A network whose biases, too, are random."""
    weights = model.init(jax.random.PRNGKey(0), inputs, outputs)
    rng = np.random.default_rng(1)
    return Network(
        model,
        {
            name: np.asarray(w, np.float32)
            + (rng.normal(size=w.shape).astype(np.float32) if "bias" in name else 0)
            for name, w in weights.items()
        },
    )


def said_activation(model: Any) -> Any:
    """What has to be said when a file of weights alone is read: that of the RateRNN, if any."""
    layers = model.layers if isinstance(model, Stacked) else (model,)
    return next((each.activation for each in layers if isinstance(each, RateRNN)), None)


def said_reset(model: Any) -> bool | None:
    """Without a bias, weights alone do not say where a GRU's reset gate acts."""
    return model.reset_after if isinstance(model, GRU) and not model.bias else None


def assert_same_outputs(keras_model: Any, network: Network, note: str = "") -> None:
    got, expected = np.asarray(keras_model(INPUTS)), network.simulate(INPUTS).outputs
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5, err_msg=note)


@pytest.mark.parametrize("model", few(MODELS, ("tanh", "gru", "lstm", "stacked")))
def test_keras_computes_the_same_before_and_after_its_files(model, tmp_path):
    network = network_of(model)
    made = to_keras(network)
    assert_same_outputs(made, network)
    for name in (*WHOLE, "net.weights.h5"):
        path = save_keras(network, tmp_path / name)
        if name in WHOLE:
            assert_same_outputs(keras.saving.load_model(path), network, name)
            back = load_keras(path)
        else:
            made.set_weights([0 * w for w in made.get_weights()])
            made.load_weights(path)
            assert_same_outputs(made, network, name)
            back = load_keras(path, said_activation(model), reset_after=said_reset(model))
        np.testing.assert_allclose(
            back.simulate(INPUTS).outputs, network.simulate(INPUTS).outputs, rtol=0, atol=1e-6
        )
        assert [back.n_inputs, back.units, back.n_outputs] == [2, network.units, 3]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted((*WHOLE, "net.weights.h5"))


def test_every_activation_goes_out_under_keras_own_name():
    for theirs, ours in same_here().items():
        layer = to_keras(network_of(RateRNN(units=2, activation=ours))).layers[0]
        assert layer.activation is keras.activations.get(theirs), ours


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (RateRNN(units=3, activation="gelu"), "activation = 'gelu' has no counterpart in Keras"),
        (RateRNN(units=3, activation=lambda x: 2 * x), "'<lambda>' has no counterpart in Keras"),
        (RateRNN(units=3, output_noise=0.1), "output_noise"),
        (
            LSTM(units=3, recurrent_activation="hard_sigmoid_keras2"),
            "has no counterpart in Keras 3",
        ),
    ],
)
def test_what_keras_does_not_have_is_refused(model, words, tmp_path):
    with pytest.raises(at.InvalidSetting, match=words) as caught:
        save_keras(network_of(model), tmp_path / "net.keras")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["net", "net.h6", "net.KERAS", "net.keras.txt", "weights.pt"])
def test_other_endings_are_refused(name, tmp_path):
    words = r"allowed: \.h5, \.hdf5, \.keras, \.weights\.h5"
    with pytest.raises(at.FileProblem, match=words) as caught:
        save_keras(network_of(RateRNN(units=2)), tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    first, second = (network_of(RateRNN(units=n)) for n in (2, 3))
    path = save_keras(first, tmp_path / "deeper" / "net.keras")
    assert save_keras(second, str(path)) == path
    assert load_keras(path).units == 3

    def fails(model: Any, made: Path) -> None:
        Path(made).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Sequential, "save", fails)
    with pytest.raises(at.FileProblem, match="cannot be written: No space left"):
        save_keras(first, path)
    assert load_keras(path).units == 3
    assert [p.name for p in path.parent.iterdir()] == ["net.keras"]


@pytest.mark.parametrize("name", ["net.keras", "net.h5", "net.weights.h5"])
def test_signs_and_zeros_of_a_dale_network_survive(name, tmp_path):
    constraints = Constraints(excitatory=0.8, density=0.2)
    network = network_of(RateRNN(units=20, activation="relu", constraints=constraints))
    back = load_keras(save_keras(network, tmp_path / name), "relu").recurrent_weights
    weights, mask = network.recurrent_weights, network.weights["recurrent_mask"] != 0
    np.testing.assert_array_equal(back, weights)
    assert mask.mean() < 0.3
    assert not back[~mask].any()
    assert (back[:, :16] >= 0).all()
    assert (back[:, 16:] <= 0).all()
    assert (back != 0).sum() > 0.1 * back.size


def test_keras_is_imported_on_jax_where_there_is_no_other(tmp_path):
    """Keras asks for TensorFlow unless told otherwise, which need not be installed."""
    program = """
import importlib.util, os
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "tensorflow" else find(name, *rest)
from attractory.models import RateRNN
from attractory.runs import to_keras
net = RateRNN.from_weights([[0.5]], [[1.0]], [[2.0]])
assert to_keras(net).count_params() == 3
import keras
assert keras.backend.backend() == "jax"
assert "KERAS_BACKEND" not in os.environ
"""
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    environment |= {
        "KERAS_HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=90
    )
    assert done.returncode == 0, done.stderr


def test_a_missing_keras_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(at.AttractoryError, match=r"pip install 'attractory\[keras\]'"):
        to_keras(network_of(RateRNN(units=2)))
