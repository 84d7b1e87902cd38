"""How training went."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from attractory._errors import InvalidSetting, shown
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._style import (
    BLACK,
    CATEGORIES,
    DOUBLE,
    GREY,
    MANY_POINTS,
    ORDERED_MAP,
    SINGLE,
    legend_below,
    letter,
    new_figure,
)
from attractory.runs import LOOP_COLUMNS

COLUMNS = ("net", "step", "loss", "validation_loss")
LINES: tuple[Literal["-", "--"], ...] = ("-", "--")  # of the columns that share a panel
FEW = 7  # so many networks have a colour of their own; more are coloured in order


@drawn
def learning_curve(
    history: pd.DataFrame,
    target_mse: float | None = None,
    target_label: str = "target",
    loss: str = "mean squared error (a.u.²)",
) -> Figure:
    """Loss (A), and what else the rule reports (B and on), of each network against the update.

    Parameters
    ----------
    history : pandas.DataFrame
        That of a run: a row for each net and step, with columns net, step, loss and validation_loss
        (nan where it was not measured), and the columns of the rule's own (the gradient norm of
        BPTT).
    target_mse : float, optional
        Where a horizontal line is drawn.
    target_label : str
        Names that line.
    loss : str
        What was trained, with its unit, for the axis.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for the loss, and one for each column of the rule's own.

    Notes
    -----
    Axes are logarithmic where all values are above 0. Pale lines are the values of single batches,
    bold ones their running median, circles the validation losses.
    """
    check_history(history)
    own = columns_of_the_rule(history)
    panels = [Panel(("loss",), f"Loss, {loss}"), *map(usual_panel, own)]
    return draw_history(history, panels, target_mse, target_label)


class Panel(NamedTuple):
    """Columns of the history that share a panel, and its label; the second one is dashed."""

    columns: tuple[str, ...]
    label: str


def usual_panel(column: str) -> Panel:
    """That of a column of which no more is known than its name."""
    return Panel((column,), f"{column.replace('_', ' ').capitalize()} (a.u.)")


def draw_history(
    history: pd.DataFrame,
    shown: Sequence[Panel],
    target_mse: float | None,
    target_label: str,
    lines: Sequence[str] = (),
) -> Figure:
    """The panels of a history; lines: what the solid and the dashed line of one stand for."""
    nets = history["net"].unique()
    rows = math.ceil(len(shown) / 2)
    figure = new_figure(DOUBLE, 72 * rows)
    panels = figure.subplots(rows, min(2, len(shown)), sharex=True, squeeze=False).ravel()
    for unused in panels[len(shown) :]:
        unused.remove()
    panels = panels[: len(shown)]
    for i, (axes, panel) in enumerate(zip(panels, shown, strict=True)):
        for net, color in zip(nets, colors_of(len(nets)), strict=True):
            for column, line in zip(panel.columns, LINES, strict=False):
                _draw_net(axes, history[history["net"] == net], column, color, line)
        _dress(axes, history, panel)
        letter(axes, i)
    if target_mse is not None:
        panels[0].axhline(target_mse, color=BLACK, linestyle=":", linewidth=1)
    validated = bool(history["validation_loss"].notna().any())
    handles = _legend(validated, target_label if target_mse is not None else None)
    if any(len(panel.columns) > 1 for panel in shown):
        handles += [
            Line2D([], [], color=GREY, linestyle=line, linewidth=1.3, label=label)
            for line, label in zip(LINES, lines, strict=True)
        ]
    if len(nets) > 1:
        color_bar(figure, panels, nets)
    legend_below(figure, handles, len(handles))
    return figure


def columns_of_the_rule(history: pd.DataFrame) -> list[str]:
    """What a rule reports beside the loss, where it is a number anywhere."""
    own = [column for column in history.columns if column not in LOOP_COLUMNS]
    return [column for column in own if np.isfinite(history[column]).any()]


def _dress(axes: Any, history: pd.DataFrame, panel: Panel) -> None:
    """Labels and scale of a panel."""
    axes.set(xlabel="Training step (updates)", ylabel=panel.label)
    values = history[list(panel.columns)].to_numpy()
    if panel.columns == ("loss",) or (values[~np.isnan(values)] > 0).all():
        axes.set_yscale("log", nonpositive="mask")
        decimal_ticks(axes)


@drawn
def spectral_radius(history: pd.DataFrame) -> Figure:
    """Spectral radius of each network's recurrent weights against the update.

    Parameters
    ----------
    history : pandas.DataFrame
        That of a run, with columns net, step, spectral_radius (nan where it was not measured; see
        `Run.history`).

    Returns
    -------
    matplotlib.figure.Figure
        One panel. Dashed: 1, where a linear network begins to be unstable.

    Raises
    ------
    InvalidSetting
        Where it was never measured.
    """
    one_of("history", history, pd.DataFrame)
    known = "spectral_radius" in history.columns
    measured = history[history["spectral_radius"].notna()] if known else history[:0]
    if measured.empty:
        raise InvalidSetting(
            "history has no spectral radius: these networks were not trained here, or have no "
            "square matrix of recurrent weights"
        )
    nets = measured["net"].unique()
    figure = new_figure(SINGLE, 64)
    axes = figure.subplots()
    axes.axhline(1, color=BLACK, linestyle="--", linewidth=0.6, zorder=0)
    for net, color in zip(nets, colors_of(len(nets)), strict=True):
        rows = measured[measured["net"] == net]
        axes.plot(
            rows["step"], rows["spectral_radius"], "o-", color=color, markersize=2.5, linewidth=1
        )
    axes.set(xlabel="Training step (updates)", ylabel="Spectral radius of W (dimensionless)")
    if len(nets) > 1:
        color_bar(figure, [axes], nets)
    return figure


def _draw_net(axes: Any, rows: pd.DataFrame, column: str, color: Any, line: str) -> None:
    step, values = rows["step"], rows[column].where(np.isfinite(rows[column]))
    window = max(5, len(rows) // 25)
    median = values.rolling(window, center=True, min_periods=1).median()
    many = len(rows) > MANY_POINTS
    axes.plot(step, values, color=_pale(color), linewidth=0.4, zorder=1, rasterized=many)
    look = {"color": color, "linestyle": line, "linewidth": 1.3}
    axes.plot(step, median, **look, zorder=3, rasterized=many)
    if column == "loss":
        checked = rows[np.isfinite(rows["validation_loss"])]
        axes.plot(
            checked["step"],
            checked["validation_loss"],
            "o",
            markersize=3,
            markerfacecolor="white",
            markeredgecolor=color,
            markeredgewidth=0.7,
            zorder=4,
        )


def decimal_ticks(axes: Any) -> None:
    """Plain numbers along the logarithmic axis, enough of them on a short one too."""
    low, high = axes.get_ylim()
    reach = high / low
    digits = (1.0,) if reach > 1e3 else (1.0, 2.0, 5.0) if reach > 5 else (1.0, 1.5, 2, 3, 4, 6, 8)
    axes.yaxis.set_major_locator(MaxNLocator(5) if reach < 2 else LogLocator(subs=digits))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def _pale(color: Any) -> tuple[float, float, float]:
    """The colour, two thirds of the way to white (without transparency, which adds up)."""
    red, green, blue = (1 - (1 - part) / 3 for part in to_rgb(color))
    return red, green, blue


def colors_of(nets: int) -> list[Any]:
    if nets <= FEW:
        return list(CATEGORIES[:nets])
    return list(matplotlib.colormaps[ORDERED_MAP](np.linspace(0, 0.9, nets)))


def color_bar(figure: Figure, panels: Any, nets: np.ndarray) -> None:
    """Which colour is which network."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import BoundaryNorm, ListedColormap

    colors = ListedColormap(colors_of(len(nets)))
    norm = BoundaryNorm(np.arange(len(nets) + 1) - 0.5, len(nets))
    every = max(1, len(nets) // 12)
    bar = figure.colorbar(
        ScalarMappable(norm, colors), ax=panels, label="Network (index)", fraction=0.03, pad=0.01
    )
    bar.set_ticks(list(range(0, len(nets), every)), labels=[str(net) for net in nets[::every]])
    bar.minorticks_off()


def _legend(validated: bool, target_label: str | None) -> list[Line2D]:
    handles = [
        Line2D([], [], color=_pale(GREY), linewidth=0.6, label="single batches"),
        Line2D([], [], color=GREY, linewidth=1.3, label="running median"),
    ]
    if validated:
        ring = {"marker": "o", "markersize": 3, "markerfacecolor": "white", "linestyle": "none"}
        handles.append(
            Line2D([], [], color=GREY, label="validation loss", **ring)  # type: ignore[arg-type]
        )
    if target_label is not None:
        handles.append(Line2D([], [], color=BLACK, linestyle=":", label=target_label))
    return handles


def check_history(history: pd.DataFrame) -> None:
    one_of("history", history, pd.DataFrame)
    missing = [column for column in COLUMNS if column not in history.columns]
    if missing:
        raise InvalidSetting(
            f"history has no column {shown(missing[0])}; needed: {', '.join(COLUMNS)}"
        )
    if history.empty:
        raise InvalidSetting("history is empty: these networks were not trained here")
