"""The distances of a population: a matrix with names, and what it is held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial.distance import squareform

from attractory._result import Result
from attractory.population._clusters import Clusters, clusters_of
from attractory.population._labelled import net_coordinates
from attractory.population._map import PopulationMap, map_of
from attractory.population._nulls import NOISE_ANEW, TWO_HALVES, UNTRAINED

ROUNDING = 1e-12  # distances below it are rounding errors of 0


@dataclass(frozen=True, repr=False)
class Distances(Result):
    """How far apart networks are, each two of them: 0 is the same, larger is farther.

    Attributes
    ----------
    metric : str
        The name of the distance.
    unit : str
        What it is measured in.
    source : str
        Where it is defined.
    invariances : tuple of str
        What does not change it: "permutation", "rotation", "scaling".
    is_metric : bool
        Whether the triangle inequality holds.
    matrix : array (net, net)
        The distances: symmetric, 0 on the diagonal.
    labels : tuple of str
        The networks' names: their numbers, after the name of their group where they have one.
    groups : tuple of str
        What each was given under; "" where networks were given without names.
    nulls : dict of str to array (pair,)
        Distances that mean nothing, by name (see `compare`); none where none were asked for.
    reliability : float
        Spearman's correlation, over pairs of networks, of their distances in two halves of the
        trials: 1 where distances are of the networks and not of the trials. NaN where there are
        no trials, where no nulls were asked for, and for less than 3 pairs.
    left_out : dict of str to str
        The networks that could not be compared, and why.
    """

    metric: str
    unit: str
    source: str
    invariances: tuple[str, ...]
    is_metric: bool
    matrix: np.ndarray
    labels: tuple[str, ...]
    groups: tuple[str, ...]
    nulls: dict[str, np.ndarray]
    reliability: float
    left_out: dict[str, str]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def pairs(self) -> np.ndarray:
        """The distance of each pair (pair,), in the order of `table`."""
        between: np.ndarray = squareform(self.matrix, checks=False)
        return between

    def table(self) -> pd.DataFrame:
        """The distances, a row a pair.

        Returns
        -------
        pandas.DataFrame
            Columns: net and other (their labels), distance; for networks with groups also their
            group and other_group.
        """
        first, second = np.triu_indices(len(self), 1)
        labels, groups = np.array(self.labels), np.array(self.groups)
        columns: dict[str, Any] = {"net": labels[first], "other": labels[second]}
        if any(self.groups):
            columns |= {"group": groups[first], "other_group": groups[second]}
        return pd.DataFrame({**columns, "distance": self.pairs})

    def frame(self) -> pd.DataFrame:
        """The matrix with the networks' names.

        Returns
        -------
        pandas.DataFrame
            A row and a column a network.
        """
        names = pd.Index(self.labels, name="net")
        return pd.DataFrame(self.matrix, index=names, columns=names)

    def to_xarray(self) -> Any:
        """The matrix and the nulls with their names.

        Returns
        -------
        xarray.Dataset
            The variable distance (net, other), with metric, unit and source as attributes; where
            there are nulls, null_distance (null_pair), and the name of the null of each.
            Coordinates: net and other (the networks' names), group where there are groups.
        """
        import xarray

        about = {"metric": self.metric, "unit": self.unit, "source": self.source}
        variables: dict[str, Any] = {"distance": (("net", "other"), self.matrix, about)}
        coordinates = net_coordinates(self.labels, self.groups) | {"other": list(self.labels)}
        if self.nulls:
            names = np.repeat(list(self.nulls), [len(each) for each in self.nulls.values()])
            every = np.concatenate(list(self.nulls.values()))
            variables["null_distance"] = ("null_pair", every, {"unit": self.unit})
            coordinates["null"] = ("null_pair", names)
        return xarray.Dataset(variables, coordinates)

    @property
    def position(self) -> float:
        """Where the population lies between one network with itself (0) and untrained ones (1).

        Of the medians. NaN without nulls, and where untrained networks are no farther apart than
        one network from itself.
        """
        if UNTRAINED not in self.nulls:
            return float("nan")
        floor = self._floor
        width = float(np.median(self.nulls[UNTRAINED])) - floor
        return (float(np.median(self.pairs)) - floor) / width if width > 0 else float("nan")

    @property
    def _floor(self) -> float:
        """The median distance of one network from itself; 0 where nothing is drawn at random."""
        for name in (NOISE_ANEW, TWO_HALVES):
            if name in self.nulls:
                return float(np.median(self.nulls[name]))
        return 0.0

    def summary(self) -> dict[str, Any]:
        """The distances in a few numbers.

        Returns
        -------
        dict
            By name: metric, unit, networks, pairs; median, smallest and largest distance; the
            median of each null; position, reliability, and in words the statement.
        """
        pairs = self.pairs
        return {
            "metric": self.metric,
            "unit": self.unit,
            "networks": len(self),
            "pairs": len(pairs),
            "median": float(np.median(pairs)),
            "smallest": float(pairs.min()),
            "largest": float(pairs.max()),
            **{name: float(np.median(values)) for name, values in self.nulls.items()},
            "position": self.position,
            "reliability": self.reliability,
            "statement": self.statement,
        }

    @property
    def statement(self) -> str:
        """What is known, in words: the distances, the nulls, where the population lies."""
        pairs = self.pairs
        words = [
            f"{len(self)} networks: the median {self.metric} distance of two is "
            f"{_short(np.median(pairs))} ({self.unit}; {_short(pairs.min())} to "
            f"{_short(pairs.max())}; 0 is the same)."
        ]
        if self.nulls:
            medians = [f"{name} {_short(np.median(each))}" for name, each in self.nulls.items()]
            words.append(f"Nulls, median: {', '.join(medians)}.")
        if np.isfinite(self.position):
            words.append(
                f"The population lies at {self.position:.2f} of the way from one network with "
                "itself (0) to untrained networks (1)."
            )
        if np.isfinite(self.reliability):
            words.append(
                f"Distances in two halves of the trials go along with ρ = {self.reliability:.2f}."
            )
        if self.left_out:
            left = [f"{label} ({why})" for label, why in self.left_out.items()]
            words.append(f"Left out: {', '.join(left)}.")
        return " ".join(words)

    def clusters(self, most: int = 8, seed: int = 0) -> Clusters:
        """Whether the networks fall into clusters, how many, and which.

        Parameters
        ----------
        most : int
            At most so many clusters are tried, 2 or more.
        seed : int
            Of the null and of the resampling.

        Returns
        -------
        Clusters
            One cluster where nothing speaks for several.

        Raises
        ------
        InvalidSetting
            For fewer than 4 networks.

        Notes
        -----
        Clusters are those of average linkage; their number is that of the largest mean silhouette
        (Rousseeuw 1987), where this is larger than in one cluster: clouds of normally distributed
        points that are as wide in each direction as the networks are (after Liu et al. 2008).
        """
        return clusters_of(self.matrix, self.labels, most, seed)

    def map(self, dimensions: int = 2, seed: int = 0) -> PopulationMap:
        """Places for the networks, as far apart as their distances are, as well as that goes.

        Parameters
        ----------
        dimensions : int
            Of the map.
        seed : int
            Of the places that the search begins with.

        Returns
        -------
        PopulationMap
            The places, and how well they keep the distances: the stress.

        Notes
        -----
        Metric multidimensional scaling by majorisation (SMACOF; Borg & Groenen 2005), from the
        classical solution and from random places; the best is taken.
        """
        places, stress = map_of(self.matrix, dimensions, seed)
        return PopulationMap(self.metric, self.unit, places, stress, self.labels, self.groups)


def _short(value: float) -> str:
    return f"{value if value > ROUNDING else 0:.3g}"
