"""Whether networks fall into clusters: how many, which, and how surely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist, squareform

from attractory._errors import InvalidSetting, whole_number
from attractory._result import Result
from attractory.analysis._clustering import by_size, cut, silhouettes_of
from attractory.population._map import classical_places

LEAST_NETWORKS = 4  # of fewer, two clusters are always apart
CLOUDS = 199  # of one cluster: p comes in steps of 1/200
LEVEL = 0.05  # of p, below which there is more than one cluster
RESAMPLES = 100
KEPT = 0.8  # of the networks, without replacement: a network twice would be a cluster of its own


@dataclass(frozen=True, repr=False)
class Clusters(Result):
    """The clusters of a population.

    Attributes
    ----------
    count : int
        How many there are; 1 where nothing speaks for several.
    members : array of int (net,)
        The cluster of each network, the largest is 0.
    labels : tuple of str
        The networks' names.
    tried : array of int (number,)
        The numbers of clusters that were tried.
    silhouettes : array (number,)
        The mean silhouette of each.
    null_silhouettes : array (cloud,)
        The largest mean silhouette in each of 199 clouds of one cluster.
    p : float
        The share of clouds (and of the networks, one more) whose silhouette is as large.
    stability : float
        Mean adjusted Rand index between the clusters of all networks and those of 80 % of them, 100
        times: 1 where the clusters stay the same. NaN for one cluster.
    linkage : array (net - 1, 4)
        The tree, as scipy.cluster.hierarchy has it.
    """

    count: int
    members: np.ndarray
    labels: tuple[str, ...]
    tried: np.ndarray
    silhouettes: np.ndarray
    null_silhouettes: np.ndarray
    p: float
    stability: float
    linkage: np.ndarray

    def table(self) -> pd.DataFrame:
        """The cluster of each network.

        Returns
        -------
        pandas.DataFrame
            Columns net and cluster.
        """
        return pd.DataFrame({"net": self.labels, "cluster": self.members})

    @property
    def statement(self) -> str:
        """What is known, in words."""
        best = int(self.silhouettes.argmax())
        against = (
            f"mean silhouette {self.silhouettes[best]:.2f} with {self.tried[best]} clusters, "
            f"{np.median(self.null_silhouettes):.2f} in the median cloud of one (p = {self.p:.3f})"
        )
        if self.count == 1:
            return f"One cluster: nothing speaks for several ({against})."
        sizes = ", ".join(str(size) for size in np.bincount(self.members))
        return (
            f"{self.count} clusters of {sizes} networks: {against}; with 80 % of the networks they "
            f"stay the same with an adjusted Rand index of {self.stability:.2f}."
        )


def clusters_of(matrix: np.ndarray, labels: tuple[str, ...], most: int, seed: int) -> Clusters:
    """The clusters of networks with these distances (net, net)."""
    whole_number("most", most, least=2)
    if len(matrix) < LEAST_NETWORKS:
        raise InvalidSetting(
            f"distances of {len(matrix)} networks have no clusters; at least {LEAST_NETWORKS} are "
            "needed"
        )
    tree = tree_of(matrix)
    tried = np.arange(2, min(most, len(matrix) - 1) + 1)
    silhouettes = silhouettes_of(matrix, tree, tried)
    rng = np.random.default_rng(seed)
    clouds = _clouds(matrix, tried, rng)
    as_large = (clouds >= silhouettes.max()).sum()
    p = (1 + as_large) / (1 + len(clouds))
    count = int(tried[silhouettes.argmax()]) if p <= LEVEL else 1
    members = by_size(cut(tree, count))
    stability = _stability(matrix, members, count, rng)
    return Clusters(count, members, labels, tried, silhouettes, clouds, float(p), stability, tree)


def tree_of(matrix: np.ndarray) -> np.ndarray:
    """The tree of networks by average linkage.

    Parameters
    ----------
    matrix : array (net, net)
        Their distances.

    Returns
    -------
    array (net - 1, 4)
        The joints, as scipy.cluster.hierarchy has them.
    """
    tree: np.ndarray = linkage(squareform(matrix, checks=False), "average")
    return tree


def _clouds(matrix: np.ndarray, tried: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The largest mean silhouettes of normally distributed points, as wide as the networks are."""
    widths = classical_places(matrix).std(axis=0, ddof=1)
    found = []
    for _ in range(CLOUDS):
        apart = squareform(pdist(widths * rng.normal(size=(len(matrix), len(widths)))))
        found.append(silhouettes_of(apart, tree_of(apart), tried).max())
    return np.array(found)


def _stability(
    matrix: np.ndarray, members: np.ndarray, count: int, rng: np.random.Generator
) -> float:
    if count == 1:
        return float("nan")
    size = max(count + 1, round(KEPT * len(matrix)))
    found = []
    for _ in range(RESAMPLES):
        some = rng.choice(len(matrix), size, replace=False)
        again = cut(tree_of(matrix[np.ix_(some, some)]), count)
        found.append(adjusted_rand(members[some], again))
    return float(np.mean(found))


def adjusted_rand(one: np.ndarray, other: np.ndarray) -> float:
    """How alike two partitions are (Hubert & Arabie 1985): 1 the same, 0 as by chance."""
    table = np.zeros((one.max() + 1, other.max() + 1))
    np.add.at(table, (one, other), 1)

    def pairs(counts: np.ndarray) -> float:
        return float((counts * (counts - 1) / 2).sum())

    together, of_one, of_other = pairs(table), pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    chance = of_one * of_other / pairs(np.array([len(one)]))
    most = (of_one + of_other) / 2
    return 1.0 if most == chance else (together - chance) / (most - chance)
