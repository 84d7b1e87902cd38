"""What trials say of themselves, as the coordinates of labelled arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from attractory.tasks._trial import Trials

TAKEN = ("trial", "time", "input", "output", "unit", "inputs", "outputs", "states", "epoch")


def coordinates(trials: Trials) -> dict[str, Any]:
    """The coordinates of arrays (trial, time, input) and (trial, time, output), as xarray has them.

    Parameters
    ----------
    trials : Trials
        Whose arrays they are.

    Returns
    -------
    dict
        Dimensions and values by name: the names of input and output channels where there are any,
        the condition of each trial (a name that a dimension has already is followed by
        "_condition"), and `epoch` (trial, time), the name of the epoch ("" after the last one).
    """
    found: dict[str, Any] = {"trial": np.arange(len(trials))}
    for last, names, array in (
        ("input", trials.input_names, trials.inputs),
        ("output", trials.output_names, trials.targets),
    ):
        if len(names) == array.shape[-1]:
            found[last] = list(names)
    for name, values in trials.conditions.items():
        found[f"{name}_condition" if name in TAKEN else name] = ("trial", values)
    if trials.epochs is not None:
        found["epoch"] = (("trial", "time"), _epochs(trials))
    return found


def _epochs(trials: Trials) -> np.ndarray:
    """The name of the epoch at each step, (trial, time)."""
    widest = max(map(len, trials.epoch_names), default=1)
    names = np.full(trials.inputs.shape[:2], "", dtype=f"<U{widest}")
    for epoch in trials.epoch_names:
        names[trials.during(epoch)] = epoch
    return names
