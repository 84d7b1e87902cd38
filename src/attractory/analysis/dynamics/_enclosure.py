"""Are these all fixed points? Proved by leaving no place in state space where another could be.

Interval branch and bound (Moore, Kearfott & Cloud 2009, chapter 8) in few coordinates (see
`Coordinates`): a box is dropped when it can be seen to hold no fixed point, or when all states that
belong to it lie where a certified point is the only one; what is left is made smaller, by solving
the equations with their nonlinear part enclosed, or cut in two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attractory._cores import spread
from attractory.analysis.dynamics._coordinates import Boxes, Coordinates
from attractory.analysis.dynamics._rounding import EPS, SLACK, TINY, sum_error
from attractory.kernels import Activation

ROWS = 1 << 16  # boxes times units that a thread takes at a time: they stay in its cache
OVERHEAD = 32  # units that take as long as what a box costs whatever the number of units
MOST_WORK = 2e8  # boxes times units, all in all: some 6 s on two cores
SWEEPS = 2  # contractions of a box before it is looked at again
SHRINKING = 0.6  # a box that came out smaller than this share is not cut yet
CLOSE = 1e-3  # a box in which no drive varies by more may hold a point that was not found
SMALLEST = 1e-7  # the same: such a box is not cut any further
MOST_LEFT = 4096  # so many boxes that cannot be decided: the points fill a continuum, or nearly


@dataclass(frozen=True)
class Known:
    """Fixed points (point, unit), and what becomes of boxes near to them.

    proved (point,): it is the only one within reach (point,) (max norm), so that boxes there are
    done with. Boxes within reach of another are left as they are: next to a degenerate point round-
    off would decide in any number of smaller ones.
    """

    states: np.ndarray
    reach: np.ndarray
    proved: np.ndarray


@dataclass(frozen=True)
class Search:
    """What a search left: boxes that could not be decided, and whether it went to the end."""

    left: Boxes
    finished: bool
    work: float


@dataclass(frozen=True)
class _Relaxation:
    """phi(u) within base + slope (u - middle) ± error on each interval; values: its range."""

    base: np.ndarray
    slope: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    bend: np.ndarray


def search(
    coordinates: Coordinates,
    boxes: Boxes,
    known: Known,
    largest: float,
    smallest: float,
    most_work: float = MOST_WORK,
) -> Search:
    """Drop, shrink and cut boxes until none is left but those whose drives vary by `smallest`.

    largest: a bound of max|h| at all fixed points in these boxes.
    """
    units = len(coordinates.left)
    rows = max(64, ROWS // units)
    waiting, left = boxes, boxes[:0]
    work = 0.0
    while len(waiting):
        if work > most_work or len(left) > MOST_LEFT:
            return Search(left.joined(waiting), False, work)
        taken = min(len(waiting), 8 * rows)
        parts = [
            waiting[len(waiting) - end : len(waiting) - end + rows]
            for end in range(taken, 0, -rows)
        ]
        waiting = waiting[: len(waiting) - taken]
        work += taken * (units + OVERHEAD) * (SWEEPS + 1)
        done = spread(lambda part: _treated(coordinates, part, known, largest, smallest), parts)
        for small, cut in done:
            left = left.joined(small)
            waiting = waiting.joined(cut)
    return Search(left, True, work)


def _treated(
    coordinates: Coordinates, boxes: Boxes, known: Known, largest: float, smallest: float
) -> tuple[Boxes, Boxes]:
    """Of these boxes: those too small to be cut, and those that are to be treated again."""
    for _ in range(SWEEPS):
        before = boxes.radius
        boxes, kept = contracted(coordinates, boxes, largest)
        unfinished = ~near_known(coordinates, boxes, known, largest, proved=True)
        boxes, before = boxes[unfinished], before[kept][unfinished]
        if not len(boxes):
            return boxes, boxes
    _, variation = coordinates.drives(boxes, largest)
    small = variation.max(axis=1) <= smallest
    small |= near_known(coordinates, boxes, known, largest, proved=False)
    shrank = (boxes.radius <= SHRINKING * before).any(axis=1)
    whole = boxes[~small & shrank]
    to_cut = boxes[~small & ~shrank]
    if not len(to_cut):
        return boxes[small], whole
    middle, radius = coordinates.drives(to_cut, largest)
    bend = _relaxed(coordinates.activation, middle, radius).bend
    # cut where the nonlinear part suffers most from the length of the box
    weight = (bend + 1e-6) @ np.abs(coordinates.left) * to_cut.radius
    return boxes[small], whole.joined(to_cut.halves(weight.argmax(axis=1)))


def contracted(coordinates: Coordinates, boxes: Boxes, largest: float) -> tuple[Boxes, np.ndarray]:
    """The boxes without parts that hold no fixed point, and which of them are left (box,)."""
    middle, radius = coordinates.drives(boxes, largest)
    relaxed = _relaxed(coordinates.activation, middle, radius)
    found, allowed = _by_range(coordinates, relaxed)
    kept = _meet(boxes, found, allowed)
    smaller = _intersection(boxes[kept], found[kept], allowed[kept])
    found, allowed = _by_linear_part(coordinates, boxes[kept], _rows(relaxed, kept))
    still = _meet(smaller, found, allowed)
    kept[np.flatnonzero(kept)[~still]] = False
    return _intersection(smaller[still], found[still], allowed[still]), kept


def _by_range(coordinates: Coordinates, relaxed: _Relaxation) -> tuple[np.ndarray, np.ndarray]:
    """κ = Rᵀ h with h in the range of phi on the box, as middle and radius."""
    center = (relaxed.low + relaxed.high) / 2
    reach = (relaxed.high - relaxed.low) / 2 + EPS * np.abs(center)
    sizes = np.abs(coordinates.right)
    rounding = sum_error(len(sizes) + 2) * (np.abs(center) @ sizes)
    return center @ coordinates.right, (reach @ sizes + rounding) * SLACK + TINY


def _by_linear_part(
    coordinates: Coordinates, boxes: Boxes, relaxed: _Relaxation
) -> tuple[np.ndarray, np.ndarray]:
    """Where the zeros of G(κ) = κ - Rᵀ phi(L κ + c) may be on each box, as middle and radius.

    With A = I - Rᵀ diag(slope) L, G is A (κ - m) + g ± ρ there. For every matrix Y its zeros have
    κ - m within -Y g ± (|Y| ρ + |I - Y A| r); Y is A⁻¹ as floating point gives it.
    """
    right, sizes = coordinates.right, np.abs(coordinates.right)
    size, gamma = coordinates.size, sum_error(len(right) + 4)
    value = boxes.middle - relaxed.base @ right
    error = (relaxed.error @ sizes + gamma * (np.abs(relaxed.base) @ sizes)) * SLACK
    error = error + 4 * EPS * np.abs(boxes.middle) + TINY
    pairs = (right[:, :, None] * coordinates.left[:, None, :]).reshape(len(right), -1)
    system = np.eye(size) - (relaxed.slope @ pairs).reshape(-1, size, size)
    rounding = (np.abs(relaxed.slope) @ np.abs(pairs)).reshape(-1, size, size)
    rounding = (gamma + 4 * EPS) * (rounding + np.eye(size)) * SLACK
    error = error + _times(rounding, boxes.radius)
    inverse = _inverses(system)
    sizes_of_inverse = np.abs(inverse)
    rest = np.abs(np.eye(size) - inverse @ system)
    rest = rest + sum_error(size + 2) * (sizes_of_inverse @ np.abs(system)) + 2 * EPS
    moved = _times(inverse, value)
    allowed = _times(sizes_of_inverse, error + sum_error(size + 2) * np.abs(value))
    allowed = (allowed + _times(rest, boxes.radius)) * SLACK + TINY
    found = boxes.middle - moved
    return found, allowed + 4 * EPS * (np.abs(boxes.middle) + np.abs(moved))


def _relaxed(activation: Activation, middle: np.ndarray, radius: np.ndarray) -> _Relaxation:
    """phi on intervals as a line and an error: the best of three, unit by unit.

    No slope and half of the range; the middle of the slopes, by the mean value theorem; the slope
    at the middle and half the curvature, by Taylor's, where there is no kink.
    """
    low, high = activation.range(middle - radius, middle + radius)
    base = (low + high) / 2
    error = (high - low) / 2 + EPS * np.abs(base)
    slope = np.zeros_like(base)
    least, greatest = activation.slope_range(middle - radius, middle + radius)
    bend = greatest - least
    rounding = activation.rounding * np.maximum(1.0, np.abs(middle))
    value = activation.value(middle)

    def take(steepness: np.ndarray, remainder: np.ndarray, where: np.ndarray) -> None:
        better = where & (remainder < error)
        base[better], error[better] = value[better], remainder[better]
        slope[better] = steepness[better]

    between = (least + greatest) / 2
    remainder = (bend / 2 + EPS * np.abs(between)) * radius
    take(between, (remainder + rounding) * SLACK + TINY, np.ones(base.shape, bool))
    if activation.curvature is not None and not activation.kinks:
        remainder = activation.curvature / 2 * radius**2 + rounding * radius
        everywhere = np.ones(base.shape, bool)
        take(activation.slope(middle), (remainder + rounding) * SLACK + TINY, everywhere)
    return _Relaxation(base, slope, error, low, high, bend)


def _rows(relaxed: _Relaxation, which: np.ndarray) -> _Relaxation:
    return _Relaxation(*(getattr(relaxed, name)[which] for name in _Relaxation.__annotations__))


def near_known(
    coordinates: Coordinates, boxes: Boxes, known: Known, largest: float, proved: bool
) -> np.ndarray:
    """Which boxes have only states within reach of one of the (proved, or other) points, (box,)."""
    chosen = known.proved == proved
    if not chosen.any() or not len(boxes):
        return np.zeros(len(boxes), bool)
    middle, radius = coordinates.drives(boxes, largest)
    low, high = coordinates.activation.range(middle - radius, middle + radius)
    places = coordinates.of_states(known.states[chosen])
    distances = np.abs(boxes.middle[:, None] - places).max(axis=2)
    nearest = distances.argmin(axis=1)
    states = known.states[chosen][nearest]
    away = np.maximum(np.abs(high - states), np.abs(low - states)).max(axis=1) * SLACK
    return away < known.reach[chosen][nearest]


def _meet(boxes: Boxes, middle: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Which boxes have points in common with middle ± radius; NaN counts as everywhere."""
    apart = np.abs(boxes.middle - middle) > (boxes.radius + radius) * SLACK
    return ~apart.any(axis=1)


def _intersection(boxes: Boxes, middle: np.ndarray, radius: np.ndarray) -> Boxes:
    """The common part of boxes and of middle ± radius, as boxes that hold it."""
    with np.errstate(invalid="ignore"):
        low = np.fmax(boxes.middle - boxes.radius, middle - radius)
        high = np.fmin(boxes.middle + boxes.radius, middle + radius)
    width = np.maximum(high - low, 0.0)
    rounding = 4 * EPS * (np.abs(low) + np.abs(high))
    return Boxes((low + high) / 2, width / 2 * (1 + 4 * EPS) + rounding + TINY)


def _inverses(systems: np.ndarray) -> np.ndarray:
    """Approximate inverses (box, n, n); any matrix will do where there is none."""
    try:
        inverse = np.linalg.inv(systems)
    except np.linalg.LinAlgError:
        nudged = systems + 1e-9 * np.random.default_rng(0).normal(size=systems.shape[1:])
        inverse = np.linalg.pinv(nudged)
    return np.where(np.isfinite(inverse), inverse, 0.0)


def _times(matrices: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Each matrix (box, n, n) times its row (box, n)."""
    return (matrices @ rows[:, :, None])[:, :, 0]
