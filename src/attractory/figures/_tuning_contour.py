"""What a tuning found over two of its fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.tri import LinearTriInterpolator, Triangulation, UniformTriRefiner
from scipy.spatial import Delaunay, QhullError

from attractory._errors import InvalidSetting
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._style import BLACK, SINGLE, legend_below, new_figure
from attractory.figures._tried import (
    BEST,
    WAYS,
    best_row,
    by_importance,
    chosen_fields,
    colors_towards,
    complete,
    has_numbers,
    name_field,
    norm_of,
    places_of,
    score_label,
)
from attractory.population import TriedSettings

LEVELS = 12  # colours of the surface
SPREAD = 0.25  # over so much to either side the trials with one word are spread
STRIP = 0.42  # half of the width of a word's strip
CELLS = 200  # along a strip
LEAST_FOR_TRIANGLES = 4  # different places: three are one triangle, which says nothing of a shape
FINER = 3  # times each triangle is cut in four
SURFACE = 0.75  # of its colours: points stand out


@drawn
def tuning_contour(
    tried: TriedSettings, score: str | None = None, fields: Sequence[str] | None = None
) -> Figure:
    """An objective over two fields of a tuning: the complete trials, and a surface through them.

    Parameters
    ----------
    tried : TriedSettings
        Of a tuning: `tuning.tried()`.
    score : str, optional
        Which objective; None: the first.
    fields : sequence of str, optional
        Two fields; None: the two most important ones.

    Returns
    -------
    matplotlib.figure.Figure
        A single panel.

    Raises
    ------
    InvalidSetting
        For an unknown score or field, for another number of fields than two, and where no trial
        is complete.

    Notes
    -----
    Colours between the points are interpolated: linearly on the triangles between trials where
    both fields are numbers, along the numbers where one is of words; two fields of words have the
    mean in each cell. Trials also differ in their other fields, and in nothing else: a surface
    from few trials, or beside them, says little. Bright is better.
    """
    one_of("tried", tried, TriedSettings)
    name = tried.score(score or next(iter(tried.scores), None))
    known = complete(tried, name)
    both = chosen_fields(tried, fields, 2 if fields else None) or by_importance(tried, name)[:2]
    if len(both) != 2:
        raise InvalidSetting("fields: a contour needs two, and one alone is tuned")
    if not has_numbers(tried, both[1]) and has_numbers(tried, both[0]):
        both = both[::-1]  # words stand along the horizontal axis
    figure = new_figure(1.25 * SINGLE, 92)
    axes = figure.subplots()
    numbers = tried.numbers(name)[known]
    look = {"norm": norm_of(tried, name, numbers), "cmap": colors_towards(tried, name)}
    for axis, field in zip((axes.xaxis, axes.yaxis), both, strict=True):
        name_field(axis, tried, field)
    _draw_surface(axes, tried, both, name, look)
    points = _draw_points(axes, tried, both, name, look)
    axes.use_sticky_edges = False
    axes.margins(0.05)
    bar = figure.colorbar(points, ax=axes, pad=0.02)
    way = WAYS[tried.directions[name]]
    bar.set_label(f"{score_label(name)} {way}".strip())
    legend_below(figure, _legend(tried.directions[name]), 2)
    return figure


def _draw_points(
    axes: Any, tried: TriedSettings, both: list[str], name: str, look: dict[str, Any]
) -> Any:
    """The complete trials, and the best of them."""
    known, best = complete(tried, name), best_row(tried, name)
    along, up = (_spread(tried, field) for field in both)
    points = axes.scatter(
        along[known], up[known], c=tried.numbers(name)[known], s=14, edgecolor=BLACK,
        linewidth=0.5, zorder=3, **look,
    )  # fmt: skip
    if best is not None:
        axes.plot(along[best], up[best], zorder=5, **BEST)
    return points


def _spread(tried: TriedSettings, field: str) -> np.ndarray:
    """Places along a field; those of a word side by side."""
    along = places_of(tried, field)
    if has_numbers(tried, field):
        return along
    seed = tried.fields.index(field)  # two fields of words are spread in two directions
    return along + np.random.default_rng(seed).uniform(-SPREAD, SPREAD, len(along))


def _draw_surface(
    axes: Any, tried: TriedSettings, both: list[str], score: str, look: dict[str, Any]
) -> None:
    """Colours between the trials, as far as these say something of it."""
    known = complete(tried, score)
    along, up = (places_of(tried, field)[known] for field in both)
    numbers = tried.numbers(score)[known]
    there = np.isfinite(along) & np.isfinite(up)
    along, up, numbers = along[there], up[there], numbers[there]
    words = [not has_numbers(tried, field) for field in both]
    if all(words):
        _draw_cells(axes, along, up, numbers, look)
    elif any(words):
        scale = np.log if both[1] in tried.logarithmic else np.asarray
        for word in np.unique(along):
            of_word = along == word
            _draw_strip(axes, word, up[of_word], numbers[of_word], scale, look)
    else:
        scales = [np.log if field in tried.logarithmic else np.asarray for field in both]
        _draw_triangles(axes, np.stack([along, up]), scales, numbers, look)


def _draw_triangles(
    axes: Any, places: np.ndarray, scales: list[Any], numbers: np.ndarray, look: dict[str, Any]
) -> None:
    """places (2, trial). Trials at one place count with their mean; on a line there is no area."""
    distinct, member = np.unique(places, axis=1, return_inverse=True)
    means = np.bincount(member.ravel(), numbers) / np.bincount(member.ravel())
    scaled = np.stack([scale(row) for scale, row in zip(scales, distinct, strict=True)])
    spans = np.ptp(scaled, axis=1, keepdims=True)
    if distinct.shape[1] < LEAST_FOR_TRIANGLES or not spans.all() or np.ptp(means) == 0:
        return
    try:
        triangles = Delaunay((scaled / spans).T).simplices
    except QhullError:
        return
    surface = Triangulation(scaled[0], scaled[1], triangles)
    # straight on the scales of the axes: smaller triangles lie nearer to that
    finer, heights = UniformTriRefiner(surface).refine_field(
        means, LinearTriInterpolator(surface, means), FINER
    )
    backs = [np.exp if scale is np.log else np.asarray for scale in scales]
    corners = [back(row) for back, row in zip(backs, (finer.x, finer.y), strict=True)]
    levels = look["norm"].inverse(np.linspace(0, 1, LEVELS + 1))
    drawn_surface = axes.tricontourf(
        *corners, finer.triangles, heights, levels=levels, zorder=0, alpha=SURFACE, **look
    )
    drawn_surface.set_rasterized(True)


def _draw_strip(
    axes: Any,
    word: float,
    up: np.ndarray,
    numbers: np.ndarray,
    scale: Any,
    look: dict[str, Any],
) -> None:
    """From the lowest to the highest number that was tried with a word."""
    distinct, member = np.unique(up, return_inverse=True)
    if len(distinct) < 2:
        return
    means = np.bincount(member, numbers) / np.bincount(member)
    between = np.geomspace if scale is np.log else np.linspace
    edges = between(distinct[0], distinct[-1], CELLS + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    colors = np.interp(scale(middles), scale(distinct), means)[:, None]
    sides = [word - STRIP, word + STRIP]
    axes.pcolormesh(sides, edges, colors, zorder=0, alpha=SURFACE, rasterized=True, **look)


def _draw_cells(
    axes: Any, along: np.ndarray, up: np.ndarray, numbers: np.ndarray, look: dict[str, Any]
) -> None:
    """The mean of each pair of words."""
    shape = (int(up.max()) + 1, int(along.max()) + 1)
    cell = np.ravel_multi_index((up.astype(int), along.astype(int)), shape)
    counts = np.bincount(cell, minlength=shape[0] * shape[1])
    sums = np.bincount(cell, numbers, minlength=shape[0] * shape[1])
    means = np.where(counts, sums / np.maximum(counts, 1), np.nan).reshape(shape)
    edges = [np.arange(size + 1) - 0.5 for size in (shape[1], shape[0])]
    axes.pcolormesh(*edges, means, zorder=0, alpha=SURFACE, **look)


def _legend(way: str) -> list[Line2D]:
    point = Line2D([], [], linestyle="none", marker="o", markersize=3.5, color="white",
                   markeredgecolor=BLACK, markeredgewidth=0.5, label="complete trial")  # fmt: skip
    return [point] + [Line2D([], [], label="best", **BEST)] * bool(way)
