"""Many networks: measures (one number a network), distances (one number a pair), statistics."""

from attractory.population import distances
from attractory.population._clusters import Clusters, tree_of
from attractory.population._compare import compare
from attractory.population._distance import Distance, distance, distance_names, find_distance
from attractory.population._distances import Distances
from attractory.population._map import PopulationMap
from attractory.population._subject import Subject

__all__ = [
    "Clusters",
    "Distance",
    "Distances",
    "PopulationMap",
    "Subject",
    "compare",
    "distance",
    "distance_names",
    "distances",
    "find_distance",
    "tree_of",
]
