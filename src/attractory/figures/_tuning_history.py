"""How a tuning went: what each trial came to, and the best so far."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._style import BLUE, SINGLE, VERMILLION, legend_below, letter, new_figure
from attractory.figures._tried import as_pixels, complete, leave_floor, mark_unfinished, name_score
from attractory.population import TriedSettings

PANEL = 48.0  # height (mm)
LOOK: dict[str, Any] = {"marker": "o", "markersize": 3, "color": BLUE, "markeredgewidth": 0}


@drawn
def tuning_history(tried: TriedSettings, score: str | None = None) -> Figure:
    """What each trial of a tuning came to, in their order, and the best so far.

    Parameters
    ----------
    tried : TriedSettings
        Of a tuning: `tuning.tried()`.
    score : str, optional
        Of several objectives one alone.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each objective.

    Raises
    ------
    InvalidSetting
        For an unknown score, and where no trial is complete.

    Notes
    -----
    Points are complete trials, the line is the best of them so far. Trials that were pruned, and
    those that failed, have no number: they are marked at the floor of the panel.
    """
    one_of("tried", tried, TriedSettings)
    scores = [tried.score(score)] if score or not tried.scores else list(tried.scores)
    figure = new_figure(1.3 * SINGLE, 16 + PANEL * len(scores))
    panels = figure.subplots(len(scores), 1, sharex=True, squeeze=False)[:, 0]
    handles: list[Line2D] = []
    for i, (axes, name) in enumerate(zip(panels, scores, strict=True)):
        handles = _draw(axes, tried, name)
        if len(scores) > 1:
            letter(axes, i)
    panels[-1].set_xlabel("Trial")
    panels[-1].xaxis.set_major_locator(MaxNLocator(6, integer=True))
    legend_below(figure, handles, 4)
    return figure


def _draw(axes: Any, tried: TriedSettings, score: str) -> list[Line2D]:
    known = complete(tried, score)
    trials, numbers = tried.rows["number"].to_numpy(), tried.numbers(score)
    axes.plot(trials[known], numbers[known], linestyle="none", alpha=0.7,
              rasterized=as_pixels(known.sum()), **LOOK)  # fmt: skip
    handles = [Line2D([], [], linestyle="none", label="complete", **LOOK)]
    way = tried.directions[score]
    if way:
        best = np.maximum if way == "maximize" else np.minimum
        line = {"color": VERMILLION, "linewidth": 1.2}
        axes.plot(trials[known], best.accumulate(numbers[known]), drawstyle="steps-post", **line)
        handles.append(Line2D([], [], label="best so far", **line))  # type: ignore[arg-type]
    name_score(axes, tried, score)
    marks = mark_unfinished(axes, tried, trials.astype(float))
    if marks:
        leave_floor(axes)
    return handles + marks
