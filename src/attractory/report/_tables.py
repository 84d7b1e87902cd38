"""Tables of the page: what a DataFrame looks like there, as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from attractory.report._captions import HEADINGS, PERCENTAGES


@dataclass(frozen=True)
class Table:
    """A table as text."""

    head: list[str]
    rows: list[list[str]]


def table(frame: pd.DataFrame) -> Table:
    """A DataFrame with headings in words and numbers of a few digits."""
    columns = list(frame.columns)
    rows = [[_cell(name, row[name]) for name in columns] for row in frame.to_dict("records")]
    return Table([HEADINGS.get(name, str(name)) for name in columns], rows)


def columns(frame: pd.DataFrame, *starts: str) -> pd.DataFrame:
    """The columns that say which network, and those whose name begins so."""
    names = [str(name) for name in frame]
    return frame[[n for n in names if n in ("net", "status") or n.startswith(starts)]]


def joined(name: str, tables: list[dict[str, pd.DataFrame]]) -> pd.DataFrame | None:
    """One table of all networks, the network first; None where it would be empty."""
    parts = [t[name].assign(net=net) for net, t in enumerate(tables) if name in t and len(t[name])]
    if not parts:
        return None
    whole = pd.concat(parts)
    return whole[["net", *(column for column in whole if column != "net")]]


def _cell(column: str, value: Any) -> str:
    if column in PERCENTAGES:
        return f"{100 * value:.2f} %"
    if isinstance(value, float):
        return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e5 else f"{value:.3g}"
    return str(value)
