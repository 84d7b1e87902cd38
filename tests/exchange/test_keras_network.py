"""Networks from Keras files answer with Keras's own numbers, whatever their activation."""

from __future__ import annotations

import os

import numpy as np
import pytest

import attractory as at
from attractory.exchange.keras._activations import same_here

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


def saved(folder, activation, name="net.keras"):
    """A Keras network of 6 units in a file, and its outputs for some inputs."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((20, 2)),
            keras.layers.SimpleRNN(6, activation=activation, return_sequences=True),
            keras.layers.Dense(2),
        ]
    )
    path = folder / name
    (model.save_weights if name.endswith(".weights.h5") else model.save)(path)
    inputs = np.random.default_rng(0).normal(size=(3, 20, 2)).astype(np.float32)
    return path, inputs, np.asarray(model.predict(inputs, verbose=0))


@pytest.mark.parametrize("activation", sorted(same_here()))
def test_every_activation_that_is_accepted_gives_keras_numbers(activation, tmp_path):
    path, inputs, expected = saved(tmp_path, activation)
    network = at.load_keras(path)
    np.testing.assert_allclose(network.simulate(inputs).outputs, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("activation", ["gelu", "leaky_relu", "softmax", "hard_sigmoid"])
def test_functions_that_differ_are_refused_by_name(activation, tmp_path):
    path, _, _ = saved(tmp_path, activation)
    with pytest.raises(at.FileProblem, match=f"activation '{activation}' has no counterpart") as e:
        at.load_keras(path)
    assert "\n" not in str(e.value)


def test_the_activation_of_a_weights_file_can_be_said(tmp_path):
    path, inputs, expected = saved(tmp_path, "relu", "net.weights.h5")
    network = at.load_keras(path, activation="relu")
    np.testing.assert_allclose(network.simulate(inputs).outputs, expected, rtol=1e-5, atol=1e-5)
    assert not np.allclose(at.load_keras(path).simulate(inputs).outputs, expected, atol=1e-3)
