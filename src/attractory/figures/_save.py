"""Figures as files."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from attractory._errors import InvalidSetting, shown
from attractory._files import replacing
from attractory.figures._check import one_of
from attractory.figures._picture import canvas, png
from attractory.figures._style import styled


@styled
def save(figure: Figure, folder: str | Path, name: str) -> list[Path]:
    """Write a figure as `name`.png (300 dpi) and `name`.svg (text as text) into a folder.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The same figure gives the same bytes.
    folder : str or Path
        Where the files go.
    name : str
        Their name, without folder and ending.

    Returns
    -------
    list of Path
        Both files.

    Raises
    ------
    InvalidSetting
        When it is no matplotlib figure or the name is no plain file name.
    FileProblem
        When a file cannot be written.

    Notes
    -----
    What you changed among matplotlib's settings (`savefig.dpi`, `svg.fonttype`) wins over this.
    """
    one_of("figure", figure, Figure)
    if not name or name != Path(name).name:
        raise InvalidSetting(f"name = {shown(name)} is not allowed: a file name without folder")
    contents = _drawn(figure)
    return [_written(Path(folder) / f"{name}.{suffix}", contents[suffix]) for suffix in contents]


def _written(path: Path, content: bytes) -> Path:
    with replacing(path) as beside:
        beside.write_bytes(content)
    return path


def _drawn(figure: Figure) -> dict[str, bytes]:
    """The figure as PNG and SVG, laid out once: `savefig` lays out and draws twice for each."""
    engine, dpi = figure.get_layout_engine(), matplotlib.rcParams["savefig.dpi"]
    try:
        with canvas(figure, figure.dpi if dpi == "figure" else dpi) as pixels:
            drawn = png(pixels, figure.dpi)
            figure.set_layout_engine("none")
            svg = io.BytesIO()
            FigureCanvasSVG(figure).print_svg(svg, metadata={"Date": None})
    finally:
        figure.set_layout_engine(engine)
    return {"png": drawn, "svg": svg.getvalue()}
