"""Settings that were tried, in a sweep or in a tuning, and what came of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from attractory._arguments import a_name, optional, takes
from attractory._errors import InvalidSetting, nearest
from attractory._result import Result
from attractory.population._levels import Levels, levels_of, means_of, share_between

MAXIMIZE, MINIMIZE, UNKNOWN = "maximize", "minimize", ""
SHARES = ("correct", "accuracy")  # scores that are no less than 0 and no more than 1


@dataclass(frozen=True, repr=False)
class TriedSettings(Result):
    """Settings that were tried, and what came of each.

    Attributes
    ----------
    kind : str
        What a row is: "network" (one of a sweep's) or "trial" (one of a tuning's, whose scores are
        the means over its networks).
    rows : pandas.DataFrame
        A row each: number (of the network's run, or of the trial), state, a column for each field
        and for each score. Numbers that there are not are NaN, words that there are not "".
    fields : tuple of str
        What was varied, such as "rule.learning_rate"; not the seed, which repeats the same
        settings.
    logarithmic : tuple of str
        The fields whose values are told apart by ratios.
    directions : dict of str to str
        By score which way is better: "maximize", "minimize", or "" where nobody can say.
    importance : dict of str to dict of str to float
        By score and field, of a tuning: how much the field tells the better trials from the
        others (PED-ANOVA, they sum to 1); {} where that is not known.
    """

    kind: str
    rows: pd.DataFrame
    fields: tuple[str, ...]
    logarithmic: tuple[str, ...]
    directions: dict[str, str]
    importance: dict[str, dict[str, float]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def scores(self) -> tuple[str, ...]:
        """The names of the scores; those of a tuning are its objectives."""
        return tuple(self.directions)

    @property
    def states(self) -> dict[str, int]:
        """How many rows stand in which way, the most frequent first."""
        return {str(state): int(n) for state, n in self.rows["state"].value_counts().items()}

    @property
    def statement(self) -> str:
        """How many rows there are, of which fields, and how they stand."""
        states = ", ".join(f"{count} {state}" for state, count in self.states.items())
        things = f"{len(self)} {self.kind}{'s' * (len(self) != 1)}"
        fields = ", ".join(self.fields) or "no field"
        return f"{things} ({states or 'none yet'}) of settings that differ in {fields}"

    def table(self) -> pd.DataFrame:
        """The settings and what came of them as a table.

        Returns
        -------
        pandas.DataFrame
            As `rows`.
        """
        return self.rows.copy()

    @takes(score=optional(a_name))
    def score(self, score: str | None = None) -> str:
        """The name of a score that is asked for, or the one that tells most at first sight.

        Parameters
        ----------
        score : str, optional
            Its name. None: the first whose numbers are not all the same.

        Returns
        -------
        str
            The name.

        Raises
        ------
        InvalidSetting
            For an unknown one, and where there is none.
        """
        if score is None and self.scores:
            return next((name for name in self.scores if self._differs(name)), self.scores[0])
        if score not in self.directions:
            known = nearest(str(score), self.scores) if self.scores else "there is none yet"
            raise InvalidSetting(f"score = {score!r}: {known}")
        return score

    def numbers(self, score: str) -> np.ndarray:
        """The numbers of a score.

        Parameters
        ----------
        score : str
            Its name.

        Returns
        -------
        array (row,)
            NaN where there is none.
        """
        return self.rows[self.score(score)].to_numpy(float)

    def levels(self, name: str) -> Levels:
        """The values of a field in levels: as they are, or in bins where there are many.

        Parameters
        ----------
        name : str
            The field.

        Returns
        -------
        Levels
            Of each row the level, and what levels there are.

        Raises
        ------
        InvalidSetting
            For an unknown field.
        """
        if name not in self.fields:
            raise InvalidSetting(f"field {name!r} did not vary; {nearest(name, self.fields)}")
        if name not in self._levels:
            self._levels[name] = levels_of(self.rows[name], name in self.logarithmic)
        return self._levels[name]

    def means(self, score: str, member: np.ndarray, count: int) -> pd.DataFrame:
        """The mean of a score at each of so many levels, with its 95 % interval by Student's t.

        Parameters
        ----------
        score : str
            Its name.
        member : array of int (row,)
            The level of each row; -1 of a row that does not count.
        count : int
            How many levels there are.

        Returns
        -------
        pandas.DataFrame
            A row a level: networks (how many have a number), mean, low, high; NaN where there are
            too few. Intervals of shares end at 0 and at 1.
        """
        found = means_of(self.numbers(score), member, count)
        if score in SHARES:
            found[["low", "high"]] = found[["low", "high"]].clip(0.0, 1.0)
        return found

    @takes(score=optional(a_name))
    def points(self, score: str | None = None) -> pd.DataFrame:
        """What each point of settings comes to: all rows with the same values together.

        Parameters
        ----------
        score : str, optional
            Which score; None: as `score` says.

        Returns
        -------
        pandas.DataFrame
            A row a point, the best first (the largest, where nobody can say what is better): the
            fields, networks (how many have a number), mean, and its 95 % interval by Student's t
            (low, high; NaN of fewer than two).
        """
        name = self.score(score)
        member, first = self._members
        found = self.means(name, member, len(first))
        fields = self.rows.loc[first, list(self.fields)].reset_index(drop=True)
        whole = pd.concat([fields, found], axis=1)
        ascending = self.directions[name] == MINIMIZE
        return whole.sort_values("mean", ascending=ascending, kind="stable", ignore_index=True)

    @takes(score=optional(a_name))
    def effects(self, score: str | None = None) -> pd.DataFrame:
        """How much of the variance of a score goes with each field by itself.

        Parameters
        ----------
        score : str, optional
            Which score; None: as `score` says.

        Returns
        -------
        pandas.DataFrame
            A row a field, the largest share first: field, share (adjusted R² of the score between
            the values of the field, or between bins of them; NaN where there are too few numbers).
        """
        values = self.numbers(self.score(score))
        shares = [share_between(values, self.levels(name)) for name in self.fields]
        found = pd.DataFrame({"field": list(self.fields), "share": shares})
        return found.sort_values("share", ascending=False, kind="stable", ignore_index=True)

    @cached_property
    def front(self) -> np.ndarray:
        """The numbers of the rows than which no other is better in all scores: the Pareto front.

        Of one score they are the best ones. Scores of which nobody can say what is better do not
        count.
        """
        signs = {MAXIMIZE: -1.0, MINIMIZE: 1.0}
        counted = [name for name, way in self.directions.items() if way != UNKNOWN]
        costs = np.array([signs[self.directions[name]] * self.numbers(name) for name in counted])
        known = np.flatnonzero(np.isfinite(costs).all(axis=0)) if counted else np.zeros(0, int)
        costs = costs.T[known] if counted else costs
        kept = [not _is_beaten(cost, costs) for cost in costs]
        return self.rows["number"].to_numpy()[known[np.array(kept, bool)]]

    @cached_property
    def _levels(self) -> dict[str, Levels]:
        return {}

    @cached_property
    def _members(self) -> tuple[np.ndarray, np.ndarray]:
        """The point of each row, and the first row of each point."""
        if not self.fields:
            return np.zeros(len(self), int), np.zeros(min(len(self), 1), int)
        member: Any = self.rows.groupby(list(self.fields), sort=False, dropna=False).ngroup()
        _, first = np.unique(member.to_numpy(), return_index=True)
        return member.to_numpy(), first

    def _differs(self, score: str) -> bool:
        known = self.rows[score].dropna()
        return known.nunique() > 1


def _is_beaten(cost: np.ndarray, costs: np.ndarray) -> bool:
    """Another one costs no more of anything, and less of something."""
    no_more = (costs <= cost).all(axis=1)
    return bool((no_more & (costs < cost).any(axis=1)).any())
