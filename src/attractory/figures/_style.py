"""What all figures share: sizes, fonts, colours, letters of the panels."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, ParamSpec, TypeVar

import matplotlib
import numpy as np
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from attractory.figures._given import Given
from attractory.figures._legends import fitted, under
from attractory.figures._picture import Picture
from attractory.figures._settings import font, our_letters, style
from attractory.figures._sheet import Sheet, current

P = ParamSpec("P")
R = TypeVar("R")

SINGLE, DOUBLE = 85.0, 175.0  # widths of one and of two columns of a journal (mm)
MOST_BITS = 6  # so many outputs may have all their states of -1 and +1 in one legend
LONGEST_NAME = 30  # letters of a channel's, an epoch's or a condition's name
MANY_POINTS = 5000  # longer lines are drawn as pixels, also in a vector file

# Okabe & Ito (2008): told apart by colour-blind readers too
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
PALE, GREY = "#BDBDBD", "#7A7A7A"
CATEGORIES = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK, YELLOW)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
INPUT, TARGET, OUTPUT = SKY, BLACK, VERMILLION
SIGNED_MAP, ORDERED_MAP = "PuOr_r", "viridis"


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """Decorator: a function draws in our style and the user's settings, and changes none."""

    @functools.wraps(function)
    def inside(*arguments: P.args, **settings: P.kwargs) -> R:
        with style():
            return function(*arguments, **settings)

    return inside


def plain(name: str) -> str:
    """A name that is not ours, as matplotlib shows it letter by letter: $ begins no formula.

    A long one is cut: panels shrink to make room for their labels.
    """
    short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
    known = (letter if letter.isprintable() else "\ufffd" for letter in short)
    return "".join(known).replace("$", r"\$")


def new_figure(width_mm: float, height_mm: float) -> Any:
    """What is drawn on: an empty figure of that size, or what the caller of a figure has given.

    A figure keeps its panels from overlapping.
    """
    sheet = current.get()
    if sheet.target is not None:
        return sheet.target
    engine = ConstrainedLayoutEngine(w_pad=0.04, h_pad=0.04)
    own = (width_mm / 25.4, height_mm / 25.4)
    figure = Picture(figsize=sheet.size or own, layout=engine)
    figure.own_size = own
    return figure


def size_of(width_mm: float, height_mm: float) -> tuple[float, float]:
    """Of the figure (mm): those, or as the caller of a figure has it."""
    size = current.get().size
    return (25.4 * size[0], 25.4 * size[1]) if size else (width_mm, height_mm)


def as_designed() -> bool:
    """The figure has the size and the letters for which its legends were placed."""
    sheet = current.get()
    return sheet == Sheet() and our_letters()


def letter(axes: Any, which: int | str) -> None:
    """A bold capital at the panel's upper left: 0 is A."""
    text = which if isinstance(which, str) else chr(ord("A") + which)
    axes.set_title(text, loc="left", fontweight="bold", fontsize=font(9))


def legend_below(figure: Any, handles: Sequence[Any], columns: int, title: str = "") -> Any:
    """One legend for all panels, under them; in fewer columns where there is no room for all."""

    def legend(ncols: int) -> Any:
        return figure.legend(
            handles=list(handles),
            loc="outside lower center",
            ncols=ncols,
            title=title or None,
            title_fontsize=font(7),
            columnspacing=1.2,
            handletextpad=0.5,
        )

    if as_designed():
        return legend(columns)
    return fitted(legend, columns, 0.85 * figure.bbox.width)  # a part becomes narrower in its place


def legend_beside(figure: Any, handles: Sequence[Any]) -> Any:
    """A legend to the right of the panel; under it where there is no room."""
    if as_designed():
        return figure.legend(handles=handles, loc="outside right center", labelspacing=0.8)
    return legend_below(figure, handles, 4)


def legend_in(figure: Any, axes: Any, handles: Sequence[Any]) -> Any:
    """A legend in a panel of its own; under the others where the caller has given none for it."""
    if isinstance(figure, Given):
        return legend_below(figure, handles, 3)
    return axes.legend(handles=handles, loc="center")


def legend_under(axes: Any, handles: Sequence[Any] | None = None, **look: Any) -> Any:
    """A legend of one panel, under its labels."""
    if as_designed():
        place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.24)}
        return axes.legend(handles=handles, **place, **look)
    target = current.get().target
    if isinstance(target, Given):
        return target.legend_of(axes, handles=handles, **look)
    return under(axes, 1, handles=handles, **look)


def clean_3d(axes: Any) -> None:
    """Light walls and few ticks, so that the eye goes to the states."""
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.pane.set_facecolor("white")
        axis.pane.set_edgecolor(PALE)
        axis._axinfo["grid"].update(color="#E6E6E6", linewidth=0.4)
        axis.set_major_locator(MaxNLocator(4))
        axis.set_tick_params(labelsize=font(6), pad=-2)


def state_styles(names: Sequence[str]) -> dict[str, tuple[Any, str]]:
    """A colour and a marker for each memory state.

    A state of -1 and +1 looks the same in every figure of that many bits (up to 6). Up to 8 states
    have the colours of Okabe and Ito; more take theirs from an ordered map, markers repeat.
    """
    known = sorted(set(names))
    few = bool(known) and len(known[0]) <= MOST_BITS
    if few and not any("0" in name for name in known):
        known = ["".join(signs) for signs in product("-+", repeat=len(known[0]))]
    colors: Any = CATEGORIES
    if len(known) > len(CATEGORIES):
        colors = matplotlib.colormaps[ORDERED_MAP](np.linspace(0, 0.95, len(known)))
    return {name: (colors[i], MARKERS[i % len(MARKERS)]) for i, name in enumerate(known)}
