"""What single units follow, sorted."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from attractory.analysis import Selectivity
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._style import (
    BLACK,
    CATEGORIES,
    DOUBLE,
    SIGNED_MAP,
    legend_below,
    letter,
    new_figure,
    plain,
)


@drawn
def selectivity(selectivity: Selectivity) -> Figure:
    """What each unit follows, and how much of it that explains.

    Parameters
    ----------
    selectivity : Selectivity
        Of one network.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels, with the units of `Selectivity.order` from top to bottom.

    Notes
    -----
    A: standardised coefficients (unit, variable). B: share of a unit's variance that each variable
    explains alone, one after the other; the line is the share that all explain together, more where
    variables go along with each other.
    """
    one_of("selectivity", selectivity, Selectivity)
    figure = new_figure(DOUBLE, 96)
    count = len(selectivity.variables)
    matrix, shares = figure.subplots(1, 2, width_ratios=[0.45 + 0.18 * min(count, 8), 1.2])
    _draw_coefficients(figure, matrix, selectivity)
    handles = _draw_shares(shares, selectivity)
    for i, axes in enumerate((matrix, shares)):
        letter(axes, i)
    legend_below(figure, handles, 5)
    return figure


def _draw_coefficients(figure: Any, axes: Any, selectivity: Selectivity) -> None:
    sorted_rows = selectivity.coefficients[selectivity.order]
    largest = np.abs(sorted_rows).max() or 1.0
    image = axes.imshow(
        sorted_rows,
        aspect="auto",
        cmap=SIGNED_MAP,
        vmin=-largest,
        vmax=largest,
        interpolation="nearest",
    )
    names = [plain(name) for name in selectivity.variables]
    axes.set_xticks(np.arange(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_ylabel("Unit (sorted)")
    figure.colorbar(image, ax=axes, label="Standardised coefficient", fraction=0.08, pad=0.03)


def _draw_shares(axes: Any, selectivity: Selectivity) -> list[Any]:
    order = selectivity.order
    places = np.arange(len(order))
    left = np.zeros(len(order))
    handles: list[Any] = []
    for i, name in enumerate(selectivity.variables):
        color = CATEGORIES[i % len(CATEGORIES)]
        own = selectivity.share[order, i]
        axes.barh(places, own, left=left, height=1.0, color=color, linewidth=0)
        left = left + own
        handles.append(Patch(color=color, label=plain(name)))
    together = selectivity.r_squared[order]
    edges = np.repeat(np.arange(len(order) + 1) - 0.5, 2)[1:-1]
    axes.plot(np.repeat(together, 2), edges, color=BLACK, linewidth=0.8)
    axes.set(xlim=(0, 1), ylim=(len(order) - 0.5, -0.5))
    axes.set(xlabel="Share of variance explained", ylabel="Unit (sorted)")
    return [*handles, Line2D([], [], color=BLACK, linewidth=0.8, label="all together (R²)")]
