"""What the networks of a sweep come to over two of its fields together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory._errors import InvalidSetting
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._settings import font
from attractory.figures._style import (
    CATEGORIES,
    MARKERS,
    ORDERED_MAP,
    SINGLE,
    legend_below,
    new_figure,
    plain,
)
from attractory.figures._tried import (
    WAYS,
    chosen_fields,
    colors_towards,
    complete,
    field_label,
    has_numbers,
    name_field,
    name_score,
    norm_of,
    score_label,
    tick_levels,
)
from attractory.population import TriedSettings
from attractory.population._levels import NONE

MOST_LINES = 6  # values of a field that lines tell apart; of more it is a map
MOST_TICKS = {"x": 5, "y": 8}


@drawn
def sweep_pair(
    tried: TriedSettings, score: str | None = None, fields: Sequence[str] | None = None
) -> Figure:
    """The mean of a score over two fields of a sweep together, as lines or as a map.

    Parameters
    ----------
    tried : TriedSettings
        Of a sweep: `sweep.tried()`.
    score : str, optional
        Which score; None: the first whose numbers are not all the same.
    fields : sequence of str, optional
        Two fields; None: the two with which the score varies most.

    Returns
    -------
    matplotlib.figure.Figure
        A single panel.

    Raises
    ------
    InvalidSetting
        For an unknown score or field, for another number of fields than two, and where no network
        has a number yet.

    Notes
    -----
    Means are over all networks with both values, whatever their other settings; of a field with
    more than 12 values over bins. Where one field has up to 6 values these are lines, with 95 %
    intervals by Student's t; otherwise colours are the means, and cells without a network stay
    empty. Bright is better.
    """
    one_of("tried", tried, TriedSettings)
    name = tried.score(score)
    complete(tried, name)
    both = chosen_fields(tried, fields, 2 if fields else None)
    both = both or tried.effects(name)["field"].tolist()[:2]
    if len(both) != 2:
        raise InvalidSetting("fields: a pair is needed, and fewer than two vary")
    # along the horizontal axis what has more values; words are better told by lines
    both.sort(key=lambda field: (-len(tried.levels(field)), not has_numbers(tried, field)))
    draw = _draw_lines if len(tried.levels(both[1])) <= MOST_LINES else _draw_map
    figure = new_figure(1.25 * SINGLE, 88)
    draw(figure, figure.subplots(), tried, name, both)
    return figure


def _draw_lines(figure: Any, axes: Any, tried: TriedSettings, score: str, both: list[str]) -> None:
    along, apart = (tried.levels(field) for field in both)
    handles = []
    colors = _colors(len(apart), has_numbers(tried, both[1]))
    for level, name in enumerate(apart.names):
        member = np.where(apart.member == level, along.member, NONE)
        means = tried.means(score, member, len(along)).dropna(subset="mean")
        look = {"color": colors[level], "marker": MARKERS[level], "markersize": 4, "linewidth": 1.2}
        places = along.places[means.index]
        axes.plot(places, means["mean"], zorder=3, **look)
        axes.fill_between(places, means["low"], means["high"], color=colors[level], alpha=0.15,
                          linewidth=0)  # fmt: skip
        handles.append(Line2D([], [], label=plain(name), **look))
    name_field(axes.xaxis, tried, both[0])
    tick_levels(axes.xaxis, tried, both[0])
    name_score(axes, tried, score)
    legend_below(figure, handles, 4, title=field_label(both[1]))


def _colors(count: int, ordered: bool) -> Any:
    """Of lines: in the order of numbers, or told apart as words."""
    if ordered and count > 2:
        return list(matplotlib.colormaps[ORDERED_MAP](np.linspace(0, 0.85, count)))
    return CATEGORIES[:count]


def _draw_map(figure: Any, axes: Any, tried: TriedSettings, score: str, both: list[str]) -> None:
    along, up = (tried.levels(field) for field in both)
    cells = len(along) * len(up)
    there = (along.member != NONE) & (up.member != NONE)
    member = np.where(there, up.member * len(along) + along.member, NONE)
    means = tried.means(score, member, cells)["mean"].to_numpy()
    known = means[np.isfinite(means)]
    image = axes.pcolormesh(
        np.arange(len(along) + 1) - 0.5, np.arange(len(up) + 1) - 0.5,
        means.reshape(len(up), len(along)), cmap=colors_towards(tried, score),
        norm=norm_of(tried, score, known), rasterized=True,  # or lines are seen between cells
    )  # fmt: skip
    for axis, field, levels in zip((axes.xaxis, axes.yaxis), both, (along, up), strict=True):
        axis.set_label_text(field_label(field) + (", middle of bin" if levels.binned else ""))
        every = -(-len(levels) // MOST_TICKS[axis.axis_name])
        places = np.arange(len(levels))[::every]
        axis.set_ticks(places, [plain(levels.names[place]) for place in places])
    bar = figure.colorbar(image, ax=axes, pad=0.02)
    bar.set_label(f"{score_label(score)} {WAYS[tried.directions[score]]}".strip())
    axes.set_title("mean of networks", loc="right", fontsize=font(6.5))
