"""Demixed principal component analysis of arrays: marginalisations, decoders and encoders."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh

# of the largest eigenvalue of a covariance: what is below it are squares of what is rounding
SMALLEST_SQUARE = 1e-12
# that are tried, of the norm of the averages, as in the paper: it goes from 1e-7 up
RIDGES = np.array([0.0, *10.0 ** np.arange(-7, 0.1, 0.5)])
REPEATS = 10  # of the cross-validation, as in the paper

Parts = dict[tuple[int, ...], np.ndarray]  # by the numbers of the variables that a part is of


class Demixed(NamedTuple):
    """Demixed components of averages, those of the first marginalisation first.

    part: (component,), the number of the marginalisation; decoders, encoders: (component, unit).
    """

    part: np.ndarray
    decoders: np.ndarray
    encoders: np.ndarray


def marginalised(averages: np.ndarray) -> Parts:
    """Averages as a sum of what depends on each set of variables alone.

    averages: (level of the first variable, …, time, unit). The part of a set is what depends on
    these variables together and on nothing else but time; that of no variable depends on time
    alone. All parts are of the shape of the averages and at right angles to each other; their sum
    is the averages without their mean.
    """
    axes = range(averages.ndim - 2)
    sets = [each for size in range(len(axes) + 1) for each in combinations(axes, size)]
    return {each: _part(averages, each) for each in sets}


def _part(averages: np.ndarray, own: tuple[int, ...]) -> np.ndarray:
    part = averages
    for axis in range(averages.ndim - 2):
        mean = part.mean(axis=axis, keepdims=True)
        part = part - mean if axis in own else np.broadcast_to(mean, part.shape)
    return part if own else part - part.mean(axis=-2, keepdims=True)


def products(parts: Parts) -> np.ndarray:
    """The sums of squares and products of units in each part, (part, unit, unit)."""
    flat = (part.reshape(-1, part.shape[-1]) for part in parts.values())
    return np.stack([each.T @ each for each in flat])


def demixed(
    averages: np.ndarray, components: int, ridge: float, noise: np.ndarray | None = None
) -> Demixed:
    """Decoders and encoders of averages (level of the first variable, …, time, unit).

    components: how many of each marginalisation, at most; ridge: λ of the paper, in the norm of
    the averages; noise: the covariance (unit, unit) of trials about these averages, summed over
    all conditions and times; None where it is no part of the penalty.
    """
    return Regression(products(marginalised(averages)), noise).demixed(components, ridge)


class Regression:
    """Of parts of averages on the averages, of reduced rank; what all ridges have in common.

    Of each part X_φ of the averages X it is the regression X_φ ≈ F D X with a penalty on F D and
    with as few dimensions as there are components. Parts are at right angles to each other, so that
    X_φ Xᵀ = X_φ X_φᵀ: sums of products are all that the solution needs.

    squares: (part, unit, unit); noise: as for `demixed`.
    """

    def __init__(self, squares: np.ndarray, noise: np.ndarray | None) -> None:
        whole = squares.sum(axis=0)
        values, vectors = np.linalg.eigh(whole if noise is None else whole + noise)
        known = values > SMALLEST_SQUARE * values[-1]
        self.total = float(np.trace(whole))
        self.values, self.vectors = values[known], vectors[:, known]
        self.turned = self.vectors.T @ squares
        smallest = SMALLEST_SQUARE * self.total
        self.dimensions = (np.linalg.eigvalsh(squares) > smallest).sum(axis=1)

    def demixed(self, components: int, ridge: float) -> Demixed:
        """Decoders and encoders with this ridge."""
        weights = 1 / (self.values + ridge**2 * self.total)
        found = []
        for part, turned in enumerate(self.turned):
            count, size = min(components, int(self.dimensions[part])), turned.shape[1]
            if not count:
                continue
            fitted = (turned.T * weights) @ turned
            _, leading = eigh(fitted, subset_by_index=[size - count, size - 1])
            encoders = _signed(leading[:, ::-1].T)
            decoders = ((encoders @ turned.T) * weights) @ self.vectors.T
            found.append(Demixed(np.full(count, part), decoders, encoders))
        return Demixed(*(np.concatenate(each) for each in zip(*found, strict=True)))


def _signed(rows: np.ndarray) -> np.ndarray:
    """Rows whose largest entry is positive: the decomposition leaves the sign open."""
    largest = np.abs(rows).argmax(axis=1)
    return rows * np.sign(rows[np.arange(len(rows)), largest])[:, None]


def explained(squares: np.ndarray, found: Demixed) -> np.ndarray:
    """Share of the variance of the averages that a component explains of each part.

    (component, part): by how much less is left of the part without f d X than of the part.
    """
    total = np.trace(squares.sum(axis=0))
    decoders, encoders = found.decoders, found.encoders
    across = np.einsum("cu,puv,cv->cp", decoders, squares, encoders)
    along = np.einsum("cu,puv,cv->cp", decoders, squares, decoders)
    lengths = np.square(encoders).sum(axis=1)[:, None]
    return (2 * across - lengths * along) / total


def cumulative(whole: np.ndarray, found: Demixed) -> np.ndarray:
    """Share of the variance that the first components explain together, (component,)."""
    shares = []
    for count in range(1, len(found.part) + 1):
        left = np.eye(len(whole)) - found.encoders[:count].T @ found.decoders[:count]
        shares.append(1 - np.trace(left @ whole @ left.T) / np.trace(whole))
    return np.array(shares)


def ridge_errors(
    averages: np.ndarray, noise: np.ndarray | None, left_out: np.ndarray, components: int
) -> np.ndarray:
    """The error of each of `RIDGES` in trials that are left out, (ridge,).

    left_out: one trial of each combination, of the shape of the averages, which are of all others.
    As in the paper: the parts of the averages are predicted from the trials that are left out, and
    the error is in the averages' sum of squares.
    """
    units = averages.shape[-1]
    flat = left_out.reshape(-1, units)
    test = flat - flat.mean(axis=0)
    parts = marginalised(averages)
    across = np.stack([test.T @ part.reshape(-1, units) for part in parts.values()])
    regression = Regression(products(parts), noise)
    fits = (regression.demixed(components, ridge) for ridge in RIDGES)
    return np.array([_error(fit, regression.total, across, test.T @ test) for fit in fits])


def _error(found: Demixed, total: float, across: np.ndarray, test: np.ndarray) -> float:
    """Σ over the parts of |X_φ - F D X_test|² / |X|², from sums of products."""
    error = total
    for part in np.unique(found.part):
        decoders, encoders = found.decoders[found.part == part], found.encoders[found.part == part]
        # encoders are orthonormal within a part
        error += np.trace(decoders @ test @ decoders.T)
        error -= 2 * np.trace(decoders @ across[part] @ encoders.T)
    return error / total
