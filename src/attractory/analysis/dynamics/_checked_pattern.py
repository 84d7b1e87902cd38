"""A pattern of inputs, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from attractory._errors import InvalidSetting, shown
from attractory.analysis.dynamics._fixed_points import FixedPoints


def checked_pattern(points: FixedPoints, pattern: Any) -> np.ndarray:
    """A pattern (input,) that is added to no input."""
    if points.inputs is None:
        raise InvalidSetting("points: they were found for a step without an input; give inputs=")
    direction = np.asarray(pattern, np.float64)
    same_shape = direction.shape == points.inputs.shape
    if not same_shape or not np.isfinite(direction).all():
        raise InvalidSetting(
            f"pattern = {shown(pattern)} is not allowed: {len(points.inputs)} finite numbers, "
            "one for each input"
        )
    if not direction.any():
        raise InvalidSetting("pattern is 0 in every input; at least one must not be")
    if points.inputs.any():
        raise InvalidSetting("points: they must be those without input (inputs = 0)")
    return direction


def checked_starts(points: FixedPoints, starts: Any) -> np.ndarray:
    """The points that are followed, the stable ones where none are named."""
    chosen = points.stable if starts is None else np.asarray(starts, int)
    for start in chosen.tolist():
        if not 0 <= start < len(points):
            raise InvalidSetting(
                f"starts: {start} is not allowed: 0 to {len(points) - 1}, indices of points"
            )
    return chosen
