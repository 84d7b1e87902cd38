"""Which size is to be trained next, and when enough is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from attractory.population._success import SuccessCurve

INTERVAL = (0.025, 0.975)
MOST_WEIGHED = 40  # sizes of which one is chosen: of more, neighbours tell as much as each other
SURE = 0.95  # probability with which the size of half lies outside of those that are allowed

KNOWN, OPEN = "known", "not known well enough"
LARGER, SMALLER = "larger than all sizes", "smaller than all sizes"


class Round(NamedTuple):
    """Some networks of one size: the score of each (net,), NaN of one that diverged."""

    size: int
    scores: np.ndarray


def search(
    sizes: Sequence[int],
    scores_of: Callable[[int, int], np.ndarray],
    wanted: float,
    seeds: int,
    factor: float,
    most: int,
) -> tuple[list[Round], str]:
    """Train size after size until the one at which half succeed is known; how it ended.

    scores_of: takes a size and how often it has been trained before, gives scores (net,). The next
    size is the one that can be expected to leave the least variance in the logarithm of the size
    of half; of several such the smallest.
    """
    rounds: list[Round] = []
    status = OPEN
    weighed = _spread(sizes)
    while status == OPEN and len(rounds) < most:
        curve = curve_of(rounds, sizes, wanted)
        size = min(weighed, key=lambda each: round(curve.expected_variance(each, seeds), 12))
        before = sum(each.size == size for each in rounds)
        rounds.append(Round(size, np.asarray(scores_of(size, before))))
        status = how_known(curve_of(rounds, sizes, wanted), sizes, factor)
    return rounds, status


def curve_of(rounds: Sequence[Round], sizes: Sequence[int], wanted: float) -> SuccessCurve:
    """What the rounds tell."""
    tried = [each.size for each in rounds]
    successes = [int(np.sum(each.scores >= wanted)) for each in rounds]
    return SuccessCurve.prior(sizes[0], sizes[-1]).after(
        tried, successes, [len(each.scores) for each in rounds]
    )


def how_known(curve: SuccessCurve, sizes: Sequence[int], factor: float) -> str:
    """Whether the interval of the size of half is narrow enough, or lies outside.

    Where both ends are within one whole number there is nothing more to know: networks have whole
    numbers of units.
    """
    below, above = curve.size_at_half([1 - SURE, SURE])
    if below > sizes[-1]:
        return LARGER
    if above < sizes[0]:
        return SMALLER
    low, high = curve.size_at_half(INTERVAL)
    return KNOWN if high <= factor * low or np.ceil(high) <= np.ceil(low) else OPEN


def _spread(sizes: Sequence[int]) -> list[int]:
    """As many of the sizes, evenly spread in their logarithm, as are weighed."""
    wanted = np.geomspace(sizes[0], sizes[-1], MOST_WEIGHED)
    places = np.abs(np.log2(sizes)[:, None] - np.log2(wanted)).argmin(axis=0)
    return [sizes[place] for place in np.unique(places)]
