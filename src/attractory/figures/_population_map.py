"""Networks on a map, as far apart as they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory._errors import InvalidSetting, shown
from attractory.figures._drawn import drawn
from attractory.figures._looks import in_words
from attractory.figures._settings import font
from attractory.figures._style import (
    BLACK,
    CATEGORIES,
    MARKERS,
    ORDERED_MAP,
    SINGLE,
    legend_below,
    new_figure,
    plain,
)
from attractory.population import Distances, PopulationMap

MOST_NAMED = 30  # networks whose names have room on the map
MOST_KINDS = len(CATEGORIES)  # that are told apart by colour and marker; more numbers need a bar


@drawn
def population_map(
    networks: Distances | PopulationMap, colour: Sequence[Any] | None = None, label: str = ""
) -> Figure:
    """Networks as points that are as far apart as their distances, as well as that goes.

    Parameters
    ----------
    networks : Distances or PopulationMap
        Of distances the map in two dimensions is made (`Distances.map`).
    colour : sequence, optional
        A value for each network: names or whole numbers (as `Clusters.members`), each of which
        gets a colour and a marker, or other numbers, which get a colour bar. None: the groups that
        networks were given in.
    label : str
        What these values are, with their unit.

    Returns
    -------
    matplotlib.figure.Figure
        One panel.

    Raises
    ------
    InvalidSetting
        For a map that is not of two dimensions, and values that are not one a network.

    Notes
    -----
    Axes have the unit of the distance, and no meaning but distances: a map may be turned and
    mirrored. The stress says how well distances are kept: 0 exactly.
    """
    places = _checked(networks)
    values = _values_for(places, colour)
    figure = new_figure(SINGLE, 76)
    axes = figure.subplots()
    if _in_kinds(values):
        handles = _draw_kinds(axes, places, values)
        if len(handles) > 1 or values[0] != "":
            legend_below(figure, handles, 3, title=plain(label))
    else:
        _draw_shades(figure, axes, places, values, label)
    _name_networks(axes, places, without_group=colour is None)
    axes.set(xlabel=f"Map axis 1 ({places.unit})", ylabel=f"Map axis 2 ({places.unit})")
    axes.set_aspect("equal", "datalim")
    axes.margins(0.12)
    axes.set_title(
        f"{plain(places.metric)}, stress {places.stress:.2f}", loc="right", fontsize=font(7)
    )
    return figure


def _checked(networks: Any) -> PopulationMap:
    if not isinstance(networks, (Distances, PopulationMap)):
        raise InvalidSetting(
            f"networks is of type {type(networks).__name__}; Distances or a PopulationMap is needed"
        )
    places = networks.map() if isinstance(networks, Distances) else networks
    dimensions = places.coordinates.shape[1]
    if dimensions != 2:
        raise InvalidSetting(f"networks = a map of {dimensions} dimensions; it must be of 2")
    return places


def _values_for(places: PopulationMap, colour: Any) -> list[Any]:
    """One a network: the groups where nothing else is given."""
    if colour is None:
        return list(places.groups)
    if not isinstance(colour, Iterable):
        raise InvalidSetting(f"colour = {shown(colour)} is not allowed: a value for each network")
    values = list(colour)
    if len(values) != len(places.labels):
        raise InvalidSetting(
            f"colour has {len(values)} values, there are {len(places.labels)} networks"
        )
    return values


def _in_kinds(values: list[Any]) -> bool:
    """Values that are told apart one by one: names, or few whole numbers."""
    if all(isinstance(value, str) for value in values):
        return True
    try:
        array = np.asarray(values)
        whole = array.dtype.kind in "biu"
        numeric = array.dtype.kind in "biuf" and array.ndim == 1
    except ValueError:
        numeric = False
    if not numeric:
        raise InvalidSetting(f"colour = {shown(values)} is not allowed: all names, or all numbers")
    return bool(whole and len(np.unique(array)) <= MOST_KINDS)


def _draw_kinds(axes: Any, places: PopulationMap, values: list[Any]) -> list[Line2D]:
    """A colour and a marker for each kind; returns the entries of a legend."""
    handles = []
    numbers = not isinstance(values[0], str)
    kinds = sorted(set(values)) if numbers else list(dict.fromkeys(values))
    for i, kind in enumerate(kinds):
        own = np.array([value == kind for value in values])
        x, y = places.coordinates[own].T
        look: dict[str, Any] = {
            "linestyle": "none", "marker": MARKERS[i % len(MARKERS)], "markersize": 5,
            "color": CATEGORIES[i % len(CATEGORIES)], "markeredgewidth": 0,
            "label": plain(kind) if isinstance(kind, str) else in_words(kind),
        }  # fmt: skip
        axes.plot(x, y, **look)
        handles.append(Line2D([], [], **look))
    return handles


def _draw_shades(
    figure: Any, axes: Any, places: PopulationMap, values: list[Any], label: str
) -> None:
    """Numbers by an ordered map; networks without one (NaN) are rings."""
    numbers = np.asarray(values, float)
    x, y = places.coordinates.T
    known = np.isfinite(numbers)
    axes.plot(
        x[~known], y[~known], linestyle="none", marker="o", markersize=5, color=BLACK,
        markerfacecolor="none", markeredgewidth=0.6,
    )  # fmt: skip
    dots = axes.scatter(x[known], y[known], c=numbers[known], cmap=ORDERED_MAP, s=25, linewidths=0)
    bar = figure.colorbar(dots, ax=axes, fraction=0.05, pad=0.03)
    bar.set_label(plain(label) or "Value")
    bar.outline.set_linewidth(0.4)


def _name_networks(axes: Any, places: PopulationMap, without_group: bool) -> None:
    """Names beside the points; without that of the group where colours tell it."""
    if len(places.labels) > MOST_NAMED:
        return
    for name, group, place in zip(places.labels, places.groups, places.coordinates, strict=True):
        short = name.removeprefix(f"{group} ") if without_group else name
        axes.annotate(plain(short), place, (3, 3), textcoords="offset points", fontsize=font(6))
