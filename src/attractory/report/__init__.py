"""One self-contained HTML page of a run, and what stands in it."""

from attractory.report._dynamics import Dynamics, Effort, dynamics
from attractory.report._page import write
from attractory.report._section import Drawing, Section, drawings, section, sections
from attractory.report._study import Study, study

__all__ = [
    "Drawing",
    "Dynamics",
    "Effort",
    "Section",
    "Study",
    "drawings",
    "dynamics",
    "section",
    "sections",
    "study",
    "write",
]
