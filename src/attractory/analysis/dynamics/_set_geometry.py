"""The shape of a set of slow states: its dimension, its order, its extents, the drift along it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import minimum_spanning_tree, shortest_path
from scipy.spatial import ConvexHull
from scipy.spatial.distance import cdist

from attractory.analysis.dynamics._slow_set import SlowSet
from attractory.analysis.dynamics._step import Step

SMALLEST = 0.1  # of the trajectories' range: a smaller set is a point
NEIGHBOURHOOD = 0.35  # of the set's own size, in which its dimension is told
FEWEST_NEIGHBOURS = 8
# of the largest variance of a neighbourhood: what has less is thickness or bend. A ring bends in it
# by a thirtieth; a band three times as long as it is wide has a fifth
OWN_VARIANCE = 0.2
REFINEMENTS = 3  # of the states of a set, towards where the drift is along it
# a line's direction is that between states so many places away: slow states come as near to it as
# what counts as slow allows, so that those next to each other may lie across it
BESIDE = 2
RANK = 1e-10  # singular values below this share of the largest are those that were projected out
CONTINUOUS = ("line", "ring", "plane", "set")
RESTS = 0.3  # of the median speed on a plane: what is slower lies next to where it rests
NO_DRIFT = 1e-13  # per step, in the size of the set: rounding


def dimension_of(states: np.ndarray, reach: float, piece: float) -> int:
    """The dimension of a set of states (state, unit): in how many directions neighbours lie."""
    centred = states - states.mean(axis=0)
    axis = np.linalg.svd(centred, full_matrices=False)[2][0]
    size = float(np.ptp(centred @ axis))
    if size < SMALLEST * reach or len(states) < 3:
        return 0
    radius = max(2 * piece, NEIGHBOURHOOD * size)
    fewest = min(FEWEST_NEIGHBOURS, len(states))
    counts = []
    for distances in cdist(states, states):
        nearest = np.argsort(distances)
        within = int((distances <= radius).sum())
        around = states[nearest[: max(within, fewest)]]
        singular = np.linalg.svd(around - around.mean(axis=0), compute_uv=False)
        variances = singular**2
        own = variances > OWN_VARIANCE * variances[0]
        counts.append(int(own.sum()))
    return int(np.median(counts))


def averaged(states: np.ndarray, radius: float) -> np.ndarray:
    """Each state replaced by the mean of those within a radius."""
    near = cdist(states, states) <= radius
    return near @ states / near.sum(axis=1, keepdims=True)


def path_through(states: np.ndarray, piece: float) -> np.ndarray:
    """States of a line in order, about a piece apart: the longest way in their shortest tree."""
    way = _longest_way(states)
    begin, *between, end = way
    kept = [begin]
    for i in between:
        # a state that lies beside another across the line would make the way longer than it is
        to_the_last = np.linalg.norm(states[i] - states[kept[-1]])
        if to_the_last >= piece / 2:
            kept.append(i)
    to_the_last = np.linalg.norm(states[end] - states[kept[-1]])
    if len(kept) > 1 and to_the_last < piece / 2:
        kept.pop()
    return states[[*kept, end]]


def _longest_way(states: np.ndarray) -> list[int]:
    """The states along the longest way in their shortest tree, which are two or more."""
    tree = minimum_spanning_tree(cdist(states, states))
    both_ways = tree + tree.T
    from_any = shortest_path(both_ways, indices=0)
    end = int(from_any.argmax())  # what is farthest from any state is an end of the longest way
    lengths, previous = shortest_path(both_ways, indices=end, return_predecessors=True)
    way = [int(lengths.argmax())]
    while way[-1] != end:
        before = previous[way[-1]]
        way.append(int(before))
    return way


def refined(
    step: Step, states: np.ndarray, dimension: int, closed: bool, piece: float, slow: float
) -> np.ndarray:
    """States moved across the set to where the network moves them along it, by Newton's method.

    Slow states were taken as they came, to within what counts as slow; on the set itself F(h) - h
    has no part across it. One that would go farther than its neighbour, or be slow no more, stays.
    """
    for _ in range(REFINEMENTS):
        spans = _spans(states, dimension, closed)
        pairs = zip(states, spans, strict=True)
        moves = np.array([_across_move(step, state, span) for state, span in pairs])
        moved = states + moves
        near = np.linalg.norm(moves, axis=1) <= piece
        speed = np.linalg.norm(step(moved) - moved, axis=1)
        goes = near & (speed <= slow)
        states = np.where(goes[:, None], moved, states)
    return states


def _across_move(step: Step, state: np.ndarray, span: np.ndarray) -> np.ndarray:
    """Newton's step of a state at right angles to the set, whose directions are span's rows."""
    residual = step(state[None])[0] - state
    slopes = step.jacobians(state[None])[0] - np.eye(step.units)
    across = np.eye(step.units) - span.T @ span
    slopes_across = across @ slopes @ across
    solved = np.linalg.lstsq(slopes_across, across @ residual, rcond=RANK)
    return -across @ solved[0]


def _spans(states: np.ndarray, dimension: int, closed: bool) -> np.ndarray:
    """Orthonormal directions of the set at each state, (state, direction, unit)."""
    if dimension == 1:
        return tangents(states, closed)[:, None]
    count = max(FEWEST_NEIGHBOURS, 3 * dimension)
    spans = []
    for distances in cdist(states, states):
        nearest = np.argsort(distances)[:count]
        around = states[nearest] - states[nearest].mean(axis=0)
        principal_axes = np.linalg.svd(around, full_matrices=False)[2]
        spans.append(principal_axes[:dimension])
    return np.array(spans)


def tangents(path: np.ndarray, closed: bool) -> np.ndarray:
    """Unit vectors (state, unit) along a line or ring, from the states before to those after."""
    places = np.arange(len(path))
    before, after = places - BESIDE, places + BESIDE
    if closed:
        before = before % len(path)
        after = after % len(path)
    else:
        before = np.maximum(before, 0)
        after = np.minimum(after, len(path) - 1)
    along = path[after] - path[before]
    return along / np.linalg.norm(along, axis=1, keepdims=True)


@dataclass(frozen=True)
class Drift:
    """Along a set: how it moves states, where to, how long that takes.

    velocities (state, direction) per step; time: see `SlowSet.drift_time`; n_resting: places where
    it leads to; crossing: steps from midway to such a place at the median speed.
    """

    velocities: np.ndarray
    time: float
    n_resting: int
    crossing: float


def described(
    step: Step, states: np.ndarray, dimension: int, closed: bool, duration: int
) -> SlowSet:
    """A set with all that is known of it; the states of a line are in order."""
    residuals = step(states) - states
    speed = np.linalg.norm(residuals, axis=1)
    if dimension == 0:
        slowest = np.argsort(speed)[:1]
        states, speed = states[slowest], speed[slowest]
        axes, extent = np.empty((0, step.units)), np.empty(0)
        drift = Drift(np.empty((1, 0)), 0.0, 1, 0.0)
    elif dimension == 1:
        axes = _axes(states, 2 if closed else 1)
        extent, drift = _along(step, states, residuals, closed)
    else:
        axes = _axes(states, dimension)
        if dimension == 2:
            axes = _turned(states, axes)
        extent = np.ptp((states - states.mean(axis=0)) @ axes.T, axis=0)
        drift = _across(step, states, residuals, axes, float(extent.max()))
    kind = _kind(dimension, closed, drift, duration)
    if kind == "point" and dimension:
        return described(step, states, 0, False, duration)
    along = np.empty((1, 0, step.units))
    if dimension:
        along = _spans(states, dimension, closed)
    pairs = zip(states, along, strict=True)
    across = [_unstable_across(step, state, own) for state, own in pairs]
    return SlowSet(
        kind=kind,
        dimension=dimension if kind in CONTINUOUS else 0,
        states=states,
        outputs=step.outputs(states),
        speed=speed,
        extent=extent,
        direction=axes,
        drift=drift.velocities,
        drift_time=drift.time,
        n_resting=drift.n_resting,
        n_unstable=max(across),
    )


def _kind(dimension: int, closed: bool, drift: Drift, duration: int) -> str:
    """What to call a set: it is continuous only if states stay about where they are for so long."""
    if dimension and drift.crossing <= duration:
        through = "cycle" if closed else "passage"
        by_resting = {0: through, 1: "point"}
        return by_resting.get(drift.n_resting, "chain")
    of_one_dimension = "ring" if closed else "line"
    by_dimension = {0: "point", 1: of_one_dimension, 2: "plane"}
    return by_dimension.get(dimension, "set")


def _axes(states: np.ndarray, count: int) -> np.ndarray:
    """The leading principal axes (axis, unit); each has its largest entry positive."""
    centred = states - states.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:count]
    largest = np.abs(axes).argmax(axis=1)
    signs = np.sign(axes[np.arange(len(axes)), largest])
    return axes * signs[:, None]


def _turned(states: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Axes in the plane of two along which the smallest rectangle around the states lies.

    It has a side in common with the hull (Freeman & Shapira 1975, Comm. ACM 18:409).
    """
    flat = (states - states.mean(axis=0)) @ axes.T
    corners = flat[ConvexHull(flat).vertices]
    sides = np.roll(corners, -1, axis=0) - corners
    directions = sides / np.linalg.norm(sides, axis=1, keepdims=True)
    best = np.eye(2)
    smallest = np.inf
    for x, y in directions:
        turned = np.array([[x, y], [-y, x]])
        lengths = np.ptp(corners @ turned.T, axis=0)
        area = lengths.prod()
        if area < smallest:
            longest_first = np.argsort(-lengths)
            best, smallest = turned[longest_first], area
    return best @ axes


