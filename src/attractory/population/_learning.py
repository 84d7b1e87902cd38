"""Measures of networks in the course of their training: the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from attractory._arguments import a_flag, a_name, takes
from attractory._errors import InvalidSetting, nearest, shown
from attractory._result import Result
from attractory.population._labelled import net_coordinates, network_labels

AXES = ("step", "net")  # of every variable for xarray


@dataclass(frozen=True, repr=False)
class Learning(Result):
    """The same measures of the same networks at one step of their training after the other.

    Attributes
    ----------
    steps : array (step,)
        Where in the training, in the unit in which it was given; of a run in updates.
    names : tuple of str
        The measures.
    values : array (step, network, measure)
        The numbers, float64; NaN where there is none.
    net : array of int (network,)
        The network's index in its run.
    units, larger : dict of str
        Of each measure its unit, and what a larger number means.
    reasons : dict of str
        Of each measure that somewhere has no number, why the first time.
    to_last : array (step, network)
        How far each network is from itself at the last step; NaN where that is not known.
    metric, metric_unit : str
        The distance that this is, and its unit; "" where none was asked for.
    left_out : tuple of str
        The networks of a run that were not measured: they diverged.
    trials : int
        Number of trials, the same at all steps; 0 where no measure needed any.
    seed : int
        Of the trials and of the networks' noise.
    """

    steps: np.ndarray
    names: tuple[str, ...]
    values: np.ndarray
    net: np.ndarray
    units: dict[str, str]
    larger: dict[str, str]
    reasons: dict[str, str]
    to_last: np.ndarray
    metric: str
    metric_unit: str
    left_out: tuple[str, ...] = ()
    trials: int = 0
    seed: int = 0

    def __getitem__(self, name: str) -> np.ndarray:
        """One measure of all networks at all steps, (step, network)."""
        if name not in self.names:
            raise InvalidSetting(f"measure {name!r}: {nearest(name, self.names)}")
        return self.values[..., self.names.index(name)]

    @takes(name=a_name, falling=a_flag)
    def reached(self, name: str, level: float, falling: bool = False) -> np.ndarray:
        """The step at which a measure has come to a level for good, of each network.

        Parameters
        ----------
        name : str
            The measure: "accuracy" tells when a memory is there, "n_outside" with level 1 when the
            first eigenvalue has left the unit circle.
        level : float
            In the unit of the measure.
        falling : bool
            Whether it comes down to the level, as an error does.

        Returns
        -------
        array (network,)
            The first step from which on the measure is at the level or beyond it, up to the last
            step; NaN where it is not there at the end. It may have come there at any time since
            the step before.

        Raises
        ------
        InvalidSetting
            For a measure that was not taken, and a level that is no number.
        """
        if not np.isfinite(np.asarray(level, float)):
            raise InvalidSetting(f"level = {shown(level)} is not allowed: a number")
        values = self[name]
        beyond = values <= level if falling else values >= level
        for_good = np.logical_and.accumulate(beyond[::-1])[::-1]
        first = self.steps[for_good.argmax(axis=0)]
        return np.where(for_good[-1], first, np.nan)

    @property
    def statement(self) -> str:
        """How many networks and steps there are, what was left out, where there is no number."""
        nets = len(self.net)
        parts = [
            f"{nets} network{'s' * (nets > 1)} at {len(self.steps)} steps, "
            f"{self.steps[0]:g} to {self.steps[-1]:g}."
        ]
        if self.left_out:
            parts.append(f"Left out, since they diverged: {', '.join(self.left_out)}.")
        for name, reason in self.reasons.items():
            missing = int(np.isnan(self[name]).sum())
            parts.append(f"No {name} in {missing} of {nets * len(self.steps)} cases: {reason}.")
        return " ".join(parts)

    def summary(self) -> dict[str, Any]:
        """How many networks and steps there are, and each measure at the first and the last step.

        Returns
        -------
        dict
            Networks, steps, and of each measure "name, first" and "name, last": means over the
            networks.
        """
        said: dict[str, Any] = {"networks": len(self.net), "steps": len(self.steps)}
        for row in self.first_and_last().to_dict("records"):
            said |= {f"{row['measure']}, {where}": row[where] for where in ("first", "last")}
        return said

    def first_and_last(self) -> pd.DataFrame:
        """The means over the networks at both ends of the training.

        Returns
        -------
        pandas.DataFrame
            A row a measure: measure, unit, first (at the first step), last (at the last one).
        """
        first, last = self.values[[0, -1]].mean(axis=1)
        units = [self.units[name] for name in self.names]
        return pd.DataFrame({"measure": self.names, "unit": units, "first": first, "last": last})

    def table(self) -> pd.DataFrame:
        """The numbers as a tidy table.

        Returns
        -------
        pandas.DataFrame
            A row for each network, step and measure: net, step, measure, value, unit. Where a
            distance was asked for, "METRIC to the last step" is among the measures.
        """
        columns = [(name, self[name], self.units[name]) for name in self.names]
        if self.metric:
            columns.append((f"{self.metric} to the last step", self.to_last, self.metric_unit))
        parts = [
            pd.DataFrame(
                {
                    "net": np.tile(self.net, len(self.steps)),
                    "step": np.repeat(self.steps, len(self.net)),
                    "measure": name,
                    "value": values.ravel(),
                    "unit": unit,
                }
            )
            for name, values, unit in columns
        ]
        return pd.concat(parts, ignore_index=True)

    def to_xarray(self) -> Any:
        """The numbers with their names.

        Returns
        -------
        xarray.Dataset
            A variable (step, net) for each measure, its unit and what a larger number means as
            attributes; where a distance was asked for, distance_to_last_step, with its metric and
            unit. Coordinates: step, net (the networks' names).
        """
        import xarray

        variables: dict[str, Any] = {
            name: (AXES, self[name], {"unit": self.units[name], "larger": self.larger[name]})
            for name in self.names
        }
        if self.metric:
            about = {"metric": self.metric, "unit": self.metric_unit}
            variables["distance_to_last_step"] = (AXES, self.to_last, about)
        labels = network_labels((), self.net)
        return xarray.Dataset(variables, {"step": self.steps, **net_coordinates(labels, ())})
