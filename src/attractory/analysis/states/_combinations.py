"""Trials by the combinations of their levels: averages, and how trials vary about them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from attractory._errors import InvalidSetting
from attractory.analysis.states._levels import Levels


class Combinations(NamedTuple):
    """States (trial, time, unit), the combination that each trial is of, how many levels.

    noisy: the covariance of trials about their averages counts.
    """

    states: np.ndarray
    cells: np.ndarray
    shape: tuple[int, ...]
    noisy: bool

    def whole(self, array: np.ndarray) -> np.ndarray:
        """An array (combination, …) by the level of each variable."""
        return array.reshape(*self.shape, *array.shape[1:])

    @property
    def counts(self) -> np.ndarray:
        """How many trials each combination has, (combination,)."""
        return np.bincount(self.cells, minlength=int(np.prod(self.shape)))

    def averages(self, some: Any = slice(None)) -> np.ndarray:
        """Over some trials, (level of the first variable, …, time, unit)."""
        return self.whole(self._means(some))

    def noise(self, some: Any = slice(None)) -> np.ndarray | None:
        """Their covariance about these averages, summed over combinations and times."""
        if not self.noisy:
            return None
        cells = self.cells[some]
        left = self.states[some] - self._means(some)[cells]
        freedom = np.bincount(cells, minlength=len(self.counts)) - 1
        weights = 1 / np.sqrt(np.maximum(freedom, 1))  # one trial alone is its own average
        weighed = (left * weights[cells][:, None, None]).reshape(-1, left.shape[-1])
        return weighed.T @ weighed

    def _means(self, some: Any) -> np.ndarray:
        """(combination, time, unit)."""
        cells, states = self.cells[some], self.states[some]
        counted = range(len(self.counts))
        return np.stack([states[cells == cell].mean(axis=0) for cell in counted])


def combinations_of(states: np.ndarray, levels: Levels, noisy: bool) -> Combinations:
    """Of the states (trial, time, unit) of the usable trials; they must vary between averages."""
    data = Combinations(states, levels.cells[levels.usable], levels.shape, noisy)
    averages = data.averages()
    if np.ptp(averages.reshape(-1, averages.shape[-1]), axis=0).max() == 0:
        raise InvalidSetting("the averages of all conditions are the same: there is no variance")
    return data
