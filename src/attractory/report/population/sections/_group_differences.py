"""In what the groups differ, with the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attractory.report._section import OF_A_POPULATION, Content, Section, section

if TYPE_CHECKING:
    from attractory.report.population._study import PopulationStudy

EXPLAINED = (
    "Differences are of the means, the first group less the second, with Welch's 95 % intervals. "
    "Hedges' g: the difference in standard deviations within groups, corrected for small groups. "
    "Cliff's delta: how much more often a network of the first group has the larger number (-1 to "
    "1). p: the larger one of a permutation test's and Welch's t-test's. All comparisons of the "
    "table count in its corrections: p by Holm is the chance of a single wrong finding among "
    "them, p by Benjamini and Hochberg the share of wrong ones among findings."
)
OPEN = 10  # rows: about what is seen at once
COLUMNS = {
    "measure": "measure",
    "first": "first",
    "second": "second",
    "difference": "difference",
    "low": "from",
    "high": "to",
    "hedges_g": "Hedges' g",
    "cliffs_delta": "Cliff's delta",
    "p": "p",
    "p_holm": "p (Holm)",
    "p_fdr": "p (Benjamini-Hochberg)",
}


@section
class DifferencesOfGroups(Section):
    """Every measure and pair of groups; those of the smallest p first."""

    title = "Group differences"
    page = OF_A_POPULATION
    order = 30

    def content(self, study: PopulationStudy) -> Content | None:
        if study.differences is None:
            return None
        table = study.differences.table().sort_values("p", kind="stable")
        shown = table[list(COLUMNS)].rename(columns=COLUMNS)
        return {
            "text": [study.differences.statement, EXPLAINED],
            "table": shown.head(OPEN),
            "folded": [("All comparisons", shown)] if len(shown) > OPEN else [],
        }