def _along(
    step: Step, path: np.ndarray, residuals: np.ndarray, closed: bool
) -> tuple[np.ndarray, Drift]:
    """The length of a line or ring, and the drift along it."""
    came_from = path[-1:] if closed else path[:1]
    ways = np.diff(np.concatenate([came_from, path]), axis=0)
    before = np.linalg.norm(ways, axis=1)  # the length of the way to each state
    length = float(before.sum())
    along = tangents(path, closed)
    velocities = (residuals * along).sum(axis=1)
    size = max(length, float(np.abs(path).max()))
    still = np.abs(velocities) <= NO_DRIFT * size
    velocities = np.where(still, 0.0, velocities)
    resting = _resting(velocities, closed)
    if len(resting):
        rates = [_rates(step, path[i], along[i : i + 1]) for i in resting]
        fastest = max(own[0] for own in rates)
        time = 1.0 / fastest if fastest > 0 else np.inf
    elif velocities.all():
        time = float((before / np.abs(velocities)).sum())
    else:
        time = np.inf
    typical = float(np.median(np.abs(velocities)))
    n_resting = max(1, len(resting))
    to_the_middle = length / (2 * n_resting)
    crossing = to_the_middle / typical if typical else np.inf
    drift = Drift(velocities[:, None], float(time), len(resting), crossing)
    return np.array([length]), drift


