"""Components of the states that each follow one task variable, or one interaction, alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from attractory._arguments import (
    a_flag,
    a_name,
    a_window,
    as_array,
    names_of,
    not_negative,
    optional,
    takes,
    whole,
)
from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting
from attractory._result import Result
from attractory.analysis._given import network_or_trajectory, trajectory_in
from attractory.analysis.states._combinations import Combinations, combinations_of
from attractory.analysis.states._decoding import in_folds
from attractory.analysis.states._dpca import (
    REPEATS,
    RIDGES,
    Demixed,
    Regression,
    cumulative,
    demixed,
    explained,
    marginalised,
    products,
    ridge_errors,
)
from attractory.analysis.states._levels import check_filled, levels_of, shared_steps
from attractory.models import Network, Trajectory
from attractory.runs import kept
from attractory.tasks import Task, Trials, aligned, as_task, as_trials

TIME = "time"  # the marginalisation of no variable
AND = " × "


@dataclass(frozen=True, repr=False)
class DemixedPCA(Result):
    """Demixed principal components (see `demixed_pca`), the one that explains most first.

    Attributes
    ----------
    variables : tuple of str
        That the averages are by.
    levels : dict of array (level,)
        The values of each variable, by name.
    marginalisations : tuple of str
        "time", each variable, and each set of them ("choice × context": their interaction).
    shares : array (marginalisation,)
        Share of the variance of the averages that is due to each; they add up to 1.
    demixing : array (marginalisation,)
        Of the variance along the decoders of a marginalisation, in trials that they were not fitted
        to, the share that is due to it: 1 where nothing else is mixed in; `shares` is what
        directions without regard to the variables give. NaN where a combination has one trial.
    part : array of int (component,)
        Which marginalisation a component is of.
    decoders : array (component, unit)
        What reads a component from the states, d.
    encoders : array (component, unit)
        The direction f, of unit length, along which the states carry it.
    center : array (unit,)
        The mean of the averages.
    time_ms : array (time,)
        The end of each step (ms), after the moment that the trials share.
    averages : array (component, level of the first variable, …, time)
        The averages of the conditions along the decoders.
    explained_variance : array (component, marginalisation)
        Share of the variance of the averages that each component explains of each marginalisation.
    cumulative : array (component,)
        Share that the first components explain together.
    cumulative_pca : array (component,)
        Share that as many principal components explain, the most that is possible.
    ridge : float
        λ of the penalty.
    ridges, errors : array (ridge,)
        Those that were tried, and their errors in trials left out; empty where `ridge` was given.
    trials, left_out : int
        Trials that were used; trials without a value of one of the variables.
    align : str or None
        The epoch at whose beginning the time is 0; None: the beginning of the trial.
    """

    variables: tuple[str, ...]
    levels: dict[str, np.ndarray]
    marginalisations: tuple[str, ...]
    shares: np.ndarray
    demixing: np.ndarray
    part: np.ndarray
    decoders: np.ndarray
    encoders: np.ndarray
    center: np.ndarray
    time_ms: np.ndarray
    averages: np.ndarray
    explained_variance: np.ndarray
    cumulative: np.ndarray
    cumulative_pca: np.ndarray
    ridge: float
    ridges: np.ndarray
    errors: np.ndarray
    trials: int
    left_out: int
    align: str | None

    @takes(states=as_array)
    def project(self, states: np.ndarray) -> np.ndarray:
        """States of the same network, or averages of them, along the decoders.

        Parameters
        ----------
        states : array (…, unit)
            The states.

        Returns
        -------
        array (…, component)
            Their positions.
        """
        units = len(self.center)
        if states.shape[-1:] != (units,):
            raise InvalidSetting(f"states has shape {states.shape}; it must be (…, {units})")
        return (states - self.center) @ self.decoders.T

    @property
    def names(self) -> tuple[str, ...]:
        """What each component is called: its marginalisation, and its number in it."""
        counts = dict.fromkeys(range(len(self.marginalisations)), 0)
        found = []
        for part in self.part.tolist():
            counts[part] += 1
            found.append(f"{self.marginalisations[part]} {counts[part]}")
        return tuple(found)

    @property
    def angles(self) -> np.ndarray:
        """Between the encoders, regardless of sign (component, component), in degrees."""
        cosines = np.clip(np.abs(self.encoders @ self.encoders.T), 0, 1)
        angles = np.degrees(np.arccos(cosines))
        np.fill_diagonal(angles, 0.0)  # rounding makes 1e-6 of it
        return angles

    @property
    def statement(self) -> str:
        """How much is due to what, and how well it is demixed, in words."""
        words = ", ".join(
            f"{name} {share:.1%}"
            for name, share in zip(self.marginalisations, self.shares, strict=True)
        )
        count = len(self.part)
        return (
            f"Of the variance of the averages: {words}. {count} demixed components explain "
            f"{self.cumulative[-1]:.1%} of it, {count} principal components "
            f"{self.cumulative_pca[-1]:.1%}."
        )

    def table(self) -> pd.DataFrame:
        """The components as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each component: its marginalisation, the share of variance that it explains in
            all and of each marginalisation, the shares that the first components and as many
            principal components explain together.
        """
        parts = zip(self.marginalisations, self.explained_variance.T, strict=True)
        return pd.DataFrame(
            {
                "component": self.names,
                "marginalisation": [self.marginalisations[part] for part in self.part],
                "explained_variance": self.explained_variance.sum(axis=1),
                **{f"of {name}": share for name, share in parts},
                "cumulative": self.cumulative,
                "cumulative PCA": self.cumulative_pca,
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
    ridge=optional(not_negative),
    noise=a_flag,
)
def demixed_pca(
    network: Network | Trajectory,
    trials: Trials,
    variables: str | tuple[str, ...],
    task: Task | None = None,
    align: str | None = None,
    window_ms: tuple[float, float] | None = None,
    components: int = 3,
    ridge: float | None = None,
    noise: bool = True,
    seed: int = 0,
) -> DemixedPCA:
    """Demixed principal component analysis (dPCA) of states averaged by condition.

    Parameters
    ----------
    network : Network or Trajectory
        Of a trajectory in these trials the states and outputs are taken as they are.
    trials : Trials
        What the network is given, all combinations of the variables among them.
    variables : str or sequence of str
        Conditions of the trials (`Trials.conditions`), whose combinations are averaged over, each
        with the same weight; with a task also "choice" ("choice_1", "choice_2" where there are
        several answers), and "correct". Of more than 12 values, unless they are integers, up to 8
        bins are made.
    task : Task, optional
        That the trials are of: it tells the choices.
    align : str, optional
        The epoch at whose beginning the time is 0; None: the beginning of the trial.
    window_ms : (float, float), optional
        From when to when (ms, both included). None: the steps of the epoch `align`, without it all
        steps of the trials (see `attractory.tasks.aligned`). Times at which a trial has no step are
        left out.
    components : int
        How many of each marginalisation; fewer where it has fewer dimensions.
    ridge : float, optional
        The λ of the penalty, 0 or more, in the norm of the averages (see Notes). None: chosen by
        cross-validation.
    noise : bool
        The covariance of trials about the averages is part of the penalty, as in the paper where
        neurons are recorded together: decoders keep from directions in which trials differ.
    seed : int
        Of the network's own noise, and of the trials that are left out.

    Returns
    -------
    DemixedPCA
        Decoders and encoders, and what they explain.

    Raises
    ------
    InvalidSetting
        For an unknown variable or epoch, a variable that does not vary, a combination without a
        trial (without two, where the ridge is cross-validated), and where no time is shared.

    Notes
    -----
    As Kobak et al. have it: the averages X, without their mean, are a sum of parts X_φ that depend
    on time alone, on one variable (and time), or on the interaction of several (and time). Of each
    part the decoders D and encoders F minimise |X_φ - F D X|² + (λ|X|)² |F D|²: a regression of
    reduced rank, which has a closed form. With noise it is that of X_φ on single trials in the
    place of X. Units are neither scaled nor smoothed.

    λ is the one of 0, 1e-7, …, 1 with the least error, Σ |X_φ - F D X_test|² / |X|², where X_test
    is one trial of each combination and X the averages of all others, in 10 repeats.

    References
    ----------
    Kobak et al. (2016), eLife 5:e10989.
    """
    laid = aligned(trials, align, window_ms)
    states, outputs = trajectory_in(network, trials, seed)
    names = tuple(variables)
    levels = levels_of("variables", names, outputs, trials, task)
    used = levels.usable
    shared = shared_steps(laid, used)
    check_filled("variables", levels, used, 1 if ridge is not None else 2)
    data = combinations_of(laid.of(states)[used][:, shared], levels, noise)
    errors = _errors(data, components, seed) if ridge is None else np.empty(0)
    chosen = float(RIDGES[errors.argmin()]) if ridge is None else ridge
    return DemixedPCA(
        variables=names,
        levels=levels.values,
        demixing=_demixing(data, components, chosen, seed),
        time_ms=laid.time_ms[shared],
        ridge=chosen,
        ridges=RIDGES if ridge is None else np.empty(0),
        errors=errors,
        trials=int(used.sum()),
        left_out=int((~used).sum()),
        align=align,
        **_components(data, components, chosen, names),
    )


def _components(
    data: Combinations, components: int, ridge: float, names: tuple[str, ...]
) -> dict[str, Any]:
    """Decoders and encoders in order of what they explain, and what that is."""
    averages = data.averages()
    parts = marginalised(averages)
    squares = products(parts)
    whole = squares.sum(axis=0)
    found = Regression(squares, data.noise()).demixed(components, ridge)
    order = np.argsort(-explained(squares, found).sum(axis=1), kind="stable")
    found = Demixed(*(each[order] for each in found))
    center = averages.reshape(-1, averages.shape[-1]).mean(axis=0)
    count = len(found.part)
    return {
        "marginalisations": tuple(AND.join(names[i] for i in own) or TIME for own in parts),
        "shares": np.trace(squares, axis1=1, axis2=2) / np.trace(whole),
        "part": found.part,
        "decoders": found.decoders,
        "encoders": found.encoders,
        "center": center,
        "averages": np.moveaxis((averages - center) @ found.decoders.T, -1, 0),
        "explained_variance": explained(squares, found),
        "cumulative": cumulative(whole, found),
        "cumulative_pca": _cumulative_pca(whole, count),
    }


def _cumulative_pca(whole: np.ndarray, count: int) -> np.ndarray:
    values = np.linalg.eigvalsh(whole)[::-1]
    sums: np.ndarray = np.cumsum(values) / values.sum()
    return sums[np.minimum(np.arange(count), len(sums) - 1)]


def _errors(data: Combinations, components: int, seed: int) -> np.ndarray:
    """Of each ridge, in trials left out: their mean over the repeats."""
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(data.cells == cell) for cell in range(len(data.counts))]
    found = []
    for _ in range(REPEATS):
        out = [rng.choice(each) for each in members]
        others = np.delete(np.arange(len(data.cells)), out)
        left_out = data.whole(data.states[out])
        averages, noise = data.averages(others), data.noise(others)
        found.append(ridge_errors(averages, noise, left_out, components))
    return np.mean(found, axis=0)


def _demixing(data: Combinations, components: int, ridge: float, seed: int) -> np.ndarray:
    """Of the variance along each marginalisation's decoders its own share, in other trials."""
    sets = 2 ** len(data.shape)
    if data.counts.min() < 2:
        return np.full(sets, np.nan)
    half = in_folds(data.cells, 2, np.random.default_rng(seed)) == 0
    halves = half, ~half
    found = np.full((2, sets), np.nan)
    for i in range(2):
        own = halves[i]
        fit = demixed(data.averages(own), components, ridge, data.noise(own))
        others = products(marginalised(data.averages(halves[1 - i])))
        along = np.einsum("cu,puv,cv->cp", fit.decoders, others, fit.decoders)
        for part in np.unique(fit.part):
            shares = along[fit.part == part].sum(axis=0)
            found[i, part] = shares[part] / shares.sum()
    return found.mean(axis=0)
