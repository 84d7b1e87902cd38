"""The figure and the table of the study of penalties, for docs/penalties.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from attractory.figures._style import BLACK, BLUE, PALE, letter, new_figure, styled

DOCS = Path(__file__).resolve().parents[1] / "docs"
BEGIN, END = "<!-- study: made by benchmarks/penalties.py -->", "<!-- end of study -->"
# what is measured, its label in the figure, and the digits in the table
MEASURES = {
    "mse": ("Mean squared error", 4),
    "radius": ("Spectral radius of $W_\\mathrm{rec}$", 2),
    "outside": ("Eigenvalues outside of\nthe unit circle", 1),
    "dimensions": ("Participation ratio\nof the states", 2),
    "rate": ("Mean |rate| (a.u.)", 3),
    "stable": ("Stable fixed points", 1),
    "one_unstable": ("Fixed points with one\nunstable dimension", 1),
    "more_unstable": ("Fixed points with more\nunstable dimensions", 1),
}


def write_page(measured: dict[str, Any]) -> None:
    """Draw docs/images/penalties.png and put the table between the marks of docs/penalties.md."""
    draw(measured).savefig(DOCS / "images" / "penalties.png", dpi=180)
    page = DOCS / "penalties.md"
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n{table(measured)}\n{END}{after}", encoding="utf-8")


def half_width(values: list[float]) -> float:
    """Of the 95 % interval of the mean over networks (Student's t)."""
    return float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5)


def table(measured: dict[str, Any]) -> str:
    """A row for each penalty: means and 95 % intervals over networks."""
    head = ["penalty", "weight", "strength", "worst signs", "error", "radius", "outside"]
    head += ["dimensions", "mean \\|rate\\|", "stable", "one unstable", "more", "slowest (steps)"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, found in measured.items():
        label = f"`{name}`" if found["strength"] else name
        weight = float(f"{found['weight']:.2g}")  # as 2800, not 2.8e+03
        cells = [label, f"{weight:g}", f"{found['strength']:g}"]
        cells += [f"{min(found['accuracy']):.2%}"]
        for measure, (_, digits) in MEASURES.items():
            values = found[measure]
            cells.append(f"{np.mean(values):.{digits}f} ± {half_width(values):.{digits}f}")
        cells.append(slowest(found["slowest"]))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def slowest(moduli: list[float]) -> str:
    """Over networks that have stable points, the range of the longest time constants there."""
    steps = [-1 / np.log(modulus) for modulus in moduli if np.isfinite(modulus)]
    return f"{min(steps):.0f} to {max(steps):.0f}" if steps else "none"


@styled
def draw(measured: dict[str, Any]) -> Any:
    """A panel for each measure, a row in it for each penalty: networks, their mean and interval."""
    figure = new_figure(175, 118)
    grid = figure.subplots(2, 4, sharey=True)
    names = list(measured)
    for i, (axes, (measure, (label, _))) in enumerate(
        zip(grid.flat, MEASURES.items(), strict=True)
    ):
        for row, name in enumerate(names):
            values = measured[name][measure]
            axes.plot(values, np.full(len(values), row), "o", color=BLUE, markersize=2.5, alpha=0.6,
                      markeredgewidth=0)  # fmt: skip
            axes.errorbar(np.mean(values), row, xerr=half_width(values), fmt="|", color=BLACK,
                          markersize=7, elinewidth=0.8)  # fmt: skip
        axes.axvline(np.mean(measured["none"][measure]), color=PALE, linewidth=0.8, zorder=0)
        axes.set_xlabel(label)
        letter(axes, i)
    grid[0, 0].set_yticks(np.arange(len(names)), names)
    grid[0, 0].set_ylim(len(names) - 0.5, -0.5)
    return figure
