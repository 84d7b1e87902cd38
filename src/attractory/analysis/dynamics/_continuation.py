"""What becomes of fixed points as a constant input grows: branches and folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from attractory._arguments import as_array, indices, instance_of, optional, positive, takes
from attractory._cores import one_blas_thread, spread
from attractory._errors import InvalidSetting, shown
from attractory._result import Result
from attractory.analysis._given import POINTS
from attractory.analysis.dynamics._checked_pattern import checked_pattern, checked_starts
from attractory.analysis.dynamics._curve import ORIGIN, Curve, FollowedCurve
from attractory.analysis.dynamics._fixed_points import FixedPoints
from attractory.analysis.dynamics._step import AnyStep, Step

SAME = 1e-6  # so near (max norm) is the fixed point that a branch comes back to


@dataclass(frozen=True, repr=False)
class Branch(Result):
    """A curve of fixed points under the input amplitude · pattern.

    Attributes
    ----------
    start : int
        Index of the fixed point without input.
    amplitudes : array (place,)
        The amplitudes, in order along the curve.
    states : array (place, unit)
        The fixed points there.
    outputs : array (place, output)
        Their readout.
    folds : array (fold,)
        Indices of the places where the curve turns back: there two points meet and vanish; a stable
        point stays stable up to the first one unless an oscillation sets in.
    end : str
        "maximum" (it reaches the largest amplitude), "origin" (it comes back to amplitude 0, to the
        fixed point `partner`), or "lost" (it could not be followed further).
    partner : int
        The fixed point without input that the curve ends in; -1 when that is not in the list.
    """

    start: int
    amplitudes: np.ndarray
    states: np.ndarray
    outputs: np.ndarray
    folds: np.ndarray
    end: str
    partner: int

    @property
    def fold(self) -> float:
        """Amplitude of the first fold, where the state disappears; inf when there is none."""
        if not len(self.folds):
            return float("inf")
        first = self.folds[0]
        return float(self.amplitudes[first])


@dataclass(frozen=True, repr=False)
class Continuation(Result):
    """Branches of fixed points under inputs from 0 to `maximum` times a pattern.

    Attributes
    ----------
    points : FixedPoints
        The fixed points without input.
    pattern : array (input,)
        The direction of the input.
    maximum : float
        The largest amplitude.
    branches : list of Branch
        One for each point that was followed.
    """

    points: FixedPoints
    pattern: np.ndarray
    maximum: float
    branches: list[Branch]

    def table(self) -> pd.DataFrame:
        """A row for each branch: where it starts, where it folds, how it ends.

        Returns
        -------
        DataFrame
            With the columns point, fold, end and partner.
        """
        return pd.DataFrame(
            {
                "point": [branch.start for branch in self.branches],
                "fold": [branch.fold for branch in self.branches],
                "end": [branch.end for branch in self.branches],
                "partner": [branch.partner for branch in self.branches],
            }
        )


@one_blas_thread
@takes(
    points=instance_of(FixedPoints, hint=POINTS),
    pattern=as_array,
    maximum=positive,
    starts=optional(indices),
)
def continuation(
    points: FixedPoints,
    pattern: Any,
    maximum: float = 1.0,
    starts: Sequence[int] | np.ndarray | None = None,
) -> Continuation:
    """Follow fixed points as an input pattern grows from 0 to `maximum` times itself.

    Parameters
    ----------
    points : FixedPoints
        Found without input.
    pattern : array (input,)
        The direction of the input.
    maximum : float
        The largest amplitude.
    starts : sequence of int, optional
        Indices of the points to follow; the stable ones when None.

    Returns
    -------
    Continuation
        A branch for each of them.

    Raises
    ------
    InvalidSetting
        When the pattern, the maximum or a start is not allowed, or the points are not those
        without input.

    Notes
    -----
    By pseudo-arclength continuation, through folds (Keller 1977). A fold is the amplitude at which
    a state disappears: the smallest constant input that makes the network leave it; a pulse that
    ends must be larger (see `pulse_thresholds`).
    """
    direction = checked_pattern(points, pattern)
    if not np.isfinite(maximum) or maximum <= 0:
        raise InvalidSetting(f"maximum = {shown(maximum)} is not allowed: a number above 0")
    chosen = checked_starts(points, starts)

    inputs = _Inputs(points.step, direction, maximum)

    def branch(start: int) -> Branch:
        return _branch(points, inputs, start)

    return Continuation(
        points=points,
        pattern=direction,
        maximum=float(maximum),
        branches=spread(branch, chosen.tolist()),
    )


@dataclass(frozen=True)
class _Inputs:
    """The maps of a network under the inputs amplitude · pattern."""

    step: AnyStep
    pattern: np.ndarray
    maximum: float

    def at(self, parameter: float) -> AnyStep:
        return self.step.with_inputs(parameter * self.pattern)

    def growth(self, step: Step, state: np.ndarray, parameter: float) -> np.ndarray:
        return step.input_jacobian(state) @ self.pattern


def _branch(points: FixedPoints, inputs: _Inputs, start: int) -> Branch:
    curve = Curve(inputs, points.states[start]).follow()
    return Branch(
        start=start,
        amplitudes=curve.parameters,
        states=curve.states,
        outputs=points.step.outputs(curve.states),
        folds=curve.folds,
        end=curve.end,
        partner=_partner(points, curve),
    )


def _partner(points: FixedPoints, curve: FollowedCurve) -> int:
    """The point without input that a branch ends in; -1 where that is none of them."""
    if curve.end != ORIGIN:
        return -1
    apart = np.abs(points.states - curve.states[-1]).max(axis=1)
    nearest = int(apart.argmin())
    return nearest if apart[nearest] < SAME else -1
