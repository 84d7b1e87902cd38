"""Groups of few numbers compared: effect sizes, tests, intervals of means."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
from scipy import special, stats

PERMUTATIONS = 9999  # at most; where there are fewer ways to split two groups, all are taken
SYMMETRIC = 1e-6  # skewness below which the correction is 0 but for rounding
LEAST_FOR_KURTOSIS = 4
TAIL_UNSEEN, MOST_SKEWED = 8, 0.5  # see `_skewness_of_mean`
ROUNDING = 1e-12  # of a statistic: another order of its sums is no other split


def hedges_g(first: np.ndarray, second: np.ndarray) -> float:
    """Difference of means over the pooled standard deviation, corrected for small samples [1].

    NaN where neither group varies and the means are the same; infinite where they are not.

    References: Hedges (1981), J. Educ. Stat. 6:107, with the exact correction by the gamma
    function.
    """
    degrees = len(first) + len(second) - 2
    squares = (len(first) - 1) * first.var(ddof=1) + (len(second) - 1) * second.var(ddof=1)
    logarithm = special.gammaln(degrees / 2) - special.gammaln((degrees - 1) / 2)
    correction = np.exp(logarithm) / np.sqrt(degrees / 2) if degrees > 1 else np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(correction * (first.mean() - second.mean()) / np.sqrt(squares / degrees))


def cliffs_delta(first: np.ndarray, second: np.ndarray) -> float:
    """P(first > second) - P(first < second) over all pairs, from -1 to 1 (Cliff 1993)."""
    return float(np.sign(first[:, None] - second[None, :]).mean())


def difference_p(
    first: np.ndarray, second: np.ndarray, rng: np.random.Generator, most: int = PERMUTATIONS
) -> tuple[float, bool]:
    """Two-sided p of the difference of means; were all permutations taken?

    The larger one of two tests': by permutation of Welch's t, which is right for groups that differ
    in nothing, however their numbers are distributed, and by Welch's t itself, which is right for
    groups that vary differently.
    """
    p, exact = permutation_p(first, second, rng, most)
    return max(p, _welch_p(first, second)), exact


def permutation_p(
    first: np.ndarray, second: np.ndarray, rng: np.random.Generator, most: int
) -> tuple[float, bool]:
    """Two-sided p of Welch's t among those of other splits of the values; were all taken?

    They are where there are at most so many; else random ones, the observed one among them.
    """
    values, size = np.concatenate([first, second]), len(first)
    exact = comb(len(values), size) <= most
    if exact:
        splits = np.array(list(combinations(range(len(values)), size)))
        inside = np.zeros((len(splits), len(values)), bool)
        np.put_along_axis(inside, splits, True, axis=1)
    else:
        order = rng.random((most, len(values))).argsort(axis=1)
        inside = order < size
    observed = np.arange(len(values)) < size
    sizes = np.abs(_welch(values, np.vstack([observed, inside])))
    as_large = int(np.sum(sizes[1:] >= sizes[0] * (1 - ROUNDING)))
    return (as_large / len(inside) if exact else (as_large + 1) / (most + 1)), exact


def _welch_p(first: np.ndarray, second: np.ndarray) -> float:
    """Of Welch's t-test; 0 where neither group varies: then there is no such test."""
    center, error = _center_and_error(first, second)
    if error == 0:
        return 0.0
    return float(2 * stats.t.sf(abs(center / error), _degrees(first, second)))


def mean_interval(values: np.ndarray, level: float) -> tuple[float, float]:
    """Of a mean: Student's t, with the side of the longer tail moved out for skewness.

    By Hall's transformation of t (1992, J. R. Stat. Soc. B 54:221), t + κt²/3 + κ²t³/27 + κ/6,
    which has an inverse for any κ, the skewness of the mean (see `_skewness_of_mean`). No side is
    nearer to the mean than Student's. NaN of fewer than two numbers.
    """
    low, high = student_interval(values, level)
    skewness = _skewness_of_mean(values)
    if abs(skewness) <= SYMMETRIC:
        return low, high
    t = stats.t.ppf([(1 - level) / 2, (1 + level) / 2], len(values) - 1)
    t = 3 / skewness * (np.cbrt(1 + skewness * (t - skewness / 6)) - 1)
    center, error = float(values.mean()), float(stats.sem(values))
    return min(low, center - float(t[1]) * error), max(high, center - float(t[0]) * error)


