"""Self-contained HTML pages, of a run and of a population, and what stands in them."""

from attractory.report._dynamics import Dynamics, Effort, dynamics
from attractory.report._page import write
from attractory.report._section import Drawing, Section, drawings, section, sections
from attractory.report._study import Study, study
from attractory.report.population import (
    PopulationStudy,
    Portrait,
    population_study,
    write_learning,
    write_population,
    write_robustness,
)

__all__ = [
    "Drawing",
    "Dynamics",
    "Effort",
    "PopulationStudy",
    "Portrait",
    "Section",
    "Study",
    "drawings",
    "dynamics",
    "population_study",
    "section",
    "sections",
    "study",
    "write",
    "write_learning",
    "write_population",
    "write_robustness",
]
