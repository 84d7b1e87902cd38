"""The package's own sections of the page, one a file; importing them makes them known."""

from attractory.report.sections._automaton import Automaton
from attractory.report.sections._choices import Choices
from attractory.report.sections._fixed_points import FixedPoints
from attractory.report.sections._learning import Learning
from attractory.report.sections._robustness import Robustness
from attractory.report.sections._scores import Scores
from attractory.report.sections._settings import WhatWasRun
from attractory.report.sections._slow_sets import SlowSets
from attractory.report.sections._state_space import StateSpace
from attractory.report.sections._task import TaskAndNetwork
from attractory.report.sections._task_geometry import TaskGeometry
from attractory.report.sections._weights import Weights

__all__ = [
    "Automaton",
    "Choices",
    "FixedPoints",
    "Learning",
    "Robustness",
    "Scores",
    "SlowSets",
    "StateSpace",
    "TaskAndNetwork",
    "TaskGeometry",
    "Weights",
    "WhatWasRun",
]
