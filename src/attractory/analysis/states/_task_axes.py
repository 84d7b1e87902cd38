"""The directions of state space along which a network carries the variables of its task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from attractory._arguments import a_name, a_window, as_array, names_of, optional, takes, whole
from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting
from attractory._result import Result
from attractory.analysis._given import network_or_trajectory, trajectory_in
from attractory.analysis.states._regression import (
    inflation,
    least_squares,
    regressors,
    spread_of,
    with_constant,
)
from attractory.evaluation import in_levels
from attractory.models import Network, Trajectory
from attractory.runs import kept
from attractory.tasks import Task, Trials, aligned, as_task, as_trials

Z = 1.959964  # of a two-sided interval of 95 %


@dataclass(frozen=True, repr=False)
class TaskAxes(Result):
    """Orthonormal directions of state space, one for each variable (see `task_axes`).

    Attributes
    ----------
    variables : tuple of str
        In the order in which the axes were made orthogonal.
    axes : array (variable, unit)
        The axes, orthonormal rows, of z-scored states; each points to where its variable grows, a
        choice's to the first option.
    center, scale : array (unit,)
        Mean and standard deviation by which the states were z-scored; the scale of a unit that
        does not change is inf.
    time_ms : array (time,)
        The end of each step of the regression (ms).
    coefficients : array (variable, time, unit)
        Regression coefficients of z-scored units on variables from -1 to +1, denoised; NaN at times
        at which too few trials have a step.
    peaks_ms : array (variable,)
        The time at which the coefficients are largest, where the axis is taken (ms).
    explained_variance : array (variable,)
        Share of the variance of the condition averages along each axis.
    angles : array (variable, variable)
        Between the axes before they were made orthogonal (degrees).
    readings : array (variable,)
        How well a variable is read along its axis from trials that the axis was not fitted to:
        partial correlation, freed of the other variables (see Notes of `task_axes`).
    chance : array (variable,)
        95 % of the readings of a variable that is not there lie within ± this.
    inflation : array (variable,)
        How often larger the variance of a coefficient is than if the variables were independent
        (variance inflation factor; 1: independent).
    components : int
        Number of principal components that the coefficients were denoised with.
    trials, left_out : int
        Trials that were used; trials without a value of one of the variables.
    align : str or None
        The epoch at whose beginning the time is 0; None: the beginning of the trial.
    """

    variables: tuple[str, ...]
    axes: np.ndarray
    center: np.ndarray
    scale: np.ndarray
    time_ms: np.ndarray
    coefficients: np.ndarray
    peaks_ms: np.ndarray
    explained_variance: np.ndarray
    angles: np.ndarray
    readings: np.ndarray
    chance: np.ndarray
    inflation: np.ndarray
    components: int
    trials: int
    left_out: int
    align: str | None

    @takes(states=as_array)
    def project(self, states: np.ndarray) -> np.ndarray:
        """States of the same network, or averages of them, on the axes.

        Parameters
        ----------
        states : array (…, unit)
            The states.

        Returns
        -------
        array (…, variable)
            Their positions along the axes, in standard deviations of the units.
        """
        units = len(self.center)
        if states.shape[-1:] != (units,):
            raise InvalidSetting(f"states has shape {states.shape}; it must be (…, {units})")
        return ((states - self.center) / self.scale) @ self.axes.T

    @property
    def norms(self) -> np.ndarray:
        """Length of the coefficients over all units, (variable, time): when each is carried."""
        return np.linalg.norm(self.coefficients, axis=-1)

    @property
    def read(self) -> np.ndarray:
        """Which variables are read beyond chance from other trials, (variable,) of bool."""
        return self.readings > self.chance

    @property
    def statement(self) -> str:
        """Which variables the axes carry, in words."""
        words = [
            f"{name} {reading:.2f}" + ("" if found else f" (chance: up to {chance:.2f})")
            for name, reading, chance, found in zip(
                self.variables, self.readings, self.chance, self.read, strict=True
            )
        ]
        return f"Partial correlation along the axes, in other trials: {', '.join(words)}."

    def table(self) -> pd.DataFrame:
        """The axes as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each variable, with the angles to the others (degrees).
        """
        angles = {f"angle to {n}": a for n, a in zip(self.variables, self.angles, strict=True)}
        return pd.DataFrame(
            {
                "variable": self.variables,
                "peak (ms)": self.peaks_ms,
                "explained_variance": self.explained_variance,
                "reading": self.readings,
                "chance": self.chance,
                "inflation": self.inflation,
                **angles,
            }
        )


@kept
@one_blas_thread
@takes(
    network=network_or_trajectory,
    trials=as_trials,
    variables=names_of,
    task=optional(as_task),
    align=optional(a_name),
    window_ms=optional(a_window),
    components=whole(1),
)
def task_axes(
    network: Network | Trajectory,
    trials: Trials,
    variables: str | tuple[str, ...],
    task: Task | None = None,
    align: str | None = None,
    window_ms: tuple[float, float] | None = None,
    components: int = 12,
    seed: int = 0,
) -> TaskAxes:
    """Find the axes of task variables in state space: targeted dimensionality reduction.

    Parameters
    ----------
    network : Network or Trajectory
        Of a trajectory in these trials the states and outputs are taken as they are.
    trials : Trials
        What the network is given: some hundreds, in which the variables vary apart from each other.
    variables : str or sequence of str
        Conditions of the trials (`Trials.conditions`) that are numbers; with a task also "choice",
        what the network chose (between two options; "choice_1", "choice_2" where there are several
        answers), and "correct". The axis of each is made orthogonal to those before it.
    task : Task, optional
        That the trials are of: it tells the choices.
    align : str, optional
        The epoch at whose beginning the time is 0; None: the beginning of the trial.
    window_ms : (float, float), optional
        From when to when (ms, both included). None: the steps of the epoch `align`, without it all
        steps of the trials (see `attractory.tasks.aligned`).
    components : int
        Number of principal components to denoise with, at least one for each variable; at most as
        many as there are units.
    seed : int
        Of the network's own noise, and of the halves into which the trials are parted.

    Returns
    -------
    TaskAxes
        The axes, and how much each carries.

    Raises
    ------
    InvalidSetting
        For an unknown variable or epoch, variables that do not vary or depend on each other, and
        too few trials, units or components.

    Notes
    -----
    As Mante et al. have it: each unit is z-scored over all trials and times, and regressed at each
    time on all variables together, each scaled from -1 to +1. The coefficients are projected on the
    leading principal components of the condition averages (the combinations of all variables,
    cut into levels as in `condition_averages`), taken at the time at which their norm is largest,
    and made orthogonal in the order of the variables (QR). Unlike there, nothing is smoothed.

    The axes are fitted to one half of the trials; in the other half the position along an axis at
    its time and its variable are both freed of the other variables by regression, and correlated.
    That is done for either half; the reading is the mean of both. An axis of a variable that the
    network does not carry has a reading near 0, whatever the variable goes along with.

    References
    ----------
    Mante, Sussillo, Shenoy & Newsome (2013), Nature 503:78, supplementary information.
    """
    laid = aligned(trials, align, window_ms)
    states, outputs = trajectory_in(network, trials, seed)
    names = tuple(variables)
    given = regressors(names, outputs, trials, task)
    _check_sizes(names, states.shape[-1], components)
    values = given.values[given.usable]
    data = Data(laid.of(states)[given.usable], laid.counted[given.usable], values, _cells(values))
    fit = _fitted(data, components)
    readings, chance = _readings(data, fit, components, seed)
    return TaskAxes(
        variables=names,
        axes=fit.axes,
        center=fit.center,
        scale=fit.scale,
        time_ms=laid.time_ms,
        coefficients=fit.coefficients,
        peaks_ms=laid.time_ms[fit.peaks],
        explained_variance=fit.shares,
        angles=_angles(fit.raw),
        readings=readings,
        chance=chance,
        inflation=inflation(values),
        components=min(components, states.shape[-1]),
        trials=len(values),
        left_out=int((~given.usable).sum()),
        align=align,
    )


def _check_sizes(variables: tuple[str, ...], units: int, components: int) -> None:
    """InvalidSetting where there are fewer dimensions than variables."""
    for name, size in (("components", components), ("the number of units", units)):
        if size < len(variables):
            raise InvalidSetting(
                f"{name} = {size} is not allowed: {len(variables)} variables need as many "
                "dimensions"
            )


class Data(NamedTuple):
    """Trials that have all variables.

    states: (trial, time, unit), aligned; counted: (trial, time); values: (trial, variable), from -1
    to +1; cells: the number of each trial's condition (trial,).
    """

    states: np.ndarray
    counted: np.ndarray
    values: np.ndarray
    cells: np.ndarray

    def part(self, trials: np.ndarray) -> Data:
        return Data(*(array[trials] for array in self))


class Fit(NamedTuple):
    """What is fitted to some trials; see `TaskAxes`.

    raw: (variable, unit), the coefficients at the times `peaks` (variable,) of the alignment.
    """

    axes: np.ndarray
    raw: np.ndarray
    center: np.ndarray
    scale: np.ndarray
    coefficients: np.ndarray
    peaks: np.ndarray
    shares: np.ndarray


def _cells(values: np.ndarray) -> np.ndarray:
    """The number (trial,) of the combination of levels that a trial has."""
    levels = {i: in_levels(column) for i, column in enumerate(values.T)}
    return pd.DataFrame(levels).groupby(list(levels)).ngroup().to_numpy()


def _fitted(data: Data, components: int) -> Fit:
    points = data.states[data.counted]
    center, scale = points.mean(axis=0), spread_of(points)
    activity = (data.states - center) / scale
    averages = _averages(activity, data.cells)
    kept_directions = _leading(averages, components)
    coefficients = least_squares(activity, data.counted, data.values)
    denoised = coefficients @ kept_directions.T @ kept_directions
    norms = np.linalg.norm(denoised, axis=-1)
    if np.isnan(norms).all():
        raise InvalidSetting(
            f"{len(data.values)} trials are too few: at no time do enough of them have a step to "
            f"regress on {data.values.shape[1]} variables"
        )
    peaks = np.nanargmax(norms, axis=1)
    raw = denoised[np.arange(len(peaks)), peaks]
    axes = _orthogonal(raw)
    along = np.var(averages @ axes.T, axis=0)
    shares = along / np.var(averages, axis=0).sum()
    return Fit(axes, raw, center, scale, denoised, peaks, shares)


def _averages(activity: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Averages over the trials of each condition, (condition and time, unit)."""
    found = []
    for cell in np.unique(cells):
        own = activity[cells == cell]
        there = np.isfinite(own[..., 0])
        own = np.where(there[..., None], own, 0.0)
        counts = there.sum(axis=0)
        found.append(own.sum(axis=0)[counts > 0] / counts[counts > 0, None])
    return np.concatenate(found)


