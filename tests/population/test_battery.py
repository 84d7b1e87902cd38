"""A battery beside single curves, and thresholds beside numbers found by hand and by SciPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kept_sign import TASK, memory
from scipy import stats

import attractory as at
from attractory.evaluation import RobustnessCurve
from attractory.population import Battery, _battery, battery
from attractory.population._thresholds import crossing
from attractory.runs import _results

NETS = [memory(seed) for seed in range(3)]
AXES = {"noise_on_weights": [0.0, 0.5, 1.0], "amplitude": [0.0, 1.0, 2.0]}

NAMES = ("first 0", "first 1", "first 2", "second 0", "second 1")


@pytest.fixture(scope="module")
def tried():
    groups = {"first": NETS, "second": [memory(3), memory(4)]}
    return battery(groups, TASK, AXES, trials=16, seed=2, progress=False)


def curve(values, shares, trained=0.0, vary="noise"):
    shares = np.array(shares)
    return RobustnessCurve(vary, np.array(values), trained, 1 - shares, shares, shares)


def planted(curves, nets, groups=(), level=0.75):
    return Battery(
        curves=tuple(curves), net=np.arange(nets), group=groups, score="correct", level=level,
        chance=0.5, skipped={}, left_out=(), trials=10, repeats=1, seed=0,
    )  # fmt: skip


def test_curves_are_those_of_robustness_and_the_unchanged_score_is_that_of_evaluate(tried):
    nets = [*NETS, memory(3), memory(4)]
    for axis, values in AXES.items():
        alone = at.robustness(nets, TASK, axis, values, n=16, seed=2, repeats=3)
        np.testing.assert_allclose(tried[axis].mse, alone.mse, rtol=1e-6)
    plain = at.evaluate(nets, TASK, 16, 2)
    np.testing.assert_array_equal(tried["noise_on_weights"].correct[:, 0], plain.correct)
    np.testing.assert_array_equal(tried["noise_on_weights"].mse[:, 0], plain.mse)
    np.testing.assert_array_equal(tried["amplitude"].correct[:, 1], plain.correct)
    assert (tried.level, tried.chance, tried.score) == (0.75, 0.5, "correct")


def test_the_table_has_a_row_for_each_axis_network_and_value(tried):
    table = tried.table()
    assert list(table) == ["axis", "value", "net", "group", "mse", "accuracy", "correct"]
    assert len(table) == 2 * 3 * 5
    row = table.query("axis == 'amplitude' and value == 2 and group == 'second' and net == 1")
    assert row["mse"].item() == tried["amplitude"].mse[4, 2]


def test_means_have_the_interval_of_students_t_within_0_and_1():
    scores = np.array([0.4, 0.3, 0.7])
    means = planted([curve([0.0, 1.0], np.stack([np.ones(3), scores], axis=1))], 3).means()
    low, high = stats.t.interval(0.95, 2, scores.mean(), stats.sem(scores))
    assert low < 0
    found = means[["mean", "low", "high"]].to_numpy()
    np.testing.assert_allclose(found, [[1, 1, 1], [scores.mean(), 0, high]])


def test_a_crossing_by_hand():
    values = np.array([0.0, 1.0, 2.0, 4.0])
    assert crossing(values, np.array([1.0, 0.9, 0.5, 0.0]), 0.75) == (1.375, "reached")
    assert crossing(values, np.array([1.0, 0.9, np.nan, 0.3]), 0.75) == (1.75, "reached")
    assert crossing(values, np.array([1.0, 0.5, 1.0, 0.0]), 0.75) == (0.5, "reached")
    for scores, status in [
        ([1.0, 0.9, 0.8, 0.75], "not reached"),
        ([0.7, 0.9, 0.0, 0.0], "below from the start"),
        ([np.nan] * 4, "no score"),
    ]:
        found = crossing(values, np.array(scores), 0.75)
        assert np.isnan(found[0])
        assert found[1] == status


def test_thresholds_lie_on_both_sides_of_the_trained_value():
    shares = [[0.5, 1.0, 0.5], [0.0, 1.0, 0.9]]
    found = planted([curve([1.0, 2.0, 4.0], shares, trained=2.0)], 2).crossings()
    larger, smaller = (found.query(f"side == '{side}'") for side in ("larger", "smaller"))
    np.testing.assert_allclose(smaller["threshold"], [1.5, 1.75])
    np.testing.assert_allclose(larger["threshold"], [3.0, np.nan])
    assert larger["status"].tolist() == ["reached", "not reached"]


def test_without_a_trained_value_the_better_end_is_the_start():
    falls = curve([3.0, 1.0, 2.0], [[0.0, 1.0, 1.0]], trained=None)  # in whatever order
    rises = curve([1.0, 2.0, 3.0], [[0.5, 1.0, 1.0]], trained=None)
    bits = curve([2, 4, 8], [[0.5, 1.0, 1.0]], trained=32)
    found = planted([falls, rises, bits], 1).crossings()
    assert found["side"].tolist() == ["larger", "smaller", "smaller"]
    assert found["threshold"].tolist() == [2.25, 1.5, 3.0]


def test_thresholds_over_networks():
    reached = curve([0.0, 1.0], [[1.0, 0.5], [1.0, 0.0], [1.0, 0.25]])
    some = curve([0.0, 1.0], [[1.0, 0.5], [1.0, 0.9], [1.0, 0.8]], vary="other")
    words = RobustnessCurve("gap", ((1, 2), (2, 3)), None, *np.ones((3, 3, 2)))
    whole = planted([reached, some, words], 3)
    first, second = whole.thresholds().to_dict("records")
    thresholds = np.array([0.5, 0.25, 1 / 3])
    low, high = stats.t.interval(0.95, 2, thresholds.mean(), stats.sem(thresholds))
    assert (first["networks"], first["reached"], first["below_from_start"]) == (3, 3, 0)
    numbers = [first[name] for name in ("median", "mean", "low", "high")]
    np.testing.assert_allclose(numbers, [1 / 3, thresholds.mean(), low, high])
    assert (second["reached"], second["median"]) == (1, np.inf)
    assert np.isnan([second["mean"], second["low"], second["high"]]).all()
    assert whole.summary()["noise (larger)"] == pytest.approx(1 / 3)
    assert "noise (larger): half of 3 are below correct 0.75 at 0.333." in whole.statement
    assert "other (larger): reached by 1 of 3." in whole.statement
    below = planted([curve([0.0, 1.0], [[0.5, 0.5], [1.0, 0.5], [0.5, 0.5]])], 3).statement
    assert "noise (larger): 2 of 3 are below from the start." in below


def test_usual_axes_are_those_that_there_are(monkeypatch):
    usual = {"amplitude": [1.0], "pruned_weights": [0.5], "lesioned_excitatory": [0.5]}
    monkeypatch.setattr("attractory.population._battery.axes_of_batteries", lambda task: usual)
    found = battery(NETS[0], TASK, trials=4, progress=False)
    assert found.axes == ("amplitude", "pruned_weights")
    assert list(found.skipped) == ["lesioned_excitatory"]
    assert "Not tried: lesioned_excitatory." in found.statement
    assert len(found) == 1
    assert "group" not in found.table()


def test_every_axis_with_usual_values_can_be_asked_for():
    usual = at.evaluation.axes_of_batteries(TASK)
    assert {"amplitude", "held_longer", "noise_on_weights", "weight_bits"} <= set(usual)
    assert set(at.evaluation.axes_of_studies(TASK)) == {"amplitude"}  # pages are as they were


def test_what_was_tried_is_saved_and_shown(tried, tmp_path):
    back = Battery.load(tried.save(tmp_path / "battery.safetensors"))
    np.testing.assert_array_equal(back.table(), tried.table())
    assert back.thresholds().equals(tried.thresholds())
    assert len(repr(tried)) < 500
    assert replace(tried, level=0.9).statement != tried.statement


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"axes": "amplitud"}, "axes: 'amplitud' has no usual values; allowed: "),
        ({"axes": "lesioned_area"}, "'lesioned_area' has no usual values; say its values"),
        ({"axes": []}, "axes is empty; at least one axis is needed"),
        ({"axes": "lesioned_inhibitory"}, "does not obey Dale's law"),
        ({"axes": {"amplitude": 2.0}}, r"axes\['amplitude'\] = 2.0 is not allowed"),
        ({"score": "mse"}, "score = 'mse' is not allowed: correct, accuracy"),
        ({"level": 1.5}, "level = 1.5 is not allowed: a number from 0 to 1"),
        ({"task": None}, "task = None is not allowed: a Task is needed"),
    ],
)
def test_what_cannot_be_is_one_line(settings, said):
    with pytest.raises(at.InvalidSetting, match=said):
        battery(NETS, **{"task": TASK, "trials": 4, "progress": False, **settings})


def test_a_battery_that_is_stopped_goes_on_with_the_axes_that_are_left(tmp_path, monkeypatch):
    run = at.Run.of(NETS, TASK)
    run.save(tmp_path / "run")
    tried_on = []

    def counted(answers, task, axis, *rest):
        tried_on.append(axis)
        if tried_on == ["noise_on_weights", "amplitude"]:
            raise KeyboardInterrupt
        return at.evaluation.robustness(answers, task, axis, *rest)

    monkeypatch.setattr(_battery, "robustness", counted)
    asked = {"axes": AXES, "trials": 8, "progress": False}
    with pytest.raises(KeyboardInterrupt):
        battery(run, **asked)
    whole = []
    for settings in ({}, {"level": 0.6, "score": "accuracy"}):
        _results._memory.clear()  # as in a new process
        whole.append(battery(run, **asked, **settings))
    assert tried_on == ["noise_on_weights", "amplitude", "amplitude"]
    alone = battery(NETS, TASK, **asked)
    assert whole[0].table().equals(whole[1].table())
    assert whole[0].table().equals(alone.table())
    assert (whole[1].level, whole[1].score) == (0.6, "accuracy")


def test_what_a_users_axis_gives_is_not_kept(registries):
    given = []

    @at.evaluation.axis("Anything")
    def anything(network, task, value, rng):
        given.append(value)
        return network, task

    run = at.Run.of(NETS[:1], TASK)
    for _ in range(2):
        battery(run, axes={"anything": [0.0, 1.0]}, trials=4, progress=False)
    assert given == [0.0, 1.0] * 2


def test_scores_and_thresholds_have_their_names_in_xarray(tried):
    found = tried.to_xarray()
    assert found["net"].values.tolist() == list(NAMES)
    one = found["amplitude_mse"].sel(net="second 1", amplitude=2.0)
    assert float(one) == tried["amplitude"].mse[4, 2]
    assert found["group"].values.tolist() == list(tried.group)
    for (axis, side), rows in tried.crossings().groupby(["axis", "side"]):
        here = found["threshold"].sel(axis=axis, side=side)
        np.testing.assert_array_equal(here, rows["threshold"])
    assert found["threshold"].sel(axis="noise_on_weights", side="smaller").isnull().all()
    ranges = replace(tried, curves=(RobustnessCurve("gap", ((1, 2),), None, *np.ones((3, 5, 1))),))
    assert ranges.to_xarray()["gap"].values.tolist() == ["(1, 2)"]
