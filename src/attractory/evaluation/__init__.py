"""How well networks do their task: scores, by condition, psychometric curves, robustness."""

from attractory.evaluation._conditions import by_condition
from attractory.evaluation._psychometric import PsychometricCurve, PsychometricFit, psychometric
from attractory.evaluation._responses import Responses, responses
from attractory.evaluation._robustness import RobustnessCurve, robustness
from attractory.evaluation._scores import Scores, evaluate

__all__ = [
    "PsychometricCurve",
    "PsychometricFit",
    "Responses",
    "RobustnessCurve",
    "Scores",
    "by_condition",
    "evaluate",
    "psychometric",
    "responses",
    "robustness",
]
