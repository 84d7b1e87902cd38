"""The states of trials at a few moments: in bins of time, or in epochs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from attractory._errors import InvalidSetting, shown
from attractory.analysis.states._levels import shared_steps
from attractory.tasks import Trials, aligned


class Moments(NamedTuple):
    """Mean states of the used trials at moments.

    states: (trial, moment, unit); names: of the epochs, empty for bins; time_ms: (moment,), the
    middle of each bin or of an epoch's own steps, from the trial's beginning (mean over trials).
    """

    states: np.ndarray
    names: tuple[str, ...]
    time_ms: np.ndarray


def in_bins(
    states: np.ndarray,
    trials: Trials,
    used: np.ndarray,
    align: str | None,
    window_ms: tuple[float, float] | None,
    most: int,
) -> Moments:
    """Means in at most so many bins, as equally long as can be, of the times that all trials share.

    states: (trial, step, unit); used: (trial,) of bool.
    """
    laid = aligned(trials, align, window_ms)
    shared = shared_steps(laid, used)
    own = laid.of(states)[used][:, shared]
    parts = np.array_split(np.arange(own.shape[1]), min(most, own.shape[1]))
    means = np.stack([own[:, part].mean(axis=1) for part in parts], axis=1)
    times = laid.time_ms[shared]
    return Moments(means, (), np.array([times[part].mean() for part in parts]))


def in_epochs(
    states: np.ndarray, trials: Trials, used: np.ndarray, epochs: tuple[str, ...]
) -> Moments:
    """Means in these epochs, in all of them where none is named; the whole trial without epochs.

    An epoch that is empty in some used trial cannot be taken: it is left out where none is named.
    """
    within = trials.within[used]
    if trials.epochs is None and not epochs:
        means = _mean(states[used], within)
        return Moments(means[:, None], ("trial",), np.array([_middle(within, trials.dt)]))
    inside = {name: trials.during(name)[used] & within for name in epochs or trials.epoch_names}
    there = {name: each for name, each in inside.items() if each.any(axis=1).all()}
    lacking = [name for name in inside if name not in there]
    if epochs and lacking:
        raise InvalidSetting(f"epochs = {shown(lacking[0])}: some trials have no step in it")
    if not there:
        raise InvalidSetting("the trials share no epoch")
    return Moments(
        np.stack([_mean(states[used], each) for each in there.values()], axis=1),
        tuple(there),
        np.array([_middle(each, trials.dt) for each in there.values()]),
    )


def _mean(states: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Over the steps inside, (trial, unit)."""
    sums: np.ndarray = np.einsum("ts,tsu->tu", inside.astype(float), states)
    return sums / inside.sum(axis=1)[:, None]


def _middle(inside: np.ndarray, dt: float) -> float:
    """The mean time of the ends of these steps (ms)."""
    return float(dt * (1 + np.nonzero(inside)[1]).mean())
