"""Which task variables single units follow, and how many follow several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from attractory._arguments import a_name, a_share, a_window, names_of, optional, takes
from attractory._cores import one_blas_thread
from attractory._result import Result
from attractory.analysis._given import network_or_trajectory, trajectory_in
from attractory.analysis.states._regression import inflation, regressors, spread_of, with_constant
from attractory.models import Network, Trajectory
from attractory.runs import kept
from attractory.tasks import Task, Trials, aligned, as_task, as_trials

FALSE_DISCOVERIES = 0.05  # share of them that is allowed, and one minus the intervals' confidence
LARGEST_LEVERAGE = 1 - 1e-9  # a trial that alone decides a coefficient leaves no residual
KINDS = ("none", "pure", "mixed")


@dataclass(frozen=True, repr=False)
class Selectivity(Result):
    """What each unit follows, by linear regression of its mean activity (see `selectivity`).

    Attributes
    ----------
    variables : tuple of str
        What the units are regressed on.
    coefficients : array (unit, variable)
        Standardised: by how many of its standard deviations a unit changes as the variable changes
        by one of its own, the others held.
    low, high : array (unit, variable)
        The ends of their 95 % intervals.
    share : array (unit, variable)
        Share of the unit's variance over trials that a variable alone explains: what the
        regression loses without it.
    r_squared : array (unit,)
        Share that all variables explain together; NaN for a unit that does not change.
    selective : array of bool (unit, variable)
        The unit follows the variable (see Notes of `selectivity`).
    least_share : float
        The share of variance that this takes.
    inflation : array (variable,)
        How often larger the variance of a coefficient is than if the variables were independent
        (variance inflation factor; 1: independent).
    trials, left_out : int
        Trials that were used; trials without a value of one of the variables, or without a step.
    """

    variables: tuple[str, ...]
    coefficients: np.ndarray
    low: np.ndarray
    high: np.ndarray
    share: np.ndarray
    r_squared: np.ndarray
    selective: np.ndarray
    least_share: float
    inflation: np.ndarray
    trials: int
    left_out: int

    @property
    def preferred(self) -> np.ndarray:
        """The variable that explains most of each unit, (unit,); -1 where it follows none."""
        most = np.where(self.selective, self.share, -1.0).argmax(axis=1)
        return np.where(self.selective.any(axis=1), most, -1)

    @property
    def kind(self) -> np.ndarray:
        """ "none", "pure" (one variable) or "mixed" (several) of each unit, (unit,) of str."""
        return np.array(KINDS)[np.minimum(self.selective.sum(axis=1), 2)]

    @property
    def order(self) -> np.ndarray:
        """The units sorted by preferred variable, then by its coefficient from the largest."""
        preferred = self.preferred
        own = self.coefficients[np.arange(len(preferred)), preferred]
        last = np.where(preferred < 0, len(self.variables), preferred)
        return np.lexsort((-own, last))

    @property
    def statement(self) -> str:
        """How many units follow what, in words."""
        counts = {kind: int((self.kind == kind).sum()) for kind in KINDS}
        each = ", ".join(
            f"{name} {count}"
            for name, count in zip(self.variables, self.selective.sum(axis=0), strict=True)
        )
        return (
            f"Of {len(self.kind)} units {counts['pure']} follow one variable, {counts['mixed']} "
            f"several, {counts['none']} none ({each})."
        )

    def table(self) -> pd.DataFrame:
        """The units as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each unit, in the order of `order`: its kind, the variable that it prefers,
            and coefficient, interval and share for each variable.
        """
        names = np.array([*self.variables, ""])
        columns = {
            "unit": np.arange(len(self.kind)),
            "kind": self.kind,
            "preferred": names[self.preferred],
            "r_squared": self.r_squared,
        }
        for i, name in enumerate(self.variables):
            columns[name] = self.coefficients[:, i]
            columns[f"{name} low"] = self.low[:, i]
            columns[f"{name} high"] = self.high[:, i]
            columns[f"{name} share"] = self.share[:, i]
        return pd.DataFrame(columns).iloc[self.order].reset_index(drop=True)


@kept
@one_blas_thread
@takes(
    network=network_or_trajectory,
    trials=as_trials,
    variables=names_of,
    task=optional(as_task),
    align=optional(a_name),
    window_ms=optional(a_window),
    least_share=a_share,
)
def selectivity(
    network: Network | Trajectory,
    trials: Trials,
    variables: str | tuple[str, ...],
    task: Task | None = None,
    align: str | None = None,
    window_ms: tuple[float, float] | None = None,
    least_share: float = 0.01,
    seed: int = 0,
) -> Selectivity:
    """Regress the mean activity of each unit in a window on task variables.

    Parameters
    ----------
    network : Network or Trajectory
        Of a trajectory in these trials the states and outputs are taken as they are.
    trials : Trials
        What the network is given: some hundreds, in which the variables vary apart from each other.
    variables : str or sequence of str
        Conditions of the trials (`Trials.conditions`) that are numbers; with a task also "choice",
        what the network chose (between two options, larger for the first; "choice_1", "choice_2"
        where there are several answers), and "correct".
    task : Task, optional
        That the trials are of: it tells the choices.
    align : str, optional
        The epoch at whose beginning the time is 0; None: the beginning of the trial.
    window_ms : (float, float), optional
        From when to when activity is averaged in each trial (ms, both included). None: the steps
        of the epoch `align`, without it all steps of the trials (see `attractory.tasks.aligned`).
    least_share : float
        Share of a unit's variance that a variable must explain alone for the unit to follow it,
        from 0 to 1. With enough trials any coefficient differs from 0.
    seed : int
        Of the network's own noise, where it has any.

    Returns
    -------
    Selectivity
        Coefficients with intervals, and what each unit follows.

    Raises
    ------
    InvalidSetting
        For an unknown variable or epoch, variables that do not vary or depend on each other, and
        too few trials.

    Notes
    -----
    A unit follows a variable where the variable alone explains at least `least_share` of its
    variance, and its coefficient differs from 0: Benjamini and Hochberg's procedure over all units
    and variables, with 5 % false discoveries. Intervals and tests are those of t statistics with
    standard errors that allow for other noise in some trials than in others (HC3).

    References
    ----------
    MacKinnon & White (1985), J. Econometrics 29:305 (HC3). Benjamini & Hochberg (1995), J. R. Stat.
    Soc. B 57:289. On mixed selectivity: Rigotti et al. (2013), Nature 497:585.
    """
    laid = aligned(trials, align, window_ms)
    states, outputs = trajectory_in(network, trials, seed)
    names = tuple(variables)
    given = regressors(names, outputs, trials, task)
    used = given.usable & laid.counted.any(axis=1)
    activity = np.nanmean(laid.of(states)[used], axis=1)
    values = given.values[used]
    spread = spread_of(activity)
    fit = _regression((activity - activity.mean(axis=0)) / spread, _standardised(values))
    significant = stats.false_discovery_control(fit["p"].ravel()) <= FALSE_DISCOVERIES
    return Selectivity(
        variables=names,
        coefficients=fit["coefficients"],
        low=fit["low"],
        high=fit["high"],
        share=fit["share"],
        r_squared=np.where(np.isfinite(spread), fit["r_squared"], np.nan),
        selective=significant.reshape(fit["p"].shape) & (fit["share"] >= least_share),
        least_share=least_share,
        inflation=inflation(values),
        trials=int(used.sum()),
        left_out=int((~used).sum()),
    )


def _standardised(values: np.ndarray) -> np.ndarray:
    return (values - values.mean(axis=0)) / values.std(axis=0)


def _regression(activity: np.ndarray, values: np.ndarray) -> dict[str, np.ndarray]:
    """Coefficients of standardised units (trial, unit) on standardised variables, and how sure."""
    design = with_constant(values)
    inverse = np.linalg.inv(design.T @ design)
    influence = inverse @ design.T
    solution = influence @ activity
    residual = activity - design @ solution
    leverage = np.einsum("tv,vt->t", design, influence)
    spared = residual / (1 - np.minimum(leverage, LARGEST_LEVERAGE))[:, None]
    variances = np.square(influence) @ np.square(spared)
    error = np.sqrt(variances)[:-1].T
    coefficients = solution[:-1].T
    freedom = len(design) - design.shape[1]
    half = stats.t.isf(FALSE_DISCOVERIES / 2, freedom) * error
    changes = error > 0
    t = np.divide(coefficients, error, out=np.zeros_like(error), where=changes)
    variance = np.square(activity).sum(axis=0)
    # what is left without a variable is larger by the square of its coefficient, in its own unit
    alone = np.square(coefficients) / np.diag(inverse)[:-1]
    total = np.where(variance > 0, variance, 1.0)
    return {
        "coefficients": coefficients,
        "low": coefficients - half,
        "high": coefficients + half,
        "p": 2 * stats.t.sf(np.abs(t), freedom),
        "share": alone / total[:, None],
        "r_squared": 1 - np.square(residual).sum(axis=0) / total,
    }
