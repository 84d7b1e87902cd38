"""The size that is needed: the estimate beside the likelihood's, the search on planted curves."""

from __future__ import annotations

import numpy as np
import pytest
from kept_sign import TASK
from scipy import optimize

import attractory as at
from attractory.models import RateRNN
from attractory.population import SmallestNetwork, smallest
from attractory.population._size_search import search
from attractory.population._success import SuccessCurve

ODDS = np.log(19)


def planted(half, width, seed=0):
    """Scores of networks half of which succeed at one size, 95 of 100 at 2^width times it."""
    rng = np.random.default_rng(seed)
    asked = []

    def scores_of(size, before):
        assert before == asked.count(size)
        asked.append(size)
        chance = 1 / (1 + np.exp(-ODDS * np.log2(size / half) / width))
        return np.where(rng.random(5) < chance, 1.0, 0.5)

    return scores_of


def searched(half, width, sizes, seed=0, **settings):
    asked = {"seeds": 5, "factor": 1.5, "most": 12, **settings}
    rounds, status = search(sizes, planted(half, width, seed), 0.99, **asked)
    return SmallestNetwork(
        "a task", "RateRNN", "BPTT", 0.99, "accuracy", np.array(sizes),
        np.array([each.size for each in rounds]), np.stack([each.scores for each in rounds]),
        status,
    )  # fmt: skip


def test_of_many_networks_the_estimate_is_the_likeliest():
    sizes = np.repeat([4, 8, 12, 16, 32, 64], 100)
    chance = 1 / (1 + np.exp(-ODDS * np.log2(sizes / 14) / 1.5))
    won = np.random.default_rng(0).random(len(sizes)) < chance
    levels, counts = np.unique(sizes, return_counts=True)
    successes = [int(won[sizes == level].sum()) for level in levels]
    curve = SuccessCurve.prior(2, 128).after(levels, successes, counts)

    def unlikely(parameters):
        odds = parameters[0] * np.log2(sizes) + parameters[1]
        return np.sum(np.logaddexp(0, odds) - won * odds)

    slope, start = optimize.minimize(unlikely, [1.0, -4.0]).x
    exact = 2 ** (-start / slope)
    assert curve.size_at_half([0.5])[0] == pytest.approx(exact, rel=0.01)
    nearly = 2 ** ((ODDS - start) / slope)
    assert curve.size_at_nearly_all([0.5])[0] == pytest.approx(nearly, rel=0.04)
    # the interval beside the curvature of the likelihood: two parameters, by hand
    design = np.stack([np.log2(levels), np.ones(len(levels))], axis=1)
    p = 1 / (1 + np.exp(-design @ [slope, start]))
    information = (design * (counts * p * (1 - p))[:, None]).T @ design
    gradient = np.array([start / slope**2, -1 / slope])
    error = np.sqrt(gradient @ np.linalg.solve(information, gradient))
    ends = np.log2(curve.size_at_half([0.025, 0.975]) / exact)
    np.testing.assert_allclose(ends, [-1.96 * error, 1.96 * error], rtol=0.1)


def test_where_failure_and_success_are_apart_the_interval_lies_between():
    curve = SuccessCurve.prior(2, 128).after([8, 16], [0, 20], [20, 20])
    low, middle, high = curve.size_at_half([0.025, 0.5, 0.975])
    assert 7 < low < middle < high < 17
    assert middle == pytest.approx(np.sqrt(8 * 16), rel=0.1)


def test_the_expected_variance_is_that_of_all_outcomes():
    curve = SuccessCurve.prior(4, 64).after([16], [1], [4])

    def variance(known):
        by_half = known.weights.sum(axis=1)
        half = known.half[:, 0]
        return by_half @ half**2 - (by_half @ half) ** 2

    expected = 0.0
    chance = 1 / (1 + np.exp(-ODDS * (np.log2(20) - curve.half) / curve.width))
    for won, outcomes in enumerate([1, 2, 1]):  # of two networks
        likely = np.sum(curve.weights * outcomes * chance**won * (1 - chance) ** (2 - won))
        expected += likely * variance(curve.after([20], [won], [2]))
    assert curve.expected_variance(20, 2) == pytest.approx(expected, rel=1e-9)


