"""Where a figure is drawn: the keyword arguments that all figure functions have in common."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory._arguments import bound
from attractory._errors import InvalidSetting, shown
from attractory.figures._place import drawn_in, drawn_on, in_order
from attractory.figures._settings import STYLE, style

ABOUT = """
figsize : (float, float), optional
    Width and height in inches; the figure's own size when None.
ax : matplotlib.axes.Axes, optional
    Where it is drawn in a figure of yours: a single panel into these axes, several panels in
    their place. A new figure when None.
axes : sequence of matplotlib.axes.Axes, optional
    One for each panel, in the order of the panels. A panel in three dimensions needs axes with
    projection='3d'.
"""
_own = {
    "figsize": "tuple[float, float] | None",
    "ax": "Axes | None",
    "axes": "Sequence[Axes] | None",
}


def drawn(function: Callable[..., Figure]) -> Callable[..., Figure]:
    """Decorator of a figure function: it is drawn in our style, where the caller wants it."""

    @functools.wraps(function)
    def figure(
        *arguments: Any, figsize: Any = None, ax: Any = None, axes: Any = None, **settings: Any
    ) -> Figure:
        size, panels = _size(figsize), _axes(ax, axes)
        if panels and size:
            raise InvalidSetting(
                f"figsize and {'axes' if ax is None else 'ax'} are given; allowed: one of them"
            )
        call = bound(function, arguments, settings)
        make = functools.partial(function, *call.args, **call.kwargs)
        with style() as chosen:
            matplotlib.rcParams["lines.linewidth"] = STYLE["lines.linewidth"]
            before = _lines(panels[0].get_figure(root=True)) if panels else []
            made = drawn_in(make, panels, ax is not None) if panels else drawn_on(make, size)
            _widen(made, before, chosen["lines.linewidth"] / STYLE["lines.linewidth"])
        return made

    _describe(figure, function)
    return figure


def _describe(figure: Any, function: Callable[..., Figure]) -> None:
    """Signature and docstring name the common arguments, too."""
    signature = inspect.signature(function)
    common = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in _own.items()
    ]
    figure.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *common])
    said = inspect.cleandoc(function.__doc__ or "")
    figure.__doc__ = said.replace("\n\nReturns\n", f"{ABOUT}\nReturns\n", 1)


def _size(figsize: Any) -> tuple[float, float] | None:
    if figsize is None:
        return None
    problem = InvalidSetting(
        f"figsize = {shown(figsize)} is not allowed: width and height in inches, both above 0"
    )
    try:
        width, height = figsize
    except (TypeError, ValueError):
        raise problem from None
    for length in (width, height):
        if (
            not isinstance(length, Real)
            or isinstance(length, bool)
            or not 0 < float(length) < np.inf
        ):
            raise problem
    return float(width), float(height)


def _axes(ax: Any, axes: Any) -> list[Axes]:
    """All that are given, of one figure; none when a new figure is wanted."""
    if ax is not None and axes is not None:
        raise InvalidSetting("ax and axes are given; allowed: one of them")
    if ax is None and axes is None:
        return []
    name, found = ("ax", [ax]) if axes is None else ("axes", _in_a_row(axes))
    for each in found:
        if not isinstance(each, Axes):
            raise InvalidSetting(f"{name}: {type(each).__name__} given, allowed: matplotlib's Axes")
        if each.get_figure() is None:
            raise InvalidSetting(f"{name}: axes that are in no figure are given")
    if len({id(each) for each in found}) < len(found):
        raise InvalidSetting("axes: the same axes are given twice")
    if len({id(each.get_figure(root=True)) for each in found}) > 1:
        raise InvalidSetting("axes: those of several figures are given, allowed: of one figure")
    return found


def _in_a_row(axes: Any) -> list[Any]:
    """What `subplots` and `subplot_mosaic` return, or any sequence, row by row."""
    if isinstance(axes, dict):
        axes = list(axes.values())
    if isinstance(axes, (str, Axes)) or not isinstance(axes, (Sequence, np.ndarray)):
        raise InvalidSetting(
            f"axes: {type(axes).__name__} given, allowed: a sequence with axes for each panel"
        )
    found = list(np.ravel(np.array(axes, object)))
    if not found:
        raise InvalidSetting("axes: 0 given, allowed: one a panel")
    return found


def _lines(figure: Any) -> list[Any]:
    """All lines in it, those in legends, too, without the grids and ticks of its axes."""
    holders = in_order(figure)
    legends = [axes.get_legend() for axes in holders]
    parts = [figure]
    for part in parts:
        legends += part.legends
        parts += part.subfigs
    lines = [line for legend in legends if legend is not None for line in legend.get_lines()]
    for axes in holders:
        lines += axes.lines
        lines += [each for each in axes.collections if isinstance(each, LineCollection)]
    return lines


def _widen(figure: Figure, before: list[Any], share: float) -> None:
    """The lines that are new become so much wider: all of ours go well with a width of 1 point."""
    if share == 1:
        return
    known = {id(line) for line in before}
    for line in _lines(figure):
        if id(line) not in known:
            width = line.get_linewidth()
            line.set_linewidth(width * share if isinstance(line, Line2D) else width[0] * share)
