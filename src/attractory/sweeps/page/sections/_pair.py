"""A score over two fields of a sweep together."""

from __future__ import annotations

from attractory import figures
from attractory.figures._sweep_pair import MOST_LINES
from attractory.report._section import OF_A_SWEEP, Content, Drawing, Section, section
from attractory.sweeps._studied import StudiedSweep

CAPTION = (
    "The mean of {score} over {first} and {second} together{chosen}; over all networks with both "
    "values, whatever their other settings. {look}"
)
BANDS = "Bands are 95 % intervals of the means (Student's t)."
CELLS = "Cells without a network stay empty; bright is better."


@section
class TwoFields(Section):
    """The two fields with which the score varies most."""

    title = "Two fields together"
    page = OF_A_SWEEP
    order = 20

    def figures(self, study: StudiedSweep) -> dict[str, Drawing]:
        tried, score = study.tried, study.score
        if score is None or len(tried.fields) < 2:
            return {}
        first, second = tried.effects(score)["field"][:2]
        chosen = ", those with which it varies most" if len(tried.fields) > 2 else ""
        fewest = min(len(tried.levels(name)) for name in (first, second))
        look = BANDS if fewest <= MOST_LINES else CELLS
        caption = CAPTION.format(score=score, first=first, second=second, chosen=chosen, look=look)
        return {"pair": Drawing(caption, lambda: figures.sweep_pair(tried, score))}

    def content(self, study: StudiedSweep) -> Content | None:
        return None if study.score is None or len(study.tried.fields) < 2 else {}