def test_the_search_finds_a_planted_size_and_its_intervals_hold_it():
    found = [searched(12, 1.0, range(4, 65), seed, most=30) for seed in range(6)]
    assert all(each.status == "known" for each in found)
    held = [each.half[1] <= 12 <= each.half[2] for each in found]
    assert sum(held) >= 5
    assert all(each.half[2] <= 1.5 * each.half[1] for each in found)
    near = np.abs(np.log2(np.concatenate([each.tried[3:] for each in found]) / 12))
    assert np.median(near) < 0.5  # most networks are trained where it is decided


def test_the_search_stops_where_nothing_is_left_to_know():
    assert searched(300, 0.5, range(4, 65)).status == "larger than all sizes"
    assert searched(1, 0.5, range(4, 65)).status == "smaller than all sizes"
    between = searched(2.5, 0.1, range(1, 7))
    assert between.status == "known"  # though 3 / 2 is no narrower than the factor that is asked
    assert np.ceil(between.half[1:]).tolist() == [3, 3]
    short = searched(12, 1.0, range(2, 129), most=2)
    assert (short.status, len(short.tried)) == ("not known well enough", 2)
    assert short.statement.endswith("The size of half is not known well enough.")
    assert "larger than all sizes; the largest has 64" in searched(300, 0.5, range(4, 65)).statement


def test_the_table_counts_networks_by_size_and_is_saved(tmp_path):
    tried, scores = np.array([8, 4, 8]), np.array([[1.0, 0.5], [0.2, np.nan], [1.0, 0.99]])
    found = SmallestNetwork(
        "a task", "GRU", "BPTT", 0.99, "correct", np.arange(2, 20), tried, scores, "known"
    )
    table = found.table()
    assert table["units"].tolist() == [4, 8]
    assert table["trained"].tolist() == [2, 4]
    assert table["succeeded"].tolist() == [0, 3]
    assert found.smallest == 8
    assert found.summary()["networks"] == 6
    back = SmallestNetwork.load(found.save(tmp_path / "smallest.safetensors"))
    np.testing.assert_array_equal(back.half, found.half)
    assert back.table().equals(table)


def test_sizes_are_trained_once_and_found_again(tmp_path, monkeypatch):
    asked = {
        "task": TASK, "sizes": [1, 2, 3], "accuracy": 0.9, "seeds": 2, "model": RateRNN(units=3),
        "rule": at.rules.BPTT(steps=5), "path": tmp_path, "most": 2, "progress": False,
    }  # fmt: skip
    found = smallest(**asked)
    folders = sorted(path.name for path in tmp_path.iterdir())
    assert len(folders) == len(found.tried)
    first = int(found.tried[0])
    run = at.load(tmp_path / f"units_{first}_round_1")
    assert (run.networks[0].units, len(run.networks)) == (first, 2)
    judged = at.evaluate(run, TASK, 512, 1_000_003).accuracy
    np.testing.assert_array_equal(found.scores[0], judged)
    monkeypatch.setattr("attractory.training._train._Training", None)  # nothing is trained anew
    again = smallest(**asked)
    np.testing.assert_array_equal(again.scores, found.scores)
    np.testing.assert_array_equal(again.tried, found.tried)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"sizes": [4]}, r"sizes = \[4\] is not allowed: two or more sizes from 1 on"),
        ({"sizes": [0, 4]}, "two or more sizes from 1 on"),
        ({"sizes": [2.5, 4]}, "a list of whole numbers is needed"),
        ({"accuracy": 1.5}, "accuracy = 1.5 is not allowed: a number from 0 to 1"),
        ({"score": "mse"}, "score = 'mse' is not allowed: correct, accuracy"),
        ({"factor": 1.0}, "factor = 1.0 is not allowed: a number above 1"),
        ({"model": RateRNN}, "model = the class RateRNN is not allowed: a Model is needed"),
    ],
)
def test_what_cannot_be_is_one_line(settings, said):
    with pytest.raises(at.InvalidSetting, match=said):
        smallest(TASK, **settings)
