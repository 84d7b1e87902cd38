"""How far apart conditions lie in each epoch, and which variables that follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy.linalg import cholesky, solve_triangular
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata

from attractory._arguments import a_name, names_of, optional, takes
from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting, shown
from attractory._result import Result
from attractory.analysis._given import network_or_trajectory, trajectory_in
from attractory.analysis.states._decoding import in_folds
from attractory.analysis.states._levels import Levels, levels_of
from attractory.analysis.states._moments import in_epochs
from attractory.models import Network, Trajectory
from attractory.runs import kept
from attractory.tasks import Task, Trials, as_task, as_trials

METRICS = ("euclidean", "correlation", "crossnobis")
MOST_CONDITIONS = 256  # whose matrices are 65 536 numbers each
FOLDS = 5  # of the trials, from two of which a crossnobis distance is
SHRINKAGE = 0.1  # of the covariance of noise towards equal variances: units may outnumber trials
PERMUTATIONS = 999  # p comes in steps of 1/1000
LEVEL = 0.05  # of p, up to which the statement names a variable
ROUNDING = 1e-12  # of a correlation


@dataclass(frozen=True, repr=False)
class Dissimilarities(Result):
    """Representational dissimilarity matrices of each epoch (see `dissimilarities`).

    Attributes
    ----------
    by : tuple of str
        What tells the conditions apart.
    conditions : dict of array (condition,)
        The values of each condition, by the names in `by`.
    trials : array of int (condition,)
        The number of trials of each.
    epochs : tuple of str
        The epochs.
    metric : {"euclidean", "correlation", "crossnobis"}
        What a dissimilarity is.
    matrices : array (epoch, condition, condition)
        The dissimilarity of each two conditions.
    between : array (epoch, epoch)
        Spearman's rank correlation of the matrix of one epoch, from one half of the trials, and
        that of another, from the other half (for crossnobis of Euclidean distances). On the
        diagonal: how exact a matrix is.
    models : array (variable, condition, condition)
        The matrix that one variable alone would give: the difference of its values, or 1 where
        names, or two values, differ.
    agreement : array (epoch, variable)
        Spearman's rank correlation of each epoch's matrix and each of these.
    p : array (epoch, variable)
        The share of permutations of the conditions (and of the conditions as they are, one more)
        with an agreement as large.
    left_out : int
        Trials without a value of one of `by`, or in a condition with no other trial.
    """

    by: tuple[str, ...]
    conditions: dict[str, np.ndarray]
    trials: np.ndarray
    epochs: tuple[str, ...]
    metric: str
    matrices: np.ndarray
    between: np.ndarray
    models: np.ndarray
    agreement: np.ndarray
    p: np.ndarray
    left_out: int

    @property
    def statement(self) -> str:
        """Which variable the matrix of each epoch follows most, in words."""
        words = []
        for epoch, agreement, p in zip(self.epochs, self.agreement, self.p, strict=True):
            known = np.flatnonzero(p <= LEVEL)
            most = known[np.argsort(-agreement[known], kind="stable")]
            said = ", ".join(f"{self.by[i]} {agreement[i]:.2f}" for i in most)
            words.append(f"{epoch}: {said or 'none'}")
        return (
            f"Variables that the dissimilarities of {len(self.trials)} conditions follow "
            f"(Spearman's ρ, p ≤ {LEVEL}): {'; '.join(words)}."
        )

    def table(self) -> pd.DataFrame:
        """The epochs as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each epoch: the mean dissimilarity, how alike the matrices from two halves of
            the trials are, and the agreement with each variable, with its p.
        """
        pairs = np.triu_indices(len(self.trials), 1)
        columns: dict[str, Any] = {
            "epoch": self.epochs,
            "mean": self.matrices[:, *pairs].mean(axis=1),
            "halves": np.diag(self.between),
        }
        for i, name in enumerate(self.by):
            columns[name] = self.agreement[:, i]
            columns[f"{name} p"] = self.p[:, i]
        return pd.DataFrame(columns)


@kept
@one_blas_thread
@takes(
    network=network_or_trajectory,
    trials=as_trials,
    by=names_of,
    task=optional(as_task),
    epochs=names_of,
    metric=a_name,
)
def dissimilarities(
    network: Network | Trajectory,
    trials: Trials,
    by: str | tuple[str, ...],
    task: Task | None = None,
    epochs: str | tuple[str, ...] = (),
    metric: Literal["euclidean", "correlation", "crossnobis"] = "euclidean",
    seed: int = 0,
) -> Dissimilarities:
    """How far apart the mean states of conditions are in each epoch.

    Parameters
    ----------
    network : Network or Trajectory
        Of a trajectory in these trials the states and outputs are taken as they are.
    trials : Trials
        What the network is given, several of each condition.
    by : str or sequence of str
        Conditions of the trials (`Trials.conditions`), whose combinations are compared; with a task
        also "choice" and "correct". Of more than 12 values, unless they are integers, up to 8 bins
        are made. Combinations with fewer than two trials are left out.
    task : Task, optional
        That the trials are of: it tells the choices.
    epochs : str or sequence of str
        The epochs, over each of which states are averaged; all that each trial has a step in when
        empty, the whole trial where there are none.
    metric : {"euclidean", "correlation", "crossnobis"}
        "euclidean": the distance of the mean states. "correlation": 1 minus the correlation of the
        mean states over units. "crossnobis": the squared Mahalanobis distance, cross-validated; it
        is 0 on average where conditions do not differ, and may be negative [2]_.
    seed : int
        Of the network's own noise, of halves, folds and permutations.

    Returns
    -------
    Dissimilarities
        The matrices, how alike they are between epochs, and which variables they follow.

    Raises
    ------
    InvalidSetting
        For another metric, an unknown condition or epoch, and fewer than three conditions.

    Notes
    -----
    A matrix is compared with that which a variable alone would give, by the ranks of all pairs of
    conditions [1]_. Distances from noisy means are too large, all by about as much; crossnobis ones
    are not. For these the trials are cut into up to five folds; differences of means in one are
    multiplied with those in another, in units of the covariance of trials within conditions (shrunk
    by 10 % towards equal variances), and divided by the number of units.

    References
    ----------
    .. [1] Kriegeskorte, Mur & Bandettini (2008), Front. Syst. Neurosci. 2:4.
    .. [2] Walther et al. (2016), NeuroImage 137:188.
    """
    if metric not in METRICS:
        raise InvalidSetting(
            f"metric = {shown(metric)} is not allowed: 'euclidean', 'correlation' or 'crossnobis'"
        )
    states, outputs = trajectory_in(network, trials, seed)
    names = tuple(dict.fromkeys(by))
    levels = levels_of("by", names, outputs, trials, task)
    chosen = _chosen(levels)
    moments = in_epochs(states, trials, chosen.used, tuple(epochs))
    rng = np.random.default_rng(seed)
    by_epoch = np.swapaxes(moments.states, 0, 1)
    matrices = np.stack([_matrix(own, chosen.members, metric, rng) for own in by_epoch])
    models = np.stack([_model(values) for values in chosen.values.values()])
    agreement, p = _agreement(matrices, models, rng)
    return Dissimilarities(
        by=names,
        conditions=chosen.values,
        trials=np.bincount(chosen.members),
        epochs=moments.names,
        metric=metric,
        matrices=matrices,
        between=_between(by_epoch, chosen.members, metric, rng),
        models=models,
        agreement=agreement,
        p=p,
        left_out=int((~chosen.used).sum()),
    )


class Chosen(NamedTuple):
    """The conditions that are compared.

    used: the trials (trial,) of bool; members: the condition of each of them; values: of each
    condition, by name.
    """

    used: np.ndarray
    members: np.ndarray
    values: dict[str, np.ndarray]


def _chosen(levels: Levels) -> Chosen:
    """Those with two trials or more; InvalidSetting where they are too few, or too many."""
    cells = levels.cells
    counts = np.bincount(cells[cells >= 0], minlength=int(np.prod(levels.shape)))
    several = np.flatnonzero(counts > 1)
    if not 3 <= len(several) <= MOST_CONDITIONS:
        raise InvalidSetting(
            f"by gives {len(several)} conditions of two trials or more; 3 to {MOST_CONDITIONS} are "
            "compared"
        )
    used = np.isin(cells, several)
    places = np.unravel_index(several, levels.shape)
    pairs = zip(levels.values.items(), places, strict=True)
    values = {name: known[place] for (name, known), place in pairs}
    return Chosen(used, np.searchsorted(several, cells[used]), values)


def _matrix(
    states: np.ndarray, members: np.ndarray, metric: str, rng: np.random.Generator
) -> np.ndarray:
    """Dissimilarities of conditions from states (trial, unit)."""
    if metric == "crossnobis":
        return _crossnobis(states, members, rng)
    means = _means(states, members)
    if metric == "euclidean":
        return squareform(pdist(means))
    centred = means - means.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = centred / np.where(lengths > 0, lengths, 1.0)
    apart = 1 - unit @ unit.T
    np.fill_diagonal(apart, 0.0)
    return np.clip(apart, 0, 2)


def _means(states: np.ndarray, members: np.ndarray) -> np.ndarray:
    sums = np.zeros((members.max() + 1, states.shape[1]))
    np.add.at(sums, members, states)
    return sums / np.bincount(members)[:, None]


def _crossnobis(states: np.ndarray, members: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Squared Mahalanobis distances, each factor from another fold, divided by the units."""
    white = _whitened(states, members)
    count = min(FOLDS, int(np.bincount(members).min()))
    folds = in_folds(members, count, rng)
    means = np.stack([_means(white[folds == i], members[folds == i]) for i in range(count)])
    # of differences d: the sum of d_f·d_g over folds f ≠ g is |Σ d_f|² - Σ |d_f|²
    whole = squareform(pdist(means.sum(axis=0), "sqeuclidean"))
    each = sum(squareform(pdist(own, "sqeuclidean")) for own in means)
    products: np.ndarray = (whole - each) / (count * (count - 1) * states.shape[1])
    return products


