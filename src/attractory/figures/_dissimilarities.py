"""Dissimilarity matrices of epochs, how alike they are, and which variables they follow."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory.analysis import Dissimilarities
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._looks import in_words
from attractory.figures._settings import font
from attractory.figures._style import (
    BLACK,
    CATEGORIES,
    DOUBLE,
    GREY,
    MARKERS,
    ORDERED_MAP,
    SIGNED_MAP,
    legend_below,
    letter,
    new_figure,
    plain,
)

COLUMNS = 3
MOST_NAMED = 12  # conditions whose names have room beside a matrix; of more every so many
LEVEL = 0.05  # of p, from which a point is filled
UNITS = {
    "euclidean": "Distance (a.u.)",
    "correlation": "1 − correlation",
    "crossnobis": "Crossnobis distance",
}


@drawn
def dissimilarities(found: Dissimilarities) -> Figure:
    """How far apart conditions are in each epoch, and what that follows.

    Parameters
    ----------
    found : Dissimilarities
        Of one network.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each epoch, and two.

    Notes
    -----
    First the matrix of each epoch, conditions in the order of `Dissimilarities.conditions`. Then:
    rank correlations of the matrices of two epochs, from two halves of the trials; and of each
    epoch's matrix with that which one variable alone would give (filled: p ≤ 0.05).
    """
    one_of("found", found, Dissimilarities)
    count = len(found.epochs)
    names = [chr(ord("A") + i) for i in range(count + 2)]
    places = "".join(names[:count]).ljust(-(-count // COLUMNS) * COLUMNS, ".")
    lines = [places[i : i + COLUMNS] for i in range(0, len(places), COLUMNS)]
    figure = new_figure(DOUBLE, 52 * (len(lines) + 1) + 12)
    panels = figure.subplot_mosaic(";".join([*lines, names[-2] + names[-1] * 2]))
    for i, name in enumerate(names[:count]):
        _draw_matrix(figure, panels[name], found, i)
    _draw_between(figure, panels[names[-2]], found)
    handles = _draw_agreement(panels[names[-1]], found)
    for name, axes in panels.items():
        letter(axes, name)
    legend_below(figure, handles, 5)
    return figure


def _draw_matrix(figure: Any, axes: Any, found: Dissimilarities, epoch: int) -> None:
    lowest = min(0.0, float(found.matrices.min()))
    image = axes.imshow(
        found.matrices[epoch], cmap=ORDERED_MAP, vmin=lowest, vmax=found.matrices.max() or 1.0,
        interpolation="nearest", aspect="auto",
    )  # fmt: skip
    names = _names(found)
    every = -(-len(names) // MOST_NAMED)
    at = np.arange(0, len(names), every)
    axes.set_yticks(at, [names[place] for place in at], fontsize=font(6))
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.set_xlabel("Conditions, in the same order")
    axes.set_title(plain(found.epochs[epoch]), fontsize=font(7))
    axes.set_ylabel(", ".join(plain(name) for name in found.by))
    bar = figure.colorbar(image, ax=axes, fraction=0.06, pad=0.03)
    bar.set_label(UNITS[found.metric])


def _names(found: Dissimilarities) -> list[str]:
    """Of the conditions: their values, one after the other."""
    values = zip(*(found.conditions[name] for name in found.by), strict=True)
    return [", ".join(in_words(value) for value in each) for each in values]


def _draw_between(figure: Any, axes: Any, found: Dissimilarities) -> None:
    image = axes.imshow(
        found.between, cmap=SIGNED_MAP, vmin=-1, vmax=1, interpolation="nearest", aspect="auto"
    )
    names = [plain(name) for name in found.epochs]
    places = np.arange(len(names))
    axes.set_xticks(places, names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, names)
    axes.tick_params(length=0)
    axes.set_title("between halves", fontsize=font(7))
    bar = figure.colorbar(image, ax=axes, ticks=[-1, 0, 1], fraction=0.06, pad=0.03)
    bar.set_label("Spearman's ρ")


def _draw_agreement(axes: Any, found: Dissimilarities) -> list[Line2D]:
    places = np.arange(len(found.epochs))
    handles = []
    for i, name in enumerate(found.by):
        color, marker = CATEGORIES[i % len(CATEGORIES)], MARKERS[i % len(MARKERS)]
        look: dict[str, Any] = {"color": color, "marker": marker, "markersize": 4.5}
        agreement, known = found.agreement[:, i], found.p[:, i] <= LEVEL
        axes.plot(places, agreement, **look, markerfacecolor="white", linewidth=1)
        axes.plot(places[known], agreement[known], **look, linestyle="none")
        handles.append(Line2D([], [], **look, linewidth=1, label=plain(name)))
    halves = np.diag(found.between)
    axes.plot(places, halves, color=GREY, linestyle="--", linewidth=1)
    handles.append(
        Line2D([], [], color=GREY, linestyle="--", linewidth=1, label="two halves of the trials")
    )
    axes.axhline(0, color=BLACK, linewidth=0.5)
    axes.set_xticks(places, [plain(name) for name in found.epochs])
    axes.set(xlabel="Epoch", ylabel="Spearman's ρ with a variable", xlim=(-0.3, len(places) - 0.7))
    axes.set_ylim(top=1.05)
    return handles
