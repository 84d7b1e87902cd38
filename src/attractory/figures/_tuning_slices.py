"""The trials of a tuning along each of its fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._style import DOUBLE, ORDERED_MAP, SINGLE, legend_below, letter, new_figure
from attractory.figures._tried import (
    BEST,
    UNFINISHED,
    as_pixels,
    best_row,
    by_importance,
    chosen_fields,
    columns_of,
    complete,
    grid_of,
    has_numbers,
    leave_floor,
    mark_unfinished,
    name_field,
    name_score,
    places_of,
)
from attractory.population import TriedSettings

ROW = 52.0  # height of a row of panels (mm)
MOST = 9  # panels
SPREAD = 0.25  # over so much to either side the trials with one word are spread
SEED = 0  # of that


@drawn
def tuning_slices(
    tried: TriedSettings, score: str | None = None, fields: Sequence[str] | None = None
) -> Figure:
    """What the trials of a tuning came to along each field, whatever their other values.

    Parameters
    ----------
    tried : TriedSettings
        Of a tuning: `tuning.tried()`.
    score : str, optional
        Which objective; None: the first.
    fields : sequence of str, optional
        Which fields; None: all, the 9 most important ones where there are more.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each field, the most important first where that is known.

    Raises
    ------
    InvalidSetting
        For an unknown score or field, and where no trial is complete.

    Notes
    -----
    Points are complete trials, later ones brighter; the diamond is the best one. Axes are
    logarithmic where the study tunes so. Trials with the same word lie side by side. Those that
    were pruned, or failed, are marked at the floor.
    """
    one_of("tried", tried, TriedSettings)
    name = score or next(iter(tried.scores), None)
    name = tried.score(name)
    known = complete(tried, name)
    shown = chosen_fields(tried, fields, None) or by_importance(tried, name)[:MOST]
    columns = columns_of(len(shown))
    rows = -(-len(shown) // columns)
    figure = new_figure(SINGLE if len(shown) == 1 else DOUBLE, 18 + ROW * rows)
    panels = grid_of(figure, len(shown))
    handles: list[Line2D] = []
    for i, (axes, field) in enumerate(zip(panels, shown, strict=True)):
        marks, points = _draw(axes, tried, name, field, known)
        handles = handles or marks
        name_field(axes.xaxis, tried, field)
        name_score(axes, tried, name, labelled=i % columns == 0)
        if len(shown) > 1:
            letter(axes, i)
    if tried.states.keys() & UNFINISHED.keys():
        leave_floor(panels[0])
    bar = figure.colorbar(points, ax=panels, pad=0.02, aspect=30)
    bar.set_label("Trial")
    bar.locator = MaxNLocator(6, integer=True)
    legend_below(figure, handles, 4)
    return figure


def _draw(
    axes: Any, tried: TriedSettings, score: str, field: str, known: np.ndarray
) -> tuple[list[Line2D], Any]:
    """One panel: the entries of a legend, and what the colour bar is of."""
    along, numbers = places_of(tried, field), tried.numbers(score)
    if not has_numbers(tried, field):
        along = along + np.random.default_rng(SEED).uniform(-SPREAD, SPREAD, len(along))
    trials = tried.rows["number"].to_numpy()
    points = axes.scatter(
        along[known], numbers[known], c=trials[known], cmap=ORDERED_MAP, s=12, linewidth=0,
        vmin=trials.min(), vmax=max(trials.max(), trials.min() + 1),
        rasterized=as_pixels(known.sum()),
    )  # fmt: skip
    handles = [Line2D([], [], linestyle="none", marker="o", markersize=3.5,
                      color=points.cmap(0.5), label="complete")]  # fmt: skip
    best = best_row(tried, score)
    if best is not None:
        axes.plot(along[best], numbers[best], zorder=5, **BEST)
        handles.append(Line2D([], [], label="best", **BEST))
    return handles + mark_unfinished(axes, tried, along), points
