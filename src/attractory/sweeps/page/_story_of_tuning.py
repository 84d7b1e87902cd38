"""The story of a tuning, for the page's first screen: questions, each with a short answer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from attractory.report._story import Told
from attractory.sweeps._studied import StudiedTuning
from attractory.sweeps.page._words import count_of, number_in_words, values_in_words

WAYS = {"maximize": "the highest", "minimize": "the lowest"}
BETTER = 0.1  # Optuna's PED-ANOVA sets this share of the complete trials against all of them
MOST_FIELDS = 3  # that are named
TOO_FEW = 5  # of these better trials, below which their values lie where they do much by chance


def story_of_tuning(study: StudiedTuning) -> list[Told]:
    """What was tuned, how trials stand, what is best, what matters, what failed."""
    told = [
        Told("What was tuned?", _tuned(study)),
        Told("How do trials stand?", _standing(study)),
        Told("What is best?", _best(study)),
        Told("What does the task's recipe have?", recipe_in_words(study)),
        Told("What matters?", importance_in_words(study)),
        Told("What failed?", _failed(study)),
    ]
    return [each for each in told if each.answer]


def _tuned(study: StudiedTuning) -> str:
    fields = "; ".join(f"{name} ({said})" for name, said in study.ranges.items())
    wanted = " and ".join(f"{WAYS[way]} {name}" for name, way in study.tried.directions.items())
    return f"{fields}; for {wanted} on the task {study.task}."


def _standing(study: StudiedTuning) -> str:
    parts = [f"{count} {state}" for state, count in study.status.items() if count]
    total = sum(study.status.values())
    return f"{count_of(total, 'trial')}: {', '.join(parts)}." if parts else "None has begun."


def _best(study: StudiedTuning) -> str:
    if not study.best:
        return "Not known: no trial is complete."
    if len(study.tried.scores) > 1:
        return (
            f"No one trial: {count_of(len(study.best), 'trial')} of {study.complete} on the Pareto "
            "front, which none beats in all objectives."
        )
    row = study.optimism.iloc[0].to_dict()
    trial, score = study.best[0], row["objective"]
    values = study.tried.rows.set_index("number").loc[trial, list(study.tried.fields)].to_dict()
    chosen = f"{score} {number_in_words(score, row['chosen'])} on the trials it was chosen by"
    return f"Trial {trial}: {values_in_words(values)}; {chosen}{_worth(row, study.complete)}"


def _worth(row: dict[Any, Any], complete: int) -> str:
    """What the best is worth on fresh seeds and trials."""
    if not np.isfinite(row["fresh"]):
        return (
            f". It was not trained again: as the best of {complete} it is better in part by luck, "
            "and by how much is not known."
        )
    score = row["objective"]
    error = row["standard_error"]
    spread = f", standard error {number_in_words(score, error)}" if np.isfinite(error) else ""
    seeds = count_of(int(row["seeds"]), "fresh seed")
    return f"; {number_in_words(score, row['fresh'])} with {seeds} on fresh trials{spread}."


def recipe_in_words(study: StudiedTuning) -> str:
    """The values of the task's recipe in the tuned fields; "" where they are not known."""
    if not study.recipe:
        return ""
    left = [name for name in study.ranges if name not in study.recipe]
    lacks = f" It has no {', '.join(left)} to compare." if left else ""
    return f"{values_in_words(study.recipe)}.{lacks} What it comes to was not tried here."


def importance_in_words(study: StudiedTuning) -> str:
    """The most important fields of each objective, and how far that can be trusted."""
    if len(study.tried.fields) == 1:
        return "Not asked: one field alone is tuned."
    said = [_importance_of(study, score) for score in study.tried.scores]
    return " ".join(said)


def _importance_of(study: StudiedTuning, score: str) -> str:
    shares = study.tried.importance.get(score)
    if shares is None:
        return f"For {score} not known: it takes two complete trials that differ in it."
    ordered = sorted(shares.items(), key=lambda each: -each[1])
    named = ", ".join(f"{name} {share:.2f}" for name, share in ordered[:MOST_FIELDS])
    better = _better(study.tried.numbers(score), study.tried.directions[score])
    few = " These are so few that the order is a hint at most." if better < TOO_FEW else ""
    return (
        f"For {score}: {named} (PED-ANOVA, of 1: how far the values of the best "
        f"{count_of(better, 'trial')} are from those of all {study.complete}).{few}"
    )


def _better(numbers: np.ndarray, way: str) -> int:
    """How many trials are among the best tenth, those among them that are equal to its last."""
    costs = np.sort(numbers[np.isfinite(numbers)] * (-1 if way == "maximize" else 1))
    return int((costs <= costs[math.ceil(BETTER * len(costs)) - 1]).sum())


def _failed(study: StudiedTuning) -> str:
    failed = study.status["failed"]
    if not failed:
        return "No trial failed."
    return f"{count_of(failed, 'trial')} failed; the lines stand below."
