"""The story of a sweep, for the page's first screen: questions, each with a short answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from attractory.report._story import Told
from attractory.sweeps._studied import StudiedSweep
from attractory.sweeps.page._words import (
    count_of,
    field_in_words,
    interval_in_words,
    number_in_words,
    values_in_words,
)

MOST_FIELDS = 3  # that are named with their share


def story_of_sweep(study: StudiedSweep) -> list[Told]:
    """What was varied, how runs stand, which settings do best, what goes with it, what failed."""
    return [
        Told("What was varied?", _varied(study)),
        Told("How do runs stand?", _standing(study)),
        Told("Which settings do best?", _best(study)),
        Told("What does the score go with?", _effects(study)),
        Told("What failed?", _failed(study)),
    ]


def _varied(study: StudiedSweep) -> str:
    seeds = f", with {study.seeds} seeds" if study.seeds > 1 else ""
    networks = count_of(len(study.tried), "network")
    if not study.tried.fields:
        return f"No setting{seeds}: {networks}."
    fields = "; ".join(field_in_words(study.tried, name) for name in study.tried.fields)
    points = len(study.tried.rows[list(study.tried.fields)].drop_duplicates())
    return f"{fields}. {count_of(points, 'point')}{seeds}: {networks}."


def _standing(study: StudiedSweep) -> str:
    parts = [f"{count} {state}" for state, count in study.status.items() if count]
    left = study.status["waiting"] + study.status["running"]
    said = f"{count_of(sum(study.status.values()), 'run')}: {', '.join(parts)}."
    return said + (" This page is of what was done when it was made." if left else "")


def _best(study: StudiedSweep) -> str:
    score = study.score
    points = None if score is None else study.tried.points(score).dropna(subset="mean")
    if score is None or points is None or not len(points):
        return "Not known: no network has a score yet."
    best = points.iloc[0].to_dict()
    mean = f"mean {score} {number_in_words(score, best['mean'])} of {_of(best, score)}"
    if len(points) == 1:
        return f"There is one point with scores: {mean}."
    ways = {"maximize": "highest", "minimize": "lowest", "": "largest"}
    way = study.tried.directions[score]
    unknown = "" if way else f" Which {score} is better nobody can say."
    values = values_in_words({name: best[name] for name in study.tried.fields})
    return (
        f"Of {len(points)} points the {ways[way]} {mean}: {values}.{_beside(points)} It was chosen "
        f"by these same networks, which makes its mean the more optimistic the more points there "
        f"are.{unknown}"
    )


def _of(point: dict[Any, Any], score: str) -> str:
    """How many networks, and the interval where there is one."""
    said = count_of(int(point["networks"]), "network")
    if not np.isfinite(point["low"]):
        return said
    return f"{said} (95 % interval {interval_in_words(score, point['low'], point['high'])})"


def _beside(points: pd.DataFrame) -> str:
    """How many other points have their mean in the interval of the first."""
    best, others = points.iloc[0], points.iloc[1:]
    if not np.isfinite(best["low"]):
        return ""
    inside = int(others["mean"].between(best["low"], best["high"]).sum())
    verb = "has its mean" if inside == 1 else "have their means"
    return f" {inside or 'None'} of the others {verb} within this interval."


def _effects(study: StudiedSweep) -> str:
    if study.score is None or not study.tried.fields:
        return "Not known: no setting varies, or no network has a score yet."
    effects = study.tried.effects(study.score).dropna(subset="share")
    if not len(effects):
        return f"Not known: too few networks have a {study.score}, or all have the same."
    first = effects[:MOST_FIELDS].to_dict("records")
    named = [f"{row['field']} {100 * row['share']:.0f} %" for row in first]
    return (
        f"Of the variance of {study.score} between networks, by each field alone: "
        f"{', '.join(named)} (adjusted R²)."
    )


def _failed(study: StudiedSweep) -> str:
    diverged = study.tried.states.get("diverged", 0)
    parts = [f"{count_of(study.status[state], 'run')} {state}" for state in ("failed", "lost")
             if study.status[state]]  # fmt: skip
    if diverged:
        parts.append(f"{count_of(diverged, 'network')} diverged in training")
    return f"{', '.join(parts)}." if parts else "Nothing: no run failed or was lost, none diverged."
