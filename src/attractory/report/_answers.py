"""What networks answer: by the evidence for it, and in the conditions of the trials."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attractory.evaluation import PsychometricCurve, Responses, by_condition, psychometric

MOST_LEVELS, MOST_CONDITIONS = 24, 3  # of the tables by condition


def choices(answers: Responses) -> PsychometricCurve | None:
    """Psychometric curves of a task that states its evidence, one for each context."""
    if not answers.task.options or answers.task.evidence is None:
        return None
    by = "context" if "context" in answers.trials.conditions else None
    return psychometric(answers, by=by)


def scores_by_condition(answers: Responses) -> dict[str, pd.DataFrame]:
    """Scores by conditions that have a few values; the correct answer is not among them."""
    kept = []
    for name, values in answers.trials.conditions.items():
        levels = len(np.unique(values[~np.isnan(values)]))
        if 2 <= levels <= MOST_LEVELS and not name.startswith("answer"):
            kept.append(name)
    return {name: by_condition(answers, by=name) for name in kept[:MOST_CONDITIONS]}
