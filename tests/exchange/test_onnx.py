"""ONNX files, run by ONNX Runtime."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import attractory as at
from attractory.models import GRU, LSTM, RateRNN, Stacked
from attractory.runs import to_onnx

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

NETWORKS = {
    "tanh": RateRNN(units=5, bias=True),
    "relu": RateRNN(units=5, activation="relu", output_bias=False),
    "sigmoid": RateRNN(units=5, activation="sigmoid"),
    "softplus": RateRNN(units=5, activation="softplus"),
    "soft_sign": RateRNN(units=5, activation="soft_sign"),
    "elu": RateRNN(units=5, activation="elu"),
    "leaky": RateRNN(units=5, tau=4.0),
    "GRU": GRU(units=5),
    "GRU without biases": GRU(units=5, bias=False),
    "GRU, reset before": GRU(
        units=5, reset_after=False, recurrent_activation="hard_sigmoid_keras2"
    ),
    "LSTM": LSTM(units=5),
    "LSTM, hard gates": LSTM(units=5, recurrent_activation="hard_sigmoid"),
    "layers": Stacked(layers=(GRU(units=4), RateRNN(units=5))),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_runtime_gives_the_same_outputs(name, tmp_path):
    rng = np.random.default_rng(1)
    network = NETWORKS[name].build(3, 2, seed=4)
    weights = {
        n: rng.normal(size=w.shape).astype(np.float32) if "bias" in n else np.asarray(w)
        for n, w in network.weights.items()
    }
    network = at.models.Network(network.model, weights)
    path = to_onnx(network, tmp_path / "net.onnx")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for trials, steps in [(4, 20), (1, 7)]:
        inputs = rng.normal(size=(trials, steps, 3)).astype(np.float32)
        (made,) = session.run(None, {"inputs": inputs})
        assert made.shape == (trials, steps, 2)
        np.testing.assert_allclose(made, network.simulate(inputs).outputs, atol=1e-5)


def test_signs_and_zeros_are_kept(tmp_path):
    rules = at.models.Constraints(excitatory=0.8, density=0.2)
    network = RateRNN(units=20, activation="relu", constraints=rules).build(3, 2)
    graph = onnx.load(to_onnx(network, tmp_path / "net.onnx")).graph
    arrays = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    written = arrays["recurrent_weights_1"][0]
    assert (written[:, :16] >= 0).all()
    assert (written[:, 16:] <= 0).all()
    np.testing.assert_array_equal(written, network.recurrent_weights)


def test_what_cannot_be_written_is_refused(tmp_path, monkeypatch):
    with pytest.raises(at.InvalidSetting, match="'silu' has no counterpart in ONNX's RNN; allowed"):
        to_onnx(RateRNN(units=3, activation="silu").build(1, 1), tmp_path / "net.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(at.AttractoryError, match=r"pip install 'attractory\[onnx\]'"):
        to_onnx(NETWORKS["tanh"].build(1, 1), tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()
