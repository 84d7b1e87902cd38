"""What becomes of fixed points as an input grows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory._errors import InvalidSetting
from attractory.analysis import Branch, Continuation
from attractory.figures._check import several
from attractory.figures._drawn import drawn
from attractory.figures._points import signs
from attractory.figures._style import (
    BLACK,
    CATEGORIES,
    DOUBLE,
    GREY,
    MARKERS,
    ORDERED_MAP,
    SINGLE,
    legend_below,
    letter,
    new_figure,
)

MOST = 4  # columns
CHANNELS = 3  # with more outputs only those that the pattern drives are drawn


@drawn
def continuation(continuations: Continuation | Sequence[Continuation]) -> Figure:
    """Fixed points under a constant input: read-out against its amplitude, a branch each.

    Parameters
    ----------
    continuations : Continuation or sequence of Continuation
        One for each of up to 4 input patterns.

    Returns
    -------
    matplotlib.figure.Figure
        A column for each input pattern, a row for each output (with more than 3, only for those
        that a pattern drives).

    Notes
    -----
    Solid from the start (marker) to the first fold, where the state disappears (cross); dashed
    beyond it.
    """
    found = several("continuations", continuations, Continuation)
    if len(found) > MOST:
        raise InvalidSetting(f"continuations has {len(found)} entries; at most {MOST} can be drawn")
    rows = _channels(found)
    figure = new_figure(SINGLE if len(found) == 1 else DOUBLE, 22 + 30 * len(rows))
    grid = figure.subplots(len(rows), len(found), sharex="col", sharey="row", squeeze=False)
    starts = sorted({branch.start for one in found for branch in one.branches})
    looks = _looks(starts)
    for column, one in enumerate(found):
        for row, channel in enumerate(rows):
            for branch in one.branches:
                _draw_branch(grid[row, column], branch, channel, *looks[branch.start])
            grid[row, 0].set_ylabel(f"Output {channel + 1} (a.u.)")
        grid[0, column].set_title(_title(one.pattern))
        grid[-1, column].set_xlabel("Input amplitude (a.u.)")
        grid[0, column].set_xlim(-0.04 * one.maximum, 1.04 * one.maximum)
        if len(found) > 1:
            letter(grid[0, column], column)
    legend_below(figure, _legend(found, looks), 3)
    return figure


def _channels(found: Sequence[Continuation]) -> list[int]:
    """The outputs that are drawn."""
    counts = {one.points.outputs.shape[1] for one in found}
    if len(counts) > 1:
        raise InvalidSetting(f"continuations have {sorted(counts)} outputs; all must have as many")
    outputs = counts.pop()
    if not outputs:
        raise InvalidSetting("continuations: the network has no read-out that could be drawn")
    if outputs <= CHANNELS:
        return list(range(outputs))
    driven = np.flatnonzero(np.any([one.pattern != 0 for one in found], axis=0))
    return [int(i) for i in driven if i < outputs] or list(range(CHANNELS))


def _looks(starts: Sequence[int]) -> dict[int, tuple[Any, str]]:
    """Colour and marker of the branches that start at each point."""
    colors: Any = CATEGORIES
    if len(starts) > len(CATEGORIES):
        colors = matplotlib.colormaps[ORDERED_MAP](np.linspace(0, 0.9, len(starts)))
    return {start: (colors[i], MARKERS[i % len(MARKERS)]) for i, start in enumerate(starts)}


def _draw_branch(axes: Any, branch: Branch, channel: int, color: Any, marker: str) -> None:
    amplitudes, outputs = branch.amplitudes, branch.outputs[:, channel]
    first = int(branch.folds[0]) if len(branch.folds) else len(amplitudes) - 1
    before, after = slice(0, first + 1), slice(first, None)
    axes.plot(amplitudes[before], outputs[before], color=color, linewidth=1.2)
    if len(branch.folds):
        axes.plot(amplitudes[after], outputs[after], color=color, linewidth=0.9, dashes=(3, 1.5))
    axes.plot(amplitudes[:1], outputs[:1], **_start(color, marker))
    axes.plot(amplitudes[branch.folds], outputs[branch.folds], **_fold)
    if branch.end == "lost":
        axes.plot(amplitudes[-1:], outputs[-1:], **_lost)


def _start(color: Any, marker: str) -> dict[str, Any]:
    return {
        "linestyle": "none", "marker": marker, "color": color, "markersize": 4.0,
        "markeredgecolor": BLACK, "markeredgewidth": 0.3, "clip_on": False, "zorder": 4,
    }  # fmt: skip


_fold: dict[str, Any] = {
    "linestyle": "none", "marker": "x", "color": BLACK, "markersize": 3.5, "markeredgewidth": 0.8,
    "zorder": 5, "label": "fold",
}  # fmt: skip
_lost: dict[str, Any] = {
    "linestyle": "none", "marker": "|", "color": GREY, "markersize": 7, "markeredgewidth": 1.4,
    "zorder": 5, "label": "not followed further",
}  # fmt: skip


def _title(pattern: np.ndarray) -> str:
    return "input pattern (" + ", ".join(signs(f"{value:g}") for value in pattern) + ")"


def _legend(found: Sequence[Continuation], looks: dict[int, tuple[Any, str]]) -> list[Line2D]:
    branches = [branch for one in found for branch in one.branches]
    handles = [Line2D([], [], color=GREY, linewidth=1.2, label="until the first fold")]
    if any(len(branch.folds) for branch in branches):
        handles.append(Line2D([], [], color=GREY, dashes=(3, 1.5), linewidth=0.9, label="after it"))
        handles.append(Line2D([], [], **_fold))
    if any(branch.end == "lost" for branch in branches):
        handles.append(Line2D([], [], **_lost))
    if len(looks) <= len(MARKERS):
        handles += [
            Line2D([], [], label=f"point {start}", **{**_start(*look), "clip_on": True})
            for start, look in looks.items()
        ]
    return handles
