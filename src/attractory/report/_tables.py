"""Tables of the page: what a DataFrame looks like there, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
}
PERCENTAGES = (
    "accuracy",
    "correct",
    "spectrum_on_circle",
    "cube_one_bit_apart",
    "cube_separation",
    "automaton_correct",
)


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
    if column in PERCENTAGES:
        return f"{100 * value:.2f} %"
    if isinstance(value, float):
        return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e5 else f"{value:.3g}"
    return str(value)
