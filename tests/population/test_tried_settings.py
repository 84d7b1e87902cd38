"""Settings that were tried: points, effects and fronts are those that are counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import attractory as at
from attractory.population import TriedSettings
from attractory.population._levels import levels_of, means_of, varies_by_ratios


def tried(rows, fields, directions, logarithmic=()):
    table = pd.DataFrame(rows)
    table.insert(0, "number", np.arange(len(table)))
    table.insert(1, "state", "done")
    return TriedSettings("network", table, fields, logarithmic, directions)


@pytest.fixture(scope="module")
def two_fields():
    """Six points of three networks, and one point that has no second field."""
    rng = np.random.default_rng(0)
    rate = np.repeat([0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.3], 3)
    word = np.repeat(np.array(["a", "b", "a", "b", "a", "b", ""], object), 3)
    rows = pd.DataFrame({"rate": rate, "word": word, "mse": rate + rng.random(21)})
    rows.loc[4, "mse"] = np.nan
    return tried(rows, ("rate", "word"), {"mse": "minimize"})


def test_points_have_the_mean_and_the_interval_of_their_networks(two_fields):
    points = two_fields.points()
    assert len(points) == 7
    assert points["mean"].is_monotonic_increasing  # less is better
    for row in points.to_dict("records"):
        rows = two_fields.rows
        values = rows["mse"][(rows["rate"] == row["rate"]) & (rows["word"] == row["word"])].dropna()
        low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
        assert row["networks"] == len(values)
        assert [row["mean"], row["low"], row["high"]] == pytest.approx([values.mean(), low, high])


def test_the_share_of_a_field_is_the_adjusted_r_squared_of_its_f(two_fields):
    effects = two_fields.effects().set_index("field")["share"]
    for field in ("rate", "word"):
        there = two_fields.rows[two_fields.rows[field] != ""].dropna(subset="mse")
        groups = [each["mse"].to_numpy() for _, each in there.groupby(field)]
        count, levels = len(there), len(groups)
        f = stats.f_oneway(*groups).statistic
        # from F the share that is explained, and from that the corrected one
        explained = f * (levels - 1) / (f * (levels - 1) + count - levels)
        adjusted = 1 - (1 - explained) * (count - 1) / (count - levels)
        assert effects[field] == pytest.approx(max(adjusted, 0.0))


def test_a_field_that_tells_all_has_all_and_one_by_chance_has_none():
    rng = np.random.default_rng(1)
    rows = {"tells": np.tile([1, 2], 500), "idle": rng.integers(0, 9, 1000)}
    made = tried({**rows, "mse": rows["tells"] * 1.0}, ("idle", "tells"), {"mse": "minimize"})
    effects = made.effects().to_dict("list")
    assert effects["field"] == ["tells", "idle"]
    assert effects["share"][0] == 1.0
    assert effects["share"][1] < 0.01


def test_of_as_many_networks_as_values_nothing_is_known():
    made = tried({"rate": [1, 2, 3], "mse": [3.0, 1.0, 2.0]}, ("rate",), {"mse": "minimize"})
    assert np.isnan(made.effects()["share"][0])
    assert made.points()["rate"].tolist() == [2, 3, 1]
    assert made.points()["low"].isna().all()


def test_the_front_is_what_none_beats():
    rng = np.random.default_rng(2)
    rows = {"x": rng.random(60), "cost": rng.random(60).round(1), "gain": rng.random(60).round(1)}
    rows["cost"][5] = np.nan
    made = tried(rows, ("x",), {"cost": "minimize", "gain": "maximize"})
    cost, gain = rows["cost"], rows["gain"]
    beaten = [
        any(
            cost[j] <= cost[i] and gain[j] >= gain[i] and (cost[j], gain[j]) != (cost[i], gain[i])
            for j in range(60)
        )
        for i in range(60)
    ]
    kept = [i for i in range(60) if not beaten[i] and np.isfinite(cost[i])]
    assert made.front.tolist() == kept
    alone = tried(rows, ("x",), {"cost": "minimize"})
    assert alone.front.tolist() == np.flatnonzero(cost == np.nanmin(cost)).tolist()


def test_the_score_is_the_first_that_differs():
    rows = {"x": [1, 2], "correct": [1.0, 1.0], "mse": [0.2, 0.1]}
    made = tried(rows, ("x",), {"correct": "maximize", "mse": "minimize"})
    assert made.score() == "mse"
    assert made.score("correct") == "correct"
    with pytest.raises(at.InvalidSetting, match=r"score = 'msee': .*did you mean 'mse'"):
        made.score("msee")
    with pytest.raises(at.InvalidSetting, match="field 'y' did not vary"):
        made.levels("y")


def test_few_values_are_levels_and_many_are_bins():
    few = levels_of([3, 1, 1, np.nan, 2], False)
    assert few.places.tolist() == [1, 2, 3]
    assert few.member.tolist() == [2, 0, 0, -1, 1]
    assert few.names == ("1", "2", "3")
    numbers = np.geomspace(1e-4, 1, 1001)
    many = levels_of(numbers, True)
    assert many.binned
    assert len(many) == 8
    assert np.bincount(many.member).tolist() == pytest.approx([125] * 8, abs=1)
    assert np.diff(np.log(many.places)) == pytest.approx(np.log(1e4) / 8)
    assert levels_of(numbers, False).member[:500].max() == 0  # in equal steps nearly all is in one
    words = levels_of(np.array(["b", "", "a", "b"], object), False)
    assert words.member.tolist() == [0, -1, 1, 0]
    assert words.names == ("b", "a")


def test_means_leave_out_what_is_no_number():
    found = means_of(np.array([1.0, 3.0, np.nan, 5.0, 9.0]), np.array([0, 0, 0, 1, -1]), 3)
    assert found["networks"].tolist() == [2, 1, 0]
    assert found["mean"].tolist()[:2] == [2.0, 5.0]
    assert found["mean"].isna().tolist() == [False, False, True]
    assert found["low"].isna().tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("values", "by_ratios"),
    [
        ([1e-3, 3e-3, 1e-2], True),
        ([16, 32, 64, 128], True),
        (range(1, 101), False),
        ([1, 2, 3], False),
        ([0, 1, 10, 100], False),
        ([1e-3, 1e-1], False),
        (["a", "b", "c"], False),
    ],
    ids=range(7),
)
def test_a_logarithm_is_for_positive_numbers_that_grow_by_ratios(values, by_ratios):
    assert varies_by_ratios(np.array(list(values))) is by_ratios
