"""How likely success is at a size: a logistic function of the logarithm, by Bayes on a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import comb, expit, log_expit

NEARLY = 0.95  # the other share of successes that a size is told for, beside one half
ODDS = float(np.log(NEARLY / (1 - NEARLY)))
# the prior: flat in the logarithm of the size of half, an octave beyond the sizes that are tried;
# from there to the size of nearly all it is a factor of 2^0.05 (3 %) to 2^5 (32), flat in the
# logarithm of the exponent: steeper is not told apart by whole numbers of units, flatter is no
# dependence on size
BEYOND, SPREADS = 1.0, (0.05, 5.0)
HALVES, WIDTHS = 241, 61  # points of the grid: fine beside what a few dozens of networks tell


@dataclass(frozen=True)
class SuccessCurve:
    """What is known of the probability of success at each size.

    P(success) = 1 / (1 + exp(-ln 19 · (log2 size - half) / width)): 1/2 at 2^half units, 0.95 at
    2^(half + width).

    half : array (half, 1)
    width : array (1, width)
    weights : array (half, width)
        The posterior probability of each pair.
    """

    half: np.ndarray
    width: np.ndarray
    weights: np.ndarray

    @classmethod
    def prior(cls, lowest: int, highest: int) -> Self:
        """Before anything is tried, of sizes from the lowest to the highest."""
        ends = np.log2(lowest) - BEYOND, np.log2(highest) + BEYOND
        half = np.linspace(*ends, HALVES)[:, None]
        width = np.geomspace(*SPREADS, WIDTHS)[None, :]
        return cls(half, width, np.full((HALVES, WIDTHS), 1 / (HALVES * WIDTHS)))

    def after(self, sizes: Sequence[int], successes: Sequence[int], trained: Sequence[int]) -> Self:
        """When of so many trained networks of these sizes so many have succeeded."""
        logarithm = np.log(self.weights)
        for size, won, count in zip(sizes, successes, trained, strict=True):
            odds = self._odds(size)
            logarithm = logarithm + won * log_expit(odds) + (count - won) * log_expit(-odds)
        weights = np.exp(logarithm - logarithm.max())
        return type(self)(self.half, self.width, weights / weights.sum())

    def size_at_half(self, shares: Sequence[float]) -> np.ndarray:
        """Quantiles (share,) of the size at which half succeed."""
        return 2 ** self._quantiles(np.broadcast_to(self.half, self.weights.shape), shares)

    def size_at_nearly_all(self, shares: Sequence[float]) -> np.ndarray:
        """Quantiles (share,) of the size at which 95 of 100 succeed."""
        return 2 ** self._quantiles(self.half + self.width, shares)

    def probability(self, size: float, shares: Sequence[float]) -> np.ndarray:
        """Mean and quantiles (1 + share,) of the probability of success at a size."""
        chance = expit(self._odds(size))
        return np.array([np.sum(self.weights * chance), *self._quantiles(chance, shares)])

    def expected_variance(self, size: int, trained: int) -> float:
        """Of `half`, as it will be on average when so many networks of a size have been trained."""
        chance, whole = expit(self._odds(size)), 0.0
        for won in range(trained + 1):
            likely = comb(trained, won) * chance**won * (1 - chance) ** (trained - won)
            joint = self.weights * likely
            evidence = joint.sum()
            if evidence > 0:
                mean = np.sum(joint * self.half) / evidence
                whole += np.sum(joint * np.square(self.half - mean))
        return float(whole)

    def _odds(self, size: float) -> np.ndarray:
        return ODDS * (np.log2(size) - self.half) / self.width

    def _quantiles(self, values: np.ndarray, shares: Sequence[float]) -> np.ndarray:
        levels, which = np.unique(values, return_inverse=True)
        weights = np.bincount(which.ravel(), self.weights.ravel())
        # each level stands for what is half before and half after it
        reached = np.cumsum(weights) - weights / 2
        return np.interp(shares, reached, levels)
