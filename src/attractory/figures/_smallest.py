"""How many units a task needs."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._style import BLUE, SINGLE, VERMILLION, legend_below, new_figure
from attractory.population import SmallestNetwork

POINTS = 121  # of the curve
MOST_TICKS = 7
SMALLEST, LARGEST = 3.0, 7.0  # points: of the size of which fewest, and most, networks were trained


@drawn
def smallest(found: SmallestNetwork) -> Figure:
    """The share of networks of each size that learn the task, and the sizes that are needed.

    Parameters
    ----------
    found : SmallestNetwork
        Of whatever task.

    Returns
    -------
    matplotlib.figure.Figure
        A single panel.

    Notes
    -----
    Points: shares of those that were trained, larger where they were more. Line and band: the
    probability of success, the posterior's mean and 95 % of it. Diamonds: the sizes at which 50 %
    and 95 % succeed, with 95 % intervals.
    """
    one_of("found", found, SmallestNetwork)
    figure = new_figure(SINGLE, 76)
    axes = figure.subplots()
    table = found.table()
    ends = np.log2([found.sizes[0], found.sizes[-1]])
    _draw_curve(axes, found, ends)
    axes.scatter(table["units"], table["share"], s=_areas(table["trained"].to_numpy()),
                 color=BLUE, edgecolor="white", linewidth=0.4, zorder=3)  # fmt: skip
    for height, estimate in [(0.5, found.half), (0.95, found.nearly_all)]:
        _draw_size(axes, height, estimate)
    axes.set_xscale("log", base=2)
    margin = 0.04 * (ends[1] - ends[0])
    axes.set_xlim(2 ** (ends[0] - margin), 2 ** (ends[1] + margin))
    _name_sizes(axes, ends)
    axes.set_ylim(-0.05, 1.05)
    axes.set_xlabel("Units")
    axes.set_ylabel(f"Networks with {found.score}\n≥ {found.wanted:g} (share)")
    legend_below(figure, _legend(), 1)
    return figure


def _draw_curve(axes: Any, found: SmallestNetwork, ends: np.ndarray) -> None:
    """At whole numbers of units: there are no others."""
    sizes = np.unique(np.round(2 ** np.linspace(ends[0], ends[1], POINTS)).astype(int))
    curve = found.probability(sizes)
    axes.plot(sizes, curve["probability"], color=BLUE, linewidth=1.2)
    axes.fill_between(sizes, curve["low"], curve["high"], color=BLUE, alpha=0.2, linewidth=0)


def _draw_size(axes: Any, height: float, estimate: np.ndarray) -> None:
    size, low, high = estimate
    axes.plot([low, high], [height] * 2, color=VERMILLION, linewidth=1.6, zorder=4)
    axes.plot(size, height, color=VERMILLION, marker="D", markersize=5, zorder=5)


def _areas(trained: np.ndarray) -> np.ndarray:
    """Of points, square points: proportional to the number of networks within limits."""
    return np.clip(LARGEST**2 * trained / trained.max(), SMALLEST**2, None)


def _name_sizes(axes: Any, ends: np.ndarray) -> None:
    """Powers of 2 as numbers, as many as there is room for."""
    powers = np.arange(np.ceil(ends[0]), np.floor(ends[1]) + 1)
    every = int(np.ceil(len(powers) / MOST_TICKS)) if len(powers) else 1
    ticks = 2 ** powers[::every] if len(powers) > 1 else 2 ** np.asarray(ends)
    axes.xaxis.set_major_locator(FixedLocator(list(ticks)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")


def _legend() -> list[Line2D]:
    none: dict[str, Any] = {"linestyle": "none"}
    return [
        Line2D([], [], color=BLUE, marker="o", markersize=5, label="trained networks", **none),
        Line2D([], [], color=BLUE, linewidth=1.2, label="probability of success (95 %)"),
        Line2D([], [], color=VERMILLION, marker="D", markersize=5, linewidth=1.6,
               label="size at 50 % and at 95 % success (95 %)"),
    ]  # fmt: skip
