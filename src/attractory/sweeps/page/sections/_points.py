"""The points of a sweep, the best first."""

from __future__ import annotations

import pandas as pd

from attractory.report._section import OF_A_SWEEP, Content, Section, section
from attractory.sweeps._studied import StudiedSweep
from attractory.sweeps.page._words import (
    count_of,
    interval_in_words,
    number_in_words,
    settings_table,
)

MOST = 30  # rows


@section
class Points(Section):
    """A row a point: mean, interval, number of networks."""

    title = "Points"
    page = OF_A_SWEEP
    order = 30

    def content(self, study: StudiedSweep) -> Content | None:
        score = study.score
        if score is None:
            return None
        points = study.tried.points(score)
        shown = points.head(MOST)
        rows = settings_table(shown[[*study.tried.fields, "networks"]], study.tried.fields)
        rows[f"mean {score}"] = [number_in_words(score, mean) for mean in shown["mean"]]
        rows["95 % interval"] = _intervals(score, shown)
        left = len(points) - len(shown)
        more = f" The {MOST} best of {len(points)} stand here." if left > 0 else ""
        text = (
            f"{count_of(len(points), 'point')} by their mean {score}, with 95 % intervals of the "
            f"mean (Student's t).{more} All are in points.csv beside this page, a row a network in "
            "table.csv."
        )
        return {"text": [text], "table": rows}


def _intervals(score: str, points: pd.DataFrame) -> list[str]:
    return [
        interval_in_words(score, low, high)
        for low, high in zip(points["low"], points["high"], strict=True)
    ]
