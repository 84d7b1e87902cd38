"""What the networks of a sweep come to along each field that varies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._style import (
    BLUE,
    DOUBLE,
    SINGLE,
    SKY,
    legend_below,
    letter,
    new_figure,
)
from attractory.figures._tried import (
    as_pixels,
    chosen_fields,
    columns_of,
    complete,
    grid_of,
    has_numbers,
    name_field,
    name_score,
    places_of,
    tick_levels,
)
from attractory.population import TriedSettings

ROW = 52.0  # height of a row of panels (mm)
MOST = 6  # panels
SPREAD = 0.25  # over so much to either side the networks of one word are spread
SHARE = 0.02  # of the axis, over which networks of one number are
SEED = 0  # of that


@drawn
def sweep(
    tried: TriedSettings, score: str | None = None, fields: Sequence[str] | None = None
) -> Figure:
    """A score of every network of a sweep along each field, with means and 95 % intervals.

    Parameters
    ----------
    tried : TriedSettings
        Of a sweep: `sweep.tried()`.
    score : str, optional
        Which score; None: the first whose numbers are not all the same.
    fields : sequence of str, optional
        Which fields; None: all that vary, of more than 6 those with which the score varies most.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each field, the one with which the score varies most first; where the seed
        alone varies, one panel of all networks.

    Raises
    ------
    InvalidSetting
        For an unknown score or field, and where no network has a number yet.

    Notes
    -----
    Points are networks; bold markers are means over all networks with that value, whatever their
    other settings, bars the 95 % intervals of these means by Student's t. Of a field with more
    than 12 values the means are over bins of equal width on its axis.
    """
    one_of("tried", tried, TriedSettings)
    name = tried.score(score)
    complete(tried, name)
    ordered = tried.effects(name)["field"].tolist() if tried.fields else []
    shown = chosen_fields(tried, fields, None) or ordered[:MOST] or [None]
    columns = columns_of(len(shown))
    rows = -(-len(shown) // columns)
    figure = new_figure(SINGLE if len(shown) == 1 else DOUBLE, 20 + ROW * rows)
    panels = grid_of(figure, len(shown))
    for i, (axes, field) in enumerate(zip(panels, shown, strict=True)):
        _draw(axes, tried, name, field)
        name_score(axes, tried, name, labelled=i % columns == 0)
        if len(shown) > 1:
            letter(axes, i)
    legend_below(figure, _legend(), 2)
    return figure


def _draw(axes: Any, tried: TriedSettings, score: str, field: str | None) -> None:
    numbers = tried.numbers(score)
    if field is None:
        member, places, along = np.zeros(len(tried), int), np.zeros(1), np.zeros(len(tried))
        axes.set_xlim(-0.7, 0.7)
        axes.set_xticks([0], ["all networks"])
    else:
        levels = tried.levels(field)
        member, places, along = levels.member, levels.places, places_of(tried, field)
        name_field(axes.xaxis, tried, field)
        tick_levels(axes.xaxis, tried, field)
    is_number = field is not None and has_numbers(tried, field)
    along = _aside(along, is_number, field in tried.logarithmic)
    axes.plot(along, numbers, linestyle="none", marker="o", markersize=2.2, markeredgewidth=0,
              color=SKY, alpha=_alpha(numbers), rasterized=as_pixels(len(numbers)))  # fmt: skip
    _draw_means(axes, places, tried.means(score, member, len(places)))


def _alpha(numbers: np.ndarray) -> float:
    """Of a point: of very many only where they lie densely something is seen."""
    return float(np.clip(300 / max(np.isfinite(numbers).sum(), 1), 0.08, 0.7))


def _aside(along: np.ndarray, is_number: bool, logarithmic: bool) -> np.ndarray:
    """Networks side by side: of words in the width of one, of numbers by a little of the axis."""
    generator = np.random.default_rng(SEED)
    shift = generator.uniform(-1, 1, len(along))
    if not is_number:
        return along + SPREAD * shift
    known = along[np.isfinite(along)]
    if not len(known):
        return along
    if logarithmic:
        return along * np.exp(SHARE / 2 * np.log(known.max() / known.min()) * shift)
    return along + SHARE / 2 * np.ptp(known) * shift


def _draw_means(axes: Any, places: np.ndarray, means: Any) -> None:
    low, mean, high = (means[name].to_numpy() for name in ("low", "mean", "high"))
    axes.vlines(places, low, high, color=BLUE, linewidth=1.2, zorder=3)
    axes.plot(places, mean, linestyle="none", color=BLUE, zorder=4, **MEAN)


MEAN: dict[str, Any] = {
    "marker": "o", "markersize": 4.5, "markeredgecolor": "white", "markeredgewidth": 0.5,
}  # fmt: skip


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], linestyle="none", marker="o", markersize=2.5, color=SKY, label="network"),
        Line2D([], [], color=BLUE, linewidth=1.2, label="mean (95 %)", **MEAN),
    ]
