"""Trees cut into clusters, and how far apart these are."""

from __future__ import annotations

import numpy as np
from scipy.cluster.hierarchy import fcluster


def cut(tree: np.ndarray, count: int) -> np.ndarray:
    """The cluster of each item, from 0, where the tree is cut into at most so many."""
    members: np.ndarray = fcluster(tree, count, "maxclust") - 1
    return members


def by_size(members: np.ndarray) -> np.ndarray:
    """The largest cluster becomes 0, of equal ones that which comes first."""
    sizes = np.bincount(members)
    first = np.array([np.argmax(members == cluster) for cluster in range(len(sizes))])
    order = np.lexsort((first, -sizes))
    return np.argsort(order)[members]


def silhouettes_of(matrix: np.ndarray, tree: np.ndarray, tried: np.ndarray) -> np.ndarray:
    """The mean silhouette (number,) for each number of clusters that is tried."""
    return np.array([silhouette(matrix, cut(tree, int(count))) for count in tried])


def silhouette(matrix: np.ndarray, members: np.ndarray) -> float:
    """The mean silhouette (Rousseeuw 1987): 0 of an item that is a cluster of its own.

    0, too, where items are not apart at all, or all in one cluster.
    """
    count = int(members.max()) + 1
    if count < 2:
        return 0.0
    which = np.eye(count)[members]  # (item, cluster)
    sizes = which.sum(axis=0)
    totals = matrix @ which
    own = np.arange(len(matrix)), members
    within = totals[own] / np.maximum(sizes[members] - 1, 1)
    to_others = totals / sizes
    to_others[own] = np.inf
    beside = to_others.min(axis=1)
    larger = np.maximum(within, beside)
    alone = (sizes[members] == 1) | (larger == 0)
    values = np.where(alone, 0.0, (beside - within) / np.where(larger > 0, larger, 1.0))
    return float(values.mean())
