"""Linear regression of what units do on what tells trials apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from attractory._errors import InvalidSetting, shown
from attractory.analysis.states._variables import is_choice, values_of
from attractory.tasks import Task, Trials

SMALLEST_SPREAD = 1e-9  # of the largest: what changes less than that is rounding


class Regressors(NamedTuple):
    """Variables as a regression takes them.

    values: (trial, variable), each from -1 (its smallest value) to +1 (its largest); usable: the
    trials (trial,) that have a value of each.
    """

    values: np.ndarray
    usable: np.ndarray


def regressors(
    names: tuple[str, ...], outputs: np.ndarray, trials: Trials, task: Task | None
) -> Regressors:
    """The regressors of these names; InvalidSetting where a regression on them has no answer."""
    if not names:
        raise InvalidSetting("variables is empty; at least one variable is needed")
    if len(set(names)) < len(names):
        raise InvalidSetting(f"variables = {shown(names)} is not allowed: each of them once")
    found = values_of("variables", names, outputs, trials, task)
    numbers = [_number(name, each, task) for name, each in found.items()]
    values = np.stack(numbers, axis=1)
    usable = np.isfinite(values).all(axis=1)
    columns = zip(names, values[usable].T, strict=True)
    scaled = np.array([_scaled(name, column) for name, column in columns]).T
    _check_independent(names, scaled)
    values[usable] = scaled
    return Regressors(values, usable)


def _number(name: str, values: np.ndarray, task: Task | None) -> np.ndarray:
    """A variable (trial,) as a number that grows with it; InvalidSetting where it is none."""
    if values.dtype.kind not in "biuf":
        raise InvalidSetting(
            f"variables = {shown(name)} is of kind {values.dtype}; regression takes numbers"
        )
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).any():
        raise InvalidSetting(
            f"variables = {shown(name)} has no value in any of the {len(values)} trials"
        )
    if not is_choice(name, task):
        return numbers
    _check_two_options(name, task)
    return -numbers  # evidence is positive for the first option, and so is its choice


def _check_two_options(name: str, task: Task | None) -> None:
    options = () if task is None else task.options
    if len(options) != 2:
        raise InvalidSetting(
            f"variables = {shown(name)} is one of {len(options)} options, which no number orders; "
            "regression takes it where there are two"
        )


def _scaled(name: str, values: np.ndarray) -> np.ndarray:
    low, high = 0.0, 0.0
    if len(values):
        low, high = values.min(), values.max()
    if low == high:
        raise InvalidSetting(
            f"variables = {shown(name)} has the same value in all {len(values)} trials that have "
            "one of each variable; it must vary"
        )
    return 2 * (values - low) / (high - low) - 1


def _check_independent(names: tuple[str, ...], values: np.ndarray) -> None:
    """InvalidSetting where one variable follows from the others."""
    if len(values) <= len(names) + 1:
        raise InvalidSetting(
            f"{len(values)} trials have a value of each variable; at least {len(names) + 2} are "
            "needed"
        )
    if np.linalg.matrix_rank(with_constant(values)) <= len(names):
        raise InvalidSetting(
            f"variables = {shown(names)} depend on each other: one is a sum of the others; "
            "leave one out"
        )


def with_constant(values: np.ndarray) -> np.ndarray:
    """Regressors (trial, variable) with a last column of ones."""
    return np.column_stack([values, np.ones(len(values))])


def inflation(values: np.ndarray) -> np.ndarray:
    """How often larger the variance of each coefficient is than with independent variables.

    The variance inflation factor, (variable,): the diagonal of the inverse correlation matrix.
    """
    correlations = np.atleast_2d(np.corrcoef(values.T))
    return np.diag(np.linalg.inv(correlations))


def spread_of(activity: np.ndarray) -> np.ndarray:
    """Standard deviation of each unit over all points (point, unit), inf where it is none.

    Divided by it, a unit that does not change weighs nothing.
    """
    spread = activity.std(axis=0)
    return np.where(spread > SMALLEST_SPREAD * spread.max(initial=0), spread, np.inf)


def least_squares(activity: np.ndarray, counted: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Coefficients of each unit at each time, (variable, time, unit).

    activity: (trial, time, unit); counted: (trial, time). NaN where too few trials count.
    """
    design = with_constant(values)
    shape = (design.shape[1], *activity.shape[1:])
    found = np.full(shape, np.nan)
    for time, trials in enumerate(counted.T):
        own = design[trials]
        if len(own) <= own.shape[1]:
            continue
        solution, _, rank, _ = np.linalg.lstsq(own, activity[trials, time], rcond=None)
        if rank == own.shape[1]:
            found[:, time] = solution
    return found[:-1]
