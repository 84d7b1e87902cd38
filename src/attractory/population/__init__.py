"""Many networks: measures (one number a network), distances (one number a pair), statistics."""

from attractory.population import distances, measures
from attractory.population._battery import battery
from attractory.population._battery_result import Battery
from attractory.population._clusters import Clusters, tree_of
from attractory.population._compare import compare
from attractory.population._distance import Distance, distance, distance_names, find_distance
from attractory.population._distances import Distances
from attractory.population._group_differences import GroupDifferences
from attractory.population._learning import Learning
from attractory.population._map import PopulationMap
from attractory.population._measure import Measure, find_measure, measure_names, measure_of
from attractory.population._measure_context import Context
from attractory.population._measures import Measures
from attractory.population._measuring import measure
from attractory.population._points_through_learning import (
    PointsThroughLearning,
    points_through_learning,
)
from attractory.population._smallest import smallest
from attractory.population._smallest_result import SmallestNetwork
from attractory.population._subject import Subject
from attractory.population._through_learning import through_learning
from attractory.population._tried_settings import TriedSettings

__all__ = [
    "Battery",
    "Clusters",
    "Context",
    "Distance",
    "Distances",
    "GroupDifferences",
    "Learning",
    "Measure",
    "Measures",
    "PointsThroughLearning",
    "PopulationMap",
    "SmallestNetwork",
    "Subject",
    "TriedSettings",
    "battery",
    "compare",
    "distance",
    "distance_names",
    "distances",
    "find_distance",
    "find_measure",
    "measure",
    "measure_names",
    "measure_of",
    "measures",
    "points_through_learning",
    "smallest",
    "through_learning",
    "tree_of",
]
