"""How a tuning went."""

from __future__ import annotations

from attractory import figures
from attractory.report._section import OF_A_TUNING, Content, Drawing, Section, section
from attractory.sweeps._studied import StudiedTuning

CAPTION = (
    "What each complete trial came to (points) and the best of them so far (line). Trials that "
    "were pruned or failed have no number; they are marked at the floor."
)


@section
class History(Section):
    """Trials in their order."""

    title = "History"
    page = OF_A_TUNING
    order = 20

    def figures(self, study: StudiedTuning) -> dict[str, Drawing]:
        if not study.complete:
            return {}
        return {"history": Drawing(CAPTION, lambda: figures.tuning_history(study.tried))}

    def content(self, study: StudiedTuning) -> Content | None:
        return {} if study.complete else None
