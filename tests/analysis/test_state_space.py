"""Reduced state spaces against NumPy's own decompositions of the states."""

from __future__ import annotations

import numpy as np
import pytest

import attractory as at
from attractory._errors import InvalidSetting
from attractory.analysis import held_states, state_space
from attractory.models import RateRNN
from attractory.tasks import FlipFlop

UNITS = 10
TASK = FlipFlop(bits=2, steps=60, first_onset=(3, 12), gaps=(6, 15), pulse=5, delay=4)


@pytest.fixture(scope="module")
def network():
    rng = np.random.default_rng(0)
    return RateRNN.from_weights(
        1.1 * rng.normal(size=(UNITS, UNITS)) / np.sqrt(UNITS),
        rng.normal(size=(UNITS, 2)),
        rng.normal(size=(2, UNITS)),
        bias=rng.normal(size=UNITS),  # so that the mean state is not 0
        tau=2.0,
    )


@pytest.fixture(scope="module")
def trials():
    return TASK.sample(8, seed=1)


@pytest.fixture(scope="module")
def states(network, trials):
    """Every state, by a plain loop: (trial and time, unit)."""
    found = []
    for trial in trials.inputs.astype(np.float64):
        h = np.zeros(UNITS)
        for x in trial:
            argument = network.recurrent_weights @ h + network.input_weights @ x + network.bias
            h = 0.5 * h + 0.5 * np.tanh(argument)
            found.append(h)
    return np.array(found)


@pytest.mark.parametrize("n", [1, 3, UNITS])
@pytest.mark.parametrize("method", ["svd", "pca"])
def test_components_span_the_leading_directions_of_the_states(network, trials, states, method, n):
    space = state_space(network, trials, method=method, n=n)
    center = states.mean(axis=0) if method == "pca" else np.zeros(UNITS)
    directions = np.linalg.svd(states - center)[2][:n]
    np.testing.assert_allclose(np.abs(directions @ space.components.T), np.eye(n), atol=1e-7)
    np.testing.assert_allclose(space.components @ space.components.T, np.eye(n), atol=1e-12)
    np.testing.assert_allclose(space.center, center, atol=1e-12)
    expected = (states - center) @ space.components.T
    np.testing.assert_allclose(space.coordinates.reshape(-1, n), expected, atol=1e-10)
    assert space.coordinates.shape == (8, 60, n)
    assert space.coordinates.dtype == np.float64


@pytest.mark.parametrize("method", ["svd", "pca"])
def test_explained_variance_is_the_share_along_each_component(network, trials, states, method):
    space = state_space(network, trials, method=method, n=4)
    total = sum(np.var(states[:, i]) for i in range(UNITS))
    shares = [np.var(states @ component) / total for component in space.components]
    np.testing.assert_allclose(space.explained_variance, shares, rtol=1e-8)


def test_pca_explains_the_eigenvalues_of_the_covariance(network, trials, states):
    space = state_space(network, trials, method="pca", n=UNITS)
    eigenvalues = np.linalg.eigvalsh(np.cov(states.T))[::-1]
    np.testing.assert_allclose(
        space.explained_variance, eigenvalues / eigenvalues.sum(), rtol=1e-7, atol=1e-12
    )
    assert space.explained_variance.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("method", ["svd", "pca"])
def test_the_largest_entry_of_each_component_is_positive(network, trials, method):
    for component in state_space(network, trials, method=method, n=5).components:
        assert component[np.abs(component).argmax()] > 0


def test_memory_and_targets_are_those_of_the_trials(network, trials):
    space = state_space(network, trials)
    np.testing.assert_array_equal(space.targets, trials.targets)
    digits = trials.targets.astype(int) + 1
    np.testing.assert_array_equal(space.memory, 3 * digits[..., 0] + digits[..., 1])
    assert space.method == "svd"
    assert space.coordinates.shape[-1] == 3


@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        ({"method": "tsne"}, "method = 'tsne' is not allowed: 'svd' or 'pca'"),
        ({"n": 0}, "n = 0 is not allowed: 1 to 10"),
        ({"n": UNITS + 1}, "n = 11 is not allowed: 1 to 10"),
        ({"n": 2.0}, "n = 2.0 is not allowed"),
    ],
)
def test_what_is_not_allowed_is_named(network, trials, keywords, expected):
    with pytest.raises(InvalidSetting, match=expected):
        state_space(network, trials, **keywords)


def test_a_state_counts_as_held_from_a_tenth_to_four_tenths_of_its_period():
    memory = np.array([[5] * 10 + [3] * 20 + [5] * 10, [1] * 40])
    held = held_states(memory)
    assert list(np.flatnonzero(held[0])) == [1, 2, 3, *range(12, 18), 31, 32, 33]
    assert list(np.flatnonzero(held[1])) == list(range(4, 16))


def test_a_state_of_a_single_step_is_held_there():
    np.testing.assert_array_equal(held_states(np.array([[4, 7, 4]])), [[True, True, True]])


@pytest.mark.parametrize("method", ["svd", "pca"])
def test_one_unit_has_a_space_of_one_dimension(method):
    net = RateRNN(units=1).build(1, 1)
    trials = FlipFlop(bits=1).sample(4, seed=0)
    space = state_space(net, trials, method, n=1)
    assert np.abs(space.components) == pytest.approx(1.0)
    assert space.explained_variance == pytest.approx(1.0)
    states = net.simulate(trials.inputs, precision="float64").states
    center = states.mean(axis=(0, 1)) if method == "pca" else 0.0
    np.testing.assert_allclose(space.coordinates * space.components[0], states - center, atol=1e-9)


def test_only_the_trials_own_steps_count():
    """Against NumPy's decomposition of the states of all trials, each cut where it ends."""
    task = at.tasks.ContextDecision(dt=50, fixation=50, stimulus=200)
    trials = task.sample(12, seed=2)
    assert len(set(trials.lengths)) > 1
    net = at.models.RateRNN(units=9).build(task.n_inputs, task.n_outputs)
    states = net.simulate(trials.inputs, precision="float64").states
    own = np.concatenate([s[:length] for s, length in zip(states, trials.lengths, strict=True)])
    space = at.analysis.state_space(net, trials, "pca", n=2)
    centred = own - own.mean(axis=0)
    _, values, directions = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(space.explained_variance, (values**2 / (values**2).sum())[:2])
    np.testing.assert_allclose(np.abs(space.components @ directions[:2].T), np.eye(2), atol=1e-9)
    np.testing.assert_array_equal(space.within, trials.within)
    np.testing.assert_array_equal(space.epoch == 0, trials.during("fixation"))
    assert (space.epoch[~trials.within] == -1).all()
    assert space.conditions.keys() == trials.conditions.keys()
