"""What all figures share: sizes, fonts, colours, letters of the panels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

SINGLE, DOUBLE = 85.0, 175.0  # widths of one and of two columns of a journal (mm)
DPI = 300
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

_not_of_a_figure = ("backend", "interactive", "toolbar", "webagg", "tk.", "docstring", "timezone")
_defaults: dict[Any, Any] = {
    name: matplotlib.rcParamsDefault[name]
    for name in matplotlib.rcParamsDefault
    if not name.startswith(_not_of_a_figure)
}
STYLE: dict[Any, Any] = {
    **_defaults,
    "font.size": 8.0,
    "axes.titlesize": 8.0,
    "axes.labelsize": 8.0,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "legend.fontsize": 7.0,
    "legend.frameon": False,
    "legend.handlelength": 1.5,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "lines.linewidth": 1.0,
    "figure.dpi": 100.0,
    "savefig.dpi": float(DPI),
    "svg.fonttype": "none",
    "svg.hashsalt": "attractory",
}

styled = matplotlib.rc_context(STYLE)
"""Decorator: a function draws in this style, whatever the user's settings, and changes none."""


def plain(name: str) -> str:
    """A name that is not ours, as matplotlib shows it letter by letter: $ begins no formula.

    A long one is cut: panels shrink to make room for their labels.
    """
    short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
    known = (letter if letter.isprintable() else "\ufffd" for letter in short)
    return "".join(known).replace("$", r"\$")


def new_figure(width_mm: float, height_mm: float) -> Figure:
    """An empty figure of that size that keeps its panels from overlapping."""
    engine = ConstrainedLayoutEngine(w_pad=0.04, h_pad=0.04)
    return Figure(figsize=(width_mm / 25.4, height_mm / 25.4), layout=engine)


def letter(axes: Any, which: int | str) -> None:
    """A bold capital at the panel's upper left: 0 is A."""
    text = which if isinstance(which, str) else chr(ord("A") + which)
    axes.set_title(text, loc="left", fontweight="bold", fontsize=9)


def legend_below(figure: Any, handles: Sequence[Any], columns: int, title: str = "") -> Any:
    """One legend for all panels, under them."""
    return figure.legend(
        handles=list(handles),
        loc="outside lower center",
        ncols=columns,
        title=title or None,
        title_fontsize=7,
        columnspacing=1.2,
        handletextpad=0.5,
    )


def clean_3d(axes: Any) -> None:
    """Light walls and few ticks, so that the eye goes to the states."""
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.pane.set_facecolor("white")
        axis.pane.set_edgecolor(PALE)
        axis._axinfo["grid"].update(color="#E6E6E6", linewidth=0.4)
        axis.set_major_locator(MaxNLocator(4))
        axis.set_tick_params(labelsize=6, pad=-2)


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
