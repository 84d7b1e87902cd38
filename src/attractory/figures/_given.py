"""Axes of the caller's own that stand in for a figure: they are handed out panel by panel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import PlaceHolderLayoutEngine
from matplotlib.transforms import Bbox

from attractory.figures._legends import extent, under


class Given:
    """What the figures ask of a figure, done with axes that are there already.

    queue: the axes in the order in which the panels are asked for, None for one that stays empty.
    """

    def __init__(self, queue: Iterator[Any], root: Figure) -> None:
        self.queue, self.root = queue, root
        self.panels: list[Any] = []
        self.floors: list[float] = []  # of the panels before anything is drawn (pixels)
        self.bars: list[tuple[Any, list[Any]]] = []  # each with its panels

    @property
    def bbox(self) -> Any:
        """Of the whole figure: a legend's own width is that of its panel."""
        return self.root.bbox

    def _next(self) -> Any:
        axes = next(self.queue, None)
        if axes is None:
            return Figure().add_subplot()  # nothing of it is seen
        self.panels.append(axes)
        self.floors.append(extent(axes).y0)
        return axes

    def add_subplot(self, *place: int, **look: Any) -> Any:
        return self._next()

    def subplots(
        self,
        rows: int = 1,
        columns: int = 1,
        *,
        sharex: bool | str = False,
        sharey: bool | str = False,
        squeeze: bool = True,
        **ratios: Any,
    ) -> Any:
        grid = np.empty((rows, columns), object)
        for place in np.ndindex(rows, columns):
            grid[place] = self._next()
        self._share(grid, "x", sharex)
        self._share(grid, "y", sharey)
        if squeeze:
            return grid.item() if grid.size == 1 else grid.squeeze()
        return grid

    def subplot_mosaic(self, layout: str, **ratios: Any) -> dict[str, Any]:
        names = dict.fromkeys(
            name for name in layout if name not in ";."
        )  # a dot is an empty place
        return {name: self._next() for name in names}

    def subfigures(self, rows: int, columns: int, **ratios: Any) -> list[Given]:
        return [Given(self.queue, self.root) for _ in range(rows * columns)]

    def colorbar(self, mappable: Any, ax: Any, **look: Any) -> Any:
        if not lays_out(self.root):
            look.pop("pad", None)  # the usual distance has room for labels
        bar = self.root.colorbar(mappable, ax=ax, **look)
        self.bars.append((bar.ax, list(np.atleast_1d(ax))))
        return bar

    def legend(self, *, loc: str, ncols: int, **look: Any) -> Any:
        """Under the lowest panel, that in their middle where several are as low."""
        lowest = self._lowest()
        return self._under(lowest[(len(lowest) - 1) // 2], lowest, ncols, **look)

    def legend_of(self, axes: Any, **look: Any) -> Any:
        """Of one panel, under it."""
        return self._under(axes, [axes], 1, **look)

    def _under(self, axes: Any, beside: Sequence[Any], columns: int, **look: Any) -> Any:
        """A legend under a panel, and room for it, which those beside the panel leave, too."""
        legend = under(axes, columns, **look)
        if not lays_out(self.root):
            floor = self.floors[self.panels.index(axes)]
            self._make_room(beside, floor - legend.get_window_extent().y0)
        return legend

    def _lowest(self) -> list[Any]:
        """From left to right."""
        boxes = [axes.get_window_extent() for axes in self.panels]
        low = min(box.y0 for box in boxes)
        found = [
            (box.x0, i) for i, box in enumerate(boxes) if box.y0 < low + 0.25 * min(box.height, 80)
        ]
        return [self.panels[i] for _, i in sorted(found)]

    def _make_room(self, panels: Sequence[Any], pixels: float) -> None:
        """These panels are less high by that, their colour bars go up with them."""
        up = max(0.0, min(pixels, *(0.6 * axes.get_window_extent().height for axes in panels)))
        for axes in panels:
            place = _Shortened(axes, up / self.root.dpi)
            axes.set_axes_locator(place)
            axes.apply_aspect(place(axes, None))
        for bar, owners in self.bars:
            x0, y0, width, height = bar.get_position(original=True).bounds
            below = y0 + height <= owners[0].get_position().y0
            if below and set(owners) <= set(panels):
                share = up / bar.get_figure(root=False).bbox.height
                bar.set_position((x0, y0 + share, width, height))

    def _share(self, grid: np.ndarray, which: str, mode: bool | str) -> None:
        """As `Figure.subplots` does; axes that share with others of the caller's stay so."""
        groups = {"col": list(grid.T), "row": list(grid), "all": [grid.ravel()]}
        for group in groups.get("all" if mode is True else str(mode), []):
            panels = [axes for axes in group if axes in self.panels]
            for axes in panels[1:]:
                if getattr(axes, f"get_shared_{which}_axes")().joined(axes, panels[0]):
                    continue
                try:
                    getattr(axes, f"share{which}")(panels[0])
                except ValueError:
                    continue
            for axes in panels:
                if any(_outside(axes, other, which) for other in panels):
                    side = "labelbottom" if which == "x" else "labelleft"
                    axes.tick_params(axis=which, **{side: False})


class _Shortened:
    """Axes leave room below them in their place, wherever that place is put."""

    def __init__(self, axes: Any, inches: float) -> None:
        self.axes, self.inches, self.usual = axes, inches, axes.get_axes_locator()

    def __call__(self, axes: Any, renderer: Any) -> Bbox:
        place = axes.get_position(original=True)
        if self.usual is not None:
            place = self.usual(axes, renderer)
        part = axes.get_figure(root=False)
        share = self.inches * part.dpi / part.bbox.height
        return Bbox([[place.x0, min(place.y0 + share, place.y1)], [place.x1, place.y1]])

    def get_subplotspec(self) -> Any:
        """For `tight_layout`, which asks the locator."""
        return self.axes.get_subplotspec()


def _outside(axes: Any, other: Any, which: str) -> bool:
    """The other one is below in the same column (left in the same row), and has the numbers."""
    one, two = axes.get_subplotspec(), other.get_subplotspec()
    if one is None or two is None or one.get_gridspec() is not two.get_gridspec():
        return False
    if which == "x":
        return bool(one.colspan == two.colspan and one.rowspan.start < two.rowspan.start)
    return bool(one.rowspan == two.rowspan and one.colspan.start > two.colspan.start)


def lays_out(figure: Figure) -> bool:
    """The figure finds room for what is beside its panels when it is drawn."""
    engine = figure.get_layout_engine()
    return engine is not None and not isinstance(engine, PlaceHolderLayoutEngine)
