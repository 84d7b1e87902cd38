"""The recurrent weights and their eigenvalues (figures 4 and 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from attractory._arguments import as_array
from attractory._errors import InvalidSetting
from attractory.analysis import Connectivity, Spectrum
from attractory.figures._check import one_of, several
from attractory.figures._drawn import drawn
from attractory.figures._settings import font
from attractory.figures._style import (
    BLACK,
    BLUE,
    DOUBLE,
    SIGNED_MAP,
    SINGLE,
    VERMILLION,
    legend_below,
    legend_under,
    letter,
    new_figure,
)

PERCENTILE = 99


@drawn
def connectivity(
    connectivity: Connectivity, spectrum: Spectrum, sort_by: Sequence[float] | None = None
) -> Figure:
    """Recurrent weights and eigenvalues of one network (Jarne 2024, figure 4).

    Parameters
    ----------
    connectivity : Connectivity
        The recurrent weights; of a gated cell the matrix of one gate.
    spectrum : Spectrum
        The eigenvalues of the matrix, or of a Jacobian, as `Spectrum.of` says.
    sort_by : array (unit,), optional
        A number for each unit, such as a column of `Selectivity.coefficients`: units go from the
        largest to the smallest, those of an area and a sign among themselves. None: as they are
        numbered.

    Returns
    -------
    matplotlib.figure.Figure
        Three panels.

    Raises
    ------
    InvalidSetting
        When `sort_by` is not one finite number for each unit.

    Notes
    -----
    A: the matrix (unit, unit), rows post-synaptic, columns pre-synaptic; the colours are centred
    at 0 and clipped where 99 % of the weights lie within. Under Dale's law the excitatory units of
    each area come first, and a dashed line is where the inhibitory ones begin; solid lines part the
    areas. B: histogram of all weights with the normal distribution of the same mean and standard
    deviation. C: eigenvalues in the complex plane with the unit circle; those of modulus above 1.01
    are marked.
    """
    one_of("connectivity", connectivity, Connectivity)
    one_of("spectrum", spectrum, Spectrum)
    named = connectivity.signs is not None or connectivity.areas is not None
    figure = new_figure(DOUBLE, 68 if named else 64)
    matrix, histogram, plane = figure.subplots(1, 3, width_ratios=[1.25, 1, 1])
    draw_matrix(figure, matrix, connectivity, sort_by)
    _draw_histogram(histogram, connectivity)
    handles = _draw_eigenvalues(plane, spectrum)
    _frame_plane(plane, [spectrum])
    plane.set(xlabel="Re λ (dimensionless)", ylabel="Im λ (dimensionless)")
    if spectrum.of != "recurrent weights":
        plane.set_title(spectrum.of, fontsize=font(7))
    legend_under(plane, handles, handlelength=1)
    for i, axes in enumerate((matrix, histogram, plane)):
        axes.set_anchor("N")
        letter(axes, i)
    return figure


@drawn
def spectrum(spectra: Spectrum | Sequence[Spectrum]) -> Figure:
    """Eigenvalues of one network or several, a panel each on the same axes (figure 5).

    Parameters
    ----------
    spectra : Spectrum or sequence of Spectrum
        One for each network.

    Returns
    -------
    matplotlib.figure.Figure
        Above each panel: how many eigenvalues have a modulus above 1.01, the spectral radius, and
        the share within 0.02 of the unit circle.
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
        grid.flat[i].set_title(_numbers(one), fontsize=font(6.5))
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


class Group(NamedTuple):
    """Units beside each other in the matrix: an area (None without), and the sign of its units."""

    area: int | None
    sign: int | None
    units: np.ndarray


def groups(connectivity: Connectivity, keys: np.ndarray) -> list[Group]:
    """The units by area, in it excitatory ones first; in each group by their keys (unit,)."""
    units = len(connectivity.weights)
    sizes, signs = connectivity.areas, connectivity.signs
    area = np.repeat(np.arange(len(sizes)), sizes) if sizes else np.zeros(units, int)
    sign = np.zeros(units, int) if signs is None else np.asarray(signs, int)
    made = []
    for one in range(len(sizes) if sizes else 1):
        for kind in (0,) if signs is None else (1, -1):
            found = np.flatnonzero((area == one) & (sign == kind))
            found = found[np.argsort(keys[found], kind="stable")]
            if len(found):
                made.append(Group(one if sizes else None, kind or None, found))
    return made


def _mark_groups(axes: Any, found: list[Group]) -> None:
    """Lines between areas (both ways) and between signs (of columns), with their names above."""
    start, area_start = 0, 0
    for i, group in enumerate(found):
        end = start + len(group.units)
        last = i + 1 == len(found)
        new_area = last or found[i + 1].area != group.area
        if group.sign is not None:
            name = "E" if group.sign > 0 else "I"
            middle = (start + end) / 2 - 0.5
            axes.annotate(
                name, (middle, 1), (0, 2), xycoords=("data", "axes fraction"),
                textcoords="offset points", ha="center", va="bottom", fontsize=font(7),
            )  # fmt: skip
        if not last:
            axes.axvline(end - 0.5, color=BLACK, linewidth=0.6, linestyle="-" if new_area else "--")
        if not last and new_area:
            axes.axhline(end - 0.5, color=BLACK, linewidth=0.6)
        if new_area and group.area is not None:
            axes.annotate(
                f"area {group.area}", ((area_start + end) / 2 - 0.5, 1),
                (0, font(11) if group.sign is not None else 2), xycoords=("data", "axes fraction"),
                textcoords="offset points", ha="center", va="bottom", fontsize=font(7),
            )  # fmt: skip
            area_start = end
        start = end


def _keys(sort_by: Any, units: int) -> np.ndarray:
    """What units are sorted by, (unit,), the smallest first; InvalidSetting for other than that."""
    if sort_by is None:
        return np.arange(units)
    values = as_array("sort_by", sort_by)
    if values.shape != (units,) or not np.isfinite(values).all():
        raise InvalidSetting(
            f"sort_by has shape {values.shape} and {int((~np.isfinite(values)).sum())} values that "
            f"are not finite; it must be ({units},), a finite number for each unit"
        )
    return -values


def draw_matrix(
    figure: Figure, axes: Any, connectivity: Connectivity, sort_by: Sequence[float] | None = None
) -> None:
    """The matrix with its groups of units and a colour bar (see `connectivity`)."""
    found = groups(connectivity, _keys(sort_by, len(connectivity.weights)))
    order = np.concatenate([group.units for group in found])
    weights = connectivity.weights[np.ix_(order, order)]
    sorted_units = bool((np.diff(order) < 0).any())
    limit = _color_limit(weights)
    image = axes.imshow(
        weights, cmap=SIGNED_MAP, norm=Normalize(-limit, limit), interpolation="nearest"
    )
    index = "sorted by sign" if sorted_units else "index"
    index = index if sort_by is None else "sorted"
    axes.set(xlabel=f"Pre-synaptic unit ({index})", ylabel=f"Post-synaptic unit ({index})")
    _mark_groups(axes, found)
    if connectivity.gate is not None:
        axes.set_title(f"{connectivity.gate} gate", fontsize=font(7))
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)
    bar = figure.colorbar(
        image,
        ax=axes,
        extend="both",
        fraction=0.05,
        pad=0.03,
        shrink=0.8,
        anchor=(0, 1),
        use_gridspec=False,
    )
    bar.set_label(
        f"Weight (a.u.), colours clipped at\n±{limit:.2g} ({PERCENTILE}th percentile of |W|)",
        fontsize=font(7),
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
    legend_under(axes)


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
