"""How dataclasses of arrays are shown: in a few lines of text, in a small table on a page."""

from __future__ import annotations

import html
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from attractory._errors import NamesNearest

WIDEST = 100  # letters of a line in which something is shown
MOST_LINES = 10
MOST_ROWS, MOST_COLUMNS = 20, 12  # of a table on a page


class Shown(NamesNearest):
    """Base of dataclasses that are shown short, and name the nearest of their attributes."""

    def __repr__(self) -> str:
        return in_lines(type(self).__name__, _parts(self))

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return as_html(type(self).__name__, self._rows())

    def _rows(self) -> pd.DataFrame:
        """What stands in that table: a row for each field."""
        return pd.DataFrame(_parts(self).items(), columns=["field", "value"])


def _parts(thing: Any) -> dict[str, str]:
    """The fields that are shown, in a few letters each."""
    names = [field.name for field in fields(thing) if not field.name.startswith("_")]
    return {name: in_short(getattr(thing, name)) for name in names}


def in_lines(title: str, parts: dict[str, str]) -> str:
    """A title and named parts in brackets, as a few lines of text.

    Parameters
    ----------
    title : str
        Before the bracket.
    parts : dict of str to str
        What stands in it.

    Returns
    -------
    str
        At most 10 lines.
    """
    lines, line = [], f"{title}("
    for name, text in parts.items():
        part = f"{name}={text}"
        if len(line) + len(part) > WIDEST:
            lines.append(line.rstrip())
            line = "    "
        line += part + ", "
    lines.append(line.removesuffix(", ") + ")")
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], "    …)"]
    return "\n".join(lines)


def in_short(value: Any) -> str:
    """A part of something in a few letters.

    Parameters
    ----------
    value : object
        Of arrays the shape is told, of long collections the number of items.

    Returns
    -------
    str
        The value in words.
    """
    if isinstance(value, np.ndarray):
        return f"array {value.shape}" if value.size > 4 or value.ndim != 1 else str(value.tolist())
    if isinstance(value, (list, tuple, dict)) and len(value) > 3:
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str):
        return repr(value if len(value) <= WIDEST else value[: WIDEST - 1] + "…")
    if isinstance(value, (bool, int)) or value is None:
        return repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(in_short(each) for each in value) + "]"
    return type(value).__name__


def as_html(title: str, rows: pd.DataFrame, note: str = "") -> str:
    """A table as a notebook shows it: text alone, everything escaped.

    Parameters
    ----------
    title : str
        Above the table.
    rows : pandas.DataFrame
        The table, of which the first 20 rows and 12 columns are shown.
    note : str
        A sentence below the title.

    Returns
    -------
    str
        A piece of HTML.
    """
    shown = rows.iloc[:MOST_ROWS, :MOST_COLUMNS].map(_cell)
    table = shown.to_html(index=False, border=0, escape=True, na_rep="")
    words = f"<p>{html.escape(note)}</p>" if note else ""
    left = len(rows) - len(shown)
    more = f"<p>… and {left} more rows</p>" if left > 0 else ""
    return f"<div><p><strong>{html.escape(title)}</strong></p>{words}{table}{more}</div>"


def _cell(value: Any) -> str:
    """What stands in a cell of a table."""
    if isinstance(value, str):
        return value if len(value) <= WIDEST else value[: WIDEST - 1] + "…"
    return in_short(value.item() if isinstance(value, np.generic) else value)