def _whitened(states: np.ndarray, members: np.ndarray) -> np.ndarray:
    """States in units of the covariance of trials within conditions; as they are without noise."""
    left = states - _means(states, members)[members]
    freedom = max(len(states) - int(members.max()) - 1, 1)
    covariance = left.T @ left / freedom
    mean = np.trace(covariance) / len(covariance)
    if mean == 0:
        return states
    shrunk = (1 - SHRINKAGE) * covariance + SHRINKAGE * mean * np.eye(len(covariance))
    white: np.ndarray = solve_triangular(cholesky(shrunk, lower=True), states.T, lower=True).T
    return white


def _model(values: np.ndarray) -> np.ndarray:
    """The dissimilarities that a variable (condition,) alone would give."""
    differ = values[:, None] != values
    if values.dtype.kind not in "iuf" or len(np.unique(values)) < 3:
        return differ.astype(float)
    numbers = values.astype(float)
    return np.abs(numbers[:, None] - numbers)


def _ranked(matrices: np.ndarray) -> np.ndarray:
    """Ranks of all pairs (matrix, pair), such that a product of two is Spearman's correlation.

    NaN where all pairs are as far apart.
    """
    pairs = np.triu_indices(matrices.shape[-1], 1)
    ranks = rankdata(matrices[:, *pairs], axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(ranks, axis=1, keepdims=True)
    return ranks / np.where(lengths > 0, lengths, np.nan)


def _agreement(
    matrices: np.ndarray, models: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Rank correlations (epoch, model), and the share of permutations with as large ones."""
    ranked, of_models = _ranked(matrices), _ranked(models)
    agreement = ranked @ of_models.T
    squares = np.stack([squareform(ranks) for ranks in of_models])
    pairs = np.triu_indices(matrices.shape[-1], 1)
    as_large = np.ones(agreement.shape)
    for _ in range(PERMUTATIONS):
        order = rng.permutation(matrices.shape[-1])
        permuted = squares[:, order[pairs[0]], order[pairs[1]]]
        # sums in another order may differ by rounding
        as_large += ranked @ permuted.T >= agreement - ROUNDING
    p = as_large / (1 + PERMUTATIONS)
    return agreement, np.where(np.isnan(agreement), np.nan, p)


def _between(
    by_epoch: np.ndarray, members: np.ndarray, metric: str, rng: np.random.Generator
) -> np.ndarray:
    """Rank correlations of matrices from two halves of the trials (epoch, epoch)."""
    halves = in_folds(members, 2, rng)
    # half of two trials is one of each condition: none is left to cross-validate with
    usual = "euclidean" if metric == "crossnobis" else metric
    one, other = (
        _ranked(np.stack([_matrix(own[halves == i], members[halves == i], usual, rng)
                          for own in by_epoch]))
        for i in range(2)
    )  # fmt: skip
    correlations = one @ other.T
    return (correlations + correlations.T) / 2
