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
from attractory.analysis.dynamics._batched import times
from attractory.analysis.dynamics._coordinates import Boxes, Coordinates
from attractory.analysis.dynamics._relaxation import Relaxation
from attractory.analysis.dynamics._rounding import EPS, SLACK, TINY, sum_error

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
    done with. Boxes within reach of another are left as they are: next to a degenerate point
    round-off would decide in any number of smaller ones.
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

    def treated(part: Boxes) -> tuple[Boxes, Boxes]:
        return _treated(coordinates, part, known, largest, smallest)

    units = len(coordinates.left)
    rows = max(64, ROWS // units)
    work_of_box = (units + OVERHEAD) * (SWEEPS + 1)
    waiting = boxes
    left = boxes[:0]
    work = 0.0
    while len(waiting):
        if work > most_work or len(left) > MOST_LEFT:
            undecided = left.joined(waiting)
            return Search(undecided, False, work)
        taken = min(len(waiting), 8 * rows)
        parts = _last_rows(waiting, taken, rows)
        waiting = waiting[: len(waiting) - taken]
        work += taken * work_of_box
        for small, again in spread(treated, parts):
            left = left.joined(small)
            waiting = waiting.joined(again)
    return Search(left, True, work)


def _last_rows(
    boxes: Boxes,
    taken: int,
    rows: int,
) -> list[Boxes]:
    """The last so many boxes, a thread's share each."""
    parts = []
    for end in range(taken, 0, -rows):
        first = len(boxes) - end
        parts.append(boxes[first : first + rows])
    return parts


def _treated(
    coordinates: Coordinates,
    boxes: Boxes,
    known: Known,
    largest: float,
    smallest: float,
) -> tuple[Boxes, Boxes]:
    """Of these boxes: those too small to be cut, and those that are to be treated again."""
    for _ in range(SWEEPS):
        before = boxes.radius
        boxes, kept = contracted(coordinates, boxes, largest)
        done = near_known(coordinates, boxes, known, largest, proved=True)
        unfinished = ~done
        boxes = boxes[unfinished]
        before = before[kept][unfinished]
        if not len(boxes):
            return boxes, boxes
    _, variation = coordinates.drives(boxes, largest)
    small = variation.max(axis=1) <= smallest
    small |= near_known(coordinates, boxes, known, largest, proved=False)
    large = ~small
    shorter = boxes.radius <= SHRINKING * before
    shrank = shorter.any(axis=1)
    again = boxes[large & shrank]
    to_cut = boxes[large & ~shrank]
    if len(to_cut):
        halves = _halves(coordinates, to_cut, largest)
        again = again.joined(halves)
    return boxes[small], again


def _halves(
    coordinates: Coordinates,
    boxes: Boxes,
    largest: float,
) -> Boxes:
    """Boxes cut where the nonlinear part suffers most from their length."""
    middle, radius = coordinates.drives(boxes, largest)
    relaxed = Relaxation.of(coordinates.activation, middle, radius)
    bend = relaxed.bend + 1e-6
    sizes = np.abs(coordinates.left)
    weight = bend @ sizes * boxes.radius
    along = weight.argmax(axis=1)
    return boxes.halves(along)


def contracted(
    coordinates: Coordinates,
    boxes: Boxes,
    largest: float,
) -> tuple[Boxes, np.ndarray]:
    """The boxes without parts that hold no fixed point, and which of them are left (box,)."""
    middle, radius = coordinates.drives(boxes, largest)
    relaxed = Relaxation.of(coordinates.activation, middle, radius)

    found, allowed = _by_range(coordinates, relaxed)
    kept = _meet(boxes, found, allowed)
    boxes = boxes[kept]
    smaller = _intersection(
        boxes,
        found[kept],
        allowed[kept],
    )

    relaxed = relaxed.rows(kept)
    found, allowed = _by_linear_part(coordinates, boxes, relaxed)
    still = _meet(smaller, found, allowed)
    indices = np.flatnonzero(kept)
    dropped = indices[~still]
    kept[dropped] = False
    smallest = _intersection(
        smaller[still],
        found[still],
        allowed[still],
    )
    return smallest, kept


def _by_range(
    coordinates: Coordinates,
    relaxed: Relaxation,
) -> tuple[np.ndarray, np.ndarray]:
    """κ = Rᵀ h with h in the range of phi on the box, as middle and radius."""
    center = (relaxed.low + relaxed.high) / 2
    half_range = (relaxed.high - relaxed.low) / 2
    reach = half_range + EPS * np.abs(center)
    right = coordinates.right
    sizes = np.abs(right)
    gamma = sum_error(len(sizes) + 2)
    rounding = gamma * (np.abs(center) @ sizes)
    found = center @ right
    allowed = (reach @ sizes + rounding) * SLACK + TINY
    return found, allowed


def _by_linear_part(
    coordinates: Coordinates,
    boxes: Boxes,
    relaxed: Relaxation,
) -> tuple[np.ndarray, np.ndarray]:
    """Where the zeros of G(κ) = κ - Rᵀ phi(L κ + c) may be on each box, as middle and radius.

    With A = I - Rᵀ diag(slope) L, G is A (κ - m) + g ± ρ there. For every matrix Y its zeros have
    κ - m within -Y g ± (|Y| ρ + |I - Y A| r); Y is A⁻¹ as floating point gives it.
    """
    gamma = sum_error(len(coordinates.right) + 4)
    value, error = _value_at_middle(coordinates, boxes, relaxed, gamma)
    system, rounding = _systems(coordinates, relaxed.slope, gamma)
    error = error + times(rounding, boxes.radius)

    inverse = _inverses(system)
    sizes = np.abs(inverse)
    gamma_of_inverse = sum_error(coordinates.size + 2)
    identity = np.eye(coordinates.size)
    defect = np.abs(identity - inverse @ system)
    rounding_of_product = gamma_of_inverse * (sizes @ np.abs(system))
    defect = defect + rounding_of_product + 2 * EPS

    moved = times(inverse, value)
    rounding_of_move = gamma_of_inverse * np.abs(value)
    by_error = times(sizes, error + rounding_of_move)
    by_defect = times(defect, boxes.radius)
    allowed = (by_error + by_defect) * SLACK + TINY
    found = boxes.middle - moved
    rounding_of_place = 4 * EPS * (np.abs(boxes.middle) + np.abs(moved))
    return found, allowed + rounding_of_place


def _value_at_middle(
    coordinates: Coordinates,
    boxes: Boxes,
    relaxed: Relaxation,
    gamma: float,
) -> tuple[np.ndarray, np.ndarray]:
    """g of `_by_linear_part` and ρ without the rounding of A, (box, coordinate) each."""
    right = coordinates.right
    sizes = np.abs(right)
    value = boxes.middle - relaxed.base @ right
    rounding = gamma * (np.abs(relaxed.base) @ sizes)
    error = (relaxed.error @ sizes + rounding) * SLACK
    rounding_of_middle = 4 * EPS * np.abs(boxes.middle)
    return value, error + rounding_of_middle + TINY


def _systems(
    coordinates: Coordinates,
    slope: np.ndarray,
    gamma: float,
) -> tuple[np.ndarray, np.ndarray]:
    """A of `_by_linear_part` and a bound of its rounding, (box, row, column) each."""
    left = coordinates.left
    right = coordinates.right
    size = coordinates.size
    identity = np.eye(size)
    shape = (-1, size, size)
    pairs = right[:, :, None] * left[:, None, :]
    pairs = pairs.reshape(len(right), -1)
    product = slope @ pairs
    product_size = np.abs(slope) @ np.abs(pairs)
    system = identity - product.reshape(shape)
    terms = product_size.reshape(shape) + identity
    rounding = (gamma + 4 * EPS) * terms * SLACK
    return system, rounding


def near_known(
    coordinates: Coordinates,
    boxes: Boxes,
    known: Known,
    largest: float,
    proved: bool,
) -> np.ndarray:
    """Which boxes have only states within reach of one of the (proved, or other) points, (box,)."""
    chosen = known.proved == proved
    if not chosen.any() or not len(boxes):
        return np.zeros(len(boxes), bool)
    states = known.states[chosen]
    reach = known.reach[chosen]
    places = coordinates.of_states(states)
    apart = boxes.middle[:, None] - places
    distances = np.abs(apart).max(axis=2)
    nearest = distances.argmin(axis=1)
    point = states[nearest]

    middle, radius = coordinates.drives(boxes, largest)
    low, high = coordinates.activation.range(
        middle - radius,
        middle + radius,
    )
    to_high = np.abs(high - point)
    to_low = np.abs(low - point)
    furthest = np.maximum(to_high, to_low).max(axis=1)
    return furthest * SLACK < reach[nearest]


def _meet(
    boxes: Boxes,
    middle: np.ndarray,
    radius: np.ndarray,
) -> np.ndarray:
    """Which boxes have points in common with middle ± radius; NaN counts as everywhere."""
    between = np.abs(boxes.middle - middle)
    reached = (boxes.radius + radius) * SLACK
    apart = between > reached
    return ~apart.any(axis=1)


def _intersection(
    boxes: Boxes,
    middle: np.ndarray,
    radius: np.ndarray,
) -> Boxes:
    """The common part of boxes and of middle ± radius, as boxes that hold it."""
    lower_end = boxes.middle - boxes.radius
    upper_end = boxes.middle + boxes.radius
    with np.errstate(invalid="ignore"):
        low = np.fmax(lower_end, middle - radius)
        high = np.fmin(upper_end, middle + radius)
    width = np.maximum(high - low, 0.0)
    half = width / 2 * (1 + 4 * EPS)
    rounding = 4 * EPS * (np.abs(low) + np.abs(high))
    return Boxes(
        middle=(low + high) / 2,
        radius=half + rounding + TINY,
    )


def _inverses(systems: np.ndarray) -> np.ndarray:
    """Approximate inverses (box, n, n); any matrix will do where there is none."""
    try:
        inverse = np.linalg.inv(systems)
    except np.linalg.LinAlgError:
        rng = np.random.default_rng(0)
        nudge = rng.normal(size=systems.shape[1:])
        inverse = np.linalg.pinv(systems + 1e-9 * nudge)
    return np.where(np.isfinite(inverse), inverse, 0.0)
