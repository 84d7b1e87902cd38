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
from matplotlib.gridspec import GridSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox

from attractory._errors import InvalidSetting, shown
from attractory.figures._given import Given
from attractory.figures._picture import is_bar
from attractory.figures._sheet import Sheet, drawing_on
from attractory.figures._style import STYLE, styled

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
        make = functools.partial(function, *arguments, **settings)
        with styled() as chosen:
            matplotlib.rcParams["lines.linewidth"] = STYLE["lines.linewidth"]
            before = _lines(panels[0].get_figure(root=True)) if panels else []
            made = _drawn_in(make, panels, ax is not None) if panels else _drawn_on(make, size)
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
        if not isinstance(length, Real) or isinstance(length, bool) or not 0 < length < np.inf:
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


def _drawn_on(make: Callable[[], Figure], size: tuple[float, float] | None) -> Figure:
    with drawing_on(Sheet(size)):
        return make()


def _drawn_in(make: Callable[[], Figure], given: list[Axes], one: bool) -> Figure:
    """In the caller's axes.

    A figure of its own is made first: it tells the panels, and an error leaves the caller's figure
    as it was.
    """
    root, box = given[0].get_figure(root=True), _extent(given)
    size = box.width / root.dpi, box.height / root.dpi
    model = _drawn_on(make, size)
    panels = _panels(model)
    if one and sum(panel is not None for panel in panels) > 1:
        return _in_place(make, given[0], box, size)
    queue = _matched(panels, given, "ax" if one else "axes")
    with drawing_on(Sheet(size, Given(iter(queue), root))):
        make()
    return root


def _extent(given: list[Axes]) -> Bbox:
    """The room that axes take with their labels (pixels)."""
    boxes = [each.get_tightbbox() or each.get_window_extent() for each in given]
    return Bbox.union([box for box in boxes if box.width > 0 and box.height > 0] or boxes)


def _in_order(figure: Any) -> list[Any]:
    """Its axes, then those of each figure in it."""
    own = [axes for axes in figure.axes if axes.get_figure(root=False) is figure]
    return own + [axes for part in figure.subfigs for axes in _in_order(part)]


def _panels(model: Figure) -> list[Any]:
    """The axes of a figure but its colour bars, None for those in which nothing is."""
    found = [axes for axes in _in_order(model) if not is_bar(axes)]
    seen = [axes.axison or axes.has_data() or axes.texts or axes is found[0] for axes in found]
    return [axes if there else None for axes, there in zip(found, seen, strict=True)]


def _matched(panels: list[Any], given: list[Axes], name: str) -> list[Axes | None]:
    """The caller's axes in the places of the panels."""
    kinds = [panel.name for panel in panels if panel is not None]
    if len(kinds) != len(given):
        raise InvalidSetting(f"{name}: {len(given)} given, allowed: {len(kinds)}, one a panel")
    for each, kind in zip(given, kinds, strict=True):
        if each.name != kind:
            raise InvalidSetting(
                f"{name}: axes with projection={each.name!r} given, allowed: {kind!r}"
            )
    rest = iter(given)
    return [None if panel is None else next(rest) for panel in panels]


def _in_place(make: Callable[[], Figure], ax: Axes, box: Bbox, size: tuple[float, float]) -> Figure:
    """Several panels where those axes were: they go, a figure in the figure comes."""
    root, parent = ax.get_figure(root=True), ax.get_figure(root=False)
    constrained = isinstance(root.get_layout_engine(), ConstrainedLayoutEngine)
    spec = ax.get_subplotspec() if constrained else None
    ax.remove()
    part = parent.add_subfigure(spec or _cell(parent, box))
    with drawing_on(Sheet(size, part)):
        make()
    if not constrained:
        _settle(part, _drawn_on(make, size))
    return root


def _cell(parent: Any, box: Bbox) -> Any:
    """A place in a grid of its own that lies where the box is."""
    x, y = np.clip(parent.transSubfigure.inverted().transform(box.get_points()), 0, 1).T
    least = 1e-6  # a row or column that is not there
    widths = np.maximum([x[0], x[1] - x[0], 1 - x[1]], least)
    heights = np.maximum([1 - y[1], y[1] - y[0], y[0]], least)
    return GridSpec(3, 3, figure=parent, width_ratios=widths, height_ratios=heights)[1, 1]


class _Fixed:
    """Axes stay in a place, whatever is done to the grid of the figure around them."""

    def __init__(self, place: Bbox) -> None:
        self.place = place

    def __call__(self, axes: Any, renderer: Any) -> Bbox:
        return self.place


def _settle(part: Any, model: Figure) -> None:
    """The panels go where they are in a figure of the same size that lays them out.

    The figure around them has no layout that could do it.
    """
    model.draw_without_rendering()
    _settle_parts(part, model)
    for axes, settled in zip(_in_order(part), _in_order(model), strict=True):
        place = settled.get_position(original=True)
        axes.set_position(place)
        if not is_bar(axes):
            axes.set_axes_locator(_Fixed(place))


def _settle_parts(part: Any, model: Any) -> None:
    for one, other in zip(part.subfigs, model.subfigs, strict=True):
        one.bbox_relative.set(other.bbox_relative)
        _settle_parts(one, other)


def _lines(figure: Figure) -> list[Any]:
    """All lines in it, those in legends, too, without the grids and ticks of its axes."""
    holders = _in_order(figure)
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
