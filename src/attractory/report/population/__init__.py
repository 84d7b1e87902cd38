"""The page of many networks: what is measured on them, how far apart they are, each of them."""

from attractory.report.population import sections
from attractory.report.population._page import write_population
from attractory.report.population._pages_of_one import write_learning, write_robustness
from attractory.report.population._portraits import Portrait
from attractory.report.population._studied import population_study
from attractory.report.population._study import PopulationStudy

__all__ = [
    "PopulationStudy",
    "Portrait",
    "population_study",
    "sections",
    "write_learning",
    "write_population",
    "write_robustness",
]
