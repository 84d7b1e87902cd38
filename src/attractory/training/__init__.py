"""The one training loop: checkpoints, progress, divergence, populations; a recipe for each task."""

from attractory.training._arguments import checked_arguments
from attractory.training._checkpoint import newest_step
from attractory.training._curriculum import Curriculum
from attractory.training._interrupt import stopped_when, terminated_as_interrupted
from attractory.training._memory import training_memory
from attractory.training._named import AnySection, Section, as_section, named_parts, put
from attractory.training._population import Population
from attractory.training._recipe import CELLS, PROTOCOLS, Recipe, cell_of, recipe, rule_for
from attractory.training._train import train

__all__ = [
    "CELLS",
    "PROTOCOLS",
    "AnySection",
    "Curriculum",
    "Population",
    "Recipe",
    "Section",
    "as_section",
    "cell_of",
    "checked_arguments",
    "named_parts",
    "newest_step",
    "put",
    "recipe",
    "rule_for",
    "stopped_when",
    "terminated_as_interrupted",
    "train",
    "training_memory",
]
