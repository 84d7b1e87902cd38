"""Statistics of small groups beside SciPy's, by hand, and in simulated populations."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from attractory.population._group_statistics import (
    _skewness_of_mean,
    _third_and_fourth,
    cliffs_delta,
    difference_interval,
    difference_p,
    false_discovery,
    hedges_g,
    holm,
    mean_interval,
    permutation_p,
    student_interval,
)

ONE = np.array([1.2, 3.4, 2.2, 5.0, 3.1])
OTHER = np.array([4.1, 6.3, 5.2, 3.9, 7.7, 6.0])
DRAWS = {
    "normal": (lambda rng, n: rng.normal(size=n), 0.0),
    "exponential": (lambda rng, n: rng.exponential(size=n), 1.0),
    "uniform": (lambda rng, n: rng.random(n), 0.5),
    "lognormal": (lambda rng, n: rng.lognormal(size=n), np.exp(0.5)),
    "laplace": (lambda rng, n: rng.laplace(size=n), 0.0),
    "t5": (lambda rng, n: rng.standard_t(5, size=n), 0.0),
}


def rng():
    return np.random.default_rng(0)


def test_effect_sizes_by_hand():
    spread = np.sqrt((4 * ONE.var(ddof=1) + 5 * OTHER.var(ddof=1)) / 9)
    # Hedges's own approximation of the correction: 1 - 3 / (4 (n - 2) - 1), right to 0.1 %
    by_hand = (1 - 3 / (4 * 9 - 1)) * (ONE.mean() - OTHER.mean()) / spread
    np.testing.assert_allclose(hedges_g(ONE, OTHER), by_hand, rtol=1e-3)
    pairs = [np.sign(a - b) for a, b in product(ONE, OTHER)]
    np.testing.assert_allclose(cliffs_delta(ONE, OTHER), np.mean(pairs))
    assert cliffs_delta(ONE, ONE) == 0


def test_exact_permutations_are_those_of_scipy():
    p, exact = permutation_p(ONE, OTHER, rng(), 9999)
    beside = stats.permutation_test(
        (ONE, OTHER),
        lambda a, b: abs(stats.ttest_ind(a, b, equal_var=False).statistic),
        alternative="greater",
        n_resamples=np.inf,
    )
    assert exact
    np.testing.assert_allclose(p, beside.pvalue)


def test_random_permutations_are_near_the_exact_ones():
    exact, _ = permutation_p(ONE, OTHER, rng(), 9999)
    drawn, all_taken = permutation_p(ONE, OTHER, rng(), 400)
    assert not all_taken
    assert abs(drawn - exact) < 4 * np.sqrt(exact / 400)


def test_the_larger_one_of_two_tests_counts():
    welch = stats.ttest_ind(ONE, OTHER, equal_var=False).pvalue
    by_permutation, _ = permutation_p(ONE, OTHER, rng(), 9999)
    np.testing.assert_allclose(difference_p(ONE, OTHER, rng())[0], max(welch, by_permutation))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [([2, 2, 2], [2, 2, 2], 1.0), ([2, 2, 2], [3, 3, 3], 0.1), ([2, 2], [3, 3], 1 / 3)],
)
def test_groups_that_do_not_vary(one, other, expected):
    one, other = np.array(one, float), np.array(other, float)
    np.testing.assert_allclose(difference_p(one, other, rng())[0], expected)
    low, high = difference_interval(one, other, 0.95)
    assert low == high == one[0] - other[0]


def test_symmetric_numbers_have_students_interval():
    values = np.array([1.0, 2.0, 4.0, 5.0])
    expected = stats.t.interval(0.9, 3, values.mean(), stats.sem(values))
    np.testing.assert_allclose(mean_interval(values, 0.9), expected)
    beside = stats.ttest_ind(values, 3 * values, equal_var=False).confidence_interval(0.9)
    np.testing.assert_allclose(difference_interval(values, 3 * values, 0.9), beside)
    assert np.isnan(mean_interval(values[:1], 0.9)).all()


@pytest.mark.parametrize("turned", [1, -1])
def test_on_the_side_of_the_longer_tail_is_halls_end_and_on_the_other_students(turned):
    """Hall's is where the transformed t of the mean is Student's quantile."""
    values = np.array([0.1, 0.2, 0.2, 0.4, 0.5, 2.0, 3.5])
    ends = np.sort(turned * np.array(mean_interval(turned * values, 0.95)))
    np.testing.assert_allclose(
        ends[0], stats.t.interval(0.95, 6, values.mean(), stats.sem(values))[0]
    )
    # excess kurtosis and squared skewness are more than 1 together: the skewness counts wholly
    skewness = stats.skew(values, bias=False) * min(0.5, (1 + 8 / 7) / np.sqrt(7))
    t = (values.mean() - ends[1]) / stats.sem(values)
    transformed = t + skewness * t**2 / 3 + skewness**2 * t**3 / 27 + skewness / 6
    np.testing.assert_allclose(transformed, stats.t.ppf(0.025, 6), rtol=1e-9)
    assert ends[1] > values.mean() + stats.t.ppf(0.975, 6) * stats.sem(values)


def test_of_numbers_of_short_tails_the_skewness_counts_in_part_or_not_at_all():
    peaks = np.array([0.0, 0, 0, 0, 1, 1, 1])
    assert stats.kurtosis(peaks, bias=False) + stats.skew(peaks, bias=False) ** 2 < 0
    assert mean_interval(peaks, 0.95) == student_interval(peaks, 0.95)
    values = np.array([0.1, 0.2, 0.4, 0.5, 0.6, 0.9, 2.0])
    skewness, kurtosis = _third_and_fourth(values)
    np.testing.assert_allclose(skewness, stats.skew(values, bias=False))
    np.testing.assert_allclose(kurtosis, stats.kurtosis(values, bias=False))
    part = np.array([0.0, 0.1, 0.15, 0.5, 0.6, 0.9, 1.4])
    counts = stats.kurtosis(part, bias=False) + stats.skew(part, bias=False) ** 2
    assert 0 < counts < 1
    expected = counts * stats.skew(part, bias=False) / 2  # seven numbers: at most half of it
    np.testing.assert_allclose(_skewness_of_mean(part), expected)


def test_one_number_unlike_all_others_leaves_the_interval_near_the_numbers():
    values = np.append(np.full(9, 0.0), -0.25) + 1e-6 * np.arange(10)
    low, high = mean_interval(values, 0.95)
    assert -0.25 < low < values.mean() < high < 0.04


def test_corrections_by_hand_and_by_scipy():
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.5])
    np.testing.assert_allclose(holm(p), [0.04, np.nan, 0.09, 0.09, 0.5])
    known = ~np.isnan(p)
    expected = stats.false_discovery_control(p[known])
    np.testing.assert_allclose(false_discovery(p)[known], expected)
    assert np.isnan(false_discovery(p)[1])
    assert np.isnan(holm(np.array([np.nan]))).all()


def share_of_intervals_that_hold(name, repetitions):
    """Of 12 numbers: the mean, and the difference of two such means."""
    draw, mean = DRAWS[name]
    made = np.random.default_rng(1)
    held = np.zeros(2)
    for _ in range(repetitions):
        one, other = draw(made, 12), draw(made, 12)
        low, high = mean_interval(one, 0.95)
        least, most = difference_interval(one, other, 0.95)
        held += [low <= mean <= high, least <= 0 <= most]
    return held / repetitions


@pytest.mark.parametrize("name", ["normal", "exponential", "uniform"])
def test_intervals_of_12_networks_hold_the_mean_and_the_difference(name):
    held = share_of_intervals_that_hold(name, 1000)
    assert ((held > 0.93) & (held < 0.985)).all(), held


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWS)
def test_95_of_100_intervals_hold_give_or_take_2(name):
    held = share_of_intervals_that_hold(name, 20_000)
    by_chance = 0.0025  # two standard errors of the simulation
    assert ((held > 0.93 - by_chance) & (held < 0.97 + by_chance)).all(), held


def found_by_chance(one, other, repetitions):
    """The share of p of at most 0.05 where the means are the same."""
    made = np.random.default_rng(2)
    return np.mean(
        [difference_p(one(made), other(made), made, 999)[0] <= 0.05 for _ in range(repetitions)]
    )


def test_little_is_found_by_chance_in_some_repetitions():
    assert found_by_chance(lambda r: r.normal(size=8), lambda r: r.normal(size=8), 300) <= 0.08


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "spread", "n_one", "n_other"),
    [
        ("normal", 1, 12, 12),
        ("normal", 3, 12, 12),
        ("normal", 3, 12, 6),
        ("normal", 3, 5, 5),
        ("exponential", 1, 12, 12),
        ("uniform", 3, 12, 12),
    ],
)
def test_little_is_found_by_chance(name, spread, n_one, n_other):
    """Means that are the same, of groups that vary alike, or one thrice as much."""
    draw, mean = DRAWS[name]
    found = found_by_chance(
        lambda r: draw(r, n_one) - mean, lambda r: spread * (draw(r, n_other) - mean), 4000
    )
    assert found <= 0.055
