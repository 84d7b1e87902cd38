"""What is chosen, by the evidence for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attractory import figures
from attractory.report._section import Content, Drawing, Section, section

if TYPE_CHECKING:
    from attractory.report._study import Study


@section
class Choices(Section):
    """The psychometric curves of a task that states its evidence."""

    title = "Choices"
    order = 40

    def figures(self, study: Study) -> dict[str, Drawing]:
        choices = study.choices
        if choices is None:
            return {}
        caption = (
            "How often the first option is chosen as the evidence for it grows, with the "
            "fitted curves; dashed: chance."
        )
        return {"psychometric": Drawing(caption, lambda: figures.psychometric(choices))}

    def content(self, study: Study) -> Content | None:
        return None if study.choices is None else {"table": study.choices.table()}
