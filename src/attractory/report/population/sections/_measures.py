"""One number a network: how they are distributed, and their means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attractory import figures
from attractory.report._section import OF_A_POPULATION, Content, Drawing, Section, section

if TYPE_CHECKING:
    from attractory.report.population._study import PopulationStudy

CAPTION = (
    "Each measure of every network (points). Bar: mean of the group; line: its 95 % interval. "
    "Above each panel stands what a larger number means."
)
INTERVALS = (
    "Intervals are Student's, longer on the side of a long tail (after Hall 1992); each holds by "
    "itself."
)


@section
class MeasuresOfGroups(Section):
    """The distributions, and the means with their intervals."""

    title = "Measures"
    page = OF_A_POPULATION
    order = 20

    def figures(self, study: PopulationStudy) -> dict[str, Drawing]:
        return {"measures": Drawing(CAPTION, lambda: figures.measures(study.measures))}

    def content(self, study: PopulationStudy) -> Content:
        return {
            "text": [INTERVALS],
            "folded": [("Means and their intervals", study.measures.intervals())],
        }
