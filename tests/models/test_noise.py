"""Noise in the units and on the outputs has the documented size."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from attractory._errors import InvalidSetting
from attractory.models import CurrentRNN, Network, RateRNN

N, T, B = 20, 300, 40
SILENT = np.zeros((B, T, 1))


def noisy(**settings):
    """Unconnected linear units: each is a process of first order that only the noise drives."""
    net = RateRNN.from_weights(
        np.zeros((N, N)), np.zeros((N, 1)), np.eye(N), activation="linear", tau=10.0, dt=1.0
    )
    return Network(net.model.replace(**settings), net.weights)


@pytest.mark.parametrize("dt", [1.0, 0.5])
def test_recurrent_noise_has_the_stationary_variance_of_its_process(dt):
    # h' = (1-a) h + a s sqrt(2/a) xi has variance 2 a s^2 / (1 - (1-a)^2): near s^2 for any dt
    share = dt / 10.0
    expected = 2 * share * 0.3**2 / (1 - (1 - share) ** 2)
    states = noisy(recurrent_noise=0.3, dt=dt).simulate(SILENT).states[:, 100:]
    # 800 units, some 10 independent stretches each: standard error of the variance below 2 %
    assert states.var() == pytest.approx(expected, rel=0.06)
    assert expected == pytest.approx(0.09, rel=0.06)
    assert abs(states.mean()) < 0.02


def test_noise_of_currents_is_that_of_song_yang_and_wang():
    # their step adds a sqrt(2/a) s xi, a = dt/tau, to (1-a) x: sqrt(2a) s from 0, s^2 / (1 - a/2)
    # in the end; 0.15, 20 ms and 100 ms are what they train with
    net = CurrentRNN.from_weights(
        np.zeros((N, N)), np.zeros((N, 1)), np.eye(N), tau=100.0, dt=20.0, recurrent_noise=0.15
    )
    states = net.simulate(SILENT).states
    assert states[:, 0].std() == pytest.approx(0.2 * np.sqrt(2 / 0.2) * 0.15, rel=0.07)
    assert states[:, 50:].var() == pytest.approx(0.15**2 / 0.9, rel=0.03)


def test_recurrent_noise_is_white_and_private():
    net = noisy(recurrent_noise=0.3, tau=1.0)
    states = net.simulate(SILENT).states
    assert states.std() == pytest.approx(0.3 * np.sqrt(2), rel=0.01)
    for first, second in [
        (states[:, 1:], states[:, :-1]),
        (states[..., 1:], states[..., :-1]),
        (states[1:], states[:-1]),
    ]:
        assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.01


def test_recurrent_noise_enters_the_activation():
    states = noisy(recurrent_noise=2.0, tau=1.0, activation="relu").simulate(SILENT).states
    assert states.min() == 0.0
    assert np.mean(states == 0) == pytest.approx(0.5, abs=0.01)


def test_output_noise_is_white_and_leaves_the_states_alone():
    path = noisy(output_noise=0.2).simulate(SILENT)
    np.testing.assert_array_equal(path.states, 0.0)
    assert path.outputs.std() == pytest.approx(0.2, rel=0.01)
    lagged = np.corrcoef(path.outputs[:, 1:].ravel(), path.outputs[:, :-1].ravel())[0, 1]
    assert abs(lagged) < 0.01


def test_noise_follows_from_the_seed():
    net = noisy(recurrent_noise=0.3, output_noise=0.1)
    first, again, other = (net.simulate(SILENT, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.outputs, again.outputs)
    assert abs(np.corrcoef(first.outputs.ravel(), other.outputs.ravel())[0, 1]) < 0.05


def test_respond_draws_new_noise_for_every_batch():
    net = noisy(output_noise=0.2)
    outputs = net.respond(SILENT, seed=3, batch=20)
    np.testing.assert_array_equal(outputs, net.respond(SILENT, seed=3, batch=20))
    assert abs(np.corrcoef(outputs[:20].ravel(), outputs[20:].ravel())[0, 1]) < 0.02


def test_without_noise_the_seed_does_not_matter():
    net = noisy()
    inputs = np.ones((2, 5, 1))
    np.testing.assert_array_equal(
        net.simulate(inputs, seed=1).outputs, net.simulate(inputs, seed=2).outputs
    )


def test_running_a_noisy_model_needs_a_key():
    net = noisy(output_noise=0.2)
    with pytest.raises(InvalidSetting, match="key = None.*noise"):
        net.model.run(net.weights, SILENT.astype(np.float32))
    outputs = net.model.run(net.weights, SILENT.astype(np.float32), jax.random.key(0))[1]
    assert outputs.std() == pytest.approx(0.2, rel=0.01)
