"""How far apart each two networks are, and what that is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attractory import figures
from attractory.population._nulls import (
    NOISE_ANEW,
    SHUFFLED_UNITS,
    SHUFFLED_WEIGHTS,
    TO_UNTRAINED,
    TWO_HALVES,
    UNTRAINED,
)
from attractory.report._section import OF_A_POPULATION, Content, Drawing, Section, section

if TYPE_CHECKING:
    from attractory.population import Distances
    from attractory.report.population._study import PopulationStudy

CAPTION = (
    "A: tree of the networks (average linkage). B: every pair of networks, and of each null "
    "(points; line: median). C: the distance of each two, in the order of the tree."
)
CAPTION_WITHOUT_NULLS = (
    "A: tree of the networks (average linkage). B: the distance of each two, in the order of the "
    "tree."
)
NULLS = {
    NOISE_ANEW: "one network and itself in the same trials, its own noise drawn anew (0 of a "
    "network without noise): what is not larger is no difference",
    TWO_HALVES: "one network in two halves of the trials: what is not larger is no difference",
    UNTRAINED: "two networks of the same models before any training: as far apart as the model and "
    "the inputs alone leave them",
    TO_UNTRAINED: "one of the networks and one before training",
    SHUFFLED_UNITS: "one network as it is, another with each unit taken from other trials: what "
    "units have to do with each other and with the inputs is gone",
    SHUFFLED_WEIGHTS: "one network as it is, another with its recurrent weights in random places",
}


@section
class DistancesOfPairs(Section):
    """The tree, the matrix and the nulls; what the distance sees and does not see."""

    title = "Distances"
    page = OF_A_POPULATION
    order = 40

    def figures(self, study: PopulationStudy) -> dict[str, Drawing]:
        caption = CAPTION if study.distances.nulls else CAPTION_WITHOUT_NULLS
        return {"distances": Drawing(caption, lambda: figures.distances(study.distances))}

    def content(self, study: PopulationStudy) -> Content:
        distances = study.distances
        nulls = [f"{name[0].upper()}{name[1:]}: {NULLS[name]}." for name in distances.nulls]
        return {
            "text": [distances.statement, _what_it_is(distances), *nulls],
            "folded": [("Every pair", distances.table())],
        }


def _what_it_is(distances: Distances) -> str:
    """Invariances, triangle inequality and source of the distance, in words."""
    unseen = ", ".join(distances.invariances)
    what = f"does not change with {unseen}" if unseen else "has no invariances"
    triangle = "holds" if distances.is_metric else "need not hold"
    source = f" {distances.source}." if distances.source else ""
    return (
        f"The distance {distances.metric} {what}; the triangle inequality, on which trees and maps "
        f"lean, {triangle}.{source}"
    )
