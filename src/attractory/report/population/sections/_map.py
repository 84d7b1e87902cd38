"""The networks on a map, and whether they fall into clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attractory import figures
from attractory.report._section import OF_A_POPULATION, Content, Drawing, Section, section

if TYPE_CHECKING:
    from attractory.report.population._study import PopulationStudy

CAPTION = (
    "Networks as far apart as their distances, as well as that goes in a plane (metric "
    "multidimensional scaling). The axes have no meaning of their own.{colour}"
)
STRESS = (
    "The map keeps the distances with a stress of {stress:.2f} (0: exactly; from 0.2 on, read the "
    "matrix instead)."
)
EXPLAINED = (
    "Clusters are those of average linkage, as many as give the largest mean silhouette; there is "
    "more than one only where at most 5 % of 199 clouds of one cluster reach it."
)


@section
class MapAndClusters(Section):
    """The map by groups, and by clusters where there are several."""

    title = "Map and clusters"
    page = OF_A_POPULATION
    order = 50

    def figures(self, study: PopulationStudy) -> dict[str, Drawing]:
        by_group = CAPTION.format(colour=" Colours: groups." if study.measures.group else "")
        made = {"map": Drawing(by_group, lambda: figures.population_map(study.map))}
        clusters = study.clusters
        if clusters is not None and clusters.count > 1:
            caption = CAPTION.format(colour=" Colours: clusters.")
            made["map_of_clusters"] = Drawing(
                caption,
                lambda: figures.population_map(study.map, colour=clusters.members, label="Cluster"),
            )
        return made

    def content(self, study: PopulationStudy) -> Content:
        text = [STRESS.format(stress=study.map.stress)]
        if study.clusters is None:
            return {"text": text}
        return {
            "text": [*text, study.clusters.statement, EXPLAINED],
            "folded": [("The cluster of each network", study.clusters.table())],
        }
