"""How the networks do under conditions that they were not trained for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attractory import figures
from attractory.report._section import Drawing, Section, section

if TYPE_CHECKING:
    from attractory.report._study import Study


@section
class Robustness(Section):
    """A curve for each condition that the task can vary."""

    title = "Robustness"
    order = 90

    def figures(self, study: Study) -> dict[str, Drawing]:
        if not study.curves:
            return {}
        caption = (
            "Scores under conditions that the networks were not trained for; the dashed line marks "
            "the condition of training."
        )
        return {"robustness": Drawing(caption, lambda: figures.robustness(study.curves))}
