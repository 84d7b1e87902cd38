"""Activations under their names in other frameworks, users' own among them."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import attractory as at
from attractory.exchange._activations import names_here, names_there
from attractory.kernels import ACTIVATIONS

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
INPUTS = np.random.default_rng(0).normal(size=(3, 12, 2)).astype(np.float32)


@pytest.fixture(autouse=True)
def registry():
    """What a user registers is gone after the test."""
    before = dict(ACTIVATIONS)
    yield
    ACTIVATIONS.clear()
    ACTIVATIONS.update(before)


@pytest.fixture
def rectified():
    @at.models.activation(keras="relu", torch="relu", onnx="Relu")
    def rectified(u):
        return jnp.maximum(u, 0)

    return rectified


def network(activation):
    return at.models.RateRNN(units=5, activation=activation, bias=True).build(2, 3, seed=1)


def test_the_records_say_each_name_once():
    for framework in ("keras", "torch", "onnx"):
        there = names_there(framework)
        assert names_here(framework) == {theirs: ours for ours, theirs in there.items()}
        assert there["tanh"].lower() == "tanh"
        assert "leaky_relu" not in there
    assert set(names_there("torch")) == {"tanh", "relu"}


@pytest.mark.parametrize("given", ["by name", "as a function"])
def test_a_users_activation_goes_out_to_keras_and_comes_back(given, tmp_path):
    pytest.importorskip("keras")

    @at.models.activation(keras="gelu")  # the exact one, which is not this package's "gelu"
    def exact_gelu(u):
        return u * jax.scipy.stats.norm.cdf(u)

    there = network("exact_gelu" if given == "by name" else exact_gelu)
    expected = there.simulate(INPUTS).outputs
    np.testing.assert_allclose(np.asarray(at.to_keras(there)(INPUTS)), expected, atol=1e-5)
    back = at.load_keras(at.runs.save_keras(there, tmp_path / "net.keras"))
    assert back.model.activation == "exact_gelu"
    np.testing.assert_allclose(back.simulate(INPUTS).outputs, expected, atol=1e-5)


def test_a_users_activation_goes_out_to_torch(rectified, tmp_path):
    there = network("rectified")
    expected = there.simulate(INPUTS).outputs
    file = at.runs.save_torch(there, tmp_path / "net.safetensors")
    back = at.from_torch(file)
    assert back.model.activation == "relu"  # what the package itself calls torch's function
    np.testing.assert_allclose(back.simulate(INPUTS).outputs, expected, atol=1e-6)
    torch = pytest.importorskip("torch")
    with torch.no_grad():
        made = at.to_torch(there)(torch.from_numpy(INPUTS)).numpy()
    np.testing.assert_allclose(made, expected, atol=1e-5)


def test_a_users_activation_goes_out_to_onnx(rectified, tmp_path):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    path = at.to_onnx(network(rectified), tmp_path / "net.onnx")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (made,) = session.run(None, {"inputs": INPUTS})
    np.testing.assert_allclose(made, network("rectified").simulate(INPUTS).outputs, atol=1e-5)


def test_a_name_that_a_framework_does_not_have_is_refused(tmp_path):
    @at.models.activation(keras="cube", torch="gelu", onnx="Cube")
    def cube(u):
        return u**3

    there = network("cube")
    with pytest.raises(at.InvalidSetting, match="'cube' has no counterpart in Keras; allowed"):
        at.to_keras(there)
    with pytest.raises(at.InvalidSetting, match="'cube' has no counterpart in PyTorch's nn.RNN"):
        at.runs.save_torch(there, tmp_path / "net.safetensors")
    with pytest.raises(at.InvalidSetting, match="'cube' has no counterpart in ONNX's RNN"):
        at.to_onnx(there, tmp_path / "net.onnx")
