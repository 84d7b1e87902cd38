"""Populations with planted answers: copies, clusters, networks that have nothing in common."""

from __future__ import annotations

import numpy as np
import pytest

import attractory as at
from attractory.population import _compare, compare
from attractory.runs import _results

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
MODEL = at.models.RateRNN(units=6)
NETS = [MODEL.build(1, 1, seed=seed) for seed in range(4)]
QUIET = {"trials": 8, "progress": False}


def copy_of(net, seed):
    """The same network with its units in another order."""
    order = np.random.default_rng(seed).permutation(net.units)
    weights = {name: np.asarray(array) for name, array in net.weights.items()}
    weights["recurrent_weights"] = weights["recurrent_weights"][np.ix_(order, order)]
    weights["input_weights"] = weights["input_weights"][order]
    weights["output_weights"] = weights["output_weights"][:, order]
    return at.models.Network(net.model, weights)


def noisy(sigma):
    return MODEL.replace(recurrent_noise=sigma)


def test_copies_are_one_cluster_at_distance_0():
    found = compare([copy_of(NETS[0], seed) for seed in range(6)], "procrustes", TASK, **QUIET)
    assert found.matrix.max() < 1e-8
    assert found.position == pytest.approx(0, abs=1e-6)
    assert found.clusters().count == 1
    assert found.map().stress < 1e-6 or np.abs(found.map().coordinates).max() < 1e-8


def test_copies_of_two_networks_are_two_clusters():
    nets = [copy_of(NETS[seed % 2], seed) for seed in range(10)]
    clusters = compare(nets, "procrustes", TASK, **QUIET).clusters()
    assert clusters.count == 2
    assert clusters.members.tolist() == [0, 1] * 5
    assert clusters.stability == 1


def test_untrained_networks_are_at_the_null_of_untrained_networks():
    nets = [MODEL.build(1, 1, seed=seed) for seed in range(10, 18)]
    found = compare(nets, "procrustes", TASK, **QUIET)
    assert found.position == pytest.approx(1, abs=0.35)
    low, high = np.quantile(found.nulls["trained and untrained"], [0.05, 0.95])
    assert low < np.median(found.pairs) < high


def test_nulls_bracket_networks_that_are_nearly_copies():
    """Small changes of one network: farther than from itself, nearer than anything else."""
    rng = np.random.default_rng(0)
    nets = []
    for seed in range(4):
        weights = {
            name: np.asarray(array) for name, array in copy_of(NETS[0], seed).weights.items()
        }
        moved = weights["recurrent_weights"] + 0.03 * rng.normal(size=(6, 6))
        nets.append(at.models.Network(MODEL, {**weights, "recurrent_weights": moved}))
    found = compare(nets, "procrustes", TASK, **QUIET)
    assert 0 < found.position < 0.5
    assert found.nulls["same network, noise anew"].max() < 1e-8  # there is no noise
    others = [found.nulls[name] for name in ("untrained networks", "shuffled units")]
    assert found.pairs.max() < min(np.median(each) for each in others)


def test_a_noisy_network_differs_from_itself():
    medians = []
    for sigma in (0.05, 0.5):
        nets = [noisy(sigma).build(1, 1, seed=seed) for seed in range(2)]
        nulls = compare(nets, "procrustes", TASK, **QUIET).nulls
        medians.append(np.median(nulls["same network, noise anew"]))
    assert 0.001 < medians[0] < medians[1]


def test_one_noisy_network_twice_is_at_the_null_of_one_network():
    nets = [noisy(0.3).build(1, 1, seed=0)] * 6
    found = compare(nets, "procrustes", TASK, **QUIET)
    anew = found.nulls["same network, noise anew"]
    assert np.median(found.pairs) == pytest.approx(np.median(anew), rel=0.1)


