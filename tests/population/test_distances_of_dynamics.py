"""Distances between dynamics, fixed points and weights whose values are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import attractory as at
from attractory._cores import one_blas_thread
from attractory.models import Trajectory
from attractory.population import Subject, find_distance
from attractory.population.distances import _vector_fields

NET = at.models.RateRNN(units=3).build(1, 1)
BITS = {"recurrent": 1.6, "inputs": 1.5, "outputs": 1.05}  # of a unit that keeps a bit


def turned(size, seed):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0]


def linear_subject(matrix, seed=0, trials=8, steps=40):
    """A network whose states follow x -> A x from random states."""
    rng = np.random.default_rng(seed)
    states = [rng.normal(size=(trials, len(matrix)))]
    for _ in range(steps - 1):
        states.append(states[-1] @ matrix.T)
    zeros = np.zeros((trials, steps, 1))
    path = Trajectory(zeros, np.stack(states, axis=1), zeros, 1.0)
    return Subject(NET, None, at.tasks.Trials(zeros, zeros), known=path)


def spiral(radius, angle):
    return radius * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def test_the_linear_model_has_the_eigenvalues_of_the_dynamics():
    matrix = np.zeros((4, 4))
    matrix[:2, :2], matrix[2:, 2:] = spiral(0.97, 0.3), spiral(0.9, 1.1)
    prepare = find_distance("dmd_spectra").prepared
    # each trial begins elsewhere, so that their mean is near 0 and no fixed point of its own
    seen = prepare(linear_subject(turned(4, 0) @ matrix @ turned(4, 0).T, trials=200))
    wanted = np.linalg.eigvals(matrix)
    assert max(np.abs(seen - value).min() for value in wanted) < 1e-2


@one_blas_thread
@pytest.mark.parametrize("apart", [1.0, 1e-3])
def test_the_best_rotation_of_symmetric_fields_joins_their_sorted_eigenvalues(apart):
    """Hoffman & Wielandt: then the least distance is that of the eigenvalues in order."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, 6))
    values = np.sort([values[0], values[0] + apart * (values[1] - values[0])], axis=1)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    fields = [turned(6, k) @ np.diag(each) @ turned(6, k).T for k, each in enumerate(values)]
    chord = np.linalg.norm(values[0] - values[1])
    assert find_distance("dsa").function(*fields) == pytest.approx(
        2 * np.arcsin(chord / 2), rel=1e-5
    )


@one_blas_thread
def test_a_rotated_field_is_found_to_be_the_same():
    field = np.random.default_rng(0).normal(size=(6, 6))
    for seed in range(3):
        other = turned(6, seed) @ field @ turned(6, seed).T
        assert find_distance("dsa").function(field, other) < 1e-5


def test_slopes_of_the_search_are_those_of_finite_differences():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 4, 4))
    seen = []
    original = _vector_fields.minimize

    def watched(function, begin, **settings):
        point = 0.3 * rng.normal(size=begin.shape)
        value, slopes = function(point)
        for i, slope in enumerate(slopes):
            moved = point.copy()
            moved[i] += 1e-6
            seen.append(((function(moved)[0] - value) / 1e-6, slope))
        return original(function, begin, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_vector_fields, "minimize", watched)
        _vector_fields._turned(a, b, turned(4, 2), 5)
    differences, slopes = np.array(seen).T
    np.testing.assert_allclose(slopes, differences, rtol=1e-3, atol=1e-4)


def test_dynamics_tell_apart_what_shapes_do_not():
    """A circle run through at two speeds: one shape, two dynamics (Ostrow et al. 2023)."""
    time = np.arange(48)[:, None]
    circles = []
    for speed in (1, 4):
        angle = 2 * np.pi * (speed * time / 48 + np.linspace(0, 1, 8, endpoint=False)[None, :])
        states = np.stack([np.cos(angle), np.sin(angle)], axis=-1).transpose(1, 0, 2)
        circles.append(replace(linear_subject(np.eye(2), steps=48), known=Trajectory(
            np.zeros((8, 48, 1)), states, np.zeros((8, 48, 1)), 1.0
        )))  # fmt: skip
    dsa, spectra = (find_distance(name) for name in ("dsa", "dmd_spectra"))
    assert dsa.function(*map(dsa.prepared, circles)) > 0.3
    turn = 2 * np.sin(np.pi * 3 / 48)  # between the eigenvalues exp(2πi/48) and exp(8πi/48)
    assert spectra.function(*map(spectra.prepared, circles)) == pytest.approx(turn, abs=1e-6)


def test_trials_that_are_too_short_for_dynamics_say_so():
    with pytest.raises(at.InvalidSetting, match="the shortest has 5 steps; 6 or more are needed"):
        find_distance("dsa").prepared(linear_subject(np.eye(2), steps=5))


