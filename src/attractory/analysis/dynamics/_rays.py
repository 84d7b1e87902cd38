"""Rays that a network keeps: what decides how far its fixed points can be, and about kinks.

Far away, and next to a kink, phi is u -> a min(u, 0) + b max(u, 0) in each unit. Where the map of
such units keeps no direction, κ ≠ Rᵀ psi(L κ) for all κ ≠ 0, the difference is at least `gap` times
the size of κ; a fixed point of the network itself cannot be further than the rest, which is
bounded, allows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attractory.analysis.dynamics._batched import times
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
        steepest_below = self.below.max()
        steepest_above = self.above.max()
        return float(max(steepest_below, steepest_above))

    def value(self, drives: np.ndarray) -> np.ndarray:
        negative = np.minimum(drives, 0.0)
        positive = np.maximum(drives, 0.0)
        return self.below * negative + self.above * positive

    def lines(
        self,
        middle: np.ndarray,
        radius: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """psi on intervals as base + slope (u - middle) ± error, (box, unit) each.

        Where an interval holds 0: the chord from end to end, and half of its distance from psi(0).
        """
        low = middle - radius
        high = middle + radius
        first = self.value(low)
        last = self.value(high)
        crosses = (low < 0) & (high > 0)

        width = np.where(
            crosses,
            high - low,
            1.0,
        )
        slope_of_piece = np.where(
            low >= 0,
            self.above,
            self.below,
        )
        slope_of_chord = (last - first) / width
        slope = np.where(crosses, slope_of_chord, slope_of_piece)

        at_zero = first - slope * low  # of the chord; psi itself is 0 there
        sag = np.where(
            crosses,
            at_zero / 2,
            0.0,
        )
        chord = first + slope * (middle - low)
        base = np.where(
            crosses,
            chord - sag,
            self.value(middle),
        )

        sizes = np.abs(first) + np.abs(last) + np.abs(base)
        error = np.abs(sag) + 8 * EPS * sizes
        return base, slope, error


def gap(coordinates: Coordinates, rays: Rays) -> float:
    """A lower bound of ‖κ - Rᵀ psi(L κ)‖ / ‖κ‖ over all κ (max norm), proved; 0 where none is.

    The faces of the unit cube are cut into boxes until each has a bound close to what its middle
    has. On a box the difference is A (κ - m) + g ± ρ, and for every row y at least
    (|y g| - |y A| r - |y| ρ) / ‖y‖₁; y is taken at right angles to what the box moves along.
    """
    boxes = _faces(coordinates.size)
    least = np.inf
    done = 0
    while len(boxes):
        bounds, middles = _bounds(coordinates, rays, boxes)
        if middles.min() < NO_GAP:
            return 0.0
        close_enough = bounds >= NEAR_ENOUGH * middles
        closed = (bounds > 0) & close_enough
        if closed.any():
            least_here = float(bounds[closed].min())
            least = min(least, least_here)
        boxes = boxes[~closed]
        done += len(bounds)
        if not len(boxes):
            break
        if done > MOST_BOXES:
            return 0.0
        longest_side = boxes.radius.argmax(axis=1)
        boxes = boxes.halves(longest_side)
    return max(0.0, least / SLACK)


def outside_of_span(
    coordinates: Coordinates,
    rays: Rays,
) -> float:
    """What the part of W outside of its leading directions can do to the gap."""
    steepest = rays.steepest
    error = float(coordinates.error.max())
    if error == 0.0:
        return 0.0
    if steepest * error >= 0.5:
        return np.inf
    largest_row = float(np.abs(coordinates.left).sum(1).max())
    reach = steepest * largest_row / (1.0 - steepest * error)
    seen_on_right = np.abs(coordinates.right).T @ coordinates.error
    return steepest * float(seen_on_right.max()) * reach * SLACK


def _faces(size: int) -> Boxes:
    """The faces of the cube of half-width 1: (face, coordinate)."""
    upper = np.eye(size)
    lower = -np.eye(size)
    middle = np.concatenate([upper, lower])
    radius = 1.0 - np.abs(middle)
    return Boxes(middle, radius)


@dataclass(frozen=True)
class _Affine:
    """The difference on each box as A (κ - m) + g ± ρ.

    system A (box, coordinate, coordinate); value g and error ρ (box, coordinate).
    """

    system: np.ndarray
    value: np.ndarray
    error: np.ndarray


def _bounds(
    coordinates: Coordinates,
    rays: Rays,
    boxes: Boxes,
) -> tuple[np.ndarray, np.ndarray]:
    """A lower bound of the difference on each box, and its value at the middle, (box,) each."""
    gamma = sum_error(len(coordinates.right) + coordinates.size + 6)
    middle, radius = _drives(coordinates, boxes, gamma)
    difference = _difference(
        coordinates,
        rays,
        boxes,
        (middle, radius),
        gamma,
    )
    by_row = _bounds_by_row(
        difference,
        boxes.radius,
        gamma,
    )
    at_middle = boxes.middle - rays.value(middle) @ coordinates.right
    return by_row.max(axis=1), np.abs(at_middle).max(axis=1)


def _drives(
    coordinates: Coordinates,
    boxes: Boxes,
    gamma: float,
) -> tuple[np.ndarray, np.ndarray]:
    """L κ on each box as middle ± radius, (box, unit) each, rounding included."""
    left = coordinates.left
    sizes = np.abs(left).T
    middle = boxes.middle @ left.T
    radius = boxes.radius @ sizes
    rounding = gamma * (np.abs(boxes.middle) @ sizes)
    return middle, (radius + rounding) * SLACK + TINY


def _difference(
    coordinates: Coordinates,
    rays: Rays,
    boxes: Boxes,
    drives: tuple[np.ndarray, np.ndarray],
    gamma: float,
) -> _Affine:
    """κ - Rᵀ psi(L κ) on boxes, from the lines that psi is between there."""
    right = coordinates.right
    sizes = np.abs(right)
    base, slope, error = rays.lines(*drives)
    value = boxes.middle - base @ right
    terms = np.abs(base) @ sizes + np.abs(boxes.middle)
    error_of_value = (error @ sizes + gamma * terms) * SLACK

    system, system_size = _systems(coordinates, slope)
    rounding = gamma * system_size
    error_of_system = times(rounding, boxes.radius) * SLACK
    return _Affine(
        system,
        value,
        error_of_value + error_of_system + TINY,
    )


def _systems(
    coordinates: Coordinates,
    slope: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """I - Rᵀ diag(slope) L and the sizes of its terms, on each box: (box, row, column)."""
    left = coordinates.left
    right = coordinates.right
    size = coordinates.size
    identity = np.eye(size)
    outer = right[:, :, None] * left[:, None, :]
    pairs = outer.reshape(len(right), -1)
    product = (slope @ pairs).reshape(-1, size, size)
    product_size = (np.abs(slope) @ np.abs(pairs)).reshape(-1, size, size)
    return identity - product, product_size + identity


def _bounds_by_row(
    difference: _Affine,
    radius: np.ndarray,
    gamma: float,
) -> np.ndarray:
    """(|y g| - |y A| r - |y| ρ) / ‖y‖₁ for the unit rows y and one more, (box, row)."""
    system = difference.system
    unit_rows = np.broadcast_to(np.eye(system.shape[1]), system.shape)
    across = _across(system, radius)[:, None]
    rows = np.concatenate([unit_rows, across], axis=1)
    sizes = np.abs(rows)

    reached = np.abs(times(rows, difference.value))
    along = times(np.abs(rows @ system), radius)
    along = along + gamma * times(sizes @ np.abs(system), radius)
    error = difference.error + gamma * np.abs(difference.value)
    taken = times(sizes, error)

    lengths = np.maximum(sizes.sum(2), TINY)
    return (reached - (along + taken) * SLACK) / lengths


def _across(
    system: np.ndarray,
    radius: np.ndarray,
) -> np.ndarray:
    """A row y for each box with y A ≈ 0 for the columns along which the box is long."""
    weighted = system * radius[:, None, :]
    directions, _, _ = np.linalg.svd(weighted)
    return directions[:, :, -1]