def _leading(averages: np.ndarray, components: int) -> np.ndarray:
    """The leading principal components of the averages, (component, unit)."""
    centred = averages - averages.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return vectors[:, ::-1].T[:components]


def _orthogonal(raw: np.ndarray) -> np.ndarray:
    """Orthonormal rows: each coefficient vector without what lies along those before it."""
    directions, triangle = np.linalg.qr(raw.T)
    along = np.where(np.diag(triangle) < 0, -1.0, 1.0)  # QR leaves the signs open
    return (directions * along).T


def _angles(raw: np.ndarray) -> np.ndarray:
    """Between the rows (degrees); 90 where one is 0."""
    length = np.linalg.norm(raw, axis=1, keepdims=True)
    directions = raw / np.where(length > 0, length, 1.0)
    cosines = np.clip(directions @ directions.T, -1, 1)
    angles = np.degrees(np.arccos(cosines))
    np.fill_diagonal(angles, 0.0)  # rounding makes 1e-6 of it
    return angles


def _readings(data: Data, whole: Fit, components: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """How well each variable is read from the half of trials that was not fitted, and chance."""
    order = np.random.default_rng(seed).permutation(len(data.values))
    halves = order[::2], order[1::2]
    found = []
    for fitted, other in (halves, halves[::-1]):
        try:
            fit = _fitted(data.part(fitted), components)
        except InvalidSetting:  # half of the trials are too few
            fit = None
        found.append(_partial_correlations(data.part(other), fit))
    trials = data.counted[:, whole.peaks].sum(axis=0)
    # freed of the others and of a constant; the mean of two halves is as exact as all trials
    freedom = np.maximum(trials - 2 * data.values.shape[1], 1)
    return np.mean(found, axis=0), Z / np.sqrt(freedom)


def _partial_correlations(data: Data, fit: Fit | None) -> np.ndarray:
    """Of each variable with the position along its axis at its time, (variable,)."""
    found = np.full(data.values.shape[1], np.nan)
    if fit is None:
        return found
    for variable, (axis, peak) in enumerate(zip(fit.axes, fit.peaks, strict=True)):
        own = data.counted[:, peak]
        along = ((data.states[own, peak] - fit.center) / fit.scale) @ axis
        others = with_constant(np.delete(data.values[own], variable, axis=1))
        if own.sum() > others.shape[1] + 1:
            found[variable] = _correlation(
                _freed(along, others), _freed(data.values[own, variable], others)
            )
    return found


def _freed(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Values without what a regression on others explains."""
    residual: np.ndarray = values - others @ np.linalg.lstsq(others, values, rcond=None)[0]
    return residual


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    scale = np.linalg.norm(one) * np.linalg.norm(other)
    return float(one @ other / scale) if scale > 0 else np.nan
