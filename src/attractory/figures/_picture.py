"""A matplotlib figure that a notebook shows, and how a figure becomes pixels."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave

from attractory.figures._settings import style

SCREEN = 150  # dots an inch of the picture in a notebook


class Picture(Figure):
    """A figure that is shown where it is the last line of a notebook's cell.

    pyplot does not know it: an inline backend, which shows the figures of pyplot after each cell,
    does not show it a second time.
    """

    own_size: tuple[float, float] | None = None  # for which it was designed (inches)

    def __repr__(self) -> str:
        width, height = 25.4 * self.get_size_inches()
        panels = len([axes for axes in self.axes if not is_bar(axes)])
        words = f"{panels} panel{'' if panels == 1 else 's'}"
        return f"<{type(self).__name__} of {width:.0f} x {height:.0f} mm with {words}>"

    def _repr_png_(self) -> bytes:
        with style(), canvas(self, SCREEN) as drawn:
            return png(drawn, SCREEN)


def is_bar(axes: object) -> bool:
    """These axes are a colour bar."""
    return str(axes.get_label()) == "<colorbar>"  # type: ignore[attr-defined]


@contextmanager
def canvas(figure: Figure, dpi: float) -> Iterator[FigureCanvasAgg]:
    """A canvas of pixels for the figure, which is as it was afterwards."""
    usual, usual_dpi = figure.canvas, figure.dpi
    try:
        # before the resolution: a canvas in a window would be resized with it
        pixels = FigureCanvasAgg(figure)
        figure.dpi = dpi
        yield pixels
    finally:
        figure.dpi = usual_dpi
        figure.set_canvas(usual)


def png(pixels: FigureCanvasAgg, dpi: float) -> bytes:
    """The figure of that canvas, laid out and drawn once: `savefig` does both twice."""
    pixels.draw()
    written = io.BytesIO()
    imsave(written, pixels.buffer_rgba(), format="png", origin="upper", dpi=dpi)
    return written.getvalue()
