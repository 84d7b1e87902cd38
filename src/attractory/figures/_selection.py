"""Selection vectors: where they point beside the line, and what inputs leave behind along it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory.analysis import SelectionVectors, StateSpace
from attractory.figures._check import by_own_name, one_of
from attractory.figures._drawn import drawn
from attractory.figures._driven import check_units
from attractory.figures._held import DRAWN_TRIALS
from attractory.figures._style import (
    BLACK,
    CATEGORIES,
    DOUBLE,
    GREEN,
    GREY,
    PALE,
    legend_below,
    letter,
    new_figure,
    plain,
)

ARROWS = 5  # states along the line at which arrows are drawn
LONGEST = 0.25  # arrow, of the line's length
# of the changes of the input; green is the selection vector
COLORS = tuple(color for color in CATEGORIES if color not in (GREEN, BLACK))


@drawn
def selection_vectors(
    vectors: SelectionVectors | Sequence[SelectionVectors] | Mapping[str, SelectionVectors],
    space: StateSpace | None = None,
) -> Figure:
    """Selection vectors beside their line, and how far inputs move a network along it.

    Parameters
    ----------
    vectors : SelectionVectors, sequence of SelectionVectors or mapping of str to SelectionVectors
        Of one network, under one constant input or several: a row each. In a mapping by what the
        inputs are called, otherwise by what the task calls them.
    space : StateSpace, optional
        Of the same network: its trajectories are drawn behind the lines, as far as its components
        hold them.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels a row.

    Notes
    -----
    Left: the plane of the line's mean direction and of the mean selection vector [1]_ (where no
    state has one: of the states' longest direction, and of the inputs beside it). Black: the slow
    states; green: selection vectors, drawn equally long; in a colour each: how a change of the
    input, one step long, moves the state, drawn to one scale. What is at right angles to the green
    arrow decays. Right: how far along the line such a change moves the network in the end (line)
    and reaches at first (dashed), by the place on the line, which is seen so that relevant evidence
    moves forward. Hollow and dotted: the slowest modes are a complex pair there, and lengths have
    no sign.

    References
    ----------
    .. [1] Mante, Sussillo, Shenoy & Newsome (2013), Nature 503:78, figures 5 and 6.
    """
    found = {
        name: _forward(each)
        for name, each in by_own_name("vectors", vectors, SelectionVectors).items()
    }
    if space is not None:
        one_of("space", space, StateSpace)
        for name, each in found.items():
            check_units(f"vectors[{name!r}]", each.states, space)
    figure = new_figure(DOUBLE, 16 + 62 * len(found))
    panels = figure.subplots(len(found), 2, squeeze=False)
    colors = _colors(found.values())
    for row, (name, each) in enumerate(found.items()):
        _draw_plane(panels[row, 0], each, space, colors)
        _draw_lengths(panels[row, 1], each, colors)
        for column in range(2):
            letter(panels[row, column], 2 * row + column)
        panels[row, 0].set_title(plain(name))
    legend_below(figure, _handles(found.values(), colors, space is not None), 4)
    return figure


def _forward(vectors: SelectionVectors) -> SelectionVectors:
    """Seen from the end from which the relevant change of the input moves the network forward."""
    if vectors.relevant not in vectors.directions or not vectors.single.any():
        return vectors
    moved = vectors.selected[vectors.single, vectors.directions.index(vectors.relevant)]
    if np.median(moved) >= 0:
        return vectors
    sign = np.where(vectors.single, -1.0, 1.0)[:, None]
    backward = {
        "line": -vectors.line,
        "selection": -vectors.selection,
        "right": -vectors.right,
        "left": -vectors.left,
        "selected": sign * vectors.selected,
        "entering": sign * vectors.entering,
    }
    same = ("states", "eigenvalues", "alignment", "moves")
    backward |= {name: getattr(vectors, name) for name in same}
    return replace(vectors, **{name: values[::-1] for name, values in backward.items()})


def _colors(found: Any) -> dict[str, str]:
    """A colour for each change of the input, by name."""
    names = list(dict.fromkeys(name for each in found for name in each.directions))
    return {name: COLORS[i % len(COLORS)] for i, name in enumerate(names)}


def _plane(vectors: SelectionVectors) -> np.ndarray:
    """Two unit vectors (2, unit) at right angles: along the line, and along what is selected.

    Without a selection vector: the longest direction of the states, and of the inputs beside it.
    """
    single = vectors.single
    if single.any():
        along, second = vectors.line[single].mean(axis=0), vectors.selection[single].mean(axis=0)
    else:
        along = _longest(vectors.states - vectors.states.mean(axis=0))
        second = _longest(_beside(vectors.moves.reshape(-1, len(along)), along))
    along = along / np.linalg.norm(along)
    across = _beside(second, along)
    length = np.linalg.norm(across)
    if length < 1e-9 * np.linalg.norm(second) or not length:
        # nothing but the line itself is selected: any direction at right angles will do
        across = _beside(np.eye(len(along))[np.abs(along).argmin()], along)
    return np.stack([along, across / np.linalg.norm(across)])


def _beside(vectors: np.ndarray, along: np.ndarray) -> np.ndarray:
    """What vectors (…, unit) have at right angles to a direction."""
    unit = along / (np.linalg.norm(along) or 1.0)
    beside: np.ndarray = vectors - (vectors @ unit)[..., None] * unit
    return beside


def _longest(rows: np.ndarray) -> np.ndarray:
    """The direction (unit,) in which rows are longest; of a single state at 0 the first axis."""
    direction: np.ndarray = np.linalg.svd(rows)[2][0]
    return direction


def _draw_plane(
    axes: Any, vectors: SelectionVectors, space: StateSpace | None, colors: dict[str, str]
) -> None:
    plane = _plane(vectors)
    if space is not None:
        flat = space.coordinates[:DRAWN_TRIALS] @ (space.components @ plane.T)
        for trial in flat + space.center @ plane.T:
            axes.plot(*trial.T, color=PALE, linewidth=0.4, rasterized=True)
    places = vectors.states @ plane.T
    joined = "-" if vectors.in_order else "none"
    axes.plot(*places.T, color=BLACK, linestyle=joined, linewidth=2.0, marker="o", markersize=2.5)
    known = np.flatnonzero(vectors.known)
    if len(known):
        chosen = known[np.linspace(0, len(known) - 1, min(ARROWS, len(known))).astype(int)]
        _draw_arrows(axes, vectors, chosen, plane, colors)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel("Along the line (a.u.)")
    axes.set_ylabel("Across it (a.u.)")


def _draw_arrows(
    axes: Any,
    vectors: SelectionVectors,
    chosen: np.ndarray,
    plane: np.ndarray,
    colors: dict[str, str],
) -> None:
    """At these states the selection vector, and what changes of the input do, to one scale."""
    places = vectors.states[chosen] @ plane.T
    size = np.ptp(vectors.states @ plane.T, axis=0).max()
    longest = LONGEST * (size or 1.0)
    selections = vectors.selection[chosen] @ plane.T
    with np.errstate(invalid="ignore"):
        selections = longest * selections / np.linalg.norm(selections, axis=1, keepdims=True)
    single = np.isfinite(selections).all(axis=1)
    _arrows(axes, places[single], selections[single], GREEN)
    moves = vectors.moves[chosen] @ plane.T
    scale = longest / (np.linalg.norm(moves, axis=2).max() or 1.0)
    for i, name in enumerate(vectors.directions):
        _arrows(axes, places, scale * moves[:, i], colors[name])


def _arrows(axes: Any, places: np.ndarray, arrows: np.ndarray, color: str) -> None:
    look = {"color": color, "width": 0.006, "zorder": 3}
    axes.quiver(*places.T, *arrows.T, angles="xy", scale_units="xy", scale=1, **look)
    axes.update_datalim(places + arrows)  # quiver takes its tails alone into account


def _draw_lengths(axes: Any, vectors: SelectionVectors, colors: dict[str, str]) -> None:
    places = _places(vectors)
    axes.axhline(0, color=GREY, linewidth=0.5, zorder=0)
    # a length has a sign where one mode is the slowest, and none in the plane of a pair
    for own, fill, dashes in ((vectors.single, None, "--"), (~vectors.single, "white", ":")):
        ends, starts = (
            np.where(own[:, None], lengths, np.nan)
            for lengths in (vectors.selected, vectors.entering)
        )
        for i, name in enumerate(vectors.directions):
            look: dict[str, Any] = {"color": colors[name], "markerfacecolor": fill or colors[name]}
            solid = "-" if fill is None and vectors.in_order else "none"
            axes.plot(places, ends[:, i], ls=solid, marker="o", markersize=3, lw=1.2, **look)
            # states in no order are not joined by lines
            joined = {"linestyle": dashes} if vectors.in_order else {"linestyle": "", "marker": "_"}
            axes.plot(places, starts[:, i], linewidth=0.8, **joined, **look)
    axes.set_xlabel("Place along the line (a.u.)" if vectors.in_order else "State (number)")
    axes.set_ylabel("Moved along it by a pulse (a.u.)")


def _places(vectors: SelectionVectors) -> np.ndarray:
    """How far along the line each state is; without an order its number."""
    if not vectors.in_order:
        return np.arange(len(vectors), dtype=float)
    steps = np.linalg.norm(np.diff(vectors.states, axis=0), axis=1)
    return np.append(0.0, np.cumsum(steps))


def _handles(found: Any, colors: dict[str, str], behind: bool) -> list[Line2D]:
    look: dict[str, Any] = {"markersize": 3, "marker": "o"}
    handles = [
        Line2D([], [], color=BLACK, linewidth=2.0, label="slow states"),
        Line2D([], [], color=GREEN, linewidth=1.6, label="selection vector"),
    ]
    for name, color in colors.items():
        handles.append(Line2D([], [], color=color, label=f"{plain(name)}, in the end", **look))
        label = f"{plain(name)}, at first"
        handles.append(Line2D([], [], color=color, linestyle="--", linewidth=0.8, label=label))
    if any((each.known & ~each.single).any() for each in found):
        hollow = {**look, "linestyle": ":", "linewidth": 0.8, "markerfacecolor": "white"}
        handles.append(Line2D([], [], color=GREY, label="of a complex pair", **hollow))
    if behind:
        handles.append(Line2D([], [], color=PALE, linewidth=0.8, label="trajectory"))
    return handles
