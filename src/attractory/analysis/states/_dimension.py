"""How many dimensions states fill: by their covariance, and by the distances of neighbours."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from attractory._arguments import a_share, as_array, indices, optional, takes
from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting

SAME = 1e-9  # relative: numbers that differ by less do so by round-off alone
NEIGHBOURS = 8  # that are looked up first
FEWEST = 10  # states from which a slope is fitted


@one_blas_thread
@takes(states=as_array)
def participation_ratio(states: np.ndarray) -> float:
    """The participation ratio of states, (Σλ)² / Σλ² over the eigenvalues of their covariance.

    Parameters
    ----------
    states : array (…, unit)
        The states; all leading axes count alike.

    Returns
    -------
    float
        From 1 (all variance along one direction) to the number of units (equal along all).

    Raises
    ------
    InvalidSetting
        For states that do not vary, or are not finite.

    References
    ----------
    Gao et al. (2017), bioRxiv 214262; Rajan, Abbott & Sompolinsky (2010), NIPS 23.
    """
    flat = _flat(states)
    centered = flat - flat.mean(axis=0)
    products = centered.T @ centered
    total = float(np.trace(products))
    if total == 0:
        raise InvalidSetting("states do not vary: they have no dimension")
    return total**2 / float(np.square(products).sum())


@takes(states=as_array, trial=optional(indices), discarded=a_share)
def two_nn_dimension(
    states: np.ndarray, trial: np.ndarray | None = None, discarded: float = 0.1
) -> float:
    """The intrinsic dimension of states by each one's two nearest neighbours.

    Parameters
    ----------
    states : array (…, unit)
        The states; those that are the same, but for round-off, count once.
    trial : array of int (point,), optional
        The trial that each state is of: neighbours of the same trial are left out. Without it
        states that follow each other closely lie on curves, of dimension 1, whatever they fill
        together.
    discarded : float
        Share of the states, those with the largest ratio of the two distances, that the fit leaves
        out, as in the paper.

    Returns
    -------
    float
        The dimension d: the ratio μ of the two distances has P(ratio > μ) = μ^(-d) where the
        density hardly changes between neighbours.

    Raises
    ------
    InvalidSetting
        For fewer than 10 states that differ, or states of too few trials.

    References
    ----------
    Facco, d'Errico, Rodriguez & Laio (2017), Scientific Reports 7:12140; the neighbours that are
    left out: Theiler (1986), Phys. Rev. A 34:2427.
    """
    flat = _flat(states)
    if trial is not None and np.size(trial) != len(flat):
        raise InvalidSetting(f"trial has {np.size(trial)} entries; there are {len(flat)} states")
    points, trial = _distinct(flat, trial)
    nearest = _two_nearest(points, trial)
    ratios = np.log(np.sort(nearest[:, 1] / nearest[:, 0]))
    share = np.arange(1, len(ratios) + 1) / len(ratios)
    used = slice(0, min(int(len(ratios) * (1 - discarded)), len(ratios) - 1))
    squares = float(np.square(ratios[used]).sum())
    if squares < SAME**2:
        raise InvalidSetting("states: the two nearest neighbours of each are equally far away")
    return float(-(ratios[used] * np.log(1 - share[used])).sum()) / squares


def _flat(states: np.ndarray) -> np.ndarray:
    """(point, unit) in float64."""
    if states.ndim < 2:
        raise InvalidSetting(f"states has shape {states.shape}; it must be (…, unit)")
    flat = states.reshape(-1, states.shape[-1]).astype(np.float64)
    if not len(flat) or not np.isfinite(flat).all():
        raise InvalidSetting("states are none, or not finite; all must be")
    return flat


def _distinct(points: np.ndarray, trial: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    """The points without those that are the same, and the trials that are left."""
    size = points.std() * SAME or 1.0
    _, first = np.unique(np.round(points / size), axis=0, return_index=True)
    first = np.sort(first)
    if len(first) < FEWEST:
        raise InvalidSetting(
            f"states: {len(first)} of them differ; at least {FEWEST} are needed for a dimension"
        )
    return points[first], None if trial is None else trial[first]


def _two_nearest(points: np.ndarray, trial: np.ndarray | None) -> np.ndarray:
    """The distances to the two nearest points, of other trials where they are known, (point, 2)."""
    tree = cKDTree(points)
    if trial is None:
        distances: np.ndarray = tree.query(points, 3)[0][:, 1:]
        return distances
    if len(points) - np.unique(trial, return_counts=True)[1].max() < 2:
        raise InvalidSetting("trial: nearly all states are of one trial; each needs two of others")
    nearest = np.empty((len(points), 2))
    left, count = np.arange(len(points)), NEIGHBOURS
    while len(left):
        distances, which = tree.query(points[left], min(count, len(points)))
        others = np.cumsum(trial[which] != trial[left, None], axis=1)
        known = others[:, -1] >= 2
        for i in (0, 1):
            place = (others[known] > i).argmax(axis=1)
            nearest[left[known], i] = distances[known, place]
        left, count = left[~known], 4 * count
    return nearest
