"""Distances between eigenvalues: how far those of one network must be moved to the other's."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment, linprog
from scipy.sparse import eye_array, kron, vstack

from attractory.population._distance import distance


def transport(a: np.ndarray, b: np.ndarray) -> float:
    """The mean distance over which points of the complex plane are moved onto others.

    Wasserstein's distance of order 1, each point of a having the weight 1/len(a).
    """
    far = np.abs(a[:, None] - b[None, :])
    if len(a) == len(b):
        return float(far[linear_sum_assignment(far)].mean())
    # of unequal numbers points are split: flows (a, b) with the sums 1/len(a) and 1/len(b)
    leaving = kron(eye_array(len(a)), np.ones((1, len(b))))
    arriving = kron(np.ones((1, len(a))), eye_array(len(b)))
    sums = np.repeat([1 / len(a), 1 / len(b)], [len(a), len(b)])
    found = linprog(far.ravel(), A_eq=vstack([leaving, arriving]), b_eq=sums, method="highs")
    return float(found.fun)


@distance(
    needs="spectrum",
    source="Wasserstein's distance of order 1 between eigenvalues",
    invariances=("permutation", "rotation"),
    metric=True,
    unit="a.u.",
)
def spectra(a: np.ndarray, b: np.ndarray) -> float:
    """The mean distance over which eigenvalues of one network are moved onto the other's.

    The best one-to-one assignment; between networks of other numbers of units eigenvalues are
    split. Two networks with one spectrum have the distance 0 whatever their eigenvectors are.
    """
    return transport(a, b)
