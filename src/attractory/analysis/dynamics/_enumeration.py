"""All fixed points of a rate network, proved, where its dynamics have few dimensions."""

from __future__ import annotations

import numpy as np

from attractory.analysis.dynamics._coordinates import Boxes, Coordinates
from attractory.analysis.dynamics._enclosure import (
    CLOSE,
    MOST_WORK,
    SMALLEST,
    Known,
    near_known,
    search,
)
from attractory.analysis.dynamics._patterns import all_are_known, has_few_patterns, solve_patterns
from attractory.analysis.dynamics._rays import Rays, gap, outside_of_span
from attractory.analysis.dynamics._rounding import SLACK
from attractory.analysis.dynamics._search import Points, newton
from attractory.analysis.dynamics._step import RateStep

APART = 1e-3  # a place further than this from all points is one where a point may be missing
MOST_STARTS = 256  # boxes from whose middles points are looked for at a time
WIDER, LEAST_WIDTH = 1 + 1e-6, 1e-12  # of the first box: more than any rounding


def enumerate_points(
    step: RateStep,
    points: Points,
    longest: float,
) -> float:
    """Add the fixed points that are missing from `points`; how near to these all of them are.

    0: all are there, proved. A distance (max norm): every fixed point is no further from one of
    them, proved; next to a degenerate one there may be two that cannot be told apart. inf: nothing
    is proved. Three cases can be enumerated: phi is made of few lines (`solve_patterns`), there are
    few units, or the recurrent weights are of low rank (`search`). longest: of a step of Newton's
    method.
    """
    if step.activation.curvature is None:
        return np.inf
    if has_few_patterns(step):
        return _by_patterns(step, points)
    coordinates = Coordinates.of(step)
    if coordinates is None:
        return np.inf
    bounds = _bounds(coordinates)
    if bounds is None:
        return np.inf
    boxes, largest = bounds
    return _searched(step, coordinates, points, boxes, largest, longest)


def _by_patterns(step: RateStep, points: Points) -> float:
    """As `enumerate_points`, where phi is made of few lines."""
    candidates = solve_patterns(step)
    if len(candidates.states):
        ends = newton(step, candidates.states, np.inf)
        points.add(ends)
    complete = all_are_known(step, candidates, points)
    return 0.0 if complete else np.inf


def _searched(
    step: RateStep,
    coordinates: Coordinates,
    points: Points,
    boxes: Boxes,
    largest: float,
    longest: float,
) -> float:
    """Branch and bound: to where points may be, then, with these known, to the end."""
    rest = boxes
    work = 0.0
    for smallest in (CLOSE, SMALLEST):
        found = search(
            coordinates,
            rest,
            _known(points),
            largest,
            smallest,
            MOST_WORK - work,
        )
        rest = found.left
        work = work + found.work
        if not found.finished:
            return np.inf
        if not len(rest):
            return 0.0
        starts = _middles(coordinates, rest, largest)
        points.add(newton(step, starts, longest))
        if points.continuum:
            return np.inf
    done = near_known(coordinates, rest, _known(points), largest, proved=True)
    return _distance(coordinates, rest[~done], points, largest)


def _middles(
    coordinates: Coordinates,
    boxes: Boxes,
    largest: float,
) -> np.ndarray:
    """States (box, unit) in the middles of boxes, of some of them where they are many."""
    drives, _ = coordinates.drives(boxes, largest)
    count = min(len(boxes), MOST_STARTS)
    chosen = np.linspace(0, len(boxes) - 1, count).astype(int)
    return coordinates.activation.value(drives[chosen])


def _distance(
    coordinates: Coordinates,
    rest: Boxes,
    points: Points,
    largest: float,
) -> float:
    """How far a fixed point in these boxes can be from the nearest of the points, at most."""
    if not len(rest):
        return 0.0
    if not points.all:
        return np.inf
    middle, radius = coordinates.drives(rest, largest)
    low, high = coordinates.activation.range(middle - radius, middle + radius)
    states = points.states()
    furthest = 0.0
    for lowest, highest in zip(low, high, strict=True):
        to_lowest = np.abs(lowest - states)
        to_highest = np.abs(highest - states)
        away = np.maximum(to_lowest, to_highest).max(axis=1)
        to_nearest = float(away.min()) * SLACK
        furthest = max(furthest, to_nearest)
    return furthest if furthest <= APART else np.inf


def _known(points: Points) -> Known:
    certificates = [point.certificate for point in points.all]
    proved = np.array([each.exists for each in certificates], bool)
    alone = np.array([each.unique_radius for each in certificates])
    return Known(
        states=points.states(),
        reach=np.where(proved, alone, APART),
        proved=proved,
    )


def _bounds(coordinates: Coordinates) -> tuple[Boxes, float] | None:
    """A box that holds κ of every fixed point, and a bound of max|h|; None where there is none."""
    if coordinates.activation.bounded:
        return _bounds_of_range(coordinates)
    return _bounds_by_gap(coordinates)


def _bounds_of_range(coordinates: Coordinates) -> tuple[Boxes, float]:
    """By the range of phi: κ = Rᵀ h."""
    low = coordinates.activation.low
    high = coordinates.activation.high
    right = coordinates.right
    middle = np.full(len(right), (low + high) / 2)
    radius = np.full(len(right), (high - low) / 2)
    reach = radius @ np.abs(right)
    box = Boxes(
        middle=(middle @ right)[None],
        radius=reach[None] * WIDER + LEAST_WIDTH,
    )
    return box, max(abs(low), abs(high))


def _bounds_by_gap(coordinates: Coordinates) -> tuple[Boxes, float] | None:
    """By what phi is far away: rays, with |phi - psi| <= off."""
    below, above, off = coordinates.activation.tails
    if not np.isfinite(off):
        return None
    units = len(coordinates.right)
    rays = Rays(np.full(units, below), np.full(units, above))
    least = gap(coordinates, rays)
    outside = outside_of_span(coordinates, rays)
    if not least > outside:
        return None
    steepest = rays.steepest
    share_of_error = 2 * steepest * float(coordinates.error.max())
    if share_of_error > 0.5:
        return None
    # beyond the gap times |κ| the rest, |phi - psi| <= off and what c adds, cannot make up for it
    sizes = np.abs(coordinates.right).T
    rest = sizes @ (off + steepest * coordinates.magnitude)
    beside = steepest * float(coordinates.magnitude.max()) + off
    by_error = sizes @ (steepest * coordinates.error)
    rest = rest + by_error * 2 * beside
    furthest = float(rest.max()) / (least - outside) * SLACK

    row_sums = np.abs(coordinates.left).sum(1)
    reach = float(row_sums.max()) * furthest
    largest = (steepest * reach + beside) / (1 - share_of_error / 2) * SLACK
    size = coordinates.size
    box = Boxes(
        middle=np.zeros((1, size)),
        radius=np.full((1, size), furthest * WIDER + LEAST_WIDTH),
    )
    return box, largest
