"""The eigenvalues of the Jacobian at the fixed points."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from attractory._errors import InvalidSetting, whole_number
from attractory.analysis import FixedPoints
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._points import Kind, eigenvalues_of, kinds
from attractory.figures._settings import font
from attractory.figures._style import (
    BLACK,
    BLUE,
    DOUBLE,
    MANY_POINTS,
    SINGLE,
    VERMILLION,
    legend_below,
    legend_in,
    letter,
    new_figure,
)

FEW = 500  # so many eigenvalues in a panel are drawn in larger dots


@drawn
def jacobian_spectra(points: FixedPoints, most: int = 12) -> Figure:
    """Eigenvalues of the Jacobian DF at the fixed points, in the complex plane.

    Parameters
    ----------
    points : FixedPoints
        Those of one network.
    most : int
        So many spectra are drawn in a panel at most, evenly chosen where there are more points.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each number of unstable dimensions (0, 1, 2, 3, more), on the same axes.

    Notes
    -----
    The unit circle is drawn, too: an eigenvalue outside of it is an unstable dimension. The
    spectra of all points of a panel lie over one another.
    """
    one_of("points", points, FixedPoints)
    whole_number("most", most)
    found = kinds(points)
    if not found:
        raise InvalidSetting("points is empty: no fixed point was found")
    columns = 3 if len(found) > 4 else len(found)
    rows = -(-len(found) // columns)
    width = SINGLE if columns == 1 else DOUBLE
    figure = new_figure(width, 12 + rows * (min(65, (width - 16) / columns) + 12))
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    dots = sum(min(most, len(kind.indices)) for kind in found) * points.eigenvalues.shape[1]
    pixels = dots > MANY_POINTS
    drawn = [
        _draw_plane(axes, points, kind, most, pixels)
        for axes, kind in zip(grid.flat, found, strict=False)
    ]
    limit = 1.08 * max(1.0, *(float(np.abs(values).max()) for values in drawn))
    grid[0, 0].set(xlim=(-limit, limit), ylim=(-limit, limit))
    for i, axes in enumerate(grid.flat):
        axes.set_aspect("equal")
        if i >= len(found):
            axes.set_axis_off()
            continue
        if len(found) > 1:
            letter(axes, i)
        if i + columns >= len(found):
            axes.set_xlabel("Re λ (dimensionless)")
            axes.xaxis.set_tick_params(labelbottom=True)
        if i % columns == 0:
            axes.set_ylabel("Im λ (dimensionless)")
    if columns < len(found):  # there is room in the last panel
        legend_in(figure, grid.flat[-1], _legend())
    else:
        legend_below(figure, _legend(), 3)
    return figure


def _draw_plane(axes: Any, points: FixedPoints, kind: Kind, most: int, pixels: bool) -> np.ndarray:
    """One panel, its dots as pixels or not; returns the eigenvalues that are drawn."""
    count = len(kind.indices)
    shown = np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int))
    values = eigenvalues_of(points, kind.indices[shown])
    outside = np.abs(values) > 1
    axes.axhline(0, color="#E6E6E6", linewidth=0.5, zorder=0)
    axes.axvline(0, color="#E6E6E6", linewidth=0.5, zorder=0)
    axes.add_patch(Circle((0, 0), 1, fill=False, edgecolor=BLACK, linewidth=0.5, zorder=4))
    for own, look in [(~outside, _inside), (outside, _outside)]:
        size = look["markersize"] * (1 if len(values) > FEW else 2)
        axes.plot(
            values[own].real, values[own].imag, rasterized=pixels, **{**look, "markersize": size}
        )
    sides = ", each side" if points.kinked[kind.indices].any() else ""
    many = f"{count} point{'' if count == 1 else 's'}"
    axes.set_title(
        f"{kind.name}\n({many}{f', {len(shown)} drawn' if len(shown) < count else ''}{sides})",
        fontsize=font(7),
    )
    return values


_inside: dict[str, Any] = {
    "linestyle": "none", "marker": "o", "markersize": 1.3, "markeredgewidth": 0, "color": BLUE,
    "label": "eigenvalue, |λ| ≤ 1",
}  # fmt: skip
_outside: dict[str, Any] = {
    "linestyle": "none", "marker": "D", "markersize": 2.0, "markeredgewidth": 0,
    "color": VERMILLION, "label": "unstable, |λ| > 1",
}  # fmt: skip


def _legend() -> list[Line2D]:
    circle = {"marker": "o", "markersize": 6, "markerfacecolor": "none", "markeredgewidth": 0.5}
    return [
        Line2D([], [], linestyle="none", markeredgecolor=BLACK, label="unit circle", **circle),  # type: ignore[arg-type]
        Line2D([], [], **{**_inside, "markersize": 2.5}),
        Line2D([], [], **{**_outside, "markersize": 3.5}),
    ]
