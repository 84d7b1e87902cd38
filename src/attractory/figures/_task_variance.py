"""Task variance of units, sorted by their clusters, and how many clusters there are."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from attractory.analysis import TaskVariance
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._style import (
    BLACK,
    BLUE,
    DOUBLE,
    GREY,
    ORDERED_MAP,
    PALE,
    letter,
    new_figure,
    plain,
)

MOST_NAMED = 24  # groups whose names have room below the matrix
LEAST_HEIGHT = 0.04  # of the matrix: a cluster that is not as high has no room for its number
SPREAD = (0.05, 0.95)  # quantiles of the shuffles


@drawn
def task_variance(variance: TaskVariance) -> Figure:
    """The normalised variance of each active unit in each group of trials, and its clusters.

    Parameters
    ----------
    variance : TaskVariance
        Of one network.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels.

    Notes
    -----
    A: each unit's variance in units of its largest; units by cluster, lines part the clusters. B:
    mean silhouette for each number of clusters; band: 90 % of the largest ones of shuffles.
    """
    one_of("variance", variance, TaskVariance)
    figure = new_figure(DOUBLE, 92)
    matrix, clusters = figure.subplots(1, 2, width_ratios=[1.6, 1])
    _draw_matrix(figure, matrix, variance)
    _draw_silhouettes(clusters, variance)
    letter(matrix, 0)
    letter(clusters, 1)
    return figure


def _draw_matrix(figure: Any, axes: Any, variance: TaskVariance) -> None:
    order = variance.order
    image = axes.imshow(
        variance.normalised[order], aspect="auto", cmap=ORDERED_MAP, vmin=0, vmax=1,
        interpolation="nearest",
    )  # fmt: skip
    sizes = np.bincount(variance.members[order], minlength=variance.count)
    ends = np.cumsum(sizes)
    for end in ends[:-1]:
        axes.axhline(end - 0.5, color="white", linewidth=1.6)
        axes.axhline(end - 0.5, color=BLACK, linewidth=0.8)
    shown = sizes >= LEAST_HEIGHT * len(order)
    middles = ends - sizes / 2 - 0.5
    numbers = [str(cluster + 1) for cluster in np.flatnonzero(shown)]
    axes.set_yticks(middles[shown], numbers)
    names = [plain(name) for name in variance.names]
    every = -(-len(names) // MOST_NAMED)
    places = np.arange(0, len(names), every)
    long = max(len(name) for name in names) > 3
    turned = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if long else {}
    axes.set_xticks(places, [names[place] for place in places], **turned)
    axes.tick_params(length=0)
    by = ", ".join(plain(name) for name in variance.by)
    axes.set(xlabel=by[:1].upper() + by[1:], ylabel=f"Unit (of {len(order)}), by cluster")
    bar = figure.colorbar(image, ax=axes, fraction=0.06, pad=0.03)
    bar.set_label("Variance (of the unit's largest)")


def _draw_silhouettes(axes: Any, variance: TaskVariance) -> None:
    tried, silhouettes = variance.tried, variance.silhouettes
    axes.set(xlabel="Number of clusters", ylabel="Mean silhouette")
    if not len(tried):
        return
    low, high = np.quantile(variance.null_silhouettes, SPREAD)
    axes.axhspan(low, high, color=PALE, alpha=0.6, linewidth=0, label="largest of shuffles (90 %)")
    axes.axhline(np.median(variance.null_silhouettes), color=GREY, linewidth=0.8)
    axes.plot(tried, silhouettes, color=BLUE, marker="o", markersize=3.5, linewidth=1,
              label="units")  # fmt: skip
    top = max(float(silhouettes.max()), float(high))
    axes.set(ylim=(min(0.0, float(silhouettes.min())), 1.25 * top))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(loc="upper right")
