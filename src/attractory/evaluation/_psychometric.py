"""Psychometric curves: what is chosen as the evidence grows, and how sharp that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attractory._arguments import optional, takes
from attractory._errors import InvalidSetting, shown
from attractory._result import Result
from attractory.evaluation._conditions import condition, in_levels
from attractory.evaluation._interval import wilson_interval
from attractory.evaluation._networks import Networks, check_fit, networks_of, task_of
from attractory.evaluation._psychometric_fit import THRESHOLD, fit_choices, probability
from attractory.evaluation._responses import as_responses
from attractory.tasks import Task, Trials, as_task


@dataclass(frozen=True, repr=False)
class PsychometricFit(Result):
    """What one network chose (at one value of another condition), and the curve through it.

    Attributes
    ----------
    net : int
        Index of the network.
    value : float or None
        Of the condition `by`, None without one.
    levels : array (level,)
        Of the evidence (up to 8 bins, by their means, where it has more than 12 values).
    first : array (level,)
        Share of the trials in which the first option was chosen.
    counts : array (level,)
        The number of trials of which `first` is the share.
    undecided : float
        Share of all trials in which no option was chosen.
    bias, spread : float
        In the unit of the evidence.
    lapse : float
        From 0 to 0.2; 0 where the evidence has only two values, which cannot tell it from the
        spread.
    bias_error, spread_error, lapse_error : float
        Standard errors, those of the expected information; NaN where a value is at a limit.
    status : str
        "fitted"; "steep": the spread is at its lower limit (a sixth of the smallest distance of two
        values, at least 1/1000 of their range) and the true one may be smaller, as for a network
        that makes no mistake, whose bias is known no better than that distance; "flat": choices do
        not rise with the evidence, spread is infinite, bias and lapse are NaN; "no fit": fewer than
        two values of the evidence, or one option alone was chosen, all NaN.
    converged : bool
        Whether the search for the best curve ended well.

    Notes
    -----
    P(first option) = lapse + (1 - 2 lapse) Φ((evidence - bias) / spread), by maximum likelihood
    over all trials in which an option was chosen.
    """

    net: int
    value: float | None
    levels: np.ndarray
    first: np.ndarray
    counts: np.ndarray
    undecided: float
    bias: float
    spread: float
    lapse: float
    bias_error: float
    spread_error: float
    lapse_error: float
    status: str
    converged: bool

    @property
    def threshold(self) -> float:
        """Evidence beyond the bias at which 75 % would choose so without lapses: 0.6745 spread."""
        return THRESHOLD * self.spread

    @property
    def threshold_error(self) -> float:
        """Standard error of the threshold."""
        return THRESHOLD * self.spread_error

    @property
    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """The 95 % Wilson interval of `first`: lower and upper ends (level,)."""
        return wilson_interval(self.first * self.counts, self.counts)

    def at(self, evidence: np.ndarray) -> np.ndarray:
        """The fitted probability of the first option.

        Parameters
        ----------
        evidence : array
            Values of the evidence.

        Returns
        -------
        array
            The probability at each value, in the shape of the evidence; NaN without a fit.
        """
        evidence = np.asarray(evidence, float)
        if self.status == "flat":
            return np.full(evidence.shape, np.average(self.first, weights=self.counts))
        return probability(evidence, self.bias, self.spread, self.lapse)


@dataclass(frozen=True, repr=False)
class PsychometricCurve(Result):
    """Psychometric curves of one network or several.

    Attributes
    ----------
    evidence : str
        The condition along the curve.
    by : str or None
        The condition that tells the curves of a network apart.
    option : str
        Name of the first option.
    fits : tuple of PsychometricFit
        By network, then by value of `by`.
    """

    evidence: str
    by: str | None
    option: str
    fits: tuple[PsychometricFit, ...]

    def table(self) -> pd.DataFrame:
        """The curves as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each fit: its trials, what was estimated, with standard errors.
        """
        rows = []
        for fit in self.fits:
            value = {} if self.by is None else {self.by: fit.value}
            trials = {"trials": int(fit.counts.sum()), "undecided": fit.undecided}
            names = ("threshold", "bias", "spread", "lapse")
            errors = ("threshold_error", "bias_error", "lapse_error", "status", "converged")
            found = {name: getattr(fit, name) for name in (*names, *errors)}
            rows.append({"net": fit.net, **value, **trials, **found})
        return pd.DataFrame(rows)


@takes(task=optional(as_task))
def psychometric(
    networks: Networks,
    task: Task | None = None,
    n: int = 2048,
    seed: int = 0,
    evidence: str | None = None,
    by: str | None = None,
) -> PsychometricCurve:
    """How often the first option is chosen as the evidence for it grows, with a fitted curve.

    Parameters
    ----------
    networks : Network, sequence of Network, Run, or Responses
        All get the same trials. Responses bring their own, and n and seed are not looked at.
    task : Task, optional
        None: the task of the run, or of the responses.
    n : int
        Number of trials.
    seed : int
        Of the trials and of the networks' own noise.
    evidence : str, optional
        A condition of the trials, the task's own when None; another one may be of interest too (the
        choices of a network that leaves out what does not count are flat over "irrelevant" in
        `ContextDecision`).
    by : str, optional
        A condition (such as "context") for each of whose values there is a curve.

    Returns
    -------
    PsychometricCurve
        A fit for each network, and for each value of `by`.

    Raises
    ------
    InvalidSetting
        For a task without options, or an unknown condition.

    Notes
    -----
    With several answer epochs the choice is that of the first. Trials in which no option is chosen,
    or that have no evidence (NaN), are left out of the curve.
    """
    meant = task_of(networks, task)
    check_fit(networks_of(networks), meant)
    _check_options(meant)  # before anything is simulated
    answers = as_responses(networks, task, n, seed)
    return curve_of_outputs(answers, answers.task, answers.trials, evidence, by)


def _check_options(task: Task) -> None:
    if not task.options:
        raise InvalidSetting(
            f"task {shown(task.name)} is not answered by choosing between options; "
            "a psychometric curve needs a ChoiceTask, or a task with `options` and chosen()"
        )


def curve_of_outputs(
    outputs: Iterable[np.ndarray],
    task: Task,
    trials: Trials,
    evidence: str | None = None,
    by: str | None = None,
) -> PsychometricCurve:
    """The curves of outputs (trial, time, output) to the same trials, one for each network."""
    asked = evidence or task.evidence
    if asked is None:
        known = ", ".join(sorted(trials.conditions))
        raise InvalidSetting(
            f"task {shown(task.name)} states no evidence; name a condition as evidence: {known}"
        )
    along = condition("evidence", asked, task, trials)
    values = None if by is None else in_levels(condition("by", by, task, trials))
    fits = []
    for net, given in enumerate(outputs):
        chosen = task.chosen(given, trials)[:, 0]
        if values is None:
            fits.append(_fit(net, None, along, chosen))
            continue
        for value in np.unique(values[~np.isnan(values)]):
            here = values == value
            fits.append(_fit(net, value.item(), along[here], chosen[here]))
    return PsychometricCurve(asked, by, task.options[0], tuple(fits))


def _fit(
    net: int, value: float | None, evidence: np.ndarray, chosen: np.ndarray
) -> PsychometricFit:
    """From the evidence and the index of the chosen option in each trial (-1: none)."""
    used = (chosen >= 0) & ~np.isnan(evidence)
    first = (chosen[used] == 0).astype(float)
    points = pd.Series(first).groupby(in_levels(evidence[used])).agg(["mean", "count"])
    return PsychometricFit(
        net=net,
        value=value,
        levels=points.index.to_numpy(float),
        first=points["mean"].to_numpy(),
        counts=points["count"].to_numpy(),
        undecided=float((chosen < 0).mean()),
        **fit_choices(evidence[used].astype(float), first)._asdict(),
    )
