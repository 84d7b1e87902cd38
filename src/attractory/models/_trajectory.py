"""What a network did, and the shapes of what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from attractory._arguments import as_array
from attractory._errors import InvalidSetting
from attractory._shown import Shown
from attractory._stored import stored
from attractory.tasks import Trials, coordinates

AXES = ("trial", "time", "input")
AXIS = {"inputs": "input", "states": "unit", "outputs": "output"}  # the last one of each array


@stored
@dataclass(frozen=True, repr=False)
class Trajectory(Shown):
    """What a network did: NumPy arrays, without the trial axis when one trial went in without it.

    Attributes
    ----------
    inputs : array (trial, time, input)
        What it was given.
    states : array (trial, time, unit)
        Time index t holds the state after the step that read input t. The states of an LSTM hold
        its memory after its hidden state, those of several layers the last layer first (see the
        models).
    outputs : array (trial, time, output)
        What it answered.
    dt : float
        The length of a step in the unit of the model's tau.
    trials : Trials or None
        The trials that the inputs came in, where they are known.
    """

    inputs: np.ndarray
    states: np.ndarray
    outputs: np.ndarray
    dt: float
    trials: Trials | None = None

    def to_xarray(self) -> Any:
        """The three arrays with named dimensions.

        Returns
        -------
        xarray.Dataset
            Its dimensions are trial, time (in the unit of dt, the end of each step), input, unit,
            output. Where the trials are known it has their names: of input and output channels, the
            condition of each trial, the epoch of each step; their times are in ms.
        """
        import xarray

        steps = self.inputs.shape[-2]
        leading = ("trial",) if self.inputs.ndim == 3 else ()
        unit = {} if self.trials is None else {"units": "ms"}
        return xarray.Dataset(
            {name: ((*leading, "time", last), getattr(self, name)) for name, last in AXIS.items()},
            coords={
                "time": ("time", self.dt * np.arange(1, steps + 1), unit),
                **({} if self.trials is None else coordinates(self.trials)),
            },
        )


def checked_inputs(inputs: Any, n_inputs: int) -> np.ndarray:
    check_axis_names(inputs)
    array = as_array("inputs", inputs)
    if array.ndim not in (2, 3) or array.shape[-1] != n_inputs or 0 in array.shape:
        raise InvalidSetting(
            f"inputs have shape {array.shape}; it must be (trial, time, {n_inputs}) "
            f"or (time, {n_inputs})"
        )
    if not np.isfinite(array).all():
        raise InvalidSetting("inputs have values that are not finite; all must be")
    return array


def checked_state(state: Any, shape: tuple[int, int]) -> np.ndarray:
    array = as_array("initial_state", state)
    if array.shape not in (shape, shape[1:]):
        raise InvalidSetting(
            f"initial_state has shape {array.shape}; it must be {shape} or {shape[1:]}"
        )
    return np.broadcast_to(array, shape)


def check_axis_names(array: Any) -> None:
    """InvalidSetting for an array whose own names of its axes say another order (xarray)."""
    names = tuple(getattr(array, "dims", ()))
    if len(names) not in (2, 3) or not all(isinstance(name, str) for name in names):
        return
    wanted = [name for name in AXES if name in names]
    if wanted and [name for name in names if name in AXES] != wanted:
        raise InvalidSetting(
            f"inputs have the dimensions ({', '.join(names)}); they must be (trial, time, input): "
            "inputs.transpose('trial', 'time', 'input')"
        )


def check_trials(shape: tuple[int, ...], by_trial: Mapping[str, tuple[int, ...]]) -> None:
    """InvalidSetting where what there is one of for each trial fits the second axis alone.

    shape: of inputs, (trial, time, input). by_trial: shapes of such arrays, by their names.
    """
    trials, steps = shape[:2]
    for name, own in by_trial.items():
        if own and own[0] != trials and own[0] == steps:
            raise InvalidSetting(
                f"inputs have shape {shape} and {name} is of {own[0]} trials: the axes look like "
                "(time, trial, input); they must be (trial, time, input)"
            )
