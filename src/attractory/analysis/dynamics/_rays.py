"""Rays that a network keeps: what decides how far its fixed points can be, and about kinks.

Far away, and next to a kink, phi is u -> a min(u, 0) + b max(u, 0) in each unit. Where the map of
such units keeps no direction, κ ≠ Rᵀ psi(L κ) for all κ ≠ 0, the difference is at least `gap` times
the size of κ; a fixed point of the network itself cannot be further than the rest, which is
bounded, allows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attractory.analysis.dynamics._coordinates import Boxes, Coordinates
from attractory.analysis.dynamics._rounding import EPS, SLACK, TINY, sum_error

NEAR_ENOUGH = 0.25  # a bound of the gap is not improved further than this share of a value taken
MOST_BOXES = 200_000
NO_GAP = 1e-6  # a gap below would allow points so far away that nothing could be searched


@dataclass(frozen=True)
class Rays:
    """psi(u) = below · min(u, 0) + above · max(u, 0) with slopes (unit,) of at least 0."""

    below: np.ndarray
    above: np.ndarray

    @property
    def steepest(self) -> float:
        return float(max(self.below.max(), self.above.max()))

    def value(self, drives: np.ndarray) -> np.ndarray:
        return self.below * np.minimum(drives, 0.0) + self.above * np.maximum(drives, 0.0)

    def lines(
        self, middle: np.ndarray, radius: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """psi on intervals as base + slope (u - middle) ± error, (box, unit) each.

        Where an interval holds 0: the chord from end to end, and half of its distance from psi(0).
        """
        low, high = middle - radius, middle + radius
        first, last = self.value(low), self.value(high)
        crosses = (low < 0) & (high > 0)
        width = np.where(crosses, high - low, 1.0)
        slope = np.where(low >= 0, self.above, self.below)
        slope = np.where(crosses, (last - first) / width, slope)
        at_zero = first - slope * low  # of the chord; psi itself is 0 there
        sag = np.where(crosses, at_zero / 2, 0.0)
        base = np.where(crosses, first + slope * (middle - low) - sag, self.value(middle))
        error = np.abs(sag) + 8 * EPS * (np.abs(first) + np.abs(last) + np.abs(base))
        return base, slope, error


def gap(coordinates: Coordinates, rays: Rays) -> float:
    """A lower bound of ‖κ - Rᵀ psi(L κ)‖ / ‖κ‖ over all κ (max norm), proved; 0 where none is.

    The faces of the unit cube are cut into boxes until each has a bound close to what its middle
    has. On a box the difference is A (κ - m) + g ± ρ, and for every row y at least
    (|y g| - |y A| r - |y| ρ) / ‖y‖₁; y is taken at right angles to what the box moves along.
    """
    boxes = _faces(coordinates.size)
    least, done = np.inf, 0
    while len(boxes):
        bounds, middles = _bounds(coordinates, rays, boxes)
        if middles.min() < NO_GAP:
            return 0.0
        closed = (bounds > 0) & (bounds >= NEAR_ENOUGH * middles)
        if closed.any():
            least = min(least, float(bounds[closed].min()))
        boxes = boxes[~closed]
        done += len(bounds)
        if not len(boxes):
            break
        if done > MOST_BOXES:
            return 0.0
        boxes = boxes.halves(boxes.radius.argmax(axis=1))
    return max(0.0, least / SLACK)


def outside_of_span(coordinates: Coordinates, rays: Rays) -> float:
    """What the part of W outside of its leading directions can do to the gap."""
    steepest, error = rays.steepest, float(coordinates.error.max())
    if error == 0.0:
        return 0.0
    if steepest * error >= 0.5:
        return np.inf
    reach = steepest * float(np.abs(coordinates.left).sum(1).max()) / (1.0 - steepest * error)
    return steepest * float((np.abs(coordinates.right).T @ coordinates.error).max()) * reach * SLACK


def _faces(size: int) -> Boxes:
    """The faces of the cube of half-width 1: (face, coordinate)."""
    middle = np.concatenate([np.eye(size), -np.eye(size)])
    radius = 1.0 - np.abs(middle)
    return Boxes(middle, radius)


def _bounds(coordinates: Coordinates, rays: Rays, boxes: Boxes) -> tuple[np.ndarray, np.ndarray]:
    """A lower bound of the difference on each box, and its value at the middle, (box,) each."""
    left, right = coordinates.left, coordinates.right
    sizes, gamma = np.abs(right), sum_error(len(right) + coordinates.size + 6)
    middle = boxes.middle @ left.T
    radius = boxes.radius @ np.abs(left).T
    radius = (radius + gamma * (np.abs(boxes.middle) @ np.abs(left).T)) * SLACK + TINY
    base, slope, error = rays.lines(middle, radius)
    value = boxes.middle - base @ right
    rho = (error @ sizes + gamma * (np.abs(base) @ sizes + np.abs(boxes.middle))) * SLACK
    pairs = (right[:, :, None] * left[:, None, :]).reshape(len(right), -1)
    shape = (-1, coordinates.size, coordinates.size)
    system = np.eye(coordinates.size) - (slope @ pairs).reshape(shape)
    rounding = gamma * ((np.abs(slope) @ np.abs(pairs)).reshape(shape) + np.eye(coordinates.size))
    rho = rho + (rounding @ boxes.radius[:, :, None])[:, :, 0] * SLACK + TINY
    rows = np.concatenate(
        [
            np.broadcast_to(np.eye(coordinates.size), system.shape),
            _across(system, boxes.radius)[:, None],
        ],
        axis=1,
    )
    along = np.abs(rows @ system) @ boxes.radius[:, :, None]
    along = (
        along[:, :, 0] + gamma * (np.abs(rows) @ np.abs(system) @ boxes.radius[:, :, None])[:, :, 0]
    )
    taken = (np.abs(rows) @ (rho + gamma * np.abs(value))[:, :, None])[:, :, 0]
    reached = np.abs((rows @ value[:, :, None])[:, :, 0])
    bounds = (reached - (along + taken) * SLACK) / np.maximum(np.abs(rows).sum(2), TINY)
    there = np.abs(boxes.middle - rays.value(middle) @ right).max(axis=1)
    return bounds.max(axis=1), there


def _across(system: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """A row y for each box with y A ≈ 0 for the columns along which the box is long."""
    weighted = system * radius[:, None, :]
    directions, _, _ = np.linalg.svd(weighted)
    return directions[:, :, -1]
