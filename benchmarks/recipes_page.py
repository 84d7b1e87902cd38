"""The figure and the table of the study of recipes, for docs/recipes.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from attractory.figures._style import letter, new_figure, styled

DOCS = Path(__file__).resolve().parents[1] / "docs"
PUBLISHED_ERROR = 0.0133
BEGIN, END = "<!-- study: made by benchmarks/recipes.py -->", "<!-- end of study -->"
# Okabe and Ito's colours, which the colour-blind can tell apart, in two line styles
COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]


def write_page(recipes: dict[str, Any]) -> None:
    """Draw docs/images/recipes.png and put the table between the marks of docs/recipes.md."""
    draw(recipes).savefig(DOCS / "images" / "recipes.png", dpi=150)
    page = DOCS / "recipes.md"
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    made = f"{before}{BEGIN}\n{table(recipes)}\n\n{bfloat16(recipes)}\n{END}{after}"
    page.write_text(made, encoding="utf-8")


@styled
def draw(recipes: dict[str, Any]) -> Any:
    """Validation error against trials (median and quartiles), error against the spectrum."""
    figure = new_figure(190, 125)
    left, right = figure.subplots(1, 2, width_ratios=[1.15, 1])
    for i, (name, result) in enumerate(recipes.items()):
        color, style = COLORS[i % len(COLORS)], "-" if i < len(COLORS) else "--"
        curves = np.array(result["validation"])
        low, middle, high = np.nanpercentile(curves, [25, 50, 75], axis=0)
        left.plot(result["trials"], middle, style, color=color, label=name)
        left.fill_between(result["trials"], low, high, color=color, alpha=0.15, linewidth=0)
        filled = color if i < len(COLORS) else "none"
        right.scatter(
            100 * np.array(result["on_circle"]), result["mse"], s=22, edgecolors=color, c=filled
        )
    for i, axes in enumerate((left, right)):
        letter(axes, i)
        axes.set_yscale("log")
        axes.axhline(PUBLISHED_ERROR, color="0.4", linewidth=0.9, linestyle=":")
    left.set(xlabel="trials", ylabel="validation mean squared error")
    right.set(
        xlabel="eigenvalues within 0.02 of the unit circle (%)",
        ylabel="mean squared error at the end",
    )
    left.text(
        0.02,
        PUBLISHED_ERROR * 0.96,
        "published network",
        color="0.3",
        va="top",
        transform=left.get_yaxis_transform(),
    )
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def table(recipes: dict[str, Any]) -> str:
    """Medians over the seeds and the worst of them."""
    head = "| recipe | trials | error (worst) | correct signs (worst) | near the circle | radius |"
    lines = [head, "|---" * 6 + "|"]
    for name, r in recipes.items():
        reached = sum(e <= PUBLISHED_ERROR for e in r["mse"])
        mark = f"; {reached} of {r['nets']} below 0.0133"
        lines.append(
            f"| {name} | {r['trials'][-1]} "
            f"| {np.median(r['mse']):.4f} ({max(r['mse']):.4f}{mark}) "
            f"| {100 * np.median(r['accuracy']):.2f} % ({100 * min(r['accuracy']):.2f} %) "
            f"| {100 * np.median(r['on_circle']):.0f} % | {np.median(r['radius']):.2f} |"
        )
    return "\n".join(lines)


def bfloat16(recipes: dict[str, Any]) -> str:
    """The difference of the errors in bfloat16 and float32, seed by seed."""
    names = ("default in bfloat16", "default: Muon 3e-3, batch 8")
    half, whole = (np.array(recipes[name]["mse"]) for name in names)
    difference = half - whole
    error = stats.sem(difference) * stats.t.ppf(0.975, len(difference) - 1)
    return (
        f"bfloat16 against float32, {len(half)} seeds, same initial weights and trials: mean error "
        f"{half.mean():.5f} and {whole.mean():.5f}; difference {difference.mean():+.5f}, 95 % "
        f"confidence interval {difference.mean() - error:+.5f} to {difference.mean() + error:+.5f}."
    )
