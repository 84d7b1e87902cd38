"""Figures as files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from attractory._errors import InvalidSetting, shown
from attractory._files import replacing
from attractory.figures._check import one_of
from attractory.figures._style import DPI, styled


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
    """
    one_of("figure", figure, Figure)
    if not name or name != Path(name).name:
        raise InvalidSetting(f"name = {shown(name)} is not allowed: a file name without folder")
    written = []
    for suffix in ("png", "svg"):
        path = Path(folder) / f"{name}.{suffix}"
        content = _drawn(figure, suffix)
        with replacing(path) as beside:
            beside.write_bytes(content)
        written.append(path)
    return written


def _drawn(figure: Figure, suffix: str) -> bytes:
    buffer = io.BytesIO()
    metadata: dict[str, Any] = {"Date": None} if suffix == "svg" else {}
    figure.savefig(buffer, format=suffix, dpi=DPI, metadata=metadata)
    return buffer.getvalue()
