"""The curves of a battery: how a population does under one condition after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from attractory._arguments import a_share, takes
from attractory._errors import InvalidSetting, nearest, shown
from attractory._result import Result
from attractory.evaluation import RobustnessCurve
from attractory.evaluation._robustness import SCORES
from attractory.population._group_statistics import student_interval
from attractory.population._labelled import net_coordinates, network_labels
from attractory.population._thresholds import (
    BEFORE,
    REACHED,
    SIDES,
    Side,
    crossing,
    over_networks,
    sides,
)


@dataclass(frozen=True, repr=False)
class Battery(Result):
    """Scores of the networks of a population as one condition after the other varies.

    Attributes
    ----------
    curves : tuple of RobustnessCurve
        One an axis, scores (network, value); those of axes that draw at random are means over the
        draws.
    net : array of int (network,)
        The network's index in its run, or in its group.
    group : tuple of str
        The group that each network is of; empty where there are none.
    score : str
        "correct" or "accuracy": what thresholds are of.
    level : float
        The score below which a threshold is crossed.
    chance : float or None
        The share of trials that are answered correctly by who ignores the inputs; None where the
        task does not state it.
    skipped : dict of str
        The axes that were not tried since these networks, or the task, have no such thing: why.
    left_out : tuple of str
        The networks of runs that were not tried: they diverged.
    trials, repeats, seed : int
        Number of trials at each value; how often what is random is drawn anew; what all is drawn
        from.
    """

    curves: tuple[RobustnessCurve, ...]
    net: np.ndarray
    group: tuple[str, ...]
    score: str
    level: float
    chance: float | None
    skipped: dict[str, str]
    left_out: tuple[str, ...]
    trials: int
    repeats: int
    seed: int

    def __len__(self) -> int:
        """How many networks were tried."""
        return len(self.net)

    def __getitem__(self, axis: str) -> RobustnessCurve:
        """The curves of one axis."""
        if axis not in self.axes:
            raise InvalidSetting(f"axis {shown(axis)} was not tried; {nearest(axis, self.axes)}")
        return self.curves[self.axes.index(axis)]

    @property
    def axes(self) -> tuple[str, ...]:
        """The names of the axes in order."""
        return tuple(curve.vary for curve in self.curves)

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of the groups in order; empty where there are none."""
        return tuple(dict.fromkeys(self.group))

    @property
    def statement(self) -> str:
        """What was tried, and on each axis where half of the networks have fallen below the level.

        An axis on which more than half of them stay above it is named as such.
        """
        groups = f" in {len(self.groups)} groups" if self.groups else ""
        count = f"{len(self)} network{'s' * (len(self) > 1)}{groups}"
        parts = [f"{count} on {len(self.curves)} axes, {self.trials} trials at each value."]
        parts += [
            _in_words(row, self.score, self.level) for row in self.thresholds().to_dict("records")
        ]
        if self.skipped:
            parts.append(f"Not tried: {', '.join(self.skipped)}.")
        if self.left_out:
            parts.append(f"Left out, since they diverged: {', '.join(self.left_out)}.")
        return " ".join(parts)

    def summary(self) -> dict[str, Any]:
        """How many networks there are, the level, and the median threshold on each axis.

        Returns
        -------
        dict
            Networks, groups, axes, score, level; then for each axis and side, of all networks
            together, the median threshold: infinite where half of them stay above the level.
        """
        numbers = {"networks": len(self), "groups": len(self.groups), "axes": len(self.curves)}
        medians: dict[str, float] = {}
        for curve, side in self._sides():
            found = self._over(np.arange(len(self)), curve, side, 0.95)
            medians[f"{curve.vary} ({side.name})"] = found["median"]
        return {**numbers, "score": self.score, "level": self.level, **medians}

    def table(self) -> pd.DataFrame:
        """The scores as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each axis, network and value: axis, value, net, group where there are groups,
            mse, accuracy, correct.
        """
        labels = {"group": list(self.group)} if self.group else {}
        networks = pd.DataFrame({"net": self.net, **labels})
        parts = []
        for curve in self.curves:
            rows = curve.table().rename(columns={"vary": "axis", "net": "row"})
            joined = rows.join(networks, on="row").drop(columns="row")
            parts.append(joined[["axis", "value", *networks.columns, "mse", "accuracy", "correct"]])
        return pd.concat(parts, ignore_index=True)

    def to_xarray(self) -> Any:
        """The scores and thresholds with their names.

        Returns
        -------
        xarray.Dataset
            For each axis AXIS_mse, AXIS_accuracy and AXIS_correct (net, AXIS), such as
            noise_correct; threshold (axis, side, net), NaN where there is none, with score and
            level as attributes. Coordinates: net (the networks' names), group where there are
            groups, the values of each axis (in words where they are no numbers).
        """
        import xarray

        variables: dict[str, Any] = {
            f"{curve.vary}_{score}": (("net", curve.vary), getattr(curve, score))
            for curve in self.curves
            for score in SCORES
        }
        values = {
            curve.vary: (curve.vary, _as_coordinate(curve.values), {"label": curve.label})
            for curve in self.curves
        }
        labels = network_labels(self.group, self.net)
        scores = xarray.Dataset(variables, {**net_coordinates(labels, self.group), **values})
        return scores.assign(threshold=self._thresholds_by_network(labels))

    def _thresholds_by_network(self, labels: list[str]) -> Any:
        """The threshold (axis, side, net) of each network, as xarray."""
        import xarray

        sides_of = {"axis": list(self.axes), "side": list(SIDES), "net": labels}
        found = xarray.DataArray(
            np.full((len(self.curves), len(SIDES), len(self)), np.nan),
            sides_of,
            list(sides_of),
            attrs={"score": self.score, "level": self.level},
        )
        for curve, side in self._sides():
            found.loc[curve.vary, side.name] = [
                self._crossing(member, curve, side)[0] for member in range(len(self))
            ]
        return found

    @takes(level=a_share)
    def means(self, level: float = 0.95) -> pd.DataFrame:
        """The mean of the score over the networks of each group, with its confidence interval.

        Parameters
        ----------
        level : float
            Of the interval: the share of populations whose interval holds the true mean.

        Returns
        -------
        pandas.DataFrame
            A row for each axis, group and value: axis, group, value, networks, mean, low, high; an
            interval of shares goes from 0 to 1 at most. NaN for the interval of one network.

        Notes
        -----
        The interval is Student's t.
        """
        rows = []
        for curve in self.curves:
            for group, members in self._by_group():
                scores = getattr(curve, self.score)[members]
                for value, column in zip(curve.values, scores.T, strict=True):
                    low, high = np.clip(student_interval(column, level), 0.0, 1.0)
                    rows.append((curve.vary, group, value, len(column), column.mean(), low, high))
        names = ["axis", "group", "value", "networks", "mean", "low", "high"]
        return pd.DataFrame(rows, columns=names)

    def crossings(self) -> pd.DataFrame:
        """The threshold of each network on each axis.

        Returns
        -------
        pandas.DataFrame
            A row for each axis, side and network: axis, side ("larger" or "smaller" values than the
            trained one), group, net, threshold, status. "reached": the score first falls below the
            level there, by a straight line between two values; "not reached": at none of the
            values; "below from the start"; "no score". Axes whose values are no numbers have none.
        """
        rows = []
        for curve, side in self._sides():
            for group, members in self._by_group():
                for member in members:
                    threshold, status = self._crossing(int(member), curve, side)
                    net = int(self.net[member])
                    rows.append((curve.vary, side.name, group, net, threshold, status))
        names = ["axis", "side", "group", "net", "threshold", "status"]
        return pd.DataFrame(rows, columns=names)

    @takes(level=a_share)
    def thresholds(self, level: float = 0.95) -> pd.DataFrame:
        """The thresholds of each group on each axis.

        Parameters
        ----------
        level : float
            Of the interval of the mean threshold, by Student's t.

        Returns
        -------
        pandas.DataFrame
            A row for each axis, side and group: axis, side, group, networks, reached and
            below_from_start (how many of them), median (over all of them: infinite where half of
            them stay above the level, whatever is tried), mean, low, high (the mean and its
            interval, where every network has reached the level; else NaN: the mean of those that
            did would be that of the weaker ones).
        """
        rows = [
            {
                "axis": curve.vary,
                "side": side.name,
                "group": group,
                **self._over(members, curve, side, level),
            }
            for curve, side in self._sides()
            for group, members in self._by_group()
        ]
        return pd.DataFrame(rows)

    def _by_group(self) -> list[tuple[str, np.ndarray]]:
        """The rows of each group; all of them as "" where there are none."""
        if not self.group:
            return [("", np.arange(len(self)))]
        labels = np.array(self.group)
        return [(group, np.flatnonzero(labels == group)) for group in self.groups]

    def _sides(self) -> Iterator[tuple[RobustnessCurve, Side]]:
        return ((curve, side) for curve in self.curves for side in sides(curve))

    def _crossing(self, member: int, curve: RobustnessCurve, side: Side) -> tuple[float, str]:
        scores = getattr(curve, self.score)[member, side.order]
        return crossing(side.values, scores, self.level)

    def _over(
        self,
        members: np.ndarray,
        curve: RobustnessCurve,
        side: Side,
        level: float,
    ) -> dict[str, Any]:
        found = [self._crossing(int(member), curve, side) for member in members]
        thresholds = np.array([threshold for threshold, _ in found])
        return over_networks(thresholds, [status for _, status in found], side, level)


def _as_coordinate(values: np.ndarray | tuple[Any, ...]) -> np.ndarray | list[str]:
    return values if isinstance(values, np.ndarray) else [str(value) for value in values]


def _in_words(row: Mapping[Any, Any], score: str, level: float) -> str:
    """One row of `thresholds`, a sentence."""
    whose = f"{row['group']}, " if row["group"] else ""
    where = f"{whose}{row['axis']} ({row['side']})"
    networks = row["networks"]
    if 2 * row["below_from_start"] > networks:
        return f"{where}: {row['below_from_start']} of {networks} are {BEFORE}."
    if not np.isfinite(row["median"]):
        return f"{where}: {REACHED} by {row['reached']} of {networks}."
    return f"{where}: half of {networks} are below {score} {level:.3g} at {row['median']:.3g}."