def keeper(recurrent, outputs=None):
    """Bits that are kept by a unit each."""
    size = len(recurrent)
    outputs = BITS["outputs"] * np.eye(size) if outputs is None else outputs
    return at.models.RateRNN.from_weights(
        np.diag(recurrent), BITS["inputs"] * np.eye(size), outputs
    )


@pytest.fixture(scope="module")
def labelled():
    """Two bits kept; the same, read out exchanged and turned around; one bit kept; none."""
    kept, lost = BITS["recurrent"], 0.5
    exchanged = BITS["outputs"] * np.array([[0.0, -1.0], [1.0, 0.0]])
    nets = {
        "both": keeper([kept, kept]),
        "exchanged": keeper([kept, kept], exchanged),
        "first": keeper([kept, lost]),
        "second": keeper([lost, kept]),
        "none": keeper([lost, lost]),
    }
    prepare = find_distance("fixed_points").prepared
    return {name: prepare(Subject(net)) for name, net in nets.items()}


@pytest.mark.parametrize(
    ("one", "other", "differing"),
    [
        # 3 points and 1 connection of one bit, and the only point of none: it is stable, where one
        # bit has its saddle
        ("both", "exchanged", 0),
        ("first", "second", 0),
        ("first", "none", 5),
    ],
)
def test_fixed_points_without_a_counterpart_are_counted(one, other, differing, labelled):
    assert find_distance("fixed_points").function(labelled[one], labelled[other]) == differing


def test_all_fixed_points_of_two_bits_and_none_differ(labelled):
    """The only point of a network that keeps nothing is stable, at 0: it has no counterpart."""
    assert len(labelled["both"].nodes) == 9
    assert len(labelled["both"].edges) == 4
    differing = find_distance("fixed_points").function(labelled["both"], labelled["none"])
    assert differing == 9 + 4 + 1


def test_a_continuum_of_fixed_points_is_left_out_and_said():
    line = at.models.RateRNN.from_weights(
        np.eye(2), np.ones((2, 1)), np.ones((1, 2)), activation="linear"
    )
    nets = [line, *(at.models.RateRNN(units=2).build(1, 1, seed=seed) for seed in range(2))]
    found = at.population.compare(nets, "fixed_points", nulls=False, progress=False)
    assert found.left_out == {
        "network 0": "its fixed points are a continuum, which cannot be counted"
    }


def test_a_run_keeps_the_fixed_points_that_are_found():
    task = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
    nets = [at.models.RateRNN(units=2).build(1, 1, seed=seed) for seed in range(2)]
    run = at.Run.of(nets, task)
    first = at.population.compare(run, "fixed_points", nulls=False, progress=False)
    known = at.runs.of_network(run, 0, at.analysis.fixed_points, task=task)
    other = Subject(nets[0], task, task.sample(4, 0), run=run)
    assert other.points is known
    again = at.population.compare(run, "fixed_points", nulls=False, progress=False)
    np.testing.assert_array_equal(first.matrix, again.matrix)


def test_weights_after_matching_differ_by_what_was_added():
    """Noise on a network whose units were put into another order."""
    rng = np.random.default_rng(0)
    task = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
    trials = task.sample(8, seed=0)
    net = at.models.RateRNN(units=12).build(1, 1)
    weights = {name: np.asarray(array, float) for name, array in net.weights.items()}
    order = rng.permutation(12)
    noise = 0.05 * rng.normal(size=(12, 12))
    moved = {
        **weights,
        "recurrent_weights": (weights["recurrent_weights"] + noise)[np.ix_(order, order)],
        "input_weights": weights["input_weights"][order],
        "output_weights": weights["output_weights"][:, order],
    }
    other = at.models.Network(net.model, moved)
    known = find_distance("weights")
    found = known.function(*(known.prepared(Subject(each, task, trials)) for each in (net, other)))
    sizes = [
        sum(
            np.square(each[name]).sum()
            for name in ("recurrent_weights", "input_weights", "output_weights")
        )
        for each in (weights, moved)
    ]
    assert found == pytest.approx(np.linalg.norm(noise) / np.sqrt(sum(sizes)), rel=1e-5)


def test_weights_of_other_numbers_of_units_and_of_gates_are_refused():
    task = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
    compare = at.population.compare
    sizes = [at.models.RateRNN(units=units).build(1, 1) for units in (4, 5)]
    with pytest.raises(at.InvalidSetting, match="one has 4 units, another 5|one has 5 units"):
        compare(sizes, "weights", task, progress=False)
    gates = [at.models.GRU(units=4).build(1, 1, seed=seed) for seed in range(2)]
    with pytest.raises(at.InvalidSetting, match="one square matrix .* GRU has none"):
        compare(gates, "weights", task, progress=False)
