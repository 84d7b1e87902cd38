"""Measures of what networks do in the trials of a task: their outputs, their states."""

from __future__ import annotations

import numpy as np

from attractory import analysis
from attractory._errors import InvalidSetting
from attractory.models import Network
from attractory.population._measure import measure_of
from attractory.population._measure_context import Context

MOST_STATES = 2000  # whose neighbours are looked for: the time grows with their square


@measure_of("trials", larger="better", source="`Scores.accuracy`", unit="share")
def accuracy(network: Network, context: Context) -> float:
    """Share of the points asked for where the output has the sign of the target."""
    return float(context.scores.accuracy)


@measure_of("trials", larger="better", source="`Task.correct`", unit="share")
def correct(network: Network, context: Context) -> float:
    """Share of the trials that are answered correctly, as the task has it."""
    share = float(context.scores.correct)
    if np.isnan(share):
        raise InvalidSetting("no trial has a correct answer that the task tells")
    return share


@measure_of("trials", larger="worse", source="`Scores.mse`", unit="a.u.²")
def mse(network: Network, context: Context) -> float:
    """Mean squared error of the outputs, over the points that the mask counts."""
    return float(context.scores.mse)


@measure_of(
    "states",
    larger="more directions",
    source="Gao et al. (2017), bioRxiv 214262: (Σλ)² / Σλ²",
    unit="dimensions",
)
def participation_ratio(network: Network, context: Context) -> float:
    """Participation ratio of the states (see `at.analysis.participation_ratio`)."""
    return analysis.participation_ratio(context.states)


@measure_of(
    "states",
    larger="more dimensions",
    source="Facco et al. (2017), Scientific Reports 7:12140",
    unit="dimensions",
)
def two_nn_dimension(network: Network, context: Context) -> float:
    """Intrinsic dimension of 2000 of the states at random, by neighbours from other trials (see
    `at.analysis.two_nn_dimension`)."""
    states, trial = context.states, context.trial_of_state
    rng = np.random.default_rng(context.seed)
    chosen = rng.choice(len(states), min(MOST_STATES, len(states)), replace=False)
    return analysis.two_nn_dimension(states[chosen], trial[chosen])
