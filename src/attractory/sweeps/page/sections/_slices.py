"""The trials of a tuning along each field, and over two of them."""

from __future__ import annotations

from attractory import figures
from attractory.population import TriedSettings
from attractory.report._section import OF_A_TUNING, Content, Drawing, Section, section
from attractory.sweeps._studied import StudiedTuning

SLICES = (
    "The {score} of trials along each field, whatever the other values. Points: complete trials, "
    "later ones brighter; diamond: the best; at the floor: pruned and failed ones."
)
CONTOUR = (
    "The {score} of trials over two fields{chosen}. Points: complete trials; colours between them "
    "are interpolated, and say little where trials are few. Bright is better."
)
LEAST = 4  # complete trials: fewer make no surface


@section
class Slices(Section):
    """A panel a field, an objective each."""

    title = "Slices"
    page = OF_A_TUNING
    order = 40

    def figures(self, study: StudiedTuning) -> dict[str, Drawing]:
        if not study.complete:
            return {}
        return {f"slices-{score}": _slices(study.tried, score) for score in study.tried.scores}

    def content(self, study: StudiedTuning) -> Content | None:
        return {} if study.complete else None


@section
class Contour(Section):
    """The two most important fields together."""

    title = "Contour"
    page = OF_A_TUNING
    order = 50

    def figures(self, study: StudiedTuning) -> dict[str, Drawing]:
        if not _has_surface(study):
            return {}
        return {f"contour-{score}": _contour(study.tried, score) for score in study.tried.scores}

    def content(self, study: StudiedTuning) -> Content | None:
        if len(study.tried.fields) < 2:
            return None
        few = f"Too few complete trials for a surface: {study.complete}, and it takes {LEAST}."
        return {} if _has_surface(study) else {"text": [few]}


def _has_surface(study: StudiedTuning) -> bool:
    return len(study.tried.fields) > 1 and study.complete >= LEAST


def _slices(tried: TriedSettings, score: str) -> Drawing:
    caption = SLICES.format(score=score)
    return Drawing(caption, lambda: figures.tuning_slices(tried, score))


def _contour(tried: TriedSettings, score: str) -> Drawing:
    chosen = ", the most important ones" if score in tried.importance else ""
    caption = CONTOUR.format(score=score, chosen=chosen if len(tried.fields) > 2 else "")
    return Drawing(caption, lambda: figures.tuning_contour(tried, score))
