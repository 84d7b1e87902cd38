"""The sections of a population's page, one a file; importing them makes them known."""

from attractory.report.population.sections._battery import RobustnessOfGroups
from attractory.report.population.sections._compared import WhatWasCompared
from attractory.report.population.sections._definitions import Definitions
from attractory.report.population.sections._distances import DistancesOfPairs
from attractory.report.population.sections._group_differences import DifferencesOfGroups
from attractory.report.population.sections._map import MapAndClusters
from attractory.report.population.sections._measures import MeasuresOfGroups
from attractory.report.population.sections._networks import Networks
from attractory.report.population.sections._through_learning import ThroughLearning

__all__ = [
    "Definitions",
    "DifferencesOfGroups",
    "DistancesOfPairs",
    "MapAndClusters",
    "MeasuresOfGroups",
    "Networks",
    "RobustnessOfGroups",
    "ThroughLearning",
    "WhatWasCompared",
]
