"""How well networks do their task: scores, by condition, psychometric curves, robustness."""

from attractory.evaluation import (  # noqa: F401  # each makes its axes known by name
    _axes_of_units,
    _axes_of_weights,
)
from attractory.evaluation._axes import (
    Axis,
    axes_of_batteries,
    axes_of_studies,
    axis,
    axis_names,
    axis_of,
    find_axis,
)
from attractory.evaluation._conditions import by_condition, in_levels
from attractory.evaluation._lesions import lesion_order, lesioned
from attractory.evaluation._psychometric import PsychometricCurve, PsychometricFit, psychometric
from attractory.evaluation._psychophysical_kernel import (
    PsychophysicalKernel,
    PsychophysicalKernels,
    psychophysical_kernel,
)
from attractory.evaluation._pushed import pushed
from attractory.evaluation._responses import Responses, responses
from attractory.evaluation._robustness import RobustnessCurve, robustness
from attractory.evaluation._scores import Scores, evaluate

__all__ = [
    "Axis",
    "PsychometricCurve",
    "PsychometricFit",
    "PsychophysicalKernel",
    "PsychophysicalKernels",
    "Responses",
    "RobustnessCurve",
    "Scores",
    "axes_of_batteries",
    "axes_of_studies",
    "axis",
    "axis_names",
    "axis_of",
    "by_condition",
    "evaluate",
    "find_axis",
    "in_levels",
    "lesion_order",
    "lesioned",
    "psychometric",
    "psychophysical_kernel",
    "pushed",
    "responses",
    "robustness",
]
