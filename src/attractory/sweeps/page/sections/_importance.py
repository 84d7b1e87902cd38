"""How much each tuned field tells the better trials from the others."""

from __future__ import annotations

from attractory import figures
from attractory.report._section import OF_A_TUNING, Content, Drawing, Section, section
from attractory.sweeps._studied import StudiedTuning
from attractory.sweeps.page._story_of_tuning import importance_in_words

CAPTION = (
    "How much each field tells the better trials from the others (PED-ANOVA; the bars of an "
    "objective sum to 1)."
)
EXPLAINED = (
    "PED-ANOVA (Watanabe, Bansal & Hutter 2023) compares where the values of the better trials lie "
    "with where those of all lie. It speaks of what was tried: a field whose range is narrow, or "
    "which the sampler has hardly varied, tells little, whatever it does to networks."
)


@section
class Importance(Section):
    """A bar a field."""

    title = "Importance"
    page = OF_A_TUNING
    order = 30

    def figures(self, study: StudiedTuning) -> dict[str, Drawing]:
        if not _known(study):
            return {}
        return {"importance": Drawing(CAPTION, lambda: figures.tuning_importance(study.tried))}

    def content(self, study: StudiedTuning) -> Content | None:
        if len(study.tried.fields) == 1:
            return None
        explained = [EXPLAINED] if _known(study) else []
        return {"text": [importance_in_words(study), *explained]}


def _known(study: StudiedTuning) -> bool:
    return len(study.tried.fields) > 1 and set(study.tried.scores) <= set(study.tried.importance)
