"""Trials of a task (figure 3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from attractory._errors import InvalidSetting
from attractory.figures._check import one_of
from attractory.figures._style import (
    DOUBLE,
    INPUT,
    MANY_POINTS,
    OUTPUT,
    TARGET,
    legend_below,
    letter,
    new_figure,
    styled,
)
from attractory.tasks import Trials

Row = tuple[int | None, int | None]


@styled
def trials(trials: Trials, n: int = 3) -> Figure:
    """The first n trials of a sample, a column each, a row a channel (Jarne 2024, figure 3).

    Noisy input and target against time; the target is drawn where the mask counts it. A task with
    as many inputs as outputs has both in one row, another has its inputs above its targets.
    """
    one_of("trials", trials, Trials)
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or not 1 <= n <= len(trials):
        raise InvalidSetting(
            f"n = {n!r} is not allowed: 1 to {len(trials)}, the number of trials given"
        )
    rows = channel_rows(trials)
    figure = new_figure(DOUBLE, 20 + len(rows) * (20 if len(rows) <= 5 else 13))
    grid = figure.subplots(len(rows), n, sharex=True, sharey=True, squeeze=False)
    for i in range(n):
        handles = draw_channels(grid[:, i], trials, i, label_rows=i == 0)
        letter(grid[0, i], i)
        grid[0, i].set_title(f"trial {i + 1}")
    legend_below(figure, handles, 2)
    return figure


def channel_rows(trials: Trials) -> list[Row]:
    """(input, target) channel of each row of panels; None where a row has no such channel."""
    n_in, n_out = trials.inputs.shape[-1], trials.targets.shape[-1]
    if n_in == n_out:
        return list(zip(range(n_in), range(n_out), strict=True))
    alone: list[Row] = [(channel, None) for channel in range(n_in)]
    return alone + [(None, channel) for channel in range(n_out)]


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
    time = trials.dt * np.arange(trials.inputs.shape[1])
    asked = np.where(trials.mask[trial] > 0, trials.targets[trial], np.nan)
    kinds: dict[str, Any] = {}
    for axes, (given, wanted) in zip(panels, channel_rows(trials), strict=True):
        style = {"rasterized": len(time) > MANY_POINTS}
        if given is not None:
            x = trials.inputs[trial, :, given]
            (kinds["input"],) = axes.plot(time, x, color=INPUT, lw=0.7, label="input", **style)
        if wanted is not None:
            y = asked[:, wanted]
            (kinds["target"],) = axes.plot(time, y, color=TARGET, lw=1.1, label="target", **style)
            if outputs is not None:
                z = outputs[:, wanted]
                (kinds["output"],) = axes.plot(
                    time, z, color=OUTPUT, lw=0.8, label="network output", **style
                )
        axes.set_yticks([-1, 0, 1])
        if label_rows:
            axes.set_ylabel(_row_name(given, wanted))
    panels[-1].set_xlabel("Time (ms)")
    panels[-1].set_xlim(time[0], max(time[-1], trials.dt))
    return [kinds[kind] for kind in ("input", "target", "output") if kind in kinds]


def _row_name(given: int | None, wanted: int | None) -> str:
    if given is not None and wanted is not None:
        return f"Channel {given + 1}\n(a.u.)"
    if given is not None:
        return f"Input {given + 1}\n(a.u.)"
    return f"Target {(wanted or 0) + 1}\n(a.u.)"
