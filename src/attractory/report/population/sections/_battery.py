"""How robust the networks are: scores on every axis, and where they fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from attractory import figures
from attractory.population import Battery
from attractory.report._section import OF_A_POPULATION, Content, Drawing, Section, section
from attractory.report.population._story_of_parts import WORDS, what_was_tried

if TYPE_CHECKING:
    from attractory.report.population._study import PopulationStudy

CAPTION = (
    "{score} as one condition after the other varies. Lines: means of the networks{of_groups}; "
    "bands: their 95 % intervals (Student's t). Dotted: the level; diamonds on it: where networks "
    "fall below it, filled the mean with its 95 % interval, open the median where not every "
    "network does. Dashed: as trained; dash-dotted: chance, where it is known."
)
EXPLAINED = (
    "The threshold of a network is the value at which its score first falls below {level}, on the "
    "way from the value as trained to larger ones and to smaller ones. The median counts networks "
    "that stay above the level as beyond all values; the mean and its 95 % interval (Student's t) "
    "are given where every network has reached it."
)


@section
class RobustnessOfGroups(Section):
    """A panel an axis; the thresholds of groups, and of every network."""

    title = "Battery"
    page = OF_A_POPULATION
    order = 60

    def figures(self, study: PopulationStudy) -> dict[str, Drawing]:
        return {} if study.battery is None else battery_figures(study.battery)

    def content(self, study: PopulationStudy) -> Content | None:
        if study.battery is None:
            return None
        content = battery_content(study.battery)
        return {**content, "text": [what_was_tried(study.battery), *content["text"]]}


def battery_figures(battery: Battery) -> dict[str, Drawing]:
    """Its figure, by the name of its file."""
    score = f"Share {WORDS[battery.score]}"
    groups = " of each group" if battery.groups else ""
    caption = CAPTION.format(score=score, of_groups=groups)
    return {"battery": Drawing(caption, lambda: figures.battery(battery))}


def battery_content(battery: Battery) -> Content:
    """What stands beside the figure."""
    level = f"{100 * battery.level:.3g} % {WORDS[battery.score]}"
    skipped = [f"Not tried is {axis}: {why}." for axis, why in battery.skipped.items()]
    folded = [
        ("The threshold of each network", _without_groups(battery.crossings(), battery)),
        ("Means at each value", _without_groups(battery.means(), battery)),
    ]
    return {
        "text": [EXPLAINED.format(level=level), *skipped],
        "table": thresholds_in_words(battery),
        "folded": folded,
    }


def thresholds_in_words(battery: Battery) -> pd.DataFrame | None:
    """The thresholds of each group as people read them; None where no axis has any."""
    rows = [_row(row) for row in battery.thresholds().to_dict("records")]
    return _without_groups(pd.DataFrame(rows), battery) if rows else None


def _row(row: dict[Any, Any]) -> dict[str, Any]:
    known = np.isfinite(row["mean"])
    return {
        "axis": row["axis"].replace("_", " "),
        "side": row["side"],
        "group": row["group"],
        "reached": f"{row['reached']} of {row['networks']}",
        "below from the start": row["below_from_start"],
        "median": f"{row['median']:.3g}" if np.isfinite(row["median"]) else "beyond all values",
        "mean": f"{row['mean']:.3g}" if known else "\N{EN DASH}",
        "95 % interval": _interval(row["low"], row["high"]),
    }


def _interval(low: float, high: float) -> str:
    return f"{low:.3g} to {high:.3g}" if np.isfinite([low, high]).all() else "\N{EN DASH}"


def _without_groups(table: pd.DataFrame, battery: Battery) -> pd.DataFrame:
    """Without the column of groups where there are none."""
    return table if battery.groups else table.drop(columns="group", errors="ignore")
