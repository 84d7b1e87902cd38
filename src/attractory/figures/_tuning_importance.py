"""How much each field of a tuning tells the better trials from the others."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from attractory._errors import InvalidSetting
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._style import BLUE, DOUBLE, SINGLE, letter, new_figure
from attractory.figures._tried import field_label, score_label
from attractory.population import TriedSettings

BAR = 6.0  # height (mm)
MOST = 12  # bars


@drawn
def tuning_importance(tried: TriedSettings, score: str | None = None) -> Figure:
    """How much each field of a tuning tells the better trials from the others, as bars.

    Parameters
    ----------
    tried : TriedSettings
        Of a tuning: `tuning.tried()`.
    score : str, optional
        Of several objectives one alone.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each objective; of more than 12 fields the most important ones.

    Raises
    ------
    InvalidSetting
        For an unknown score, and where importance is not known: of fewer than two complete trials.

    Notes
    -----
    By PED-ANOVA [1]_, relative: they sum to 1. A field that was hardly varied tells little of
    trials, whatever it does to networks.

    References
    ----------
    .. [1] Watanabe, Bansal & Hutter (2023), IJCAI, 4389.
    """
    one_of("tried", tried, TriedSettings)
    scores = [tried.score(score)] if score or not tried.scores else list(tried.scores)
    for name in scores:
        if name not in tried.importance:
            raise InvalidSetting(f"importance of {name!r}: not known; it needs 2 complete trials")
    count = min(max(len(tried.importance[name]) for name in scores), MOST)
    width = SINGLE if len(scores) == 1 else DOUBLE
    figure = new_figure(width, 18 + BAR * max(count, 2))
    panels = figure.subplots(1, len(scores), squeeze=False)[0]
    for i, (axes, name) in enumerate(zip(panels, scores, strict=True)):
        _draw(axes, tried.importance[name])
        if len(scores) > 1:
            letter(axes, i)
            axes.set_title(score_label(name))
    return figure


def _draw(axes: Any, importance: dict[str, float]) -> None:
    ordered = sorted(importance.items(), key=lambda each: -each[1])[:MOST]
    places = np.arange(len(ordered))
    shares = [share for _, share in ordered]
    axes.barh(places, shares, height=0.65, color=BLUE)
    for place, share in zip(places, shares, strict=True):
        axes.annotate(f"{share:.2f}", (share, place), (2, 0), textcoords="offset points",
                      va="center", fontsize="small")  # fmt: skip
    axes.set_yticks(places, [field_label(field) for field, _ in ordered])
    axes.set_ylim(len(ordered) - 0.4, -0.6)
    axes.set_xlim(0, 1.15 * max([*shares, 1e-9]))
    axes.set_xlabel("Importance (share)")
