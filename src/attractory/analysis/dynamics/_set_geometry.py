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
NEIGHBOURHOOD = 0.15  # of the set's own size, in which its dimension is told
FEWEST_NEIGHBOURS = 8
# of the largest variance of a neighbourhood: what has less is thickness or bend. A ring bends in it
# by a seventh of its width, which is a fiftieth of its variance
OWN_VARIANCE = 0.05
NO_DRIFT = 1e-13  # per step, in the size of the set: rounding


def dimension_of(states: np.ndarray, reach: float, piece: float) -> int:
    """The dimension of a set of states (state, unit): in how many directions neighbours lie."""
    centred = states - states.mean(axis=0)
    axis = np.linalg.svd(centred, full_matrices=False)[2][0]
    size = float(np.ptp(centred @ axis))
    if size < SMALLEST * reach or len(states) < 3:
        return 0
    apart = cdist(states, states)
    radius = max(2 * piece, NEIGHBOURHOOD * size)
    counts = []
    for distances in apart:
        nearest = np.argsort(distances)
        count = max(int((distances <= radius).sum()), min(FEWEST_NEIGHBOURS, len(states)))
        around = states[nearest[:count]]
        variances = np.linalg.svd(around - around.mean(axis=0), compute_uv=False) ** 2
        counts.append(int((variances > OWN_VARIANCE * variances[0]).sum()))
    return int(np.median(counts))


def path_through(states: np.ndarray, piece: float) -> np.ndarray:
    """States of a line in order, about a piece apart: the longest way in their shortest tree."""
    tree = minimum_spanning_tree(cdist(states, states))
    both_ways = tree + tree.T
    first = int(shortest_path(both_ways, indices=0).argmax())
    lengths, previous = shortest_path(both_ways, indices=first, return_predecessors=True)
    way = [int(lengths.argmax())]
    while way[-1] != first:
        way.append(int(previous[way[-1]]))
    kept = [way[0]]
    for i in way[1:-1]:
        # a state that lies beside another across the line would make the way longer than it is
        if np.linalg.norm(states[i] - states[kept[-1]]) >= piece / 2:
            kept.append(i)
    if np.linalg.norm(states[first] - states[kept[-1]]) < piece / 2 and len(kept) > 1:
        kept.pop()
    return states[[*kept, first]]


@dataclass(frozen=True)
class Drift:
    """Along a set: velocities (state, direction) per step, where they lead, how long it takes."""

    velocities: np.ndarray
    time: float
    n_resting: int


def described(
    step: Step,
    states: np.ndarray,
    dimension: int,
    closed: bool,
    duration: int,
    piece: float,
) -> SlowSet:
    """A set with all that is known of it; the states of a line are in order."""
    residuals = step(states) - states
    speed = np.linalg.norm(residuals, axis=1)
    if dimension == 0:
        slowest = np.argsort(speed)[:1]
        nothing = np.empty((1, 0))
        axes, extent = np.empty((0, step.units)), np.empty(0)
        drift = Drift(nothing, 0.0, int(speed.min() == 0))
        states, speed = states[slowest], speed[slowest]
    elif dimension == 1:
        axes = _axes(states, 2 if closed else 1)
        extent, drift = _along(step, states, residuals, closed)
    else:
        axes = _axes(states, dimension)
        if dimension == 2:
            axes = _turned(states, axes)
        extent = np.ptp((states - states.mean(axis=0)) @ axes.T, axis=0)
        drift = _across(states, residuals, axes, float(extent.max()))
    told_apart = dimension == 1 and drift.n_resting > 1 and drift.time <= duration
    kind = {0: "point", 1: "ring" if closed else "line", 2: "plane"}.get(dimension, "set")
    return SlowSet(
        kind="chain" if told_apart else kind,
        dimension=0 if told_apart else dimension,
        states=states,
        outputs=step.outputs(states),
        speed=speed,
        extent=extent,
        direction=axes,
        drift=drift.velocities,
        drift_time=drift.time,
        n_resting=drift.n_resting,
    )


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
    best, area = np.eye(2), np.inf
    for along in sides / np.linalg.norm(sides, axis=1, keepdims=True):
        turned = np.array([along, [-along[1], along[0]]])
        lengths = np.ptp(corners @ turned.T, axis=0)
        if lengths.prod() < area:
            longest_first = np.argsort(-lengths)
            best, area = turned[longest_first], lengths.prod()
    return best @ axes