def _resting(velocities: np.ndarray, closed: bool) -> list[int]:
    """Where the drift turns from forward to backward: what lies there is where states go to."""
    after = np.roll(velocities, -1)
    turns = (velocities > 0) & (after <= 0)
    if not closed:
        turns[-1] = False  # there the line ends
    nearer = np.abs(after) < np.abs(velocities)
    places = np.flatnonzero(turns)
    nearest = (places + nearer[places]) % len(velocities)
    return nearest.tolist()


def _eigenvalues_along_first(step: Step, state: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """The eigenvalues of the Jacobian (unit,): those whose eigenvectors lie along the directions
    (direction, unit) the most come first.

    tᵀ J t of a direction itself would take in what is fast across the set.
    """
    values, vectors = np.linalg.eig(step.jacobians(state[None])[0])
    along = np.linalg.norm(directions @ vectors, axis=0)
    ordered: np.ndarray = values[np.argsort(-along)]
    return ordered


def _rates(step: Step, state: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """How fast states go to a resting place along so many directions, per step."""
    values = _eigenvalues_along_first(step, state, directions)
    return 1.0 - values[: len(directions)].real


def _unstable_across(step: Step, state: np.ndarray, directions: np.ndarray) -> int:
    """In how many directions across the set states leave it, at one of its states."""
    values = _eigenvalues_along_first(step, state, directions)
    return int((np.abs(values[len(directions) :]) > 1.0).sum())


def _across(
    step: Step, states: np.ndarray, residuals: np.ndarray, axes: np.ndarray, size: float
) -> Drift:
    """The drift on a plane or a set of more dimensions."""
    velocities = residuals @ axes.T
    fastest = np.abs(velocities).max()
    if fastest <= NO_DRIFT * max(size, float(np.abs(states).max())):
        return Drift(np.zeros_like(velocities), np.inf, 0, np.inf)
    speeds = np.linalg.norm(velocities, axis=1)
    typical = float(np.median(speeds))
    crossing = size / 2 / typical if typical else np.inf
    slowest = int(speeds.argmin())
    rates = _rates(step, states[slowest], axes)
    if speeds[slowest] <= RESTS * typical and (rates > 0).all():
        return Drift(velocities, float(1.0 / rates.max()), 1, crossing)
    return Drift(velocities, 2 * crossing, 0, crossing)
