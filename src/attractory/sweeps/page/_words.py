"""How the pages of sweeps and tunings say values, scores and failures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from attractory._errors import one_line
from attractory.population import TriedSettings
from attractory.population._tried_settings import SHARES

MOST_VALUES = 4  # of a field that are named one by one
MOST_LINES = 20  # of failures
MOST_NUMBERS = 5  # of runs with the same line
LONGEST = 60  # letters of a value
NOTHING = "\N{EN DASH}"


def value_in_words(value: Any) -> str:
    """A setting: a number in a few digits, or a word."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST else value[: LONGEST - 1] + "…"
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return NOTHING
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def values_in_words(values: Mapping[Any, Any]) -> str:
    """Settings by their fields, those that there are."""
    said = {name: value_in_words(value) for name, value in values.items() if not _is_none(value)}
    return ", ".join(f"{name} = {value}" for name, value in said.items())


def number_in_words(score: str, number: float) -> str:
    """A number of a score; shares as percentages."""
    if not np.isfinite(number):
        return NOTHING
    return f"{100 * number:.1f} %" if score in SHARES else f"{number:.4g}"


def interval_in_words(score: str, low: float, high: float) -> str:
    """The ends of an interval."""
    if not np.isfinite([low, high]).all():
        return NOTHING
    if score in SHARES:
        return f"{100 * low:.1f} to {100 * high:.1f} %"
    return f"{low:.4g} to {high:.4g}"


def field_in_words(tried: TriedSettings, field: str) -> str:
    """A field, and the values that it had."""
    column = tried.rows[field]
    known = [value for value in column.unique().tolist() if not _is_none(value)]
    if len(known) <= MOST_VALUES:
        return f"{field} ({', '.join(map(value_in_words, known))})"
    if column.dtype.kind in "biuf":
        ends = f"{value_in_words(column.min())} to {value_in_words(column.max())}"
        return f"{field} ({len(known)} values from {ends})"
    first = ", ".join(map(value_in_words, known[:MOST_VALUES]))
    return f"{field} ({first} and {len(known) - MOST_VALUES} more)"


def settings_table(frame: pd.DataFrame, fields: Iterable[str]) -> pd.DataFrame:
    """A table with its settings in words."""
    made = frame.copy()
    for name in fields:
        made[name] = [value_in_words(value) for value in frame[name].tolist()]
    return made


def count_of(count: int, thing: str) -> str:
    """A number of things."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def failures_by_line(failures: pd.DataFrame, number: str) -> pd.DataFrame:
    """The failures that say the same together, the most frequent line first.

    number: the column with the numbers of runs or trials.
    """
    rows = []
    state = "status" if "status" in failures else "state"
    lines = failures["line"].fillna("").map(lambda line: one_line(str(line)) or "no line was left")
    for (line, how), alike in failures.groupby([lines, failures[state]], sort=False):
        numbers = alike[number].drop_duplicates().tolist()
        named = ", ".join(map(str, numbers[:MOST_NUMBERS]))
        more = len(numbers) - MOST_NUMBERS
        rows.append(
            {
                "count": len(numbers),
                "state": how,
                number: named + (f" and {more} more" if more > 0 else ""),
                "line": line,
            }
        )
    found = pd.DataFrame(rows, columns=["count", "state", number, "line"])
    ordered = found.sort_values("count", ascending=False, kind="stable", ignore_index=True)
    return ordered.rename(columns={number: f"{number}s"})


def _is_none(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and np.isnan(value))
