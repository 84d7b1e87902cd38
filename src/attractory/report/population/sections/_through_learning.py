"""What the networks were like at each kept step of their training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from attractory import figures
from attractory.population import Learning
from attractory.report._section import OF_A_POPULATION, Content, Drawing, Section, section

if TYPE_CHECKING:
    from attractory.report.population._study import PopulationStudy

CAPTION = (
    "Measures at the kept steps of training, in the same trials at all steps.{networks}{distance}"
)
NETWORKS = " Thin lines: networks; bold: their mean."
DISTANCE = " Last panel: how far each network still is from itself at the last step ({metric})."
STEPS = "A step is an update; networks of before the first update are not kept."


@section
class ThroughLearning(Section):
    """The measures of each run whose checks were kept, a panel each."""

    title = "Through learning"
    page = OF_A_POPULATION
    order = 70

    def figures(self, study: PopulationStudy) -> dict[str, Drawing]:
        if len(study.learning) != 1:
            return {}
        return {"through_learning": learning_drawing(next(iter(study.learning.values())))}

    def content(self, study: PopulationStudy) -> Content | None:
        if not study.learning:
            return None
        panels = {
            run: {f"through_learning-{i}": learning_drawing(each)}
            for i, (run, each) in enumerate(study.learning.items())
        }
        content = learning_content(study.learning)
        return content if len(panels) == 1 else {**content, "panels": panels}


def learning_drawing(learning: Learning) -> Drawing:
    """The measures of one run at one step after the other."""
    networks = NETWORKS if len(learning.net) > 1 else ""
    distance = DISTANCE.format(metric=learning.metric) if learning.metric else ""
    caption = CAPTION.format(networks=networks, distance=distance)
    return Drawing(caption, lambda: figures.through_learning(learning))


def learning_content(learning: Mapping[str, Learning]) -> Content:
    """What stands beside the figures of runs by name."""
    missing = [f"{name}: {each.statement}" if name else each.statement
               for name, each in learning.items() if each.reasons or each.left_out]  # fmt: skip
    return {"text": [STEPS, *missing], "table": _both_ends(learning)}


def _both_ends(learning: Mapping[str, Learning]) -> pd.DataFrame:
    """The means at the first and at the last step, of runs by name."""
    tables = []
    for name, each in learning.items():
        table = each.first_and_last()
        table["measure"] = table["measure"].str.replace("_", " ")
        if name:
            table.insert(0, "run", name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
