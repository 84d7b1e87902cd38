"""Whether constraints fit a model, and its own initial weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from attractory.kernels import ACTIVATIONS
from attractory.models._projection import bounds
from attractory.models._start import check_start


def check_fit(
    constraints: Any, units: int, nonnegative: bool, activation: Any, initial: Any
) -> None:
    """ValueError where constraints do not fit, as `Constraints.check` describes it."""
    for field in ("mask", "fixed"):
        given = getattr(constraints, field)
        if given is not None and np.shape(given) != (units, units):
            raise ValueError(
                f"constraints.{field} has shape {np.shape(given)}; it must be "
                f"{(units, units)}, [to, from]"
            )
        if given is not None and not np.isin(np.asarray(given), (0, 1)).all():
            raise ValueError(f"constraints.{field} must hold 0 and 1 alone")
    if constraints.signs is not None and (
        np.shape(constraints.signs) != (units,) or not np.isin(constraints.signs, (-1, 1)).all()
    ):
        raise ValueError(f"constraints.signs must be {units} values of 1 or -1")
    if constraints.areas is not None and sum(constraints.areas) != units:
        raise ValueError(
            f"constraints.areas = {constraints.areas} has {sum(constraints.areas)} units, "
            f"the model {units}"
        )
    if constraints.nonnegative_rates and not nonnegative:
        raise ValueError(
            f"constraints.nonnegative_rates contradicts activation = {activation!r}; "
            f"allowed: {', '.join(sorted(n for n, a in ACTIVATIONS.items() if a.nonnegative))}"
        )
    for size in constraints.areas or (units,):
        if (
            constraints.excitatory is not None
            and not 0 < round(constraints.excitatory * size) < size
        ):
            raise ValueError(
                f"constraints.excitatory = {constraints.excitatory} leaves no unit of one kind "
                f"among {size}"
            )
    if not isinstance(initial, str):
        _check_initial(constraints, np.asarray(initial))
    check_start(constraints, units, initial)


def _check_initial(constraints: Any, initial: np.ndarray) -> None:
    """ValueError where a user's own recurrent weights break what is known beforehand."""
    units = len(initial)
    low, high = bounds(constraints, constraints.column_signs(units))
    outside = (initial < (-np.inf if low is None else low)) | (
        initial > (np.inf if high is None else high)
    )
    if constraints.mask is not None:
        outside |= (np.asarray(constraints.mask) == 0) & (initial != 0)
    if not constraints.self_connections:
        outside |= np.eye(units, dtype=bool) & (initial != 0)
    if outside.any():
        to, source = np.argwhere(outside)[0]
        raise ValueError(
            f"recurrent_init[{to}, {source}] = {initial[to, source]:g} breaks the constraints "
            f"(as do {int(outside.sum()) - 1} more of its weights)"
        )