def test_nulls_are_of_all_models_that_are_compared(monkeypatch):
    built = []
    build = at.models.Model.build
    for kind in (at.models.RateRNN, at.models.GRU):
        monkeypatch.setattr(
            kind, "build", lambda model, *sizes: built.append(model) or build(model, *sizes)
        )
    gates = at.models.GRU(units=4)
    nets = {"rates": NETS * 2, "gates": [build(gates, 1, 1, seed) for seed in range(4)]}
    compare(nets, "cka", TASK, **QUIET)
    assert [model == MODEL for model in built] == [True] * 4 + [False] * 2


def test_another_task_is_farther_than_the_same_one():
    other = TASK.replace(steps=80, first_onset=(20, 30))
    for metric in ("procrustes", "dsa"):
        found = compare(NETS, metric, TASK, other_task=other, **QUIET)
        assert len(found.nulls["another task"]) == 12
    # the same task: what a network does there is what it does here
    copies = [copy_of(NETS[0], seed) for seed in range(3)]
    found = compare(copies, "procrustes", TASK, other_task=TASK, **QUIET)
    assert found.nulls["another task"].max() < 1e-8
    found = compare(copies, "procrustes", TASK, other_task=other, **QUIET)
    assert found.nulls["another task"].min() > 0.1


def test_distances_of_weights_have_no_null_of_trials():
    found = compare(NETS, "spectra", **QUIET)
    assert set(found.nulls) == {"untrained networks", "trained and untrained", "shuffled weights"}
    assert np.isnan(found.reliability)


def test_reliability_is_the_agreement_of_halves():
    """Of networks that are far apart in all trials alike it is 1; of noise alone it is about 0."""
    assert compare(NETS, "procrustes", TASK, **QUIET).reliability > 0.8
    same = [noisy(0.5).build(1, 1, seed=0)] * 12  # each has noise of its own
    assert abs(compare(same, "procrustes", TASK, **QUIET).reliability) < 0.4


def test_the_same_seed_gives_the_same_numbers_whatever_is_beside():
    one, other = (compare(NETS, "cka", TASK, seed=3, **QUIET) for _ in range(2))
    np.testing.assert_array_equal(one.matrix, other.matrix)
    for name, values in one.nulls.items():
        np.testing.assert_array_equal(values, other.nulls[name])
    fewer = compare(NETS[:3], "cka", TASK, seed=3, nulls=False, **QUIET)
    np.testing.assert_array_equal(one.matrix[:3, :3], fewer.matrix)
    assert fewer.nulls == {}
    assert np.isnan(fewer.position)


def test_a_run_brings_its_task_and_groups_their_names():
    run = at.Run.of(NETS[:2], TASK)
    assert compare(run, **QUIET).labels == ("0", "1")
    found = compare({"first": run, "one": NETS[2]}, **QUIET)
    assert found.labels == ("first 0", "first 1", "one")
    assert found.groups == ("first", "first", "one")
    table = found.table()
    assert table["other_group"].tolist() == ["first", "one", "one"]
    assert found.frame().loc["first 0", "one"] == table["distance"][1]


def test_distances_of_runs_are_found_again(tmp_path, monkeypatch):
    run = at.Run.of(NETS, TASK)
    run.save(tmp_path / "run")
    first = {metric: compare(run, metric, **QUIET) for metric in ("procrustes", "spectra")}
    _results._memory.clear()  # as in a new process
    monkeypatch.setattr(_compare, "_all_prepared", None)
    for metric, known in first.items():
        again = compare(at.load(run.path), metric, TASK, **QUIET)
        np.testing.assert_array_equal(again.matrix, known.matrix)
        assert again.statement == known.statement
    for other in ({"nulls": False}, {"seed": 1}, {"trials": 16}, {"other_task": TASK}):
        with pytest.raises(TypeError):
            compare(run, "procrustes", **{**QUIET, **other})


