"""A score along each field of a sweep."""

from __future__ import annotations

from attractory import figures
from attractory.figures._sweep import MOST
from attractory.report._section import OF_A_SWEEP, Content, Drawing, Section, section
from attractory.sweeps._studied import StudiedSweep
from attractory.sweeps.page._words import count_of

CAPTION = (
    "Every network's {score}{along}. Points: networks; bold: the mean over all networks with that "
    "value, whatever their other settings, and its 95 % interval (Student's t){bins}."
)
BINS = "; of a field with more than 12 values, over bins of equal width"


@section
class EachField(Section):
    """A panel a field; how much of the score's variance goes with each."""

    title = "Each field"
    page = OF_A_SWEEP
    order = 10

    def figures(self, study: StudiedSweep) -> dict[str, Drawing]:
        tried, score = study.tried, study.score
        if score is None:
            return {}
        binned = any(tried.levels(name).binned for name in tried.fields)
        along = " along each field" if tried.fields else ""
        caption = CAPTION.format(score=score, along=along, bins=BINS if binned else "")
        return {"fields": Drawing(caption, lambda: figures.sweep(tried, score))}

    def content(self, study: StudiedSweep) -> Content | None:
        if study.score is None:
            return None
        if not study.tried.fields:
            return {"text": ["No setting varies: all networks stand together."]}
        effects = study.tried.effects(study.score)
        left = len(effects) - MOST
        shown = f" The figure shows the {MOST} with the largest shares." if left > 0 else ""
        text = (
            f"The share of the variance of {study.score} between networks that goes with each of "
            f"{count_of(len(effects), 'field')} alone (adjusted R²). Fields that were not varied "
            f"independently of each other share what they explain.{shown}"
        )
        return {"text": [text], "table": effects}
