"""Trials laid over each other at a moment of each: the beginning of an epoch, or of the trial."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from attractory._arguments import a_name, a_window, as_array, optional, takes
from attractory._errors import InvalidSetting, shown
from attractory._shown import Shown
from attractory.tasks._given import as_trials
from attractory.tasks._trial import Trials

NEARLY = 1e-6  # of a step: the ends of a window may miss a step by rounding


@dataclass(frozen=True, repr=False)
class Alignment(Shown):
    """Which step of each trial lies at which time after the moment that the trials share.

    Attributes
    ----------
    time_ms : array (time,)
        The end of each step after that moment (ms): 0 is the state at the moment itself.
    steps : array of int (trial, time)
        The step of each trial at that time; without meaning where `counted` is False.
    counted : array of bool (trial, time)
        Whether the trial has a step then that counts.
    """

    time_ms: np.ndarray
    steps: np.ndarray
    counted: np.ndarray

    @takes(array=as_array)
    def of(self, array: np.ndarray) -> np.ndarray:
        """An array of these trials, aligned.

        Parameters
        ----------
        array : array (trial, step, …)
            Inputs, outputs, states, or what else there is of each step.

        Returns
        -------
        array (trial, time, …), float64
            Its values at the times of the alignment; NaN where no step counts.

        Raises
        ------
        InvalidSetting
            For an array of another number of trials.
        """
        if array.ndim < 2 or len(array) != len(self.steps):
            raise InvalidSetting(
                f"array has shape {array.shape}; it must be ({len(self.steps)}, step, …)"
            )
        rows = np.arange(len(array))[:, None]
        laid = array[rows, self.steps].astype(np.float64)
        laid[~self.counted] = np.nan
        return laid


@takes(trials=as_trials, align=optional(a_name), window_ms=optional(a_window))
def aligned(
    trials: Trials, align: str | None = None, window_ms: tuple[float, float] | None = None
) -> Alignment:
    """Lay trials over each other at the beginning of an epoch.

    Parameters
    ----------
    trials : Trials
        The trials.
    align : str, optional
        The epoch at whose beginning the time is 0; None: the beginning of the trial.
    window_ms : (float, float), optional
        From when to when (ms, both included). Only trials' own steps count, whatever epoch they are
        in. None: the steps of the epoch `align`, which may be longer in some trials than in others;
        without `align` all steps of the trials.

    Returns
    -------
    Alignment
        Its times go no further than the steps of the trials.

    Raises
    ------
    InvalidSetting
        For an unknown epoch, and a window in which no trial has a step.

    Examples
    --------
    >>> task = at.tasks.PerceptualDecision(stimulus=(200, 400))
    >>> trials = task.sample(8)
    >>> laid = at.tasks.aligned(trials, "decision", window_ms=(-200, 100))
    >>> laid.of(trials.inputs).shape
    (8, 16, 3)
    """
    begin, counts = np.zeros(len(trials), int), trials.within
    if align is not None:
        during = trials.during(align)
        begin = np.asarray(trials.epochs)[:, trials.epoch_names.index(align)]
        counts = during & trials.within if window_ms is None else counts
    trial, step = np.nonzero(counts)
    after = step - begin[trial]
    kept = np.ones(len(after), bool) if window_ms is None else _inside(after, trials.dt, window_ms)
    if not kept.any():
        raise InvalidSetting(_no_step(align, window_ms, (after + 1) * trials.dt))
    relative = np.arange(after[kept].min(), after[kept].max() + 1)
    places = begin[:, None] + relative
    inside = np.clip(places, 0, counts.shape[1] - 1)
    counted = counts[np.arange(len(trials))[:, None], inside] & (places == inside)
    return Alignment(trials.dt * (relative + 1), inside, counted)


def _inside(after: np.ndarray, dt: float, window_ms: tuple[float, float]) -> np.ndarray:
    """Which steps end within the window."""
    first = math.ceil(window_ms[0] / dt - NEARLY)
    last = math.floor(window_ms[1] / dt + NEARLY)
    return (after + 1 >= first) & (after + 1 <= last)


def _no_step(align: str | None, window_ms: tuple[float, float] | None, times: np.ndarray) -> str:
    """The line that says that no step of any trial is meant."""
    if window_ms is None or not len(times):
        return f"align = {shown(align)}: no trial has a step in it"
    return (
        f"window_ms = {window_ms} is not allowed: no trial has a step then; "
        f"their steps end from {times.min():g} to {times.max():g} ms"
    )
