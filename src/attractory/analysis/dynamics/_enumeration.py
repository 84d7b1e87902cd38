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


def enumerate_points(step: RateStep, points: Points, longest: float) -> float:
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
        candidates = solve_patterns(step)
        if len(candidates.states):
            points.add(newton(step, candidates.states, np.inf))
        return 0.0 if all_are_known(step, candidates, points) else np.inf
    coordinates = Coordinates.of(step)
    if coordinates is None:
        return np.inf
    bounds = _bounds(coordinates)
    if bounds is None:
        return np.inf
    return _searched(step, coordinates, points, *bounds, longest)


def _searched(
    step: RateStep,
    coordinates: Coordinates,
    points: Points,
    boxes: Boxes,
    largest: float,
    longest: float,
) -> float:
    """Branch and bound: to where points may be, then, with these known, to the end."""
    rest, work = boxes, 0.0
    for smallest in (CLOSE, SMALLEST):
        found = search(coordinates, rest, _known(points), largest, smallest, MOST_WORK - work)
        rest, work = found.left, work + found.work
        if not found.finished:
            return np.inf
        if not len(rest):
            return 0.0
        drives, _ = coordinates.drives(rest, largest)
        chosen = np.linspace(0, len(rest) - 1, min(len(rest), MOST_STARTS)).astype(int)
        points.add(newton(step, step.activation.value(drives[chosen]), longest))
        if points.continuum:
            return np.inf
    done = near_known(coordinates, rest, _known(points), largest, proved=True)
    rest = rest[~done]
    return _distance(coordinates, rest, points, largest)


def _distance(coordinates: Coordinates, rest: Boxes, points: Points, largest: float) -> float:
    """How far a fixed point in these boxes can be from the nearest of the points, at most."""
    if not len(rest):
        return 0.0
    if not points.all:
        return np.inf
    middle, radius = coordinates.drives(rest, largest)
    low, high = coordinates.activation.range(middle - radius, middle + radius)
    states = points.states()
    furthest = 0.0
    for one_low, one_high in zip(low, high, strict=True):
        away = np.maximum(np.abs(one_low - states), np.abs(one_high - states)).max(axis=1)
        furthest = max(furthest, float(away.min()) * SLACK)
    return furthest if furthest <= APART else np.inf


def _known(points: Points) -> Known:
    states = points.states()
    proved = np.array([point.certificate.exists for point in points.all], bool)
    alone = np.array([point.certificate.unique_radius for point in points.all])
    return Known(states, np.where(proved, alone, APART), proved)


def _bounds(coordinates: Coordinates) -> tuple[Boxes, float] | None:
    """A box that holds κ of every fixed point, and a bound of max|h|; None where there is none."""
    activation, right = coordinates.activation, coordinates.right
    if activation.bounded:
        middle = np.full(len(right), (activation.low + activation.high) / 2)
        radius = np.full(len(right), (activation.high - activation.low) / 2)
        box = Boxes((middle @ right)[None], (radius @ np.abs(right))[None] * (1 + 1e-6) + 1e-12)
        return box, max(abs(activation.low), abs(activation.high))
    below, above, off = activation.tails
    if not np.isfinite(off):
        return None
    units = len(right)
    rays = Rays(np.full(units, below), np.full(units, above))
    least, outside = gap(coordinates, rays), outside_of_span(coordinates, rays)
    if not least > outside:
        return None
    # beyond the gap times |κ| the rest, |phi - psi| <= off and what c adds, cannot make up for it
    rest = np.abs(right).T @ (off + rays.steepest * coordinates.magnitude)
    rest_of_error = 2 * rays.steepest * float(coordinates.error.max())
    if rest_of_error > 0.5:
        return None
    beside = rays.steepest * float(coordinates.magnitude.max()) + off
    rest = rest + np.abs(right).T @ (rays.steepest * coordinates.error) * 2 * beside
    furthest = float(rest.max()) / (least - outside) * SLACK
    reach = float(np.abs(coordinates.left).sum(1).max()) * furthest
    largest = (rays.steepest * reach + beside) / (1 - rest_of_error / 2) * SLACK
    size = coordinates.size
    return Boxes(np.zeros((1, size)), np.full((1, size), furthest * (1 + 1e-6) + 1e-12)), largest
