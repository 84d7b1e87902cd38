"""RateRNN with dt = tau is Keras's SimpleRNN followed by Dense: Keras's own numbers."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np
import pytest

from attractory.models import RateRNN

keras = pytest.importorskip("keras")

UNITS, STEPS, TRIALS = 400, 340, 4


def keras_outputs(network, inputs, activation):
    """States and outputs of the same weights in Keras, whose kernels are [from, to]."""
    recurrent = keras.layers.SimpleRNN(
        UNITS, activation=activation, use_bias=network.bias is not None, return_sequences=True
    )
    dense = keras.layers.Dense(network.n_outputs, use_bias=network.output_bias is not None)
    given = keras.Input((STEPS, network.n_inputs))
    states = recurrent(given)
    model = keras.Model(given, [states, dense(states)])
    own = [network.input_weights.T, network.recurrent_weights.T, network.bias]
    recurrent.set_weights([array for array in own if array is not None])
    own = [network.output_weights.T, network.output_bias]
    dense.set_weights([array for array in own if array is not None])
    return [np.asarray(array) for array in model(inputs)]


@pytest.mark.parametrize(
    ("activation", "gain", "biased"),
    [("tanh", 1.0, False), ("tanh", 1.0, True), ("relu", 0.5, False), ("relu", 0.5, True)],
)
def test_states_and_outputs_are_those_of_keras(activation, gain, biased):
    rng = np.random.default_rng(0)
    built = RateRNN(units=UNITS, recurrent_gain=gain).build(3, 3, seed=1)
    network = RateRNN.from_weights(
        built.recurrent_weights,
        built.input_weights,
        built.output_weights,
        output_bias=rng.normal(size=3).astype(np.float32) if biased else None,
        bias=0.1 * rng.normal(size=UNITS).astype(np.float32) if biased else None,
        activation=activation,
    )
    inputs = rng.normal(size=(TRIALS, STEPS, 3)).astype(np.float32)
    path = network.simulate(inputs)
    states, outputs = keras_outputs(network, inputs, activation)
    assert states.std() > 0.05
    np.testing.assert_allclose(path.states, states, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(path.outputs, outputs, rtol=1e-5, atol=1e-5)
