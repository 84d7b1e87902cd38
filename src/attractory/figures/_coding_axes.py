"""Decoding through time, generalisation between moments, angles between coding subspaces."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory._errors import InvalidSetting
from attractory.analysis import CodingAxes
from attractory.figures._averages import time_label
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._settings import font
from attractory.figures._style import (
    BLACK,
    CATEGORIES,
    DOUBLE,
    MARKERS,
    ORDERED_MAP,
    PURPLE,
    SKY,
    legend_below,
    letter,
    new_figure,
    plain,
)

MOST_VARIABLES = 3  # whose pairs have colours of their own
MOST_TICKS = 4  # numbers of ms beside a matrix
RIGHT = 90.0  # degrees
PAIRS = (PURPLE, SKY, BLACK)  # of variables; these have the first colours


@drawn
def coding_axes(coding: CodingAxes) -> Figure:
    """How well variables are decoded at each moment, and whether their axes stay the same.

    Parameters
    ----------
    coding : CodingAxes
        Of one network, and of up to 3 variables.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels, and two for each variable.

    Notes
    -----
    First row: accuracy in other trials at the moment of the decoder (filled where it is beyond
    chance; dashed: what it reaches at no moment in 95 % of permutations), and angles between the
    coding subspaces of each two variables. Then a row for each variable: accuracy of the decoder of
    one moment (row) at each other (column), and angles between its subspaces at two moments, each
    estimated in another half of the trials. There are no angles where a variable is not decoded.
    """
    one_of("coding", coding, CodingAxes)
    count = len(coding.variables)
    if count > MOST_VARIABLES:
        raise InvalidSetting(
            f"coding has {count} variables; at most {MOST_VARIABLES} are drawn: ask for fewer"
        )
    figure = new_figure(DOUBLE, 58 * (count + 1) + 14)
    grid = figure.subplots(count + 1, 2, squeeze=False)
    handles = _draw_accuracy(grid[0, 0], coding)
    handles += _draw_between(grid[0, 1], coding)
    for i, name in enumerate(coding.variables):
        generalised, angles = grid[i + 1]
        lowest = min(float(coding.guess[i]), float(coding.accuracy[i].min()))
        image = _draw_matrix(generalised, coding, coding.accuracy[i], (lowest, 1.0))
        unit = "epoch" if coding.epochs else "ms"
        generalised.set(xlabel=f"Decoded at ({unit})", ylabel=f"Decoder of ({unit})")
        figure.colorbar(image, ax=generalised, label="Accuracy", fraction=0.05, pad=0.03)
        known = np.logical_and.outer(coding.decoded[i], coding.decoded[i])
        own = np.where(known, coding.angles[i], np.nan)
        image = _draw_matrix(angles, coding, own, (0.0, RIGHT))
        angles.set(xlabel=f"Axes of ({unit})", ylabel=f"Axes of ({unit})")
        for axes in (generalised, angles):
            axes.set_title(_title(name, coding), fontsize=font(7))
        figure.colorbar(
            image, ax=angles, label="Angle (°)", ticks=[0, 30, 60, 90], fraction=0.05, pad=0.03
        )
    for i, axes in enumerate(grid.flat):
        letter(axes, i)
    legend_below(figure, handles, 4)
    return figure


def _title(name: str, coding: CodingAxes) -> str:
    """Of a matrix: the variable, and from when on time is counted."""
    since = "" if coding.align is None else f", from {plain(coding.align)} onset"
    return plain(name) + since


def _moment(coding: CodingAxes) -> str:
    """Of an axis of moments."""
    return "Epoch" if coding.epochs else time_label(coding.align)


def _draw_accuracy(axes: Any, coding: CodingAxes) -> list[Line2D]:
    handles = []
    for i, name in enumerate(coding.variables):
        look: dict[str, Any] = {"color": CATEGORIES[i], "marker": MARKERS[i], "markersize": 3.5}
        accuracy, decoded = coding.alike[i], coding.decoded[i]
        axes.plot(_places(coding), accuracy, **look, markerfacecolor="white", linewidth=1)
        axes.plot(_places(coding)[decoded], accuracy[decoded], **look, linestyle="none")
        axes.axhline(coding.chance[i], color=CATEGORIES[i], linestyle="--", linewidth=0.8)
        handles.append(Line2D([], [], **look, linewidth=1, label=plain(name)))
    _name_moments(axes.xaxis, coding)
    axes.set(xlabel=_moment(coding), ylabel="Accuracy in other trials", ylim=(0, 1.04))
    return [
        *handles,
        Line2D([], [], color=BLACK, linestyle="--", linewidth=0.8, label="chance (95 %)"),
    ]


def _draw_between(axes: Any, coding: CodingAxes) -> list[Line2D]:
    handles = []
    for i, (one, other) in enumerate(combinations(range(len(coding.variables)), 2)):
        names = f"{plain(coding.variables[one])} and {plain(coding.variables[other])}"
        look: dict[str, Any] = {"color": PAIRS[i], "marker": MARKERS[4 + i], "markersize": 3.5}
        axes.plot(_places(coding), _angles(coding, one, other), **look, linewidth=1)
        axes.axhline(coding.random[one, other], color=look["color"], linestyle="--", linewidth=0.8)
        handles.append(Line2D([], [], **look, linewidth=1, label=f"angle of {names}"))
    if not handles:  # of one variable: to itself, in the other half of the trials
        axes.plot(_places(coding), _angles(coding, 0, 0), color=CATEGORIES[0], marker=MARKERS[0],
                  markersize=3.5, linewidth=1)  # fmt: skip
        axes.axhline(coding.random[0, 0], color=CATEGORIES[0], linestyle="--", linewidth=0.8)
    _name_moments(axes.xaxis, coding)
    axes.set(xlabel=_moment(coding), ylabel="Angle of subspaces (°)", ylim=(0, 94))
    axes.set_yticks([0, 30, 60, 90])
    return handles


def _angles(coding: CodingAxes, one: int, other: int) -> np.ndarray:
    """Of the subspaces of two variables, where both are decoded; else they are of chance alone."""
    known = coding.decoded[one] & coding.decoded[other]
    return np.where(known, coding.between[one, other], np.nan)


def _draw_matrix(
    axes: Any, coding: CodingAxes, matrix: np.ndarray, ends: tuple[float, float]
) -> Any:
    image = axes.imshow(
        matrix, cmap=ORDERED_MAP, vmin=ends[0], vmax=ends[1], interpolation="nearest",
        aspect="auto",
    )  # fmt: skip
    for axis in (axes.xaxis, axes.yaxis):
        if coding.epochs:
            _name_moments(axis, coding)
        else:
            every = -(-len(coding.time_ms) // MOST_TICKS)
            axis.set_ticks(
                np.arange(len(coding.time_ms))[::every],
                [f"{time:.0f}" for time in coding.time_ms[::every]],
            )
    return image


def _places(coding: CodingAxes) -> np.ndarray:
    """Where moments lie along an axis: by time, or one after the other."""
    return np.arange(len(coding.epochs)) if coding.epochs else coding.time_ms


def _name_moments(axis: Any, coding: CodingAxes) -> None:
    if coding.epochs:
        axis.set_ticks(np.arange(len(coding.epochs)), [plain(name) for name in coding.epochs])
