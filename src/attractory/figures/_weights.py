"""The recurrent weights and their eigenvalues (figures 4 and 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from attractory.analysis import Connectivity, Spectrum
from attractory.figures._check import one_of, several
from attractory.figures._style import (
    BLACK,
    BLUE,
    DOUBLE,
    SIGNED_MAP,
    SINGLE,
    VERMILLION,
    legend_below,
    letter,
    new_figure,
    styled,
)

PERCENTILE = 99


@styled
def connectivity(connectivity: Connectivity, spectrum: Spectrum) -> Figure:
    """Recurrent weights and eigenvalues of one network (Jarne 2024, figure 4).

    A: the matrix (unit, unit), rows post-synaptic, columns pre-synaptic; the colours are centred
    at 0 and clipped where 99 % of the weights lie within. B: histogram of all weights with the
    normal distribution of the same mean and standard deviation. C: eigenvalues in the complex
    plane with the unit circle; those of modulus above 1.01 are marked.
    """
    one_of("connectivity", connectivity, Connectivity)
    one_of("spectrum", spectrum, Spectrum)
    figure = new_figure(DOUBLE, 64)
    matrix, histogram, plane = figure.subplots(1, 3, width_ratios=[1.25, 1, 1])
    _draw_matrix(figure, matrix, connectivity.weights)
    _draw_histogram(histogram, connectivity)
    handles = _draw_eigenvalues(plane, spectrum)
    _frame_plane(plane, [spectrum])
    plane.set(xlabel="Re λ (dimensionless)", ylabel="Im λ (dimensionless)")
    plane.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.24), handlelength=1)
    for i, axes in enumerate((matrix, histogram, plane)):
        axes.set_anchor("N")
        letter(axes, i)
    return figure


@styled
def spectrum(spectra: Spectrum | Sequence[Spectrum]) -> Figure:
    """Eigenvalues of one network or several, a panel each on the same axes (figure 5).

    Above each panel: how many eigenvalues have a modulus above 1.01, the spectral radius, and the
    share within 0.02 of the unit circle.
    """
    found = several("spectra", spectra, Spectrum)
    columns = min(4, len(found))
    rows = -(-len(found) // columns)
    width = SINGLE if columns == 1 else DOUBLE
    figure = new_figure(width, 12 + rows * ((width - 16) / columns + 14))
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    handles: list[Any] = []
    for i, one in enumerate(found):
        drawn = _draw_eigenvalues(grid.flat[i], one)
        handles = drawn if len(drawn) > len(handles) else handles
        grid.flat[i].set_title(_numbers(one), fontsize=6.5)
        if len(found) > 1:
            letter(grid.flat[i], i if len(found) <= 26 else str(i + 1))
    _frame_plane(grid[0, 0], found)
    _label_planes(grid, len(found))
    legend_below(figure, handles, 3)
    return figure


def _label_planes(grid: Any, count: int) -> None:
    """Labels along the left and under the lowest panel of each column; spare panels away."""
    for i, axes in enumerate(grid.flat):
        axes.set_aspect("equal")
        if i >= count:
            axes.set_axis_off()
        elif i + grid.shape[1] >= count:
            axes.set_xlabel("Re λ (dimensionless)")
            axes.xaxis.set_tick_params(labelbottom=True)
    for axes in grid[:, 0]:
        axes.set_ylabel("Im λ (dimensionless)")


def _draw_matrix(figure: Figure, axes: Any, weights: np.ndarray) -> None:
    limit = _color_limit(weights)
    image = axes.imshow(
        weights, cmap=SIGNED_MAP, norm=Normalize(-limit, limit), interpolation="nearest"
    )
    axes.set(xlabel="Pre-synaptic unit (index)", ylabel="Post-synaptic unit (index)")
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)
    bar = figure.colorbar(
        image, ax=axes, extend="both", fraction=0.05, pad=0.03, shrink=0.8, anchor=(0, 1)
    )
    bar.set_label(
        f"Weight (a.u.), colours clipped at\n±{limit:.2g} ({PERCENTILE}th percentile of |W|)",
        fontsize=7,
    )
    bar.outline.set_linewidth(0.4)


def _color_limit(weights: np.ndarray) -> float:
    """The absolute weight below which PERCENTILE % of the non-zero weights lie."""
    sizes = np.abs(weights[weights != 0])
    return float(np.percentile(sizes, PERCENTILE)) if sizes.size else 1.0


def _draw_histogram(axes: Any, connectivity: Connectivity) -> None:
    counts, edges, _ = axes.hist(
        connectivity.weights.ravel(), bins=81, color=BLUE, histtype="stepfilled", label="weights"
    )
    mean, std = connectivity.mean, connectivity.std
    axes.set_yscale("log")
    axes.set_ylim(0.7, 2 * counts.max())
    if std > 0:
        x = np.linspace(edges[0], edges[-1], 400)
        normal = np.exp(-((x - mean) ** 2) / (2 * std**2)) / (std * np.sqrt(2 * np.pi))
        height = normal * counts.sum() * (edges[1] - edges[0])
        label = f"normal distribution,\nmean {mean:.2g}, s.d. {std:.2g}"
        axes.plot(x, height, color=BLACK, linestyle="--", label=label)
    axes.set(xlabel="Recurrent weight (a.u.)", ylabel="Number of weights")
    axes.set_box_aspect(1)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.24))


def _draw_eigenvalues(axes: Any, spectrum: Spectrum) -> list[Any]:
    """The eigenvalues, those outside marked, and the unit circle; returns the legend's handles."""
    values = spectrum.eigenvalues
    outside = np.isin(values, spectrum.outliers)
    inner, outer = values[~outside], values[outside]
    axes.axhline(0, color="#E6E6E6", linewidth=0.5, zorder=0)
    axes.axvline(0, color="#E6E6E6", linewidth=0.5, zorder=0)
    axes.add_patch(Circle((0, 0), 1, fill=False, edgecolor=BLACK, linewidth=0.4, zorder=4))
    circle = Line2D(
        [], [], linestyle="none", marker="o", markersize=6, markerfacecolor="none",
        markeredgecolor=BLACK, markeredgewidth=0.4, label="unit circle",
    )  # fmt: skip
    (inside,) = axes.plot(
        inner.real, inner.imag, ".", color=BLUE, markersize=2, label="eigenvalue, |λ| ≤ 1.01"
    )
    if not len(outer):
        return [circle, inside]
    (beyond,) = axes.plot(
        outer.real,
        outer.imag,
        "D",
        color=VERMILLION,
        markersize=2.4,
        markeredgewidth=0,
        label="outlier, |λ| > 1.01",
    )
    return [circle, inside, beyond]


def _frame_plane(axes: Any, spectra: Sequence[Spectrum]) -> None:
    """Square limits around the circle and every eigenvalue."""
    limit = 1.1 * max(1.0, *(one.radius for one in spectra))
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")


def _numbers(spectrum: Spectrum) -> str:
    return (
        f"{len(spectrum.outliers)} outliers, radius {spectrum.radius:.3f}\n"
        f"{spectrum.on_circle:.0%} within 0.02 of circle"
    )
