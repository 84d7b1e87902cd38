"""Demixed principal components: conditions through time, what each explains, their angles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from attractory._arguments import names_of
from attractory._errors import InvalidSetting, nearest, shown, whole_number
from attractory.analysis import DemixedPCA
from attractory.figures._averages import time_label
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._looks import handles_of, looks_of
from attractory.figures._settings import font
from attractory.figures._style import (
    BLACK,
    DOUBLE,
    GREEN,
    GREY,
    ORANGE,
    ORDERED_MAP,
    PALE,
    PURPLE,
    SKY,
    YELLOW,
    legend_below,
    letter,
    new_figure,
    plain,
)

USUAL_PANELS, MOST_PANELS = 6, 9
COLUMNS = 3
LETTERS = "ABCDEFGHIJKL"  # of the panels
# of marginalisations, time first; conditions begin with other colours
PARTS = (PALE, GREEN, PURPLE, ORANGE, SKY, YELLOW, BLACK, GREY)
MOST_NAMED = 8  # components whose names have room below the bars


@drawn
def demixed_pca(
    demixed: DemixedPCA, components: int = USUAL_PANELS, by: str | Sequence[str] | None = None
) -> Figure:
    """Demixed components: the conditions through time, explained variance, and angles.

    Parameters
    ----------
    demixed : DemixedPCA
        Of one network.
    components : int
        How many components are drawn through time, those that explain most; up to 9.
    by : str or sequence of str, optional
        One or two of the variables: the colour tells the first, the line the second. Averages are
        taken over all others. None: the first two.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each component, and three.

    Notes
    -----
    The first panels: averages of the conditions along the decoder of each component. Then: what
    share of the variance each component explains of each marginalisation; the share that the first
    components explain together, beside as many principal components; the angles between the
    encoders, regardless of sign.
    """
    one_of("demixed", demixed, DemixedPCA)
    count = min(whole_number("components", components), len(demixed.part))
    if count > MOST_PANELS:
        raise InvalidSetting(f"components = {count} is not allowed: 1 to {MOST_PANELS} are drawn")
    conditions = _conditions(demixed, by)
    rows = -(-count // COLUMNS)
    figure = new_figure(DOUBLE, 46 * (rows + 1) + 32)
    *of_components, shares, together, angles = list(LETTERS[: count + 3])
    first = "".join(of_components).ljust(rows * COLUMNS, ".")
    lines = [first[i : i + COLUMNS] for i in range(0, len(first), COLUMNS)]
    panels = figure.subplot_mosaic(";".join([*lines, shares + together + angles]))
    for name, axes in panels.items():
        letter(axes, name)
    for i, name in enumerate(of_components):
        _draw_component(panels[name], demixed, conditions, i)
    parts = _draw_shares(panels[shares], demixed)
    _draw_cumulative(panels[together], demixed)
    _draw_angles(figure, panels[angles], demixed)
    legend_below(figure, [*handles_of(conditions, named=True), *parts], 4)
    return figure


class Conditions(NamedTuple):
    """The conditions that are drawn, and their averages (component, condition, time)."""

    by: tuple[str, ...]
    conditions: dict[str, np.ndarray]
    trials: np.ndarray
    averages: np.ndarray


def _conditions(demixed: DemixedPCA, by: Any) -> Conditions:
    names = demixed.variables[:2] if by is None else names_of("by", by)
    for name in names:
        if name not in demixed.variables:
            raise InvalidSetting(
                f"by = {shown(name)} is no variable of the components; "
                + nearest(name, demixed.variables)
            )
    if not 1 <= len(set(names)) == len(names) <= 2:
        raise InvalidSetting(f"by = {shown(names)} is not allowed: one or two of the variables")
    places = [1 + demixed.variables.index(name) for name in names]
    others = tuple(1 + i for i, name in enumerate(demixed.variables) if name not in names)
    order = np.moveaxis(demixed.averages, places, range(1, 1 + len(places)))
    last = tuple(range(1 + len(places), order.ndim - 1))
    means = order.mean(axis=last) if others else order
    sizes = means.shape[1:-1]
    at = np.indices(sizes).reshape(len(sizes), -1)
    values = {name: demixed.levels[name][i] for name, i in zip(names, at, strict=True)}
    flat = means.reshape(len(means), -1, means.shape[-1])
    return Conditions(tuple(names), values, np.ones(flat.shape[1]), flat)


def _draw_component(axes: Any, demixed: DemixedPCA, drawn: Conditions, component: int) -> None:
    marker = "o" if len(demixed.time_ms) == 1 else ""
    for look, line in zip(looks_of(drawn), drawn.averages[component], strict=True):
        axes.plot(
            demixed.time_ms, line, color=look.color, linestyle=look.line, marker=marker,
            linewidth=1,
        )  # fmt: skip
    share = demixed.explained_variance[component].sum()
    title = f"{plain(demixed.names[component])} ({share:.1%})"
    axes.set_title(title, loc="right", fontsize=font(7))  # the letter is on the left
    axes.set(xlabel=time_label(demixed.align), ylabel="Position (a.u.)")


def _draw_shares(axes: Any, demixed: DemixedPCA) -> list[Patch]:
    places = np.arange(len(demixed.part))
    bottom = np.zeros(len(places))
    handles = []
    for i, name in enumerate(demixed.marginalisations):
        color = PARTS[i % len(PARTS)]
        # regularised regression may explain a little less than nothing of the other parts
        own = np.maximum(demixed.explained_variance[:, i], 0)
        axes.bar(places, own, bottom=bottom, color=color, width=0.8, linewidth=0)
        bottom = bottom + own
        handles.append(Patch(color=color, label=f"variance of {plain(name)}"))
    axes.set(xlabel="Component", ylabel="Share of variance explained")
    _number(axes.xaxis, places)
    return handles


def _draw_cumulative(axes: Any, demixed: DemixedPCA) -> None:
    places = np.arange(len(demixed.part))
    small = {"marker": "o", "markersize": 2.5, "linewidth": 1}
    axes.plot(places, demixed.cumulative_pca, color=GREY, label="principal components", **small)
    axes.plot(places, demixed.cumulative, color=BLACK, label="demixed components", **small)
    axes.set(xlabel="Component", ylabel="Share explained together", ylim=(0, 1.03))
    axes.legend(loc="lower right")
    _number(axes.xaxis, places)


def _draw_angles(figure: Any, axes: Any, demixed: DemixedPCA) -> None:
    image = axes.imshow(
        demixed.angles, cmap=ORDERED_MAP, vmin=0, vmax=90, interpolation="nearest", aspect="auto"
    )
    axes.set(xlabel="Component", ylabel="Component")
    places = np.arange(len(demixed.part))
    _number(axes.xaxis, places)
    _number(axes.yaxis, places)
    bar = figure.colorbar(image, ax=axes, ticks=[0, 30, 60, 90], fraction=0.06, pad=0.03)
    bar.set_label("Angle between encoders (°)")


def _number(axis: Any, places: np.ndarray) -> None:
    """Components are counted from 1, every so many where there are many."""
    every = -(-len(places) // MOST_NAMED)
    axis.set_ticks(places[::every], [str(place + 1) for place in places[::every]])