def _along(
    step: Step, path: np.ndarray, residuals: np.ndarray, closed: bool
) -> tuple[np.ndarray, Drift]:
    """The length of a line or ring, and the drift along it."""
    around = np.concatenate([path[-1:], path, path[:1]]) if closed else path
    gaps = np.linalg.norm(np.diff(around, axis=0), axis=1)
    before = gaps[:-1] if closed else np.concatenate([[0.0], gaps])
    length = float(before.sum())
    tangents = around[2:] - around[:-2] if closed else np.gradient(path, axis=0)
    tangents = tangents / np.linalg.norm(tangents, axis=1, keepdims=True)
    velocities = (residuals * tangents).sum(axis=1)
    still = NO_DRIFT * max(length, float(np.abs(path).max()))
    velocities = np.where(np.abs(velocities) <= still, 0.0, velocities)
    resting = _resting(velocities, closed)
    if not velocities.any():
        time = np.inf
    elif len(resting):
        rates = [_rate(step, path[i], tangents[i]) for i in resting]
        time = 1.0 / max(rates) if max(rates) > 0 else np.inf
    else:
        with np.errstate(divide="ignore"):
            time = float((before / np.abs(velocities)).sum())
    return np.array([length]), Drift(velocities[:, None], float(time), len(resting))


def _resting(velocities: np.ndarray, closed: bool) -> list[int]:
    """Where the drift turns from forward to backward: what lies there is where states go to."""
    after = np.roll(velocities, -1)
    turns = (velocities > 0) & (after <= 0)
    if not closed:
        turns[-1] = False  # there the line ends
    nearer = np.abs(after) < np.abs(velocities)
    return [int((i + nearer[i]) % len(velocities)) for i in np.flatnonzero(turns)]


def _rate(step: Step, state: np.ndarray, tangent: np.ndarray) -> float:
    """How fast states go to a resting place along the line, per step: 1 - λ of the eigenvector
    that lies along it. The tangent's own slope tᵀ J t would take in what is fast across."""
    values, vectors = np.linalg.eig(step.jacobians(state[None])[0])
    along = np.abs(tangent @ vectors).argmax()
    return 1.0 - float(values[along].real)


def _across(states: np.ndarray, residuals: np.ndarray, axes: np.ndarray, size: float) -> Drift:
    """The drift on a plane or a set of more dimensions, as the linear map that fits it best."""
    places = (states - states.mean(axis=0)) @ axes.T
    velocities = residuals @ axes.T
    if np.abs(velocities).max() <= NO_DRIFT * max(size, float(np.abs(states).max())):
        return Drift(np.zeros_like(velocities), np.inf, 0)
    design = np.column_stack([places, np.ones(len(places))])
    fitted = np.linalg.lstsq(design, velocities, rcond=None)[0]
    slopes, constant = fitted[:-1].T, fitted[-1]
    rates = -np.linalg.eigvals(slopes).real
    rest = (
        -np.linalg.solve(slopes, constant) if np.linalg.det(slopes) else np.full(len(axes), np.inf)
    )
    inside = (rest >= places.min(axis=0)) & (rest <= places.max(axis=0))
    if inside.all() and (rates > 0).all():
        return Drift(velocities, float(1.0 / rates.max()), 1)
    speeds = np.linalg.norm(velocities, axis=1)
    return Drift(velocities, float(size / speeds.mean()), 0)
