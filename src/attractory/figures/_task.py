"""Trials of a task (figure 3)."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from attractory._errors import InvalidSetting, shown
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._settings import font
from attractory.figures._style import (
    DOUBLE,
    INPUT,
    MANY_POINTS,
    ORDERED_MAP,
    OUTPUT,
    TARGET,
    legend_below,
    new_figure,
    plain,
    size_of,
)
from attractory.figures._task_labels import heads, height, write_heads
from attractory.tasks import Trials

MOST_LINES = 8  # more channels than these are drawn as an image
BAND = "#EFEFEF"
MM = 25.4 / 72  # of a point


class Row(NamedTuple):
    """The channels that are drawn in one row of panels; None where it has no such ones."""

    inputs: slice | None
    targets: slice | None


@drawn
def trials(trials: Trials, n: int = 3) -> Figure:
    """The first n trials of a sample, a column each, a row a channel (Jarne 2024, figure 3).

    Parameters
    ----------
    trials : Trials
        The sample.
    n : int
        How many of its trials are shown.

    Returns
    -------
    matplotlib.figure.Figure
        A column for each trial.

    Notes
    -----
    Noisy input and target against time; the target is drawn where the mask counts it. A task with
    as many inputs as outputs has both in one row, another has its inputs above its targets. With
    more than 8 inputs or outputs all inputs are one image and all targets another. Grey bands are
    every other epoch, the last one among them (what comes after it is white); their names are
    above where there is room for them. A title has up to three of the trial's conditions.
    """
    one_of("trials", trials, Trials)
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or not 1 <= n <= len(trials):
        raise InvalidSetting(
            f"n = {shown(n)} is not allowed: 1 to {len(trials)}, the number of trials given"
        )
    trials = _to_the_end(trials, n)
    rows, images = channel_rows(trials), _as_images(trials)
    page = size_of(DOUBLE, 0)[0]
    above = heads(trials, n, ((page - (35 if images else 16)) / n - 3) / MM)
    heights = _heights(trials, rows)
    figure = new_figure(DOUBLE, 20 + sum(heights) + MM * height(above))
    grid = figure.subplots(
        len(rows), n, sharex=True, sharey="row", squeeze=False, height_ratios=heights
    )
    for i in range(n):
        handles = draw_channels(grid[:, i], trials, i, label_rows=i == 0)
    write_heads(grid[0], above)
    if images:
        _share_colors(figure, grid)
    else:
        _share_limits(grid, rows)
        legend_below(figure, handles, 2)
    return figure


def _to_the_end(trials: Trials, n: int) -> Trials:
    """The first n trials, without the time after the last of them has ended."""
    ends = trials.inputs.shape[1] if trials.epochs is None else int(trials.epochs[:n, -1].max())
    arrays = (trials.inputs, trials.targets, trials.mask)
    inputs, targets, mask = (array[:n, :ends] for array in arrays)
    return replace(trials, inputs=inputs, targets=targets, mask=mask)


def channel_rows(trials: Trials) -> list[Row]:
    """The channels of each row of panels."""
    if _as_images(trials):
        return [Row(slice(None), None), Row(None, slice(None))]
    inputs, targets = (
        [slice(i, i + 1) for i in range(array.shape[-1])]
        for array in (trials.inputs, trials.targets)
    )
    if len(inputs) == len(targets):
        return [Row(*pair) for pair in zip(inputs, targets, strict=True)]
    return [Row(each, None) for each in inputs] + [Row(None, each) for each in targets]


def draw_channels(
    panels: Any,
    trials: Trials,
    trial: int,
    outputs: np.ndarray | None = None,
    label_rows: bool = True,
) -> list[Any]:
    """One trial in a column of panels, with the network's outputs (time, output) when given.

    Returns the legend's handles.
    """
    rows, images = channel_rows(trials), _as_images(trials)
    upright: Any = {"rotation": 0, "ha": "right", "va": "center"} if len(rows) > 5 else {}
    kinds: dict[str, Any] = {}
    for axes, row in zip(panels, rows, strict=True):
        _draw_epochs(axes, trials, trial, images)
        if images:
            _draw_image(axes, trials, trial, row, outputs, label_rows)
        else:
            kinds |= _draw_lines(axes, trials, trial, row, outputs)
            if label_rows:
                axes.set_ylabel(_row_name(row, trials), **upright)
    panels[-1].set_xlabel("Time (ms)")
    last = trials.dt * (trials.inputs.shape[1] - 1)
    panels[-1].set_xlim(0, max(last, trials.dt))
    return [kinds[kind] for kind in ("input", "target", "output") if kind in kinds]


def _as_images(trials: Trials) -> bool:
    return max(trials.inputs.shape[-1], trials.targets.shape[-1]) > MOST_LINES


def _heights(trials: Trials, rows: list[Row]) -> list[float]:
    """Of the rows of panels (mm)."""
    if _as_images(trials):
        shares = np.sqrt([trials.inputs.shape[-1], trials.targets.shape[-1]])
        return (90 * shares / shares.sum()).tolist()
    each = 20 if len(rows) <= 5 else 13 if len(rows) <= 8 else 10.5
    return [each] * len(rows)


def _draw_epochs(axes: Any, trials: Trials, trial: int, images: bool) -> None:
    """Every other epoch as a grey band, the last one among them; on an image their limits."""
    if trials.epochs is None:
        return
    limits = trials.dt * trials.epochs[trial]
    if images:
        for time in limits[1:]:
            axes.axvline(time, color="white", linewidth=0.5)
        return
    for begin, end in list(pairwise(limits))[::-2]:
        axes.axvspan(begin, end, facecolor=BAND, edgecolor="none", zorder=0)


def _draw_lines(
    axes: Any, trials: Trials, trial: int, row: Row, outputs: np.ndarray | None
) -> dict[str, Any]:
    """The lines of one panel, by what they are."""
    kinds: dict[str, tuple[np.ndarray, dict[str, Any]]] = {}
    if row.inputs is not None:
        kinds["input"] = trials.inputs[trial][:, row.inputs], {"color": INPUT, "lw": 0.7}
    if row.targets is not None:
        asked = _asked(trials, trial)[:, row.targets]
        kinds["target"] = asked, {"color": TARGET, "lw": 1.1}
        if outputs is not None:
            look = {"color": OUTPUT, "lw": 0.8, "label": "network output"}
            kinds["output"] = outputs[:, row.targets], look
    time = trials.dt * np.arange(trials.inputs.shape[1])
    axes.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    return {
        kind: axes.plot(
            time, values, **{"label": kind, "rasterized": len(time) > MANY_POINTS, **look}
        )[0]
        for kind, (values, look) in kinds.items()
    }


def _draw_image(
    axes: Any,
    trials: Trials,
    trial: int,
    row: Row,
    outputs: np.ndarray | None,
    label_rows: bool,
) -> None:
    """The inputs, or the targets (above the outputs): channel by time, the first at the top."""
    name, values = "Input", trials.inputs[trial]
    if row.inputs is None:
        name, values = "Target", _asked(trials, trial)
        if outputs is not None:
            name, values = "Target, output", np.concatenate([values, outputs], axis=1)
    axes.imshow(
        values.T,
        aspect="auto",
        interpolation="nearest",
        cmap=ORDERED_MAP,
        extent=(0, trials.dt * len(values), 0, 1),
    )
    axes.set_yticks([])
    if label_rows:
        axes.set_ylabel(f"{name} (channel)", labelpad=11)
        for place, text, side in [(1, "1", "top"), (0, str(values.shape[1]), "bottom")]:
            axes.annotate(
                text,
                (0, place),
                (-3, 0),
                xycoords="axes fraction",
                textcoords="offset points",
                fontsize=font(7),
                ha="right",
                va=side,
            )


def _asked(trials: Trials, trial: int) -> np.ndarray:
    """The targets (time, output), NaN where they do not count."""
    return np.where(trials.mask[trial] > 0, trials.targets[trial], np.nan)


def _share_limits(grid: Any, rows: list[Row]) -> None:
    """The same scale for all panels with inputs, and for all with targets alone."""
    for with_inputs in (True, False):
        panels = [
            grid[i, 0] for i, row in enumerate(rows) if (row.inputs is not None) == with_inputs
        ]
        limits = np.array([axes.get_ylim() for axes in panels]).reshape(-1, 2)
        for axes in panels:
            axes.set_ylim(limits[:, 0].min(), limits[:, 1].max())


def _share_colors(figure: Figure, grid: Any) -> None:
    """The same colours in each row, and what they mean beside it."""
    for panels, name in zip(grid, ("Input", "Target"), strict=True):
        images = [axes.images[0] for axes in panels]
        limits = np.array([image.get_clim() for image in images])
        for image in images:
            image.set_clim(limits[:, 0].min(), limits[:, 1].max())
        figure.colorbar(images[0], ax=list(panels), label=f"{name} (a.u.)", pad=0.02, aspect=25)


def _row_name(row: Row, trials: Trials) -> str:
    """What one channel is called: by its task, or by its number."""
    if row.inputs is not None and row.targets is not None:
        return f"Channel {row.inputs.start + 1}\n(a.u.)"
    kind, part, names = "Target", row.targets, trials.output_names
    if row.inputs is not None:
        kind, part, names = "Input", row.inputs, trials.input_names
    channel = part.start if part else 0
    if not names:
        return f"{kind} {channel + 1}\n(a.u.)"
    return f"{kind} (a.u.):\n{plain(names[channel])}"
