"""Distances of many pairs of networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from attractory._errors import InvalidSetting, shown
from attractory.population._distance import Distance


def every_pair(count: int) -> list[tuple[int, int]]:
    """All pairs of so many networks, each once, in the order of SciPy's condensed distances."""
    first, second = np.triu_indices(count, 1)
    return list(zip(first.tolist(), second.tolist(), strict=True))


def some_pairs(
    pairs: list[tuple[int, int]], most: int, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """At most so many of the pairs, drawn at random."""
    if len(pairs) <= most:
        return pairs
    return [pairs[i] for i in np.sort(rng.choice(len(pairs), most, replace=False))]


def distances_of(
    distance: Distance,
    first: Sequence[Any],
    second: Sequence[Any],
    pairs: Sequence[tuple[int, int]],
) -> np.ndarray:
    """The distance of each pair (pair,): the i-th of `first` from the j-th of `second`.

    Raises InvalidSetting where the function gives what is no distance.
    """
    return np.array([_checked(distance, first[i], second[j]) for i, j in pairs], float)


def _checked(distance: Distance, a: Any, b: Any) -> float:
    value = distance.function(a, b)
    if np.ndim(value) or not np.isfinite(value) or value < 0:
        raise InvalidSetting(
            f"the distance {distance.name!r} of two networks is {shown(value)}; it must be a "
            "finite number, 0 or more"
        )
    return float(value)
