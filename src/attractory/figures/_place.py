"""Figures in axes of the caller's own: panel by panel, or all of it in the place of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.transforms import Bbox

from attractory._errors import InvalidSetting
from attractory.figures._given import Given
from attractory.figures._legends import extent
from attractory.figures._picture import is_bar
from attractory.figures._settings import smaller
from attractory.figures._sheet import Sheet, drawing_on

SMALLEST = 0.65  # so much smaller letters become at most where there is little room


def drawn_on(make: Callable[[], Figure], size: tuple[float, float] | None) -> Any:
    with drawing_on(Sheet(size)):
        return make()


def drawn_in(make: Callable[[], Figure], given: list[Axes], one: bool) -> Figure:
    """In the caller's axes.

    A figure of its own is made first: it tells the panels, and an error leaves the caller's figure
    as it was.
    """
    root: Any = given[0].get_figure(root=True)
    box = _extent(given)
    size = box.width / root.dpi, box.height / root.dpi
    model = drawn_on(make, size)
    panels = _panels(model)
    if one and sum(panel is not None for panel in panels) > 1:
        return _in_place(make, given[0], box, model.own_size)
    queue = _matched(panels, given, "ax" if one else "axes")
    with drawing_on(Sheet(size, Given(iter(queue), root))):
        make()
    return root


def _extent(given: list[Axes]) -> Bbox:
    """The room that axes take with their labels (pixels)."""
    boxes = [extent(each) for each in given]
    return Bbox.union([box for box in boxes if box.width > 0 and box.height > 0] or boxes)


def in_order(figure: Any) -> list[Any]:
    """Its axes, then those of each figure in it."""
    own = [axes for axes in figure.axes if axes.get_figure(root=False) is figure]
    return own + [axes for part in figure.subfigs for axes in in_order(part)]


def _panels(model: Figure) -> list[Any]:
    """The axes of a figure but its colour bars, None for those in which nothing is."""
    found = [axes for axes in in_order(model) if not is_bar(axes)]
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


def _in_place(
    make: Callable[[], Figure], ax: Axes, box: Bbox, own_size: tuple[float, float]
) -> Figure:
    """Several panels where those axes were: they go, a figure in the figure comes.

    Its letters are smaller where its place is smaller than the figure's own size.
    """
    root: Any = ax.get_figure(root=True)
    parent: Any = ax.get_figure(root=False)
    size = box.width / root.dpi, box.height / root.dpi
    least = min(size[0] / own_size[0], size[1] / own_size[1])
    share = min(1.0, max(SMALLEST, least))
    constrained = isinstance(root.get_layout_engine(), ConstrainedLayoutEngine)
    spec = ax.get_subplotspec() if constrained else None
    ax.remove()
    part = parent.add_subfigure(spec or _cell(parent, box))
    with matplotlib.rc_context(smaller(share)):
        with drawing_on(Sheet(size, part)):
            make()
        if not constrained:
            _settle(part, drawn_on(make, size))
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
    for axes, settled in zip(in_order(part), in_order(model), strict=True):
        place = settled.get_position(original=True)
        axes.set_position(place)
        if not is_bar(axes):
            axes.set_axes_locator(_Fixed(place))


def _settle_parts(part: Any, model: Any) -> None:
    for one, other in zip(part.subfigs, model.subfigs, strict=True):
        one.bbox_relative.set(other.bbox_relative)
        _settle_parts(one, other)
