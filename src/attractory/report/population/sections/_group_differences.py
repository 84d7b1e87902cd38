"""In what the groups differ, with the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from attractory.report._section import OF_A_POPULATION, Content, Section, section
from attractory.report.population._story import differences_in_words

if TYPE_CHECKING:
    from attractory.report.population._study import PopulationStudy

EXPLAINED = (
    "Differences are of the means, the first group less the second, with Welch's 95 % intervals. "
    "Hedges' g: the difference in standard deviations within groups, corrected for small groups. "
    "Cliff's delta: how much more often a network of the first group has the larger number (-1 to "
    "1). p: the larger one of a permutation test's and Welch's t-test's. All comparisons of the "
    "table count in its corrections: p by Holm is the chance of a single wrong finding among "
    "them, FDR (Benjamini and Hochberg) the share of wrong ones among findings."
)
OPEN = 10  # rows: about what is seen at once
BRIEF = ("measure", "groups", "difference", "95 % interval", "Hedges' g", "p (Holm)", "p (FDR)")


@section
class DifferencesOfGroups(Section):
    """Every measure and pair of groups; those of the smallest p first."""

    title = "Group differences"
    page = OF_A_POPULATION
    order = 30

    def content(self, study: PopulationStudy) -> Content | None:
        if study.differences is None:
            return None
        table = _in_words(study.differences.table().sort_values("p", kind="stable"))
        return {
            "text": [differences_in_words(study.differences), EXPLAINED],
            "table": table[list(BRIEF)].head(OPEN),
            "folded": [("All comparisons, with Cliff's delta and p as it is", table)],
        }


def _in_words(table: pd.DataFrame) -> pd.DataFrame:
    """The comparisons as the page shows them; an interval is one cell."""
    ends = zip(table["low"], table["high"], strict=True)
    return pd.DataFrame(
        {
            "measure": table["measure"],
            "groups": table["first"] + " \N{MINUS SIGN} " + table["second"],
            "difference": table["difference"],
            "95 % interval": [_interval(low, high) for low, high in ends],
            "Hedges' g": table["hedges_g"],
            "Cliff's delta": table["cliffs_delta"],
            "p": table["p"],
            "p (Holm)": table["p_holm"],
            "p (FDR)": table["p_fdr"],
        }
    )


def _interval(low: float, high: float) -> str:
    return "\N{EN DASH}" if np.isnan(low) else f"{low:.3g} to {high:.3g}"
