"""Distances between networks against their definitions, written out once more."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import scipy.linalg
import scipy.spatial
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import pdist
from scipy.stats import rankdata, spearmanr

import attractory as at
from attractory.models import Trajectory
from attractory.population import Subject, find_distance
from attractory.population.distances._shapes import distance_ranks, mean_ranks
from attractory.population.distances._stochastic_shapes import Clouds

NET = at.models.RateRNN(units=3).build(1, 1)
TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)


def subject(states, outputs=None, task=None, trials=None):
    """A network whose states in the trials are these (trial, time, unit)."""
    states = np.asarray(states, float)
    outputs = states[..., :1] if outputs is None else np.asarray(outputs, float)
    zeros = np.zeros((*states.shape[:2], 1))
    trials = at.tasks.Trials(zeros, zeros) if trials is None else trials
    return Subject(NET, task, trials, known=Trajectory(zeros, states, outputs, 1.0))


def between(name, a, b):
    known = find_distance(name)
    return known.function(known.prepared(a), known.prepared(b))


def random_states(seed, units=4, trials=3, steps=8):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(trials, steps, units)) @ rng.normal(size=(units, units))


def flat(states):
    return np.reshape(states, (-1, np.shape(states)[-1]))


@pytest.fixture(scope="module")
def pair():
    return random_states(0), random_states(1)


def test_procrustes_is_scipys_disparity(pair):
    *_, disparity = scipy.spatial.procrustes(*map(flat, pair))
    angle = between("procrustes", *map(subject, pair))
    assert np.sin(angle) ** 2 == pytest.approx(disparity, abs=1e-12)


def test_units_that_stay_0_are_added_to_the_smaller_network(pair):
    fewer = pair[0][..., :2]
    widened = np.concatenate([fewer, np.zeros_like(fewer)], axis=-1)
    for name in ("procrustes", "cka"):
        direct = between(name, subject(fewer), subject(pair[1]))
        assert direct == pytest.approx(between(name, subject(widened), subject(pair[1])))


def test_small_angles_are_as_exact_as_large_ones(pair):
    """The angle to states moved by ε is ε to first order: also where its cosine is 1."""
    states = flat(pair[0]) - flat(pair[0]).mean(axis=0)
    rng = np.random.default_rng(2)
    for name in ("procrustes", "cka"):
        steps = [
            between(name, subject(states[None]), subject((states + size * other)[None]))
            for other in [rng.normal(size=states.shape)]
            for size in (1e-6, 1e-4)
        ]
        assert steps[1] / steps[0] == pytest.approx(100, rel=1e-3)


def test_cka_is_the_cosine_of_centred_kernels(pair):
    kernels = []
    for states in map(flat, pair):
        centring = np.eye(len(states)) - 1 / len(states)
        kernels.append(centring @ states @ states.T @ centring)
    k, m = kernels
    cosine = np.trace(k @ m) / np.sqrt(np.trace(k @ k) * np.trace(m @ m))
    assert between("cka", *map(subject, pair)) == pytest.approx(np.arccos(cosine), abs=1e-12)


def test_debiased_cka_is_the_cosine_of_u_centred_kernels(pair):
    """Song et al. (2012) by the matrices of Székely & Rizzo (2014)."""
    kernels = []
    for states in map(flat, pair):
        kernel = states @ states.T
        np.fill_diagonal(kernel, 0)
        n = len(kernel)
        rows, whole = kernel.sum(axis=0) / (n - 2), kernel.sum() / ((n - 1) * (n - 2))
        kernel = kernel - rows - rows[:, None] + whole
        np.fill_diagonal(kernel, 0)
        kernels.append(kernel)
    k, m = kernels
    cosine = (k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum())
    assert between("cka_debiased", *map(subject, pair)) == pytest.approx(1 - cosine, abs=1e-12)


def test_debiased_cka_of_unrelated_networks_is_1_with_few_samples():
    """30 samples of 20 units: plain CKA calls them alike."""
    rng = np.random.default_rng(0)
    values = {"cka": [], "cka_debiased": []}
    for _ in range(40):
        a, b = (subject(rng.normal(size=(1, 30, 20))) for _ in range(2))
        for name, found in values.items():
            found.append(between(name, a, b))
    assert np.mean(values["cka_debiased"]) == pytest.approx(1, abs=0.05)
    assert np.cos(np.mean(values["cka"])) > 0.3


def test_rsa_is_spearmans_correlation_of_distances(pair):
    rho = spearmanr(*(pdist(flat(states)) for states in pair)).statistic
    assert between("rsa", *map(subject, pair)) == pytest.approx(1 - rho, abs=1e-12)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_ranks_are_scipys_where_values_are_equal_too(values):
    np.testing.assert_array_equal(mean_ranks(np.array(values, float)), rankdata(values))


@pytest.mark.parametrize("states", [
    np.random.default_rng(0).normal(5, 1, (60, 7)),
    np.random.default_rng(0).integers(0, 3, (60, 7)),  # many distances are the same
    np.repeat(np.random.default_rng(0).normal(size=(20, 7)), 3, axis=0),
])  # fmt: skip
def test_ranks_of_distances_are_those_of_their_differences(states):
    np.testing.assert_array_equal(distance_ranks(states), rankdata(pdist(states)))


def clouds(means, spreads):
    return Clouds(np.asarray(means, float), np.asarray(spreads, float))


def spread_of(covariance, rng):
    """16 repeats with this covariance, in random directions of their own."""
    root = np.linalg.cholesky(covariance)
    turn = np.linalg.qr(rng.normal(size=(16, 16)))[0]
    return root @ turn[: len(root)]


def test_without_noise_stochastic_shapes_are_shapes(pair):
    a, b = (flat(states) - flat(states).mean(axis=0) for states in pair)
    rotation = scipy.linalg.orthogonal_procrustes(b, a)[0]
    still = [clouds(states, np.zeros((*states.shape, 16))) for states in (a, b)]
    expected = np.linalg.norm(a - b @ rotation) / np.sqrt(len(a))
    found = find_distance("stochastic_shape").function(*still)
    assert found == pytest.approx(expected, abs=1e-12)


def test_of_clouds_without_shape_the_distance_is_that_of_their_widths():
    """One point, no mean: the best rotation lays the axes of the clouds on each other (Bures)."""
    rng = np.random.default_rng(0)
    widths = np.sort(rng.uniform(0.5, 2, size=(2, 4)), axis=1)
    made = []
    for own in widths:
        turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
        made.append(clouds(np.zeros((1, 4)), spread_of(turn @ np.diag(own**2) @ turn.T, rng)[None]))
    found = find_distance("stochastic_shape").function(*made)
    least = np.linalg.norm(widths[0] - widths[1])
    assert least - 1e-9 <= found <= 1.002 * least  # the search comes near to the best rotation


def test_with_large_means_the_noise_adds_wassersteins_distance():
    """Means that fix the rotation: then it is Σ|μ - ν|² + tr(S + T - 2 (S½ T S½)½) by point."""
    rng = np.random.default_rng(1)
    means = 1e3 * rng.normal(size=(5, 3))
    covariances = [[m @ m.T for m in rng.normal(size=(5, 3, 3))] for _ in range(2)]
    made = [
        clouds(means, np.stack([spread_of(covariance, rng) for covariance in own]))
        for own in covariances
    ]
    squared = []
    for s, t in zip(*covariances, strict=True):
        root = scipy.linalg.sqrtm(s)
        squared.append(np.trace(s + t - 2 * scipy.linalg.sqrtm(root @ t @ root)).real)
    found = find_distance("stochastic_shape").function(*made)
    assert found == pytest.approx(np.sqrt(np.mean(squared)), rel=1e-3)


def test_noise_alone_tells_stochastic_shapes_apart():
    """The same connections with as much noise, and with more."""
    trials = TASK.sample(8, seed=0)
    quiet, same, loud = (
        Subject(
            at.models.RateRNN(units=4, recurrent_noise=sigma).build(1, 1), TASK, trials, seed
        )
        for sigma, seed in ((0.1, 0), (0.1, 10**4), (0.6, 2 * 10**4))
    )  # fmt: skip
    assert between("stochastic_shape", quiet, loud) > 3 * between("stochastic_shape", quiet, same)


@given(st.integers(0, 10**6), st.sampled_from(["procrustes", "cka"]))
def test_shapes_keep_the_triangle_inequality(seed, name):
    a, b, c = (subject(random_states([seed, k], units=2 + k, steps=2)) for k in range(3))
    assert between(name, a, c) <= between(name, a, b) + between(name, b, c) + 1e-9


def eigenvalues(seed, count):
    parts = np.random.default_rng(seed).normal(size=(2, count))
    return parts[0] + 1j * parts[1]


def test_spectra_are_assigned_at_the_least_cost():
    a, b = eigenvalues(0, 5), eigenvalues(1, 5)
    least = min(np.abs(a - b[list(order)]).mean() for order in permutations(range(5)))
    assert find_distance("spectra").function(a, b) == pytest.approx(least, abs=1e-12)


def test_spectra_of_unequal_numbers_are_split():
    """Six copies of each: then the numbers are equal, and the weights as before."""
    a, b = eigenvalues(0, 2), eigenvalues(1, 3)
    many = np.abs(np.repeat(a, 3)[:, None] - np.repeat(b, 2))
    least = many[linear_sum_assignment(many)].mean()
    assert find_distance("spectra").function(a, b) == pytest.approx(least, abs=1e-9)
    assert find_distance("spectra").function(b, a) == pytest.approx(least, abs=1e-9)


@given(st.integers(0, 10**6))
def test_spectra_keep_the_triangle_inequality(seed):
    known = find_distance("spectra").function
    a, b, c = (eigenvalues([seed, k], 2 + k) for k in range(3))
    assert known(a, c) <= known(a, b) + known(b, c) + 1e-9


def test_behaviour_counts_trials_with_other_answers():
    trials = TASK.sample(4, seed=0)
    answers = trials.targets.astype(float)
    other = answers.copy()
    other[1] = -other[1]  # answered otherwise
    other[2] += 0.4  # within the tolerance of 0.5
    a, b = (subject(np.zeros((4, 60, 2)), each, TASK, trials) for each in (answers, other))
    assert between("behaviour", a, b) == 0.25
    # three networks each 0.4 from the next: alike, but the ends are not
    c = subject(np.zeros((4, 60, 2)), answers + 0.8, TASK, trials)
    assert between("behaviour", a, c) == 1.0


def test_behaviour_in_a_task_with_options_is_the_choice():
    class TwoOptions(at.tasks.Task):
        options = ("left", "right")

        def chosen(self, outputs, trials):
            return (outputs[:, -1:, 0] > 0).astype(int)

    outputs = np.random.default_rng(0).normal(size=(6, 5, 1))
    other = 10 * outputs  # far from them, but the same choices
    other[:2, -1] = -other[:2, -1]
    trials = at.tasks.Trials(outputs, outputs)
    a, b = (subject(outputs, each, TwoOptions(), trials) for each in (outputs, other))
    assert between("behaviour", a, b) == pytest.approx(2 / 6)


def test_only_the_trials_own_steps_count():
    epochs = np.array([[0, 4], [0, 6]])
    zeros = np.zeros((2, 6, 1))
    trials = at.tasks.Trials(zeros, zeros, epoch_names=("all",), epochs=epochs)
    states = random_states(3, units=2, trials=2, steps=6)
    after = states.copy()
    after[0, 4:] = 100.0
    assert subject(states, trials=trials).samples.shape == (10, 2)
    for name in ("procrustes", "cka", "rsa"):
        assert between(name, *(subject(each, trials=trials) for each in (states, after))) < 1e-9


def test_many_states_are_thinned_out_alike_in_all_networks():
    states = random_states(0, trials=10, steps=1000)
    a, b = subject(states), subject(2 * states)
    assert a.samples.shape == (4096, 4)
    np.testing.assert_array_equal(2 * a.samples, b.samples)
    whole = replace(a, trials=at.tasks.Trials(*[np.zeros((10, 1000, 1))] * 2))
    np.testing.assert_allclose(whole.samples.mean(), states.mean(), atol=0.1)
