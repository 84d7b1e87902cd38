"""How well a network does its task: scores and robustness."""

from attractory.evaluation._robustness import RobustnessCurve, robustness
from attractory.evaluation._scores import Scores, evaluate

__all__ = ["RobustnessCurve", "Scores", "evaluate", "robustness"]
