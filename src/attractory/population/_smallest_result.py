"""How likely networks of a size learn a task, and from which size on half of them do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from attractory._arguments import indices, takes
from attractory._errors import InvalidSetting
from attractory._result import Result
from attractory.population._size_search import INTERVAL, KNOWN, LARGER, OPEN, Round, curve_of
from attractory.population._success import SuccessCurve

MIDDLE = 0.5
_ESTIMATE = (MIDDLE, *INTERVAL)


@dataclass(frozen=True, repr=False)
class SmallestNetwork(Result):
    """Networks of several sizes that were trained, and what follows for the size that is needed.

    Attributes
    ----------
    task, model, rule : str
        What was learned, by networks of which kind, and how.
    wanted : float
        The score with which a network succeeds.
    score : str
        "accuracy" (of signs) or "correct" (share of trials).
    sizes : array of int (size,)
        Numbers of units that were allowed.
    tried : array of int (round,)
        The size of each round, in the order in which they were trained.
    scores : array (round, net)
        Of each network of a round; NaN where it diverged.
    status : str
        "known": the interval of the size of half is as narrow as was asked for; "not known well
        enough"; "larger than all sizes"; "smaller than all sizes".

    Notes
    -----
    The probability of success is a logistic function of the logarithm of the size. Its posterior is
    computed on a grid [1]_, also where sizes that fail and sizes that succeed are apart. The prior
    is flat in the logarithm of the size at which half succeed, from half the smallest allowed size
    to twice the largest, and in the logarithm of how many octaves lie from there to the size at
    which 95 % do, from 0.05 to 5. Estimates are medians, intervals hold 95 % of the posterior. That
    every size succeeds in the end is part of the function: where large networks fail, too, it is
    flat and tells little.

    References
    ----------
    .. [1] Kontsevich & Tyler (1999), Vision Res. 39:2729 (thresholds and slopes by Bayes on a grid,
       and the next trial by what it is expected to tell).
    """

    task: str
    model: str
    rule: str
    wanted: float
    score: str
    sizes: np.ndarray
    tried: np.ndarray
    scores: np.ndarray
    status: str

    @cached_property
    def _curve(self) -> SuccessCurve:
        rounds = [Round(int(size), row) for size, row in zip(self.tried, self.scores, strict=True)]
        return curve_of(rounds, [int(size) for size in self.sizes], self.wanted)

    @property
    def half(self) -> np.ndarray:
        """The size at which half of the networks succeed: estimate, and ends of its interval."""
        return self._curve.size_at_half(_ESTIMATE)

    @property
    def nearly_all(self) -> np.ndarray:
        """The size at which 95 of 100 networks succeed: estimate, and ends of its interval."""
        return self._curve.size_at_nearly_all(_ESTIMATE)

    @property
    def smallest(self) -> int | None:
        """The smallest size of which a network has succeeded; None without any."""
        won = (self.scores >= self.wanted).any(axis=1)
        return int(self.tried[won].min()) if won.any() else None

    @property
    def statement(self) -> str:
        """At which size half of the networks succeed, in words."""
        count = self.scores.size
        wanted = f"{self.score} {self.wanted:g} or more"
        tried = f"{count} networks were trained, of these sizes: {_listed(self.tried)}."
        if self.status not in (KNOWN, OPEN):
            which, end = ("largest", -1) if self.status == LARGER else ("smallest", 0)
            return (
                f"The size at which half reach {wanted} is {self.status}; the {which} has "
                f"{self.sizes[end]} units. {tried}"
            )
        half, low, high = self.half
        nearly, from_, to = self.nearly_all
        smallest = f"The smallest that did has {self.smallest}. " if self.smallest else ""
        return (
            f"Half of the networks of {half:.3g} units ({low:.3g} to {high:.3g}) reach {wanted}, "
            f"95 of 100 with {nearly:.3g} ({from_:.3g} to {to:.3g}). {smallest}{tried}"
            + (f" The size of half is {OPEN}." if self.status == OPEN else "")
        )

    def summary(self) -> dict[str, Any]:
        """The result in numbers and words.

        Returns
        -------
        dict
            As the fields say it; networks (how many were trained), smallest (the smallest size that
            succeeded), half and nearly_all with the ends of their intervals.
        """
        names = [f"{name}{end}" for name in ("half", "nearly_all") for end in ("", "_low", "_high")]
        numbers = [*self.half.tolist(), *self.nearly_all.tolist()]
        known = {"networks": int(self.scores.size), "smallest": self.smallest}
        return {**super().summary(), **known, **dict(zip(names, numbers, strict=True))}

    def table(self) -> pd.DataFrame:
        """The sizes that were trained as a table.

        Returns
        -------
        pandas.DataFrame
            A row a size, in order: units, trained, succeeded, share, and the probability of success
            there with its interval (probability, low, high).
        """
        sizes = np.unique(self.tried)
        found = self.probability(sizes).drop(columns="units")
        rows = [self.scores[self.tried == size] >= self.wanted for size in sizes]
        counts = {
            "units": sizes,
            "trained": [row.size for row in rows],
            "succeeded": [int(row.sum()) for row in rows],
            "share": [row.mean() for row in rows],
        }
        return pd.concat([pd.DataFrame(counts), found], axis=1)

    @takes(sizes=indices)
    def probability(self, sizes: Any) -> pd.DataFrame:
        """The probability that a network of a size succeeds.

        Parameters
        ----------
        sizes : sequence of int
            Numbers of units.

        Returns
        -------
        pandas.DataFrame
            A row a size: units, probability (the posterior's mean), low, high (95 % of it).

        Raises
        ------
        InvalidSetting
            For a size below 1.
        """
        if (np.asarray(sizes) < 1).any():
            raise InvalidSetting(f"sizes = {list(sizes)} is not allowed: 1 or more each")
        found = np.array([self._curve.probability(float(size), INTERVAL) for size in sizes])
        named = dict(zip(("probability", "low", "high"), found.T, strict=True))
        return pd.DataFrame({"units": np.asarray(sizes), **named})


def _listed(sizes: np.ndarray) -> str:
    return ", ".join(map(str, np.unique(sizes)))
