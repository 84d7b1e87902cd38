"""Tables of the page: what a DataFrame looks like there, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

HEADINGS = {
    "net": "network",
    "mse": "MSE",
    "mse_with_last_step": "MSE, all steps",
    "distance": "distance",
    "accuracy": "sign accuracy",
    "correct": "trials correct",
    "spectrum_radius": "spectral radius",
    "spectrum_outliers": "|λ| > 1.01",
    "spectrum_on_circle": "within 0.02 of circle",
    "spectrum_nonnormality": "Henrici / norm",
    "spectrum_leading_frequency": "leading mode (cycles/ms)",
    "cube_r_squared": "cube R²",
    "cube_one_bit_apart": "edges one bit apart",
    "cube_separation": "memories held apart",
    "points_all": "fixed points",
    "points_stable": "stable",
    "points_certified": "proved",
    "points_degree_sum": "degree sum",
    "automaton_correct": "memory transitions correct (T0)",
    "automaton_margin": "smallest margin (T0)",
    "automaton_lost": "states lost in silence",
    "automaton_proved": "states proved to hold (T2)",
}
PERCENTAGES = (
    "accuracy",
    "correct",
    "spectrum_on_circle",
    "cube_one_bit_apart",
    "cube_separation",
    "automaton_correct",
)


WIDEST = 105  # letters of a line of a table: what the page has room for, also in a wide typeface
GAP = 3  # letters: the space between two columns, and what bold headings take more
WRAPPED = 24  # letters: what is longer, as lists are, goes on in the next line

MOST_KEYS = 3  # columns that are said again: network, state, input


@dataclass(frozen=True)
class Table:
    """A table as text."""

    head: list[str]
    rows: list[list[str]]


def tables(frame: pd.DataFrame) -> list[Table]:
    """A DataFrame with headings in words and numbers of a few digits.

    One that is wider than the page goes on under itself, with the columns once more that tell its
    rows apart.
    """
    names = list(frame.columns)
    head = [HEADINGS.get(name, _in_words(str(name))) for name in names]
    rows = [[_cell(name, row[name]) for name in names] for row in frame.to_dict("records")]
    cells = list(zip(head, *rows, strict=True))
    parts = _parts([_width(column) for column in cells], _keys(rows))
    return [_of_columns([cells[i] for i in part]) for part in parts]


def _in_words(name: str) -> str:
    """A name as a heading; that of a setting, as rule.learning_rate, stays as it is given."""
    return name if "." in name else name.replace("_", " ")


def _keys(rows: list[list[str]]) -> int:
    """How many of the first columns tell the rows apart; the first one where no few of them do."""
    for count in range(1, MOST_KEYS + 1):
        if len({tuple(row[:count]) for row in rows}) == len(rows):
            return count
    return 1


def _of_columns(cells: list[tuple[str, ...]]) -> Table:
    head, *rows = (list(line) for line in zip(*cells, strict=True))
    return Table(head, rows)


def _width(cells: tuple[str, ...]) -> int:
    """Letters that a column needs: headings go on at spaces, cells where they are long."""
    head, *values = cells
    longest = max((len(word) for word in head.split()), default=0)
    return GAP + max([longest, *(min(len(value), WRAPPED) for value in values)])


def _parts(widths: list[int], keys: int) -> list[list[int]]:
    """The numbers of the columns that stand beside one another, the first `keys` in each part."""
    first = list(range(min(keys, len(widths))))
    parts, used = [list(first)], sum(widths[:keys])
    for column, width in enumerate(widths[keys:], start=keys):
        if used + width > WIDEST and len(parts[-1]) > keys:
            parts.append(list(first))
            used = sum(widths[:keys])
        parts[-1].append(column)
        used += width
    return parts


def columns(frame: pd.DataFrame, *starts: str) -> pd.DataFrame:
    """The columns that say which network, and those whose name begins so."""
    names = [str(name) for name in frame]
    return frame[[n for n in names if n in ("net", "status") or n.startswith(starts)]]


def of_all_networks(
    titles: Mapping[str, str], tables: Sequence[Mapping[str, pd.DataFrame]]
) -> list[tuple[str, pd.DataFrame]]:
    """Those of the tables (by name, a network each) that are not empty, each for all networks."""
    whole = {title: _joined(name, tables) for name, title in titles.items()}
    return [(title, frame) for title, frame in whole.items() if frame is not None]


def _joined(name: str, tables: Sequence[Mapping[str, pd.DataFrame]]) -> pd.DataFrame | None:
    """One table of all networks, the network first; None where it would be empty."""
    parts = [t[name].assign(net=net) for net, t in enumerate(tables) if name in t and len(t[name])]
    if not parts:
        return None
    whole = pd.concat(parts)
    return whole[["net", *(column for column in whole if column != "net")]]


def _cell(column: str, value: Any) -> str:
    if isinstance(value, float) and np.isnan(value):
        return "–"
    if column in PERCENTAGES:
        return f"{100 * value:.2f} %"
    if isinstance(value, float):
        return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e5 else f"{value:.3g}"
    return str(value)
