"""Statistics of small groups beside SciPy's, by hand, and in simulated populations."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from attractory.population._group_statistics import (
    cliffs_delta,
    difference_p,
    false_discovery,
    hedges_g,
    holm,
    interval,
    permutation_p,
)

ONE = np.array([1.2, 3.4, 2.2, 5.0, 3.1])
OTHER = np.array([4.1, 6.3, 5.2, 3.9, 7.7, 6.0])
DRAWS = {
    "normal": (lambda rng, n: rng.normal(size=n), 0.0),
    "exponential": (lambda rng, n: rng.exponential(size=n), 1.0),
    "uniform": (lambda rng, n: rng.random(n), 0.5),
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
    low, high = interval([one, other], 0.95, rng())
    assert low == high == one[0] - other[0]


def test_small_groups_have_students_intervals():
    values = ONE[:4]
    expected = stats.t.interval(0.9, 3, values.mean(), stats.sem(values))
    np.testing.assert_allclose(interval([values], 0.9, rng()), expected)
    beside = stats.ttest_ind(values, OTHER, equal_var=False).confidence_interval(0.9)
    np.testing.assert_allclose(interval([values, OTHER], 0.9, rng()), beside)
    assert np.isnan(interval([ONE[:1]], 0.9, rng())).all()


def test_the_bootstrap_of_many_normal_numbers_is_students_interval():
    values = rng().normal(size=200)
    expected = stats.t.interval(0.95, 199, values.mean(), stats.sem(values))
    np.testing.assert_allclose(interval([values], 0.95, rng()), expected, atol=0.02)


def test_corrections_by_hand_and_by_scipy():
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.5])
    np.testing.assert_allclose(holm(p), [0.04, np.nan, 0.09, 0.09, 0.5])
    known = ~np.isnan(p)
    expected = stats.false_discovery_control(p[known])
    np.testing.assert_allclose(false_discovery(p)[known], expected)
    assert np.isnan(false_discovery(p)[1])
    assert np.isnan(holm(np.array([np.nan]))).all()


def coverage(draw, mean, groups, repetitions):
    """The share of 95 % intervals of 12 networks that hold the true mean, or difference."""
    made = np.random.default_rng(1)
    held = 0
    for _ in range(repetitions):
        low, high = interval([draw(made, 12) for _ in range(groups)], 0.95, made)
        held += low <= (mean if groups == 1 else 0.0) <= high
    return held / repetitions


def found_by_chance(one, other, repetitions):
    """The share of p of at most 0.05 where the means are the same."""
    made = np.random.default_rng(2)
    return np.mean(
        [difference_p(one(made), other(made), made, 999)[0] <= 0.05 for _ in range(repetitions)]
    )


def test_in_some_simulated_populations_intervals_hold_and_little_is_found_by_chance():
    assert 0.92 <= coverage(*DRAWS["normal"], 1, 300) <= 0.98
    assert found_by_chance(lambda r: r.normal(size=8), lambda r: r.normal(size=8), 300) <= 0.08


@pytest.mark.slow
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("normal", 0.93, 0.97), ("exponential", 0.92, 0.97), ("uniform", 0.94, 0.985)],
)
def test_intervals_of_12_networks_hold_the_mean(name, least, most, groups):
    assert least <= coverage(*DRAWS[name], groups, 3000) <= most


@pytest.mark.slow
@pytest.mark.parametrize(("n_one", "n_other"), [(12, 12), (12, 6), (5, 5)])
@pytest.mark.parametrize(
    ("name", "spread"), [("normal", 1), ("normal", 3), ("exponential", 1), ("uniform", 3)]
)
def test_little_is_found_by_chance(name, spread, n_one, n_other):
    """Means that are the same, of groups that vary alike, or one thrice as much."""
    draw, mean = DRAWS[name]
    found = found_by_chance(
        lambda r: draw(r, n_one) - mean, lambda r: spread * (draw(r, n_other) - mean), 4000
    )
    assert found <= 0.055