def _skewness_of_mean(values: np.ndarray) -> float:
    """Of the mean of numbers like these; 0 where nothing says that they are skewed.

    In few numbers of short tails the skewness is by chance, and an interval that follows it holds
    the mean too often: the share that counts grows from 0 to all as the excess kurtosis plus the
    square of the skewness, least for two equal peaks (-2), goes from 0 to 1. In few numbers of a
    long tail it is too small, since the tail is not among them: it counts 1 + 8 / n times, up to
    half of the skewness of the numbers. The three constants are such that intervals of 12 numbers
    hold their mean in 93 to 97 % of simulations, for normal, uniform, exponential, lognormal,
    Laplace, t, gamma and beta distributions.
    """
    count = len(values)
    # a kurtosis takes four numbers, and numbers that are the same but for rounding have none
    if count < LEAST_FOR_KURTOSIS or np.ptp(values) <= ROUNDING * np.abs(values).max():
        return 0.0
    skewness, excess_kurtosis = _third_and_fourth(values)
    counts = min(max(excess_kurtosis + skewness**2, 0.0), 1.0)
    return counts * skewness * min(MOST_SKEWED, (1 + TAIL_UNSEEN / count) / count**0.5)


def _third_and_fourth(values: np.ndarray) -> tuple[float, float]:
    """Skewness and excess kurtosis, of few numbers with as little bias as SciPy's bias=False."""
    n, deviations = len(values), values - values.mean()
    second, third, fourth = (float(np.mean(deviations**power)) for power in (2, 3, 4))
    skewness = (n * (n - 1)) ** 0.5 / (n - 2) * third / second**1.5
    kurtosis = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * fourth / second**2 - 3 * (n - 1))
    return skewness, kurtosis


def difference_interval(first: np.ndarray, second: np.ndarray, level: float) -> tuple[float, float]:
    """Of the first mean less the second: Welch's. Skewness that both have cancels in it."""
    center, error = _center_and_error(first, second)
    half = stats.t.ppf((1 + level) / 2, _degrees(first, second)) * error if error else 0.0
    return center - half, center + half


def student_interval(values: np.ndarray, level: float) -> tuple[float, float]:
    """Of the mean, by Student's t: of shares most of which are the same, of which resamples vary
    too little for a studentised bootstrap. NaN of fewer than two numbers."""
    if len(values) < 2:
        return np.nan, np.nan
    half = stats.t.ppf((1 + level) / 2, len(values) - 1) * stats.sem(values)
    return float(values.mean() - half), float(values.mean() + half)


def holm(p: np.ndarray) -> np.ndarray:
    """p corrected for their number, so that one wrong finding among all has that chance (Holm
    1979); NaN stays, and does not count."""
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    corrected = np.full(len(p), np.nan)
    corrected[order] = np.minimum(np.maximum.accumulate(factors * p[order]), 1.0)
    return corrected


def false_discovery(p: np.ndarray) -> np.ndarray:
    """p corrected so that of what is found that share is wrong (Benjamini & Hochberg 1995)."""
    known = ~np.isnan(p)
    corrected = np.full(len(p), np.nan)
    if known.any():
        corrected[known] = stats.false_discovery_control(p[known])
    return corrected


def _center_and_error(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """The first mean less the second, and its standard error."""
    error = np.hypot(stats.sem(first), stats.sem(second))
    return float(first.mean() - second.mean()), float(error)


def _degrees(first: np.ndarray, second: np.ndarray) -> float:
    """Degrees of freedom by Welch and Satterthwaite."""
    groups = (first, second)
    variances = np.array([group.var(ddof=1) / len(group) for group in groups])
    free = np.array([len(group) - 1 for group in groups])
    return float(variances.sum() ** 2 / np.sum(variances**2 / free))


def _welch(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Welch's t (split,) of values (value,) split in two by each row of inside (split, value)."""
    centered = values - values.mean()  # or the squares below lose digits
    parts = []
    for part in (inside, ~inside):
        count = part.sum(axis=1)
        mean = part @ centered / count
        variance = np.maximum(part @ centered**2 / count - mean**2, 0) * count / (count - 1)
        # of what is the same but for rounding there is no variance
        variance[variance < ROUNDING * np.square(centered).mean()] = 0.0
        parts.append((mean, variance / count))
    (mean, error), (other, other_error) = parts
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (mean - other) / np.sqrt(error + other_error)
    return np.nan_to_num(t, nan=0.0, posinf=np.inf, neginf=-np.inf)
