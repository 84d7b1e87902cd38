"""The sections of the pages of sweeps and tunings; importing them makes them known."""

from attractory.sweeps.page.sections._best import BestTrials, WorthOfTheBest
from attractory.sweeps.page.sections._failures import FailedRuns, FailedTrials
from attractory.sweeps.page.sections._fields import EachField
from attractory.sweeps.page.sections._history import History
from attractory.sweeps.page.sections._importance import Importance
from attractory.sweeps.page.sections._pair import TwoFields
from attractory.sweeps.page.sections._points import Points
from attractory.sweeps.page.sections._provenance import ProvenanceOfRuns, ProvenanceOfTrials
from attractory.sweeps.page.sections._slices import Contour, Slices

__all__ = [
    "BestTrials",
    "Contour",
    "EachField",
    "FailedRuns",
    "FailedTrials",
    "History",
    "Importance",
    "Points",
    "ProvenanceOfRuns",
    "ProvenanceOfTrials",
    "Slices",
    "TwoFields",
    "WorthOfTheBest",
]
