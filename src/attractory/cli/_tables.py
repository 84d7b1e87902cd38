"""Tables for the terminal."""

from __future__ import annotations

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
