"""Where a score falls below a level as a condition varies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from attractory.evaluation import RobustnessCurve
from attractory.population._group_statistics import student_interval

REACHED, NEVER, BEFORE = "reached", "not reached", "below from the start"
UNKNOWN = "no score"
SIDES = ("larger", "smaller")  # values than the trained one


class Side(NamedTuple):
    """One way to go from the condition as it was trained.

    name: "larger" or "smaller" values. values: (value,) from the start on. order: where they stand
    in the curve.
    """

    name: str
    values: np.ndarray
    order: np.ndarray


def sides(curve: RobustnessCurve) -> Iterator[Side]:
    """From the value as trained to larger ones, and to smaller ones; none of what is no number.

    Where no value is the trained one the nearest is the start; where nothing is known of training,
    the end of the curve at which the networks do better.
    """
    values = curve.values
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf" or len(values) < 2:
        return
    order = np.argsort(values, kind="stable")
    start = _start(curve, values[order].astype(float), order)
    for name, part in zip(SIDES, (order[start:], order[: start + 1][::-1]), strict=True):
        if len(part) > 1:
            yield Side(name, values[part].astype(float), part)


def crossing(values: np.ndarray, scores: np.ndarray, level: float) -> tuple[float, str]:
    """Where the scores, from the first one on, are first below a level, and whether they are.

    By a straight line between the two values around it; NaN where it is never, or was from the
    start on.
    """
    known = ~np.isnan(scores)
    values, scores = values[known], scores[known]
    if not len(scores):
        return np.nan, UNKNOWN
    below = np.flatnonzero(scores < level)
    if not len(below):
        return np.nan, NEVER
    after = int(below[0])
    if after == 0:
        return np.nan, BEFORE
    here, there = scores[after - 1], scores[after]
    share = (here - level) / (here - there)
    return float(values[after - 1] + share * (values[after] - values[after - 1])), REACHED


def over_networks(
    thresholds: np.ndarray, statuses: list[str], side: Side, level: float
) -> dict[str, Any]:
    """The thresholds (network,) of a group in a few numbers.

    median: those not reached lie beyond all values, those below from the start at the start. mean,
    low, high: of the mean, only where every network has reached it.
    """
    beyond = np.inf if side.name == "larger" else -np.inf
    stand_in = {NEVER: beyond, BEFORE: side.values[0], UNKNOWN: np.nan}
    placed = np.array(
        [stand_in.get(status, t) for t, status in zip(thresholds, statuses, strict=True)]
    )
    placed = placed[~np.isnan(placed)]
    mean = low = high = np.nan
    if all(status == REACHED for status in statuses):
        mean = float(thresholds.mean())
        low, high = student_interval(thresholds, level)
    return {
        "networks": len(thresholds),
        "reached": statuses.count(REACHED),
        "below_from_start": statuses.count(BEFORE),
        "median": float(_median(placed)),
        "mean": mean,
        "low": low,
        "high": high,
    }


def _median(placed: np.ndarray) -> float:
    """Of numbers some of which lie at infinity."""
    if not len(placed):
        return np.nan
    ordered = np.sort(placed)
    middle = (len(ordered) - 1) / 2
    return float((ordered[int(np.floor(middle))] + ordered[int(np.ceil(middle))]) / 2)


def _start(curve: RobustnessCurve, values: np.ndarray, order: np.ndarray) -> int:
    """Which of the ordered values is that of training."""
    trained = curve.trained
    if isinstance(trained, (int, float)) and not isinstance(trained, bool):
        return int(np.argmin(np.abs(values - trained)))
    ends = np.atleast_2d(curve.accuracy)[:, order[[0, -1]]].mean(axis=0)
    return 0 if ends[0] >= ends[1] else len(values) - 1
