"""Many networks: measures (one number a network), distances (one number a pair), statistics."""

from attractory.population import measures
from attractory.population._group_differences import GroupDifferences
from attractory.population._measure import Measure, find_measure, measure_names, measure_of
from attractory.population._measure_context import Context
from attractory.population._measures import Measures
from attractory.population._measuring import measure

__all__ = [
    "Context",
    "GroupDifferences",
    "Measure",
    "Measures",
    "find_measure",
    "measure",
    "measure_names",
    "measure_of",
    "measures",
]
