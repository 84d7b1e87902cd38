"""Initial weights, and the errors of a model's description."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy import stats

from attractory._errors import InvalidSetting
from attractory.models import RateRNN

N = 120


def build(seed=0, n_inputs=3, n_outputs=2, **settings):
    return RateRNN(units=N, **settings).build(n_inputs, n_outputs, seed=seed)


def test_default_is_the_papers_network():
    model = RateRNN()
    assert (model.units, model.activation, model.recurrent_init) == (400, "tanh", "orthogonal")
    assert (model.bias, model.output_bias, model.leak) == (False, True, 1.0)


@pytest.mark.parametrize("gain", [1.0, 0.4])
def test_orthogonal_weights_are_gain_times_an_orthogonal_matrix(gain):
    weights = build(recurrent_gain=gain).recurrent_weights.astype(np.float64)
    np.testing.assert_allclose(weights.T @ weights, gain**2 * np.eye(N), atol=1e-5)


def test_normal_weights_have_standard_deviation_gain_over_root_n():
    weights = build(recurrent_init="normal", recurrent_gain=1.5).recurrent_weights
    assert stats.kstest(weights.ravel() * np.sqrt(N) / 1.5, "norm").pvalue > 1e-4


def test_identity_weights_are_gain_times_the_identity():
    weights = build(recurrent_init="identity", recurrent_gain=0.7).recurrent_weights
    np.testing.assert_array_equal(weights, np.float32(0.7) * np.eye(N, dtype=np.float32))


def test_glorot_weights_are_uniform_within_the_limit_of_to_and_from():
    net = build(recurrent_init="glorot", recurrent_gain=2.0, n_inputs=30, n_outputs=20)
    for weights, limit in [
        (net.recurrent_weights, 2.0 * np.sqrt(6 / (N + N))),
        (net.input_weights, np.sqrt(6 / (30 + N))),
        (net.output_weights, np.sqrt(6 / (N + 20))),
    ]:
        assert stats.kstest(weights.ravel(), "uniform", (-limit, 2 * limit)).pvalue > 1e-4


def test_normal_projections_have_standard_deviation_1_over_root_from():
    net = build(input_init="normal", output_init="normal", n_inputs=30, n_outputs=20)
    for weights, n_from in [(net.input_weights, 30), (net.output_weights, N)]:
        assert stats.kstest(weights.ravel() * np.sqrt(n_from), "norm").pvalue > 1e-4


def test_the_gain_multiplies_drawn_input_weights_and_nothing_else():
    plain, louder = build(), build(input_gain=3.0)
    for name, weights in plain.weights.items():
        factor = 3 if name == "input_weights" else 1
        np.testing.assert_allclose(louder.weights[name], factor * weights, rtol=1e-6)


def test_given_arrays_are_taken_as_they_are():
    rng = np.random.default_rng(0)
    recurrent, into, out = (rng.normal(size=s).astype(np.float32) for s in [(N, N), (N, 3), (2, N)])
    given = {"recurrent_init": recurrent, "input_init": into, "output_init": out}
    net = build(**given, recurrent_gain=9.0, input_gain=9.0)
    np.testing.assert_array_equal(net.recurrent_weights, recurrent)
    np.testing.assert_array_equal(net.input_weights, into)
    np.testing.assert_array_equal(net.output_weights, out)


def test_biases_are_there_when_asked_for_and_start_at_0():
    net = build(bias=True, output_bias=True)
    np.testing.assert_array_equal(net.bias, np.zeros(N))
    np.testing.assert_array_equal(net.output_bias, np.zeros(2))
    bare = build(bias=False, output_bias=False)
    assert bare.bias is None
    assert bare.output_bias is None


def test_weights_follow_from_the_seed():
    first, again, other = build(seed=1), build(seed=1), build(seed=2)
    for name in ("recurrent_weights", "input_weights", "output_weights"):
        np.testing.assert_array_equal(first.weights[name], again.weights[name])
        assert not np.isclose(first.weights[name], other.weights[name]).all()


def test_weight_shapes_are_those_of_the_weights():
    net = build(bias=True)
    shapes = {name: w.shape for name, w in net.weights.items()}
    assert net.model.weight_shapes(3, 2) == shapes
    assert all(w.dtype == np.float32 for w in net.weights.values())


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"dt": 2.0}, r"dt = 2.0 is not allowed: at most tau = 1.0"),
        ({"dt": 0.0}, "dt = 0.0.*greater than 0"),
        ({"tau": float("inf")}, "tau = inf.*finite"),
        ({"units": 0}, "units = 0.*greater than or equal to 1"),
        ({"activation": "rellu"}, "activation = 'rellu'.*did you mean 'relu'"),
        ({"activation": lambda x: x.sum()}, "activation = .*array of the same shape"),
        ({"activation": np.linalg.inv}, "activation = .*must work on JAX arrays"),
        ({"recurrent_init": "orthogonel"}, "recurrent_init = .*did you mean 'orthogonal'"),
        ({"input_init": "orthogonal"}, "input_init = 'orthogonal'.*glorot, normal"),
        ({"output_init": "ones"}, "output_init = 'ones'.*glorot, normal, zeros"),
        ({"recurrent_init": np.eye(3)}, rf"recurrent_init has shape \(3, 3\).*\({N}, {N}\)"),
        ({"recurrent_init": np.full((N, N), np.inf)}, "not finite"),
        ({"recurrent_noise": -0.1}, "recurrent_noise = -0.1.*greater than or equal to 0"),
        ({"recurrent_gain": float("nan")}, "recurrent_gain = nan.*finite"),
        ({"trainable": ("recurrent",)}, "trainable.* = 'recurrent'.*recurrent_weights"),
        ({"unit": 3}, "unknown setting 'unit'.*did you mean 'units'"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(settings, expected):
    with pytest.raises(InvalidSetting, match="RateRNN: .*" + expected) as caught:
        RateRNN(**{"units": N, **settings})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "shape"), [("input_init", (N, 3)), ("output_init", (2, N))])
def test_a_given_projection_of_the_wrong_shape_is_named_when_built(name, shape):
    with pytest.raises(InvalidSetting, match=rf"{name} has shape .*\({shape[0]}, {shape[1]}\)"):
        build(**{name: np.zeros(shape).T})


@pytest.mark.parametrize(("n_inputs", "n_outputs"), [(0, 1), (1, -1), (1.5, 1), (1, None)])
def test_a_network_needs_whole_numbers_of_channels(n_inputs, n_outputs):
    with pytest.raises(InvalidSetting, match="whole number, 1 or more"):
        RateRNN(units=3).build(n_inputs, n_outputs)


def test_models_with_the_same_settings_are_equal():
    matrix = np.eye(4)
    assert RateRNN(units=4, recurrent_init=matrix) == RateRNN(units=4, recurrent_init=matrix + 0)
    assert RateRNN(units=4, recurrent_init=matrix) != RateRNN(units=4, recurrent_init=-matrix)
    assert RateRNN(activation=jax.nn.silu) != RateRNN(activation=jax.nn.gelu)
