"""Layers that change nothing, calls and settings that do, live models, models never built."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pytest

import attractory as at

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")
layers = keras.layers

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

INPUTS = np.random.default_rng(0).normal(size=(2, 12, 3)).astype(np.float32)
QUICK = {"kernel_initializer": "zeros", "recurrent_initializer": "zeros"}


def with_random_weights(model):
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(scale=0.5, size=w.shape) for w in model.get_weights()])
    return model


def sequential(*inner):
    return with_random_weights(keras.Sequential([keras.Input((None, 3)), *inner]))


def rnn(units=4, **settings):
    return layers.SimpleRNN(units, return_sequences=True, **QUICK, **settings)


def saved(model, path):
    (model.save_weights if path.name.endswith(".weights.h5") else model.save)(path)
    return path


def refusal(source):
    with pytest.raises(at.FileProblem) as caught:
        at.load_keras(source)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) <= 300
    return line


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "m.weights.h5", "live"])
def test_layers_that_change_nothing_are_passed_over(name, tmp_path):
    model = sequential(
        layers.Masking(mask_value=-99.0),
        layers.GaussianNoise(0.1),
        layers.SpatialDropout1D(0.1),
        rnn(dropout=0.2),
        layers.GaussianDropout(0.1),
        layers.AlphaDropout(0.1),
        layers.ActivityRegularization(0.1),
        layers.Identity(),
        layers.TimeDistributed(layers.Dense(2)),
        *([] if name == "m.weights.h5" else [layers.Activation("linear")]),
        *([] if name == "m.weights.h5" else [layers.TimeDistributed(layers.Dropout(0.5))]),
    )
    source = model if name == "live" else saved(model, tmp_path / name)
    with warnings.catch_warnings():
        if name == "m.weights.h5":  # which do not tell the value that is masked
            warnings.filterwarnings("ignore", message=".*Masking, mask_value 'unknown'")
        network = at.load_keras(source)
    expected = model.predict(INPUTS, verbose=0)
    np.testing.assert_allclose(network.simulate(INPUTS).outputs, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_mask_that_silence_or_a_pulse_would_meet_is_noted(value, tmp_path):
    model = sequential(layers.Masking(value, name="skip"), rnn(), layers.Dense(2))
    path = saved(model, tmp_path / "m.keras")
    with pytest.warns(UserWarning, match=f"'skip' \\(Masking, mask_value {value}\\)") as caught:
        at.load_keras(path)
    assert len(caught) == 1


def test_a_live_model_gives_the_numbers_that_it_predicts():
    gated = {"return_sequences": True, "recurrent_activation": "hard_sigmoid", **QUICK}
    model = sequential(
        layers.LSTM(5, name="a", **gated),
        layers.GRU(6, reset_after=False, use_bias=False, **gated),
        layers.GRU(3, **gated),
        rnn(activation="softsign"),
        layers.Dense(2),
    )
    network = at.load_keras(model)
    expected = model.predict(INPUTS, verbose=0)
    np.testing.assert_allclose(network.simulate(INPUTS).outputs, expected, rtol=0, atol=1e-5)
    model.set_weights([0 * w for w in model.get_weights()])
    assert network.output_weights.any()  # a copy: the model may go on


def test_a_live_functional_model_is_read_by_its_graph():
    x = keras.Input((None, 3))
    model = with_random_weights(keras.Model(x, layers.Dense(2, name="out")(rnn()(x))))
    network = at.load_keras(model)
    np.testing.assert_array_equal(network.output_weights, model.get_layer("out").get_weights()[0].T)


def test_other_live_things_are_refused_in_one_line():
    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.rnn = rnn()

        def call(self, x):
            return self.rnn(x)

    assert refusal(Mine())
    assert "of kind 'BatchNormalization'" in refusal(
        sequential(rnn(), layers.BatchNormalization(), layers.Dense(2))
    )
    for other in (5, None, ["net.keras"], keras.layers.Dense(2), b"x"):
        with pytest.raises(at.InvalidSetting, match="a path, or a model of Keras"):
            at.load_keras(other)


@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built")
@pytest.mark.parametrize("name", ["m.keras", "m.h5", "live"])
def test_a_model_that_was_never_built_holds_no_weights(name, tmp_path):
    model = keras.Sequential([rnn(), layers.Dense(2)])
    if name == "live":
        assert "holds no weights" in refusal(model)
        return
    path = saved(model, tmp_path / name)
    assert "holds no weights: the model was saved before it was built" in refusal(path)


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_a_dropout_that_stays_switched_on_is_refused(name, tmp_path):
    x = keras.Input((None, 3))
    h = layers.Dropout(0.5, name="always")(rnn()(x), training=True)
    model = keras.Model(x, layers.Dense(2)(h))
    assert "calls layer 'always' with training" in refusal(saved(model, tmp_path / name))


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_an_activation_layer_is_refused_with_its_function(name, tmp_path):
    model = sequential(rnn(), layers.Activation("relu", name="act"), layers.Dense(2))
    assert "layer 'act' is of kind \"Activation('relu')\"" in refusal(saved(model, tmp_path / name))


@pytest.mark.slow
def test_a_published_network_of_keras_3_is_read_like_by_keras():
    path = Path(__file__).resolve().parents[3] / "shared/data/others/keras3_dm_bias_final.hdf5"
    if not path.is_file():
        pytest.skip(f"the published networks are not beside this project: no {path}")
    network = at.load_keras(path)
    assert (network.units, network.n_inputs, network.n_outputs) == (100, 1, 1)
    model = keras.saving.load_model(path, compile=False)
    inputs = np.random.default_rng(1).normal(size=(2, 370, 1)).astype(np.float32)
    got = network.simulate(inputs).outputs
    np.testing.assert_allclose(got, model.predict(inputs, verbose=0), rtol=0, atol=1e-5)
