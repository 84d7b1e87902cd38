"""The smallest pulse that takes a network from one stable point to another attractor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from attractory._arguments import as_array, indices, optional, positive, takes, whole
from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting, whole_number
from attractory.analysis.dynamics._attractors import Attractors, points_or_attractors
from attractory.analysis.dynamics._checked_pattern import checked_pattern, checked_starts
from attractory.analysis.dynamics._fixed_points import FixedPoints
from attractory.analysis.dynamics._step import FunctionStep

GRID = 16  # amplitudes at which the first that is large enough is looked for
BISECTIONS = 8


@one_blas_thread
@takes(
    points=points_or_attractors,
    pattern=as_array,
    starts=optional(indices),
    maximum=positive,
    settle=whole(1),
)
def pulse_thresholds(
    points: FixedPoints | Attractors,
    pattern: Any,
    duration: int,
    starts: Sequence[int] | np.ndarray | None = None,
    maximum: float = 2.0,
    settle: int = 5000,
) -> pd.DataFrame:
    """The smallest amplitude of a pulse that takes a network out of a state.

    Parameters
    ----------
    points : FixedPoints or Attractors
        Those without input.
    pattern : array (input,)
        The pulse is amplitude · pattern, then silence.
    duration : int
        Of the pulse, in steps.
    starts : sequence of int, optional
        Indices of the states; the stable points when None.
    maximum : float
        The largest amplitude that is tried.
    settle : int
        Length of the simulation of the silence at most, in time constants.

    Returns
    -------
    DataFrame
        With the columns point, threshold (inf: none up to `maximum`) and end (the attractor that
        is reached, -1 for none of the list). To 1/4096 of `maximum`, the first of several where
        larger pulses lead back.

    Raises
    ------
    InvalidSetting
        When the pattern or a number is not allowed, the points are not those without input, or
        are those of a step(h, x): pulses can be given to networks only.

    Notes
    -----
    A state still on its way when its time is over counts for the stable point that it is nearest
    to and coming nearer (`Attractors.tendency`).
    """
    known = points if isinstance(points, Attractors) else Attractors(points, ())
    points = known.points
    step = points.step
    direction = checked_pattern(points, pattern)
    if isinstance(step, FunctionStep):
        raise InvalidSetting("points: pulses can be given to networks only, not to a step(h, x)")
    whole_number("duration", duration)
    chosen = checked_starts(points, starts)
    limit = round(settle / step.leak)

    def ends_of(amplitudes: np.ndarray, which: np.ndarray) -> np.ndarray:
        states = points.states[which]
        shown = amplitudes[:, None] * direction + step.inputs
        for _ in range(duration):
            states = step.driven(states, shown)
        return known.tendency(states, limit)

    thresholds, ends = _smallest(ends_of, chosen, maximum)
    return pd.DataFrame(
        {
            "point": chosen,
            "threshold": thresholds,
            "end": ends,
        }
    )


def _smallest(
    ends_of: Callable[[np.ndarray, np.ndarray], np.ndarray],
    chosen: np.ndarray,
    maximum: float,
) -> tuple[np.ndarray, np.ndarray]:
    """The smallest amplitudes that lead from the chosen points elsewhere, and where (point,).

    ends_of(amplitudes, points): where those points come to.
    """
    grid = np.linspace(0, maximum, GRID + 1)[1:]
    amplitudes = np.tile(grid, len(chosen))
    scanned = ends_of(amplitudes, np.repeat(chosen, GRID))
    ends = scanned.reshape(len(chosen), GRID)
    left = ends != chosen[:, None]
    first = left.argmax(axis=1)
    high = grid[first]
    low = high - grid[0]
    reached = ends[np.arange(len(chosen)), first]
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        there = ends_of(middle, chosen)
        out = there != chosen
        high = np.where(out, middle, high)
        low = np.where(out, low, middle)
        reached = np.where(out, there, reached)
    gone = left.any(axis=1)
    thresholds = np.where(gone, high, np.inf)
    ends = np.where(gone, reached, chosen)
    return thresholds, ends
