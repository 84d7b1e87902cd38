"""How far apart the networks of a population are, and what that is held against."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.cluster.hierarchy import dendrogram

from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._settings import font
from attractory.figures._style import (
    BLACK,
    CATEGORIES,
    DOUBLE,
    GREY,
    ORDERED_MAP,
    SINGLE,
    legend_below,
    letter,
    new_figure,
    plain,
)
from attractory.population import Distances, tree_of

MOST_NAMED = 24  # networks whose names have room beside the matrix; of more every so many
MANY = 300  # pairs that would hide each other, and the line of their median
LEAF = 10.0  # SciPy's dendrograms have their leaves at 5, 15, 25, …
BETWEEN = "between networks"


@drawn
def distances(distances: Distances) -> Figure:
    """The distances of a population: their tree, their matrix, and beside them the nulls.

    Parameters
    ----------
    distances : Distances
        As `attractory.population.compare` gives them.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels, and a third where there are nulls.

    Notes
    -----
    A: average linkage; two networks, or groups of them, are joined at their (mean) distance. Under
    it the distance of each two, networks in the order of the tree; names have the colours of their
    groups. Beside them every pair between networks and of each null is a point (up and down they
    are spread to be seen), the line is the median.
    """
    one_of("distances", distances, Distances)
    nulls = bool(distances.nulls)
    width = DOUBLE if nulls else SINGLE
    figure = new_figure(width, 112)
    ratios: dict[str, Any] = {"height_ratios": [1, 3.2]}
    if nulls:
        ratios["width_ratios"] = [1, 0.9]
    panels = figure.subplot_mosaic("AB;CB" if nulls else "A;B", **ratios)
    order = _draw_tree(panels["A"], distances)
    colors = _colors_of(distances.groups)
    _draw_matrix(figure, panels["C" if nulls else "B"], distances, order, colors)
    if nulls:
        _draw_nulls(panels["B"], distances)
    for name, axes in panels.items():
        letter(axes, name)
    if colors:
        legend_below(figure, _legend(colors), 4)
    return figure


def _draw_tree(axes: Any, distances: Distances) -> np.ndarray:
    """The tree; returns the networks in its order."""
    if len(distances) < 2:
        return np.arange(len(distances))
    tree = dendrogram(tree_of(distances.matrix), no_plot=True)
    for places, heights in zip(tree["icoord"], tree["dcoord"], strict=True):
        axes.plot(np.array(places) / LEAF - 0.5, heights, color=BLACK, linewidth=0.8)
    axes.set(
        xlim=(-0.5, len(distances) - 0.5), ylim=(0, None), ylabel=f"Distance\n({distances.unit})"
    )
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    return np.array(tree["leaves"])


def _draw_matrix(
    figure: Any, axes: Any, distances: Distances, order: np.ndarray, colors: dict[str, Any]
) -> None:
    sorted_matrix = distances.matrix[np.ix_(order, order)]
    # as wide as the tree above it, whatever shape the panel has
    image = axes.imshow(
        sorted_matrix, cmap=ORDERED_MAP, vmin=0, vmax=sorted_matrix.max() or 1.0, aspect="auto",
        interpolation="nearest",
    )  # fmt: skip
    every = -(-len(order) // MOST_NAMED)
    places = np.arange(0, len(order), every)
    names = [plain(distances.labels[i]) for i in order[places]]
    axes.set_yticks(places, names)
    axes.set_xticks(places, names, rotation=90)
    for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
        for tick, net in zip(ticks, order[places], strict=True):
            tick.set_color(colors.get(distances.groups[net], BLACK))
            tick.set_fontsize(font(6))
    axes.set(ylabel="Network (in the order of the tree)")
    axes.tick_params(length=0)
    bar = figure.colorbar(image, ax=axes, location="bottom", fraction=0.06, pad=0.04, aspect=30)
    bar.set_label(f"Distance by {plain(distances.metric)} ({distances.unit}; 0: the same)")
    bar.outline.set_linewidth(0.4)


def _draw_nulls(axes: Any, distances: Distances) -> None:
    rows = {BETWEEN: distances.pairs, **distances.nulls}
    rng = np.random.default_rng(0)  # how points are spread is the same each time
    for row, values in enumerate(rows.values()):
        color = BLACK if row == 0 else GREY
        spread = rng.uniform(-0.28, 0.28, len(values))
        alpha = 0.6 if len(values) <= MANY else 0.15
        axes.plot(
            values, row + spread, linestyle="none", marker="o", markersize=2.4, alpha=alpha,
            markeredgewidth=0, color=color, rasterized=len(values) > 1000,
        )  # fmt: skip
        axes.plot([np.median(values)] * 2, [row - 0.38, row + 0.38], color=BLACK, linewidth=1.4)
    axes.set_yticks(range(len(rows)), [_in_lines(name) for name in rows])
    largest = max(float(values.max()) for values in rows.values())
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlim=(-0.02 * largest, 1.04 * largest or 1.0))
    axes.set_xlabel(f"Distance by {plain(distances.metric)} ({distances.unit})")
    axes.set_title("line: median", loc="right", fontsize=font(7))


def _in_lines(name: str) -> str:
    """A long name on two lines, after its comma."""
    return name.replace(", ", ",\n")


def _colors_of(groups: tuple[str, ...]) -> dict[str, Any]:
    """Of each group; none where networks have no groups."""
    known = [name for name in dict.fromkeys(groups) if name]
    return {name: CATEGORIES[i % len(CATEGORIES)] for i, name in enumerate(known)}


def _legend(colors: dict[str, Any]) -> list[Line2D]:
    return [
        Line2D([], [], linestyle="none", marker="s", color=color, label=plain(name))
        for name, color in colors.items()
    ]