def test_distances_and_nulls_have_their_names_in_xarray():
    found = compare({"a": NETS[:2], "b": NETS[2:]}, "spectra", **QUIET)
    named = found.to_xarray()
    assert float(named["distance"].sel(net="a 1", other="b 0")) == found.matrix[1, 2]
    assert named["group"].values.tolist() == ["a", "a", "b", "b"]
    assert named["distance"].attrs["unit"] == found.unit
    for null, values in found.nulls.items():
        here = named["null_distance"][(named["null"] == null).values]
        np.testing.assert_array_equal(here, values)


def test_trials_are_taken_as_they_are():
    trials = TASK.sample(8, seed=0)
    given, drawn = compare(NETS, task=trials, **QUIET), compare(NETS, task=TASK, **QUIET)
    np.testing.assert_array_equal(given.matrix, drawn.matrix)


def test_networks_that_cannot_be_compared_are_left_out_and_said():
    run = at.Run.of(NETS, TASK)
    run.status[1]["status"] = "diverged"
    weights = {name: 0 * np.asarray(array) for name, array in NETS[2].weights.items()}
    run.networks = [*NETS[:2], at.models.Network(MODEL, weights), NETS[3]]
    found = compare(run, **QUIET)
    assert found.labels == ("0", "3")
    assert found.left_out == {
        "network 1": "diverged in training",
        "network 2": "its states do not change in these trials",
    }  # fmt: skip
    assert "Left out: network 1 (diverged in training), network 2 (its states" in found.statement
    run.networks = [run.networks[2]] * 4
    with pytest.raises(at.InvalidSetting, match="fewer than two can be compared; network 1: div"):
        compare(run, **QUIET)


@pytest.mark.parametrize(
    ("networks", "given", "complaint"),
    [
        (NETS[:1], {}, "there is one to compare; at least two"),
        (NETS, {}, r"task = None: the distance 'procrustes' is of what networks do in trials"),
        (NETS, {"metric": "procrustus"}, r"did you mean 'procrustes'\?"),
        (NETS, {"metric": 3}, "metric = 3 is not allowed"),
        (NETS, {"task": TASK, "trials": 3}, "trials = 3 is not allowed: a whole number, 4"),
        ({}, {"task": TASK}, "networks is empty"),
        (NETS, {"task": TASK.sample(3, seed=0)}, "task = 3 trials; 4 or more are needed"),
        (
            NETS,
            {"task": TASK, "metric": "behaviour", "other_task": TASK},
            "other_task = .*: the distance 'behaviour' is not of states alone",
        ),
        (
            NETS,
            {"task": TASK, "other_task": at.tasks.FlipFlop(bits=2)},
            "network 0 has n_inputs = 1, the task flipflop has 2; they must be equal",
        ),
        ({"a": [3]}, {"task": TASK}, r"a\[0\] = 3 is not allowed"),
        (
            [NETS[0], MODEL.build(2, 1)],
            {"task": TASK},
            "network 1 has n_inputs = 2, network 0 1; they must be equal",
        ),
        (
            [NETS[0], MODEL.build(1, 3)],
            {"metric": "weights"},
            "network 1 has n_outputs = 3, network 0 1; they must be equal",
        ),
        (
            [MODEL.build(2, 1), MODEL.build(2, 1)],
            {"task": TASK},
            "network 0 has n_inputs = 2, the task flipflop has 1; they must be equal",
        ),
        (
            {"a": at.Run.of(NETS, TASK), "b": at.Run.of(NETS, TASK.replace(delay=5))},
            {},
            "networks: their runs are of different tasks, .*; say task=",
        ),
    ],
)
def test_what_cannot_be_compared_is_one_line(networks, given, complaint):
    with pytest.raises(at.InvalidSetting, match=complaint) as caught:
        compare(networks, **{"progress": False, **given})
    assert "\n" not in str(caught.value)


def test_spectra_compare_networks_of_any_size_and_task():
    nets = [MODEL.build(1, 1), at.models.RateRNN(units=9).build(2, 3)]
    assert compare(nets, "spectra", progress=False).pairs.shape == (1,)
