"""Distances between the shapes that the states of two networks make in the same trials."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import pdist, squareform

from attractory.population._distance import distance
from attractory.population._subject import Subject

ALIKE = 0.99  # cosines above it have lost digits of their angle, which is computed otherwise there
SMALL = 1e-8  # of the largest covariance: it has 8 of the 16 digits left
DOUBTFUL = 1e-12  # of the largest square: a thousand times the rounding of a product of 100 units
MOST_COMPARED = 256  # samples whose distances to each other are ranked: 32 640 pairs


def centred(subject: Subject) -> np.ndarray:
    """The states (sample, unit) minus their mean, of Frobenius norm 1."""
    states = subject.samples - subject.samples.mean(axis=0)
    return states / np.linalg.norm(states)


@distance(
    needs="states",
    source="Williams, Kunz, Kornblith & Linderman (2021)",
    invariances=("permutation", "rotation", "scaling"),
    metric=True,
    unit="rad",
    prepare=centred,
)
def procrustes(a: np.ndarray, b: np.ndarray) -> float:
    """The angle between two shapes after the best rotation, arccos ‖XᵀY‖_*.

    X and Y are centred and have Frobenius norm 1; the smaller network has units that stay 0. Of two
    shapes that are nearly alike the angle comes from the length of the chord between them, since
    the cosine has lost its digits.
    """
    cosine = float(np.linalg.svd(a.T @ b, compute_uv=False).sum())  # units that stay 0 add none
    if cosine < ALIKE:
        return float(np.arccos(cosine))
    units = max(a.shape[1], b.shape[1])
    return _angle(_chord(_widened(a, units), _widened(b, units)))


def _chord(a: np.ndarray, b: np.ndarray) -> float:
    """The least ‖A - BQ‖ over rotations Q, to all digits.

    Directions along which the two hardly vary are lost in the rounding of the others: they are
    turned onto each other once more, by themselves.
    """
    left, values, right = np.linalg.svd(a.T @ b)
    a, b = a @ left, b @ right.T
    small = values < SMALL * values[0]
    large = np.linalg.norm((a - b)[:, ~small])
    if values[0] == 0 or not small.any():
        return float(large)
    return float(np.hypot(large, _chord(a[:, small], b[:, small])))


def _widened(states: np.ndarray, units: int) -> np.ndarray:
    return np.pad(states, ((0, 0), (0, units - states.shape[1])))


def _angle(chord: np.floating | float) -> float:
    """Of two points on a sphere of radius 1."""
    return float(2 * np.arcsin(min(1.0, chord / 2)))


def by_gram_norm(subject: Subject) -> np.ndarray:
    """Centred states X (sample, unit) for which ‖XXᵀ‖ is 1."""
    states = centred(subject)
    return states / np.sqrt(np.linalg.norm(states.T @ states))


@distance(
    needs="states",
    source="Kornblith, Norouzi, Lee & Hinton (2019); its angle: Williams et al. (2021)",
    invariances=("permutation", "rotation", "scaling"),
    metric=True,
    unit="rad",
    prepare=by_gram_norm,
)
def cka(a: np.ndarray, b: np.ndarray) -> float:
    """The angle between the similarities of samples in two networks, arccos of linear CKA.

    It weighs directions by the square of their variance: a few large ones decide, and it can be
    moved a long way by few samples. With few samples a unit it is biased towards alike; see
    `cka_debiased`.
    """
    cosine = float(np.linalg.norm(a.T @ b) ** 2)
    if cosine < ALIKE:
        return float(np.arccos(cosine))
    # AAᵀ - BBᵀ, whose norm is the chord, in the few dimensions that it has
    triangle = np.asarray(np.linalg.qr(np.hstack([a, b]), mode="r"))
    signs = np.repeat([1.0, -1.0], [a.shape[1], b.shape[1]])
    return _angle(np.linalg.norm((triangle * signs) @ triangle.T))


class Unbiased(NamedTuple):
    """What the unbiased estimate needs of one network.

    states: (sample, unit). own: |x_i|² of each sample. sums: Σ_j≠i x_i·x_j of each sample. norm:
    the square root of its HSIC with itself.
    """

    states: np.ndarray
    own: np.ndarray
    sums: np.ndarray
    norm: float


def unbiased(subject: Subject) -> Unbiased:
    states = centred(subject)
    own = np.square(states).sum(axis=1)
    sums = states @ states.sum(axis=0) - own
    made = Unbiased(states, own, sums, 1.0)
    return made._replace(norm=float(np.sqrt(_unbiased_hsic(made, made))))


def _unbiased_hsic(a: Unbiased, b: Unbiased) -> float:
    """Song et al. (2012), with linear kernels, times n (n - 3)."""
    n = len(a.own)
    products = np.linalg.norm(a.states.T @ b.states) ** 2 - a.own @ b.own
    totals = a.sums.sum() * b.sums.sum() / ((n - 1) * (n - 2))
    return float(products + totals - 2 / (n - 2) * (a.sums @ b.sums))


@distance(
    needs="states",
    source="Kornblith et al. (2019) with the unbiased HSIC of Song et al. (2012)",
    invariances=("permutation", "rotation", "scaling"),
    unit="1 − CKA",
    prepare=unbiased,
)
def cka_debiased(a: Unbiased, b: Unbiased) -> float:
    """One minus linear CKA by an estimate without bias: 1 of unrelated networks, on average.

    Above 1 where the estimate is below 0.
    """
    return max(0.0, 1.0 - _unbiased_hsic(a, b) / (a.norm * b.norm))  # not -1e-16


def ranked_distances(subject: Subject) -> np.ndarray:
    """Ranks of the distances between samples (pair,), centred, of norm 1."""
    samples = subject.samples
    if len(samples) > MOST_COMPARED:
        # the same ones of every network, not the caller's seed's: they are no choice of hers
        drawn = np.random.default_rng(1).choice(len(samples), MOST_COMPARED, replace=False)
        samples = samples[drawn]
    ranks = distance_ranks(samples)
    ranks = ranks - ranks.mean()
    return ranks / np.linalg.norm(ranks)


def distance_ranks(samples: np.ndarray) -> np.ndarray:
    """The ranks (pair,) of the distances between samples (sample, unit); of equal ones their mean.

    From products of the samples, which are fast; where two distances are nearer to each other than
    products are exact, as where a state comes back, from the differences of the samples.
    """
    centred = samples - samples.mean(axis=0)
    squares = np.square(centred).sum(axis=1)
    squared = squareform(squares[:, None] + squares - 2 * centred @ centred.T, checks=False)
    order = np.argsort(squared)
    if np.diff(squared[order]).min(initial=np.inf) <= DOUBTFUL * squares.max():
        return mean_ranks(pdist(samples))
    ranks = np.empty(len(squared))
    ranks[order] = np.arange(1.0, len(squared) + 1)
    return ranks


def mean_ranks(values: np.ndarray) -> np.ndarray:
    """The ranks (value,) from 1; of equal values their mean.

    As SciPy's `rankdata`, which sorts so that equal values keep their order: eight times slower.
    """
    order = np.argsort(values)
    ordered = values[order]
    ranks = np.empty(len(values))
    begins = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    sizes = np.diff(np.append(begins, len(values)))
    ranks[order] = np.repeat(begins + (sizes + 1) / 2, sizes)
    return ranks


@distance(
    needs="states",
    source="Kriegeskorte, Mur & Bandettini (2008)",
    invariances=("permutation", "rotation", "scaling"),
    unit="1 − Spearman's ρ",
    prepare=ranked_distances,
)
def rsa(a: np.ndarray, b: np.ndarray) -> float:
    """One minus the rank correlation (Spearman) of two matrices of distances between samples.

    Distances are Euclidean, of 256 samples at most. 0: the order of the distances is the same, 1:
    they have nothing to do with each other.
    """
    return float(max(0.0, 1.0 - a @ b))
