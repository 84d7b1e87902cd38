"""Trials: one as a task makes it, and many as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd

from attractory._arguments import (
    a_name,
    array_of,
    as_array,
    instance_of,
    made_with,
    names_of,
    optional,
    positive,
    takes,
    whole,
)
from attractory._errors import InvalidSetting, nearest, shown, without_tuple_names
from attractory._shown import Shown
from attractory._stored import stored


@without_tuple_names
class Trial(NamedTuple):
    """One trial as `Task.trial` returns it: what goes in, what should come out, what counts.

    Parameters
    ----------
    inputs : array (time, input)
        What is shown.
    targets : array (time, output)
        What is asked for.
    mask : array (time, output), optional
        Weighs each target point in the loss and in the scores; None counts all of them.
    epochs : array of int (epoch + 1,), optional
        The steps at which the task's epochs begin, and at which the last one ends; None where it
        has none.
    conditions : dict of scalar arrays, optional
        What tells this trial from others, one number each, by name (such as its coherence).
    """

    inputs: jax.Array
    targets: jax.Array
    mask: jax.Array | None = None
    epochs: jax.Array | None = None
    conditions: dict[str, jax.Array] | None = None


@without_tuple_names
class Batch(NamedTuple):
    """Trials as JAX arrays with a leading trial axis, in float32; the mask is always there.

    Parameters
    ----------
    inputs : array (trial, time, input)
        What is shown.
    targets : array (trial, time, output)
        What is asked for.
    mask : array (trial, time, output)
        The weights of the target points.
    """

    inputs: jax.Array
    targets: jax.Array
    mask: jax.Array


@stored
@made_with(
    dt=positive,
    epoch_names=names_of,
    epochs=optional(array_of("trial", "epoch")),
    conditions=instance_of(dict),
    input_names=names_of,
    output_names=names_of,
)
@dataclass(frozen=True, repr=False)
class Trials(Shown):
    """A batch of trials as NumPy float32 arrays.

    Attributes
    ----------
    inputs : array (trial, time, input)
        What is shown.
    targets, mask : array (trial, time, output)
        What is asked for, and the weights of its points; a mask of None counts every point.
    dt : float
        Length of one step (ms).
    epoch_names : tuple of str
        The parts of a trial in order.
    epochs : array of int (trial, epoch + 1) or None
        The steps at which they begin, and at which the last one ends; None where the task has no
        epochs.
    conditions : dict of array (trial,)
        What each trial is, by name.
    input_names, output_names : tuple of str
        Of the channels; empty where the task does not name them.
    """

    inputs: np.ndarray
    targets: np.ndarray
    mask: np.ndarray = None  # type: ignore[assignment]
    dt: float = 1.0
    epoch_names: tuple[str, ...] = ()
    epochs: np.ndarray | None = None
    conditions: dict[str, np.ndarray] = field(default_factory=dict)
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given = {name: as_array(name, getattr(self, name)) for name in ("inputs", "targets")}
        mask = np.ones_like(given["targets"]) if self.mask is None else as_array("mask", self.mask)
        _check_shapes(given["inputs"].shape, given["targets"].shape, mask.shape)
        for name, array in {**given, "mask": mask}.items():
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.inputs)

    @takes(n=whole(1))
    def first(self, n: int) -> Trials:
        """The first trials.

        Parameters
        ----------
        n : int
            How many.

        Returns
        -------
        Trials
            The first n trials, or all where there are fewer.
        """
        return replace(
            self,
            inputs=self.inputs[:n],
            targets=self.targets[:n],
            mask=self.mask[:n],
            epochs=None if self.epochs is None else self.epochs[:n],
            conditions={name: values[:n] for name, values in self.conditions.items()},
        )

    @property
    def lengths(self) -> np.ndarray:
        """After how many steps each trial is over, (trial,): what follows fills the array."""
        count, steps = self.inputs.shape[:2]
        if self.epochs is None:
            return np.full(count, steps)
        return np.minimum(self.epochs[:, -1], steps)

    @property
    def within(self) -> np.ndarray:
        """The trials' own steps, (trial, time) of bool."""
        return np.arange(self.inputs.shape[1]) < self.lengths[:, None]

    @property
    def epoch(self) -> np.ndarray | None:
        """The number of the epoch that a step is in, (trial, time).

        It is -1 after the trial; None where the task has no epochs.
        """
        if self.epochs is None:
            return None
        time = np.arange(self.inputs.shape[1])
        begun = (self.epochs[:, :-1, None] <= time).sum(axis=1) - 1
        return np.where(self.within, begun, -1)

    @takes(epoch=a_name)
    def during(self, epoch: str) -> np.ndarray:
        """Where an epoch is.

        Parameters
        ----------
        epoch : str
            The name of the epoch.

        Returns
        -------
        array of bool (trial, time)
            True within it.

        Raises
        ------
        InvalidSetting
            For an unknown epoch; it names those that there are.
        """
        if self.epochs is None or epoch not in self.epoch_names:
            known = nearest(epoch, self.epoch_names) if self.epoch_names else "there are none"
            raise InvalidSetting(f"epoch {shown(epoch)} is unknown; {known}")
        index = self.epoch_names.index(epoch)
        time = np.arange(self.inputs.shape[1])
        begin, end = self.epochs[:, index, None], self.epochs[:, index + 1, None]
        return (begin <= time) & (time < end)

    def table(self) -> pd.DataFrame:
        """The conditions of the trials, and when their epochs begin.

        Returns
        -------
        pandas.DataFrame
            A row for each trial: its conditions, and the beginnings of its epochs (ms, '… begins').
        """
        columns: dict[str, Any] = {"trial": np.arange(len(self)), **self.conditions}
        if self.epochs is not None:
            for i, name in enumerate(self.epoch_names):
                columns[f"{name} begins"] = self.dt * self.epochs[:, i]
        return pd.DataFrame(columns)


def _check_shapes(inputs: tuple[int, ...], targets: tuple[int, ...], mask: tuple[int, ...]) -> None:
    """InvalidSetting where the arrays of trials do not belong together."""
    for name, shape, last in (("inputs", inputs, "input"), ("targets", targets, "output")):
        if len(shape) != 3:
            raise InvalidSetting(f"{name} has shape {shape}; it must be (trial, time, {last})")
    if targets[:2] != inputs[:2]:
        raise InvalidSetting(
            f"targets has shape {targets}, inputs {inputs}; both must be of the same trials and "
            "steps: (trial, time, output) and (trial, time, input)"
        )
    if mask != targets:
        raise InvalidSetting(f"mask has shape {mask}; it must be that of the targets, {targets}")
