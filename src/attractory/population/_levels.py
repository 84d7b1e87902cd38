"""The values of a field in few levels, and what numbers come to at each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

MOST_LEVELS = 12  # so many values of a field are levels as they are; of more they are put in bins
BINS = 8  # of equal width on the field's scale
LEAST_RATIO = 8.0  # of the largest to the smallest of values that a logarithm tells better apart
NONE = -1  # the level of a row that has no such field


@dataclass(frozen=True)
class Levels:
    """The levels of a field.

    Attributes
    ----------
    member : array of int (row,)
        The level of each row; -1 where it has no value.
    places : array (level,)
        The value of each level, or the middle of each bin; of words 0, 1, ….
    names : tuple of str
        Of each level.
    binned : bool
        Whether levels are bins of numbers.
    """

    member: np.ndarray
    places: np.ndarray
    names: tuple[str, ...]
    binned: bool

    def __len__(self) -> int:
        return len(self.places)


def levels_of(values: Any, logarithmic: bool) -> Levels:
    """The levels of a column of numbers (NaN: none) or of words ("": none)."""
    column = np.asarray(values)
    if column.dtype.kind not in "biuf":
        names = [name for name in dict.fromkeys(column.tolist()) if name]
        member = np.array([names.index(name) if name else NONE for name in column.tolist()], int)
        return Levels(member, np.arange(len(names), dtype=float), tuple(names), False)
    numbers = column.astype(float)
    known = np.isfinite(numbers)
    distinct = np.unique(numbers[known])
    if len(distinct) <= MOST_LEVELS:
        places, member, binned = distinct, np.searchsorted(distinct, numbers), False
    else:
        places, member = _binned(numbers, distinct, logarithmic)
        binned = True
    names = [f"{place:.2g}" if binned and place < 100 else f"{place:.3g}" for place in places]
    return Levels(np.where(known, member, NONE), places, tuple(names), binned)


def _binned(
    numbers: np.ndarray, distinct: np.ndarray, logarithmic: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The middles of bins of equal width, and the bin of each number."""
    scale, back = (np.log, np.exp) if logarithmic else (np.asarray, np.asarray)
    edges = np.linspace(scale(distinct[0]), scale(distinct[-1]), BINS + 1)
    known = np.nan_to_num(numbers, nan=distinct[0])
    member = np.clip(np.searchsorted(edges, scale(known), side="right") - 1, 0, BINS - 1)
    return back((edges[1:] + edges[:-1]) / 2), member


def varies_by_ratios(values: Any) -> bool:
    """Whether numbers lie more evenly on a logarithmic scale than as they are."""
    column = np.asarray(values)
    if column.dtype.kind not in "biuf":
        return False
    distinct = np.unique(column[np.isfinite(column.astype(float))]).astype(float)
    if len(distinct) < 3 or distinct[0] <= 0 or distinct[-1] < LEAST_RATIO * distinct[0]:
        return False
    return _off_the_middle(np.log(distinct)) < _off_the_middle(distinct)


def _off_the_middle(ordered: np.ndarray) -> float:
    """How far the median is from the middle of the range (shares of the range)."""
    return abs(float((np.median(ordered) - ordered[0]) / np.ptp(ordered)) - 0.5)


def means_of(values: np.ndarray, member: np.ndarray, count: int) -> pd.DataFrame:
    """The mean of the numbers at each of `count` levels, with its 95 % interval (Student's t).

    A row a level: networks (how many have a number), mean, low, high; NaN where there are too few.
    """
    known = np.isfinite(values) & (member != NONE)
    grouped = pd.Series(values[known]).groupby(member[known])
    found = grouped.agg(["count", "mean", "sem"]).reindex(range(count))
    numbers = found["count"].fillna(0).to_numpy(int)
    with np.errstate(invalid="ignore"):
        half = stats.t.ppf(0.975, np.where(numbers > 1, numbers - 1, np.nan)) * found["sem"]
    return pd.DataFrame(
        {
            "networks": numbers,
            "mean": found["mean"],
            "low": found["mean"] - half,
            "high": found["mean"] + half,
        }
    )


def share_between(values: np.ndarray, levels: Levels) -> float:
    """The share of the variance of numbers that lies between levels, corrected for their count.

    The adjusted R² of a one-way analysis of variance, at least 0; NaN where there are not more
    numbers than levels, or where they are all the same.
    """
    known = np.isfinite(values) & (levels.member != NONE)
    numbers, member = values[known], levels.member[known]
    groups = len(np.unique(member))
    if len(numbers) <= groups or np.ptp(numbers) == 0:
        return float("nan")
    means = pd.Series(numbers).groupby(member).transform("mean").to_numpy()
    within = np.square(numbers - means).sum() / (len(numbers) - groups)
    return max(0.0, 1 - float(within / numbers.var(ddof=1)))
