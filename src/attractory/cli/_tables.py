"""Tables for the terminal."""

from __future__ import annotations

import re
from typing import Any

from rich.console import Console
from rich.table import Table


def table(*columns: str, words: int = 1) -> Table:
    """An empty table: the first columns, of words, to the left, numbers to the right."""
    made = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for i, column in enumerate(columns):
        made.add_column(column, justify="left" if i < words else "right")
    return made


def print_frame(console: Console, frame: Any) -> None:
    """A pandas DataFrame, numbers with four digits after the point."""
    made = table(*map(str, frame.columns))
    for row in frame.to_dict("records"):
        made.add_row(*(f"{v:.4f}" if isinstance(v, float) else str(v) for v in row.values()))
    console.print(made)


def flowing(text: str) -> str:
    """A docstring with lines that are as long as the terminal allows, a line for each setting."""
    settings = re.sub(r"(?m)^([\w*, ]+) : (.+)\n +", r"\1 (\2): ", text)
    return re.sub(r"(?<=[^-\n])\n(?: +|(?=[^-\s])(?![\w*, ]+(?: \(.+\))?: ))", " ", settings)


def print_networks(console: Console, results: Any) -> None:
    """The main numbers of a study, a row a network."""
    frame = results.network_table()
    shown = {
        "net": "network",
        "mse": "MSE",
        "mse_with_last_step": "all steps",
        "accuracy": "signs correct",
        "spectrum_on_circle": "on circle",
        "spectrum_outliers": "|λ|>1.01",
        "spectrum_radius": "radius",
        "spectrum_nonnormality": "Henrici",
        "cube_r_squared": "cube R²",
    }
    columns = [name for name in shown if name in frame.columns]
    rows = table(*(shown[name] for name in columns))
    for row in frame.to_dict("records"):
        rows.add_row(*(_shown(name, row[name]) for name in columns))
    console.print(rows)


def print_dynamics(console: Console, results: Any) -> None:
    """In words, a paragraph a network: fixed points and automaton."""
    for net, found in enumerate(results.dynamics or []):
        said = [found.points.statement]
        said += [found.automaton.statement] if found.automaton is not None else []
        console.print(f"network {net}: {' '.join(said)}", highlight=False)


def _shown(name: str, value: Any) -> str:
    if name in ("accuracy", "spectrum_on_circle"):
        return f"{100 * value:.2f} %"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
