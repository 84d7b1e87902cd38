"""Legends that find their room: in fewer columns, under the labels of a panel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matplotlib.transforms import ScaledTranslation

GAP = 4.0  # between the labels of a panel and its legend (points)


def fitted(make: Callable[[int], Any], columns: int, width: float) -> Any:
    """A legend in at most so many columns, in fewer where it is wider than that (pixels)."""
    legend = make(columns)
    count = len(legend.legend_handles)
    for rows in range(-(-count // columns) + 1, count + 1):
        if legend.get_window_extent().width <= width:
            break
        legend.remove()
        legend = make(-(-count // rows))
    return legend


def extent(axes: Any) -> Any:
    """Of empty axes with their labels (pixels); in three dimensions these are not placed yet."""
    if axes.name == "3d":
        return axes.get_window_extent()
    return axes.get_tightbbox() or axes.get_window_extent()


def under(axes: Any, columns: int, **look: Any) -> Any:
    """A legend under all labels of a panel, no wider than its place.

    A legend that was there stays.
    """
    before = axes.get_legend()
    if axes.name == "3d":  # its labels are placed when they are drawn
        axes.get_figure(root=True).draw_without_rendering()
    box, labelled = axes.get_window_extent(), axes.get_tightbbox()
    dpi = axes.get_figure(root=True).dpi
    down = (box.y0 - labelled.y0) / dpi + GAP / 72
    shift = ScaledTranslation(0, -down, axes.get_figure(root=True).dpi_scale_trans)

    def make(ncols: int) -> Any:
        return axes.legend(
            loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=axes.transAxes + shift,
            borderaxespad=0, ncols=ncols, **look,
        )  # fmt: skip

    # the place of a panel of fixed shape may be wider than the panel
    place = axes.get_position(original=True).width * axes.get_figure(root=False).bbox.width
    legend = fitted(make, columns, max(place, labelled.width))
    if before is not None:
        axes.add_artist(before)
    return legend
