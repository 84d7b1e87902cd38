"""Linear decoders of what trials are, how well they do in other trials, and coding subspaces."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular

from attractory._errors import InvalidSetting

PERMUTATIONS = 99  # with the labels as they are, 100: chance comes in steps of 1 %
CHANCE = 0.95  # of the permutations reach no more
HELD = 0.9  # of the spread of the levels' means that the axes of a variable hold
SMALLEST = 1e-9  # of the largest spread of means over the moments: what is below it is rounding
DRAWS = 400  # pairs of random subspaces


class Whitening(NamedTuple):
    """What makes the covariance of states 1.

    center: (unit,); factor: (unit, unit), the lower triangle L of the covariance L Lᵀ.
    """

    center: np.ndarray
    factor: np.ndarray

    def of(self, states: np.ndarray) -> np.ndarray:
        """States (…, unit), whitened."""
        flat = (states - self.center).reshape(-1, len(self.center))
        white: np.ndarray = solve_triangular(self.factor, flat.T, lower=True).T
        return white.reshape(states.shape)


def whitening_of(states: np.ndarray, shrinkage: float) -> Whitening:
    """Of states (trial, unit), whatever their labels; the covariance is shrunk."""
    center = states.mean(axis=0)
    centred = states - center
    covariance = centred.T @ centred / len(states)
    size = len(center)
    mean = np.trace(covariance) / size
    if mean == 0:  # all trials are in the same state: no direction is any better
        return Whitening(center, np.eye(size))
    shrunk = (1 - shrinkage) * covariance + shrinkage * mean * np.eye(size)
    try:
        return Whitening(center, cholesky(shrunk, lower=True))
    except LinAlgError:
        raise InvalidSetting(
            f"shrinkage = {shrinkage} is not allowed here: the states vary in fewer directions "
            f"than the {size} of their units; above 0 it is"
        ) from None


class Discriminants(NamedTuple):
    """Linear functions of whitened states, the largest of which tells the level.

    directions: (…, unit, level); offsets: (…, level).
    """

    directions: np.ndarray
    offsets: np.ndarray

    def told(self, states: np.ndarray) -> np.ndarray:
        """The level (…, trial) of whitened states (…, trial, unit)."""
        scores = states @ self.directions - self.offsets[..., None, :]
        levels: np.ndarray = scores.argmax(axis=-1)
        return levels


def discriminants(means: np.ndarray, parts: np.ndarray, shrinkage: float) -> Discriminants:
    """Nearest mean in the metric of the covariance within levels, shrunk.

    means: (…, unit, level), whitened by the covariance of all states; parts: (level,), the share of
    the trials that are of each. The covariance within levels is that of all states without that of
    the means: its inverse is one of so many rows as there are levels (Woodbury).
    """
    scaled = means * np.sqrt((1 - shrinkage) * parts)
    across = np.swapaxes(scaled, -1, -2)
    within = np.eye(len(parts)) - across @ scaled
    directions = means + scaled @ np.linalg.solve(within, across @ means)
    return Discriminants(directions, (means * directions).sum(axis=-2) / 2)


def shares_of(codes: np.ndarray, count: int) -> np.ndarray:
    """Weights (…, trial, level) whose sum over states gives the means of the levels."""
    own = (codes[..., None] == np.arange(count)).astype(float)
    weights: np.ndarray = own / own.sum(axis=-2, keepdims=True)
    return weights


def in_folds(codes: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """The fold of each trial (trial,), such that each level has about as many in each."""
    order = rng.permutation(len(codes))
    by_level = order[np.argsort(codes[order], kind="stable")]
    found = np.empty(len(codes), int)
    found[by_level] = np.arange(len(codes)) % folds
    return found


def permuted(codes: np.ndarray, folds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The labels as they are, then in random order within each fold (1 + permutation, trial)."""
    found = np.tile(codes, (1 + PERMUTATIONS, 1))
    for fold in np.unique(folds):
        own = folds == fold
        found[1:, own] = rng.permuted(found[1:, own], axis=1)
    return found


