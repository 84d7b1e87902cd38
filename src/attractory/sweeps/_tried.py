"""What a sweep or a tuning has tried, as a result that can be tabulated and drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from attractory.population import TriedSettings
from attractory.population._levels import varies_by_ratios
from attractory.sweeps._store import DONE
from attractory.sweeps._tuning_study import DIRECTIONS
from attractory.sweeps._work import SCORES

REPEATS = "seed"  # a field that is no setting: with another one the same settings are tried again
OF_RUNS = ("run", "net", "status", "outcome", "step", "attempt", "seconds", "memory", "host",
           "line", "bytes")  # what a sweep's table has beside fields and scores  # fmt: skip
DIVERGED = "diverged"
MISSING = object()  # of a field that a point does not have


def tried_in_sweep(values: Sequence[Mapping[str, Any]], table: pd.DataFrame) -> TriedSettings:
    """The networks of a sweep: the values of each run, and the sweep's table."""
    names = list(dict.fromkeys(name for each in values for name in each if name != REPEATS))
    columns = {name: _column([each.get(name, MISSING) for each in values]) for name in names}
    fields = [name for name in names if _distinct(columns[name]) > 1]
    runs = table["run"].to_numpy()
    rows = pd.DataFrame({"number": runs, "state": _states(table)})
    for name in fields:
        rows[name] = columns[name][runs]
    scores = _scores(table, names)
    for name in scores:
        rows[name] = table[name].to_numpy(float)
    logarithmic = tuple(name for name in fields if varies_by_ratios(rows[name]))
    directions = {name: _direction(name) for name in scores}
    return TriedSettings("network", rows, tuple(fields), logarithmic, directions)


def tried_in_tuning(
    described: Mapping[str, Any],
    table: pd.DataFrame,
    importance: Mapping[str, Mapping[str, float]],
) -> TriedSettings:
    """The trials of a tuning: what its study says, its table, and what matters to an objective."""
    fields, objectives = described["tune"], described["objective"]
    rows = pd.DataFrame({"number": table["trial"].to_numpy(int), "state": list(table["state"])})
    on_their_way = (table["state"] == "running").tolist()  # not all values may be chosen yet
    for name, value in fields.items():
        given = table[name].tolist()
        rows[name] = _column(
            [MISSING if open_ and _is_nothing(one) else one
             for one, open_ in zip(given, on_their_way, strict=True)],
            words=isinstance(value, list) and not all(_is_number(one) for one in value),
        )  # fmt: skip
    for name in objectives:
        rows[name] = table[name].to_numpy(float)
    logarithmic = tuple(
        name for name, value in fields.items() if isinstance(value, dict) and value.get("log")
    )
    known = {name: dict(shares) for name, shares in importance.items()}
    return TriedSettings("trial", rows, tuple(fields), logarithmic, dict(objectives), known)


def _column(given: Sequence[Any], words: bool = False) -> np.ndarray:
    """Numbers where all are, NaN for what is missing; else words, "" for it."""
    there = [value for value in given if value is not MISSING]
    if not words and all(_is_number(value) for value in there):
        whole = len(there) == len(given) and all(isinstance(value, int) for value in there)
        numbers = [np.nan if value is MISSING else value for value in given]
        return np.array(numbers, int if whole else float)
    return np.array(["" if value is MISSING else _word(value) for value in given], object)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _word(value: Any) -> str:
    """What stands for a value that is no number; None is a value, too."""
    return "none" if _is_nothing(value) else str(value)


def _distinct(column: np.ndarray) -> int:
    """How many values there are; that there is none counts as one."""
    return int(pd.Series(column).nunique(dropna=False))


def _states(table: pd.DataFrame) -> list[str]:
    """How each network stands: one whose run is done may have diverged."""
    outcomes = table["outcome"] if "outcome" in table else pd.Series("", table.index)
    diverged = (table["status"] == DONE) & (outcomes == DIVERGED)
    return np.where(diverged, DIVERGED, table["status"].to_numpy(str)).tolist()


def _scores(table: pd.DataFrame, fields: Sequence[str]) -> list[str]:
    """The columns that are scores: those of trials first, then measures, then losses."""
    there = [str(name) for name in table if name not in (*OF_RUNS, *fields, REPEATS)]
    known = [name for name in there if table[name].notna().any()]
    losses = [name for name in ("validation_loss", "loss") if name in known]
    first = [name for name in SCORES if name in known]
    return [*first, *(name for name in known if name not in (*first, *losses)), *losses]


def _direction(score: str) -> str:
    return "minimize" if score == "loss" else DIRECTIONS.get(score, "")
