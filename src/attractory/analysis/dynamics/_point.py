"""A fixed point that a search has found, its evidence, and which of two are one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attractory.analysis.dynamics._certificate import NOTHING, Certificate, certify
from attractory.analysis.dynamics._kinks import certify_on_kink, on_kink
from attractory.analysis.dynamics._newton import TOLERANCE, polish, residual_size
from attractory.analysis.dynamics._step import RateStep, Step

SAME = 1e-6  # points without a certificate nearer than this are taken for one
LARGEST_BALL = 1e-3  # an end further from a point is looked at by itself
SINGULAR = 1e-5  # singular value of I - DF, relative to DF, below which it counts as singular
SAME_DEGENERATE = 3e-3  # as SAME, where Newton's method comes near only slowly


@dataclass(frozen=True)
class Point:
    """A fixed point and its evidence.

    weakest: the smallest singular value of I - DF (looked at where there is no certificate).
    kinked: it is on a kink, where DF is not defined. mirrored: it is the negative of the point
    before it.
    """

    state: np.ndarray
    residual: float
    certificate: Certificate
    weakest: float
    kinked: bool = False
    mirrored: bool = False

    @property
    def degenerate(self) -> bool:
        """I - DF is singular, as far as can be told: there is no isolated fixed point here."""
        return not self.certificate.exists and self.weakest < SINGULAR

    @property
    def reach(self) -> float:
        """Within this distance there is no other fixed point, or none can be told apart."""
        if self.certificate.exists:
            return min(self.certificate.unique_radius, LARGEST_BALL)
        same = SAME_DEGENERATE if self.degenerate else SAME
        largest = float(np.abs(self.state).max())
        return same * max(1.0, largest)


def proved_point(step: Step, state: np.ndarray) -> Point:
    """The point next to a state (unit,), with what can be proved of it."""
    exact, residual = polish(step, state)
    proof = certify(step, exact) if isinstance(step, RateStep) else NOTHING
    kinked = not proof.exists and on_kink(step, exact)
    if kinked and isinstance(step, RateStep):
        exact, proof = certify_on_kink(step, exact)
        residual = residual_size(step, exact)
    weakest = 1.0
    if not proof.exists:
        jacobian = step.jacobians(exact[None])[0]
        weakest = _weakest(jacobian)
    return Point(
        exact,
        residual,
        proof,
        weakest,
        kinked,
    )


def same(one: Point, other: Point) -> bool:
    """By the balls: one lies where the other is the only one. Else, unproved, by distance."""
    distance = _distance(one, other)
    if not (one.certificate.exists and other.certificate.exists):
        return distance < max(one.reach, other.reach)
    in_other = distance + one.certificate.radius < other.certificate.unique_radius
    in_one = distance + other.certificate.radius < one.certificate.unique_radius
    return in_other or in_one


def inseparable(
    step: Step,
    one: Point,
    other: Point,
) -> bool:
    """Is the residual between two ends as small as at them, so that they may be one point?

    Next to a fold Newton's method ends on either side of it, as near as its residual can tell.
    """
    if one.certificate.exists and other.certificate.exists:
        return False
    largest = float(np.abs(one.state).max())
    size = max(1.0, largest)
    if _distance(one, other) > SAME_DEGENERATE * size:
        return False
    middle = (one.state + other.state) / 2
    between = residual_size(step, middle)
    at_ends = max(one.residual, other.residual, TOLERANCE * size)
    return between <= 4 * at_ends


def _distance(one: Point, other: Point) -> float:
    apart = np.abs(one.state - other.state)
    return float(apart.max())


def _weakest(jacobian: np.ndarray) -> float:
    """The smallest singular value of I - DF, relative to DF."""
    if not np.isfinite(jacobian).all():
        return 0.0
    system = np.eye(len(jacobian)) - jacobian
    smallest = np.linalg.norm(system, -2)
    size = float(np.linalg.norm(jacobian, np.inf))
    return float(smallest / max(1.0, size))


def representatives(
    states: np.ndarray,
    odd: bool,
    most: int,
) -> np.ndarray:
    """Indices of states that are not near to one another (nor, if odd, to their negatives): one of
    each cluster, at most so many."""
    heads: list[int] = []
    for i, state in enumerate(states):
        taken = states[heads]
        if odd:
            taken = np.concatenate([taken, -taken])
        if not heads or _is_apart(taken, state):
            heads.append(i)
        if len(heads) == most:
            break
    return np.array(heads, int)


def _is_apart(
    taken: np.ndarray,
    state: np.ndarray,
) -> bool:
    """Is none of the taken states (some, unit) near to this one?"""
    distances = np.abs(taken - state).max(axis=1)
    return bool(distances.min() > SAME)
