"""One number a network for each measure: the table of a population."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from attractory._arguments import a_share, optional, refusal, takes, whole
from attractory._errors import InvalidSetting
from attractory._result import Result
from attractory.population._group_differences import GroupDifferences, differences
from attractory.population._group_statistics import mean_interval
from attractory.population._labelled import net_coordinates, network_labels


def _labels_given(name: str, value: Any) -> list[str]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise InvalidSetting(refusal(name, value, "a label for each network"))
    return [str(label) for label in value]


@dataclass(frozen=True, repr=False)
class Measures(Result):
    """Measures of the networks of a population, side by side.

    Attributes
    ----------
    names : tuple of str
        The measures; "name@epoch" is of the states in that epoch.
    values : array (network, measure)
        The numbers, float64; NaN where there is none.
    net : array of int (network,)
        The network's index in its run, or in its group.
    group : tuple of str
        The group that each network is of; empty where there are none.
    units, larger, sources : dict of str
        Of each measure its unit, what a larger number means, and where it comes from.
    reasons : dict of dict
        Why there is no number: by the measure, then by the row of the network.
    left_out : tuple of str
        The networks of runs that were not measured: they diverged.
    trials : int
        Number of trials that all networks got; 0 where no measure needed any.
    seed : int
        Of the trials and of the networks' noise.
    """

    names: tuple[str, ...]
    values: np.ndarray
    net: np.ndarray
    group: tuple[str, ...]
    units: dict[str, str]
    larger: dict[str, str]
    sources: dict[str, str]
    reasons: dict[str, dict[int, str]]
    left_out: tuple[str, ...] = ()
    trials: int = 0
    seed: int = 0

    def __len__(self) -> int:
        """How many networks were measured."""
        return len(self.values)

    def __getitem__(self, name: str) -> np.ndarray:
        """One measure of all networks, (network,)."""
        if name not in self.names:
            raise InvalidSetting(
                f"measure {name!r} was not taken; allowed: {', '.join(self.names)}"
            )
        return self.values[:, self.names.index(name)]

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of the groups in order; empty where there are none."""
        return tuple(dict.fromkeys(self.group))

    @property
    def statement(self) -> str:
        """How many networks there are, which were left out, and where there is no number."""
        groups = f" in {len(self.groups)} groups" if self.groups else ""
        parts = [f"{len(self)} network{'s' * (len(self) > 1)}{groups}."]
        if self.left_out:
            parts.append(f"Left out, since they diverged: {', '.join(self.left_out)}.")
        for name, reasons in self.reasons.items():
            first = next(iter(reasons.values()))
            parts.append(f"No {name} of {len(reasons)} of them: {first}.")
        return " ".join(parts)

    def summary(self) -> dict[str, Any]:
        """How many networks there are, and the mean of each measure.

        Returns
        -------
        dict
            Networks, groups, left_out, and the means over the networks that have a number.
        """
        known = ~np.isnan(self.values)
        sums = np.where(known, self.values, 0.0).sum(axis=0)
        counts = known.sum(axis=0)
        means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        numbers = {"networks": len(self), "groups": len(self.groups)}
        of_measures = dict(zip(self.names, means.tolist(), strict=True))
        return {**numbers, "left_out": len(self.left_out), **of_measures}

    def table(self) -> pd.DataFrame:
        """The measures as a table.

        Returns
        -------
        pandas.DataFrame
            A row a network: net, group where there are groups, and each measure.
        """
        labels = {"group": list(self.group)} if self.group else {}
        columns = dict(zip(self.names, self.values.T, strict=True))
        return pd.DataFrame({"net": self.net, **labels, **columns})

    def to_xarray(self) -> Any:
        """The measures with their names.

        Returns
        -------
        xarray.Dataset
            A variable (net) for each measure, its unit, what a larger number means, and its source
            as attributes. Coordinates: net (the networks' names), group where there are groups.
        """
        import xarray

        variables = {
            name: (
                "net",
                self[name],
                {
                    "unit": self.units[name],
                    "larger": self.larger[name],
                    "source": self.sources[name],
                },
            )
            for name in self.names
        }
        labels = network_labels(self.group, self.net)
        return xarray.Dataset(variables, net_coordinates(labels, self.group))

    @takes(level=a_share, by=optional(_labels_given))
    def intervals(self, level: float = 0.95, by: Sequence[str] | None = None) -> pd.DataFrame:
        """The mean of each measure in each group, with its confidence interval.

        Parameters
        ----------
        level : float
            Of the interval: the share of populations whose interval holds the true mean.
        by : sequence of str, optional
            A label for each network instead of the groups.

        Returns
        -------
        pandas.DataFrame
            A row for each measure and group: measure, group, networks that have a number, mean,
            standard deviation, low, high; NaN for what needs more networks.

        Notes
        -----
        The interval is Student's; where the numbers have a long tail, its end on that side is moved
        out by Hall's transformation [1]_, and moved farther for few numbers, in which the tail is
        hardly seen. In 20 000 simulations it holds the true mean of 12 normal networks in 96 % of
        cases, of uniform ones in 97 %, of exponential ones in 95 %, of lognormal ones in 93 %; of 6
        exponential ones in 92 %, of 6 lognormal ones in 89 %.

        References
        ----------
        .. [1] Hall (1992), J. R. Stat. Soc. B 54:221.
        """
        labels = self._labels(by)
        rows = []
        for name in self.names:
            for group in dict.fromkeys(labels):
                values = self._values_of(name, group, labels)
                spread = values.std(ddof=1) if len(values) > 1 else np.nan
                low, high = mean_interval(values, level)
                rows.append(
                    {
                        "measure": name,
                        "group": group,
                        "networks": len(values),
                        "mean": values.mean() if len(values) else np.nan,
                        "standard_deviation": spread,
                        "low": low,
                        "high": high,
                    }
                )
        return pd.DataFrame(rows)

    @takes(by=optional(_labels_given), level=a_share, seed=whole())
    def compare(
        self, by: Sequence[str] | None = None, level: float = 0.95, seed: int = 0
    ) -> GroupDifferences:
        """In what the groups differ: every measure, every pair of groups.

        Parameters
        ----------
        by : sequence of str, optional
            A label for each network instead of the groups that were measured.
        level : float
            Of the intervals of the differences.
        seed : int
            Of random permutations.

        Returns
        -------
        GroupDifferences
            Effect sizes, p-values with corrections for their number, intervals.

        Raises
        ------
        InvalidSetting
            For fewer than two groups, and a group of fewer than two networks.
        """
        labels = self._labels(by)
        columns = {
            name: {group: self._values_of(name, group, labels) for group in dict.fromkeys(labels)}
            for name in self.names
        }
        _check_groups(labels)
        return differences(columns, level, seed)

    def _labels(self, by: Sequence[str] | None) -> list[str]:
        """The group of each network; "" for all where there are none."""
        if by is None:
            return list(self.group) or [""] * len(self)
        if len(by) != len(self):
            raise InvalidSetting(
                f"by has {len(by)} labels; there are {len(self)} networks, each needs one"
            )
        return list(by)

    def _values_of(self, name: str, group: str, labels: list[str]) -> np.ndarray:
        """The numbers that the networks of a group have."""
        values = self[name][np.array(labels) == group]
        return values[~np.isnan(values)]


def _check_groups(labels: list[str]) -> None:
    counts = {group: labels.count(group) for group in labels}
    if len(counts) < 2:
        raise InvalidSetting(
            "there is one group; two are needed to be compared: measure({name: networks, ...}), or "
            "by = a label for each network"
        )
    for group, count in counts.items():
        if count < 2:
            raise InvalidSetting(
                f"group {group!r} has {count} network; at least two are needed to be compared"
            )
