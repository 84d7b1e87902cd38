"""Along which axes states code task variables: decoding, generalisation, angles through time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.linalg import solve_triangular

from attractory._arguments import a_name, a_share, a_window, names_of, optional, takes, whole
from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting
from attractory._result import Result
from attractory.analysis._given import network_or_trajectory, trajectory_in
from attractory.analysis.states._decoding import (
    CHANCE,
    accuracy,
    angles_between,
    dimensions_of,
    discriminants,
    in_folds,
    level_means,
    permuted,
    random_angle,
    shares_of,
    subspaces,
    whitening_of,
)
from attractory.analysis.states._levels import levels_of
from attractory.analysis.states._moments import Moments, in_bins, in_epochs
from attractory.models import Network, Trajectory
from attractory.runs import kept
from attractory.tasks import Task, Trials, as_task, as_trials


@dataclass(frozen=True, repr=False)
class CodingAxes(Result):
    """How task variables are coded at each moment (see `coding_axes`).

    Attributes
    ----------
    variables : tuple of str
        The variables.
    levels : dict of array (level,)
        The values that are told apart, by variable.
    epochs : tuple of str
        What the moments are called, where they are epochs; empty where they are bins of time.
    time_ms : array (moment,)
        The middle of each moment (ms).
    accuracy : array (variable, moment, moment)
        Share of trials whose level is decoded correctly, each level with the same weight, by a
        decoder of other trials at the first moment from states at the second.
    guess : array (variable,)
        What guessing gives: one over the number of levels.
    chance : array (variable,)
        In 95 % of permutations of the labels the accuracy reaches no more at any moment (decoder
        and states of the same one).
    axes : dict of array (moment, axis, unit)
        Orthonormal, by variable: the coding subspace, along which the means of the levels spread
        most (90 % of their variance over all moments). NaN where they do not differ.
    decoders : dict of array (moment, level, unit)
        The directions that read each level from the states, by variable.
    angles : array (variable, moment, moment)
        Between the coding subspaces of one half of the trials at the first moment and of the other
        half at the second (degrees; of several axes the mean of the principal angles). On the
        diagonal, where a noiseless estimate has 0, they tell how exact the others are.
    between : array (variable, variable, moment)
        The same between the subspaces of two variables at one moment.
    random : array (variable, variable)
        Random subspaces of as many axes are nearer than this in 5 % of draws (degrees).
    trials, left_out : int
        Trials that were used; trials without a value of one of the variables.
    align : str or None
        The epoch at whose beginning the time is 0; None: the beginning of the trial.
    """

    variables: tuple[str, ...]
    levels: dict[str, np.ndarray]
    epochs: tuple[str, ...]
    time_ms: np.ndarray
    accuracy: np.ndarray
    guess: np.ndarray
    chance: np.ndarray
    axes: dict[str, np.ndarray]
    decoders: dict[str, np.ndarray]
    angles: np.ndarray
    between: np.ndarray
    random: np.ndarray
    trials: int
    left_out: int
    align: str | None

    @property
    def alike(self) -> np.ndarray:
        """Accuracy of decoders at the moment that they were fitted to, (variable, moment)."""
        alike: np.ndarray = np.diagonal(self.accuracy, axis1=1, axis2=2)
        return alike

    @property
    def decoded(self) -> np.ndarray:
        """Where a variable is decoded beyond chance, (variable, moment) of bool."""
        return self.alike > self.chance[:, None]

    @property
    def generalisation(self) -> np.ndarray:
        """How much of the accuracy beyond guessing is kept at other moments, (variable,).

        Over the moments at which a variable is decoded: 1 where one axis serves all of them, 0
        where the axis of one moment tells nothing at another; NaN for fewer than two.
        """
        found = np.full(len(self.variables), np.nan)
        for i, decoded in enumerate(self.decoded):
            own = self.accuracy[i][np.ix_(decoded, decoded)] - self.guess[i]
            others = ~np.eye(len(own), dtype=bool)
            if len(own) > 1:
                found[i] = own[others].mean() / np.diag(own).mean()
        return found

    @property
    def statement(self) -> str:
        """How well each variable is decoded, in words."""
        words = []
        for i, name in enumerate(self.variables):
            count = int(self.decoded[i].sum())
            kept = self.generalisation[i]
            said = f"{name} at {count} of {len(self.time_ms)}, at best {self.alike[i].max():.2f} "
            said += f"(guessing {self.guess[i]:.2f}, chance up to {self.chance[i]:.2f}"
            words.append(said + ("" if np.isnan(kept) else f"; {kept:.0%} kept at others") + ")")
        return f"Decoded beyond chance, in other trials, at so many moments: {'; '.join(words)}."

    def table(self) -> pd.DataFrame:
        """The moments as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each variable and moment: accuracy, what guessing gives, chance, whether the
            variable is decoded, the angle to its own subspace in the other half of the trials, and
            those to the subspaces of the other variables (degrees).
        """
        rows = []
        for i, name in enumerate(self.variables):
            for moment, time in enumerate(self.time_ms):
                angles = zip(self.variables, self.between[i, :, moment], strict=True)
                rows.append(
                    {
                        "variable": name,
                        **({"epoch": self.epochs[moment]} if self.epochs else {}),
                        "time (ms)": time,
                        "accuracy": self.alike[i, moment],
                        "guess": self.guess[i],
                        "chance": self.chance[i],
                        "decoded": self.decoded[i, moment],
                        **{f"angle to {other}": angle for other, angle in angles},
                    }
                )
        return pd.DataFrame(rows)


@kept
@one_blas_thread
@takes(
    network=network_or_trajectory,
    trials=as_trials,
    variables=names_of,
    task=optional(as_task),
    align=optional(a_name),
    window_ms=optional(a_window),
    bins=whole(1),
    epochs=optional(names_of),
    folds=whole(2),
    shrinkage=a_share,
)
def coding_axes(
    network: Network | Trajectory,
    trials: Trials,
    variables: str | tuple[str, ...],
    task: Task | None = None,
    align: str | None = None,
    window_ms: tuple[float, float] | None = None,
    bins: int = 20,
    epochs: str | tuple[str, ...] | None = None,
    folds: int = 5,
    shrinkage: float = 0.1,
    seed: int = 0,
) -> CodingAxes:
    """Decode task variables from states at each moment, and compare their axes through time.

    Parameters
    ----------
    network : Network or Trajectory
        Of a trajectory in these trials the states and outputs are taken as they are.
    trials : Trials
        What the network is given: some hundreds, in which the variables vary apart from each other.
    variables : str or sequence of str
        Conditions of the trials (`Trials.conditions`), whose levels are told apart; with a task
        also "choice" ("choice_1", "choice_2" where there are several answers), and "correct". Of
        more than 12 values, unless they are integers, up to 8 bins are made.
    task : Task, optional
        That the trials are of: it tells the choices.
    align : str, optional
        The epoch at whose beginning the time is 0; None: the beginning of the trial.
    window_ms : (float, float), optional
        From when to when (ms, both included). None: the steps of the epoch `align`, without it all
        steps of the trials (see `attractory.tasks.aligned`). Times at which a trial has no step are
        left out.
    bins : int
        Into how many moments the window is cut, at most; states are averaged in each.
    epochs : str or sequence of str, optional
        Moments are these epochs, in each of which states are averaged, and not bins of time; all
        that each trial has a step in where it is empty.
    folds : int
        Into how many parts the trials are cut; each is decoded from all others.
    shrinkage : float
        From 0 to 1: the share by which covariances are drawn towards that of equal variances (the
        mean over units of the variance of all trials) in all directions.
    seed : int
        Of the network's own noise, of the folds, halves and permutations.

    Returns
    -------
    CodingAxes
        Accuracies with chance, axes and angles.

    Raises
    ------
    InvalidSetting
        For an unknown variable or epoch, a variable that does not vary, a level with fewer trials
        than two, a window or alignment beside epochs, and where no time is shared.

    Notes
    -----
    Decoders are linear discriminants with all levels equally likely: they name the level whose mean
    is nearest, in the metric of the covariance within levels, shrunk. Labels are permuted within
    folds. A variable that goes along with another is decoded by what the states
    hold of the other one: what they hold of each alone, `task_axes` tells.

    A decoder is not the direction along which states code a variable [1]_; these are `decoders` and
    `axes`. Accuracy at other moments than that of the decoder, and angles between subspaces, tell
    whether a code is stable or changes [2]_.

    References
    ----------
    .. [1] Haufe et al. (2014), NeuroImage 87:96.
    .. [2] King & Dehaene (2014), Trends Cogn. Sci. 18:203; Murray et al. (2017), PNAS 114:394.
    """
    if epochs is not None and (align is not None or window_ms is not None):
        raise InvalidSetting("epochs is given beside align or window_ms; allowed: one of them")
    states, outputs = trajectory_in(network, trials, seed)
    names = tuple(variables)
    levels = levels_of("variables", names, outputs, trials, task)
    used = levels.usable
    _check_counts(names, levels.codes[used])
    if epochs is None:
        moments = in_bins(states, trials, used, align, window_ms, bins)
    else:
        moments = in_epochs(states, trials, used, tuple(epochs))
    rng = np.random.default_rng(seed)
    coded = [
        _coded(moments, codes, min(folds, int(np.bincount(codes).min())), shrinkage, rng)
        for codes in levels.codes[used].T
    ]
    return CodingAxes(
        variables=names,
        levels=levels.values,
        epochs=moments.names,
        time_ms=moments.time_ms,
        accuracy=np.stack([each.accuracy for each in coded]),
        guess=np.array([1 / count for count in levels.shape]),
        chance=np.array([each.chance for each in coded]),
        axes={name: each.axes for name, each in zip(names, coded, strict=True)},
        decoders={name: each.decoders for name, each in zip(names, coded, strict=True)},
        trials=int(used.sum()),
        left_out=int((~used).sum()),
        align=align,
        **_compared(coded, rng),
    )


def _check_counts(names: tuple[str, ...], codes: np.ndarray) -> None:
    """InvalidSetting where a level is in fewer than two of the used trials."""
    for name, own in zip(names, codes.T, strict=True):
        counts = np.bincount(own) if len(own) else np.zeros(1, int)
        if len(counts) < 2 or counts.min() < 2:
            raise InvalidSetting(
                f"variables = {name!r}: {counts.min()} trials have one of its values; each needs "
                "2 or more"
            )


class Coded(NamedTuple):
    """How one variable is coded; halves: the axes in both halves of the trials."""

    accuracy: np.ndarray
    chance: float
    axes: np.ndarray
    decoders: np.ndarray
    halves: tuple[np.ndarray, np.ndarray]


def _coded(
    moments: Moments, codes: np.ndarray, folds: int, shrinkage: float, rng: np.random.Generator
) -> Coded:
    states, count = moments.states, int(codes.max()) + 1
    in_fold = in_folds(codes, folds, rng)
    labels = permuted(codes, in_fold, rng)
    found = accuracy(states, codes, in_fold, labels, shrinkage)
    chance = np.quantile(found.alike[1:].max(axis=1), CHANCE, method="higher")
    means = level_means(states, codes, count)
    axes = subspaces(means, dimensions_of(means))
    half = in_folds(codes, 2, rng) == 0
    one, other = (
        subspaces(level_means(states[own], codes[own], count), axes.shape[1])
        for own in (half, ~half)
    )
    return Coded(
        found.across, float(chance), axes, _decoders(states, codes, shrinkage), (one, other)
    )


def _decoders(states: np.ndarray, codes: np.ndarray, shrinkage: float) -> np.ndarray:
    """The directions (moment, level, unit) that read the levels, fitted to all trials."""
    weights, parts = shares_of(codes, int(codes.max()) + 1), np.bincount(codes) / len(codes)
    found = []
    for own in np.swapaxes(states, 0, 1):
        white = whitening_of(own, shrinkage)
        directions = discriminants(white.of(own).T @ weights, parts, shrinkage).directions
        found.append(solve_triangular(white.factor, directions, trans="T", lower=True).T)
    return np.stack(found)


def _compared(coded: list[Coded], rng: np.random.Generator) -> dict[str, Any]:
    """Angles through time and between variables, each between halves of the trials."""
    count, units = len(coded), coded[0].axes.shape[-1]
    moments = len(coded[0].axes)
    angles = np.stack([_through_time(*each.halves) for each in coded])
    between = np.empty((count, count, moments))
    random = np.empty((count, count))
    for i, one in enumerate(coded):
        for j, other in enumerate(coded[: i + 1]):
            both = [angles_between(one.halves[k], other.halves[1 - k]) for k in range(2)]
            between[i, j] = between[j, i] = np.mean(both, axis=0)
            sizes = one.axes.shape[1], other.axes.shape[1]
            random[i, j] = random[j, i] = random_angle(units, *sizes, rng)
    return {"angles": angles, "between": between, "random": random}


def _through_time(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Between the axes of two halves at any two moments (moment, moment)."""
    angles = angles_between(one[:, None], other[None])
    return (angles + angles.T) / 2
