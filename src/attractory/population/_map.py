"""A map of networks: places that are as far apart as the networks are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial.distance import pdist, squareform

from attractory._errors import whole_number
from attractory._result import Result

STARTS = 8  # random ones: two-dimensional maps have local optima
STEPS = 500  # of majorisation; it stops before where the stress no longer falls
SETTLED = 1e-9  # of the stress, in one step


@dataclass(frozen=True, repr=False)
class PopulationMap(Result):
    """Networks as points, as far apart as their distances are, as well as that goes.

    Attributes
    ----------
    metric, unit : str
        The distance, and what it is measured in.
    coordinates : array (net, dimension)
        The places; their mean is 0, the first axis is the widest.
    stress : float
        Kruskal's stress-1, √(Σ (d - δ)² / Σ d²) over pairs with d on the map and δ given: 0 where
        the map is exact.
    labels, groups : tuple of str
        The networks' names, and what each was given under.
    """

    metric: str
    unit: str
    coordinates: np.ndarray
    stress: float
    labels: tuple[str, ...]
    groups: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """The places.

        Returns
        -------
        pandas.DataFrame
            A row a network: net, group, and its coordinates x0, x1, and so on.
        """
        table = pd.DataFrame({"net": self.labels, "group": self.groups})
        for i, column in enumerate(self.coordinates.T):
            table[f"x{i}"] = column
        return table


def classical_places(matrix: np.ndarray) -> np.ndarray:
    """Places (net, dimension) by Torgerson's classical scaling, the widest direction first.

    Where distances are not of points in space, directions that would be imaginary are left out.
    """
    count = len(matrix)
    centring = np.eye(count) - 1 / count
    products = -0.5 * centring @ matrix**2 @ centring
    values, vectors = np.linalg.eigh(products)
    order = np.argsort(values)[::-1]
    places: np.ndarray = vectors[:, order] * np.sqrt(np.maximum(values[order], 0.0))
    return places


def map_of(matrix: np.ndarray, dimensions: int, seed: int) -> tuple[np.ndarray, float]:
    """Places (net, dimension) and their stress."""
    whole_number("dimensions", dimensions)
    rng = np.random.default_rng(seed)
    begin = np.zeros((len(matrix), dimensions))
    known = classical_places(matrix)[:, :dimensions]
    begin[:, : known.shape[1]] = known
    size = matrix.max()
    starts = [begin, *(size * rng.normal(size=begin.shape) for _ in range(STARTS))]
    found = [_majorised(matrix, start) for start in starts]
    places, stress = min(found, key=lambda each: each[1])
    centre = places - places.mean(axis=0)
    axes = np.linalg.svd(centre, full_matrices=False)[2]
    return centre @ axes.T, stress


def _majorised(matrix: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, float]:
    """Guttman's transform until the stress no longer falls."""
    stress = _stress(matrix, places)
    for _ in range(STEPS):
        apart = squareform(pdist(places))
        shares = np.divide(matrix, apart, out=np.zeros_like(matrix), where=apart > 0)
        moved = (np.diag(shares.sum(axis=1)) - shares) @ places / len(places)
        before, places, stress = stress, moved, _stress(matrix, moved)
        if before - stress < SETTLED:
            break
    return places, stress


def _stress(matrix: np.ndarray, places: np.ndarray) -> float:
    wanted, apart = squareform(matrix, checks=False), pdist(places)
    size = np.square(apart).sum()
    return float(np.sqrt(np.square(apart - wanted).sum() / size)) if size > 0 else 0.0