class Accuracy(NamedTuple):
    """across: (train, test), between moments; alike: (1 + permutation, moment), at one moment."""

    across: np.ndarray
    alike: np.ndarray


def accuracy(
    states: np.ndarray, codes: np.ndarray, folds: np.ndarray, labels: np.ndarray, shrinkage: float
) -> Accuracy:
    """Share of trials that are decoded correctly, each level with the same weight.

    states: (trial, moment, unit); codes, folds: (trial,); labels: (1 + permutation, trial). A trial
    is decoded from means that it is no part of.
    """
    moments, count = states.shape[1], int(codes.max()) + 1
    # correctly decoded trials by level: whole numbers, so that equal accuracies are equal
    across = np.zeros((moments, moments, count))
    alike = np.zeros((len(labels), moments, count))
    one_hot = (labels[..., None] == np.arange(count)).astype(float)
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        weights = shares_of(labels[:, train], count)
        parts = np.bincount(codes[train]) / train.sum()
        for moment in range(moments):
            white = whitening_of(states[train, moment], shrinkage)
            means = white.of(states[train, moment]).T @ weights  # (label, unit, level)
            found = discriminants(means, parts, shrinkage)
            told = found.told(white.of(states[test, moment]))
            alike[:, moment] += _hits(told == labels[:, test], one_hot[:, test])
            own = Discriminants(found.directions[0], found.offsets[0])
            told = own.told(white.of(np.swapaxes(states[test], 0, 1)))
            across[moment] += _hits(told == codes[test], one_hot[0, test])
    counts = np.bincount(codes)
    return Accuracy((across / counts).mean(axis=-1), (alike / counts).mean(axis=-1))


def _hits(right: np.ndarray, one_hot: np.ndarray) -> np.ndarray:
    """How many trials of each level are right, (…, level), from (…, trial), (…, trial, level)."""
    hits: np.ndarray = right[..., None, :].astype(float) @ one_hot
    return hits[..., 0, :]


def level_means(states: np.ndarray, codes: np.ndarray, count: int) -> np.ndarray:
    """Of states (trial, moment, unit), without what they share: (moment, level, unit)."""
    means = np.einsum("tmu,tl->mlu", states, shares_of(codes, count))
    return means - means.mean(axis=1, keepdims=True)


def dimensions_of(means: np.ndarray) -> int:
    """Along how many directions the means spread, pooled over the moments."""
    squares = np.square(np.linalg.svd(means, compute_uv=False)).sum(axis=0)
    total = squares.sum()
    if total == 0:
        return 1
    return int(np.argmax(np.cumsum(squares) >= HELD * total)) + 1


def subspaces(means: np.ndarray, count: int) -> np.ndarray:
    """Orthonormal axes (moment, axis, unit) along which the means spread most; NaN without any."""
    _, lengths, rows = np.linalg.svd(means, full_matrices=False)
    axes: np.ndarray = rows[:, :count]
    largest = np.abs(axes).argmax(axis=2)[..., None]
    axes = axes * np.sign(np.take_along_axis(axes, largest, axis=2))
    nothing = lengths[:, 0] <= SMALLEST * lengths.max()
    axes[nothing] = np.nan
    return axes


def angles_between(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Mean of the principal angles of subspaces (…, axis, unit), in degrees; NaN where one is."""
    cosines = one @ np.swapaxes(other, -1, -2)
    known = np.isfinite(cosines).all(axis=(-1, -2))
    values = np.linalg.svd(np.where(known[..., None, None], cosines, 0.0), compute_uv=False)
    angles = np.degrees(np.arccos(np.clip(values, 0, 1))).mean(axis=-1)
    return np.where(known, angles, np.nan)


def random_angle(units: int, one: int, other: int, rng: np.random.Generator) -> float:
    """Random subspaces of so many axes are nearer to each other than this in 5 % of draws (°)."""
    drawn = [np.linalg.qr(rng.normal(size=(DRAWS, units, count)))[0] for count in (one, other)]
    first, second = (np.swapaxes(each, 1, 2) for each in drawn)
    return float(np.quantile(angles_between(first, second), 1 - CHANCE))
