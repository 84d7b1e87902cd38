"""The tables of benchmarks/song.py, for docs/song.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

PAGE = Path(__file__).resolve().parents[1] / "docs" / "song.md"
BEGIN, END = "<!-- tables: made by benchmarks/song.py -->", "<!-- end of tables -->"


def write_table(found: dict[str, list[dict[str, Any]]]) -> None:
    """Put both tables between the marks of the page."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    made = "\n".join([BEGIN, *choices(found), "", *weights(found), END])
    PAGE.write_text(f"{before}{made}{after}", encoding="utf-8")


def choices(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    """A line for each network: how long it learned, and how it chooses."""
    sizes = list(next(iter(found.values()))[0]["by_coherence"])
    head = ["loss", "trials", "seconds", "correct", *(f"{size} %" for size in sizes)]
    head += ["correct, steps of 0.5 ms", "threshold", "mean rate"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, rows in found.items():
        for row in rows:
            cells = [name, f"{20 * row['updates']}", f"{row['seconds']:.0f}"]
            cells += [f"**{row['correct']:.1%}**"]
            cells += [f"{row['by_coherence'][size]:.0%}" for size in sizes]
            cells += [f"{row['correct_in_fine_steps']:.1%}", f"{row['threshold']:.1f} %"]
            cells += [f"{row['mean_rate']:.2f}"]
            lines.append("| " + " | ".join(cells) + " |")
    return lines


def weights(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Mean weights by kinds of units, means and ranges over the networks of a loss."""
    lines = ["| loss | from, to | mean weight | same preference | other preference |"]
    lines.append("|---|---|---|---|---|")
    for name, rows in found.items():
        for group in rows[0]["weights"]:
            cells = []
            for kind in ("mean", "like", "unlike"):
                values = np.array([row["weights"][group][kind] for row in rows])
                low, high = sorted((values.min(), values.max()), key=abs)
                cells.append(f"{values.mean():.4f} ({low:.4f} to {high:.4f})")
            lines.append(f"| {name} | {group} | {' | '.join(cells)} |")
    return lines
