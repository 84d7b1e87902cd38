"""Our settings of matplotlib, under those that the user has changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib

DPI = 300
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

_font_sizes = (
    "axes.titlesize", "axes.labelsize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize",
)  # fmt: skip
FONT = STYLE["font.size"]


def settings() -> dict[Any, Any]:
    """Our style, and over it what the user has changed from matplotlib's own settings.

    A font size of the user's changes all of our sizes with it.
    """
    defaults, now = matplotlib.rcParamsDefault, matplotlib.rcParams
    theirs = {name: now[name] for name in _defaults if now[name] != defaults[name]}
    share = theirs.get("font.size", FONT) / FONT
    return {**STYLE, **{name: share * STYLE[name] for name in _font_sizes}, **theirs}


def smaller(share: float) -> dict[Any, Any]:
    """Settings for letters of that share of the size that is set."""
    now: dict[Any, Any] = matplotlib.rcParams
    sizes = {name: now[name] for name in ("font.size", *_font_sizes)}
    # a size in words ("large") is one of the font's size already
    return {name: share * size for name, size in sizes.items() if isinstance(size, float)}


def our_letters() -> bool:
    """No size of letters is the user's."""
    now: dict[Any, Any] = matplotlib.rcParams
    return all(now[name] == STYLE[name] for name in ("font.size", *_font_sizes))


@contextmanager
def style() -> Iterator[dict[Any, Any]]:
    """In here these settings are matplotlib's; the user's are as before afterwards."""
    chosen = settings()
    with matplotlib.rc_context(chosen):
        yield chosen


def font(size: float) -> float:
    """A size among letters of 8 points, for letters of the size that is set (points)."""
    return size * float(matplotlib.rcParams["font.size"]) / FONT
