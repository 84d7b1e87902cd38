"""The one training loop: checkpoints, progress, divergence, populations; a recipe for each task."""

from attractory.training._curriculum import Curriculum
from attractory.training._population import Population
from attractory.training._recipe import CELLS, PROTOCOLS, Recipe, cell_of, recipe, rule_for
from attractory.training._train import train

__all__ = [
    "CELLS",
    "PROTOCOLS",
    "Curriculum",
    "Population",
    "Recipe",
    "cell_of",
    "recipe",
    "rule_for",
    "train",
]
