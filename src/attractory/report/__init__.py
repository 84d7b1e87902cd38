"""One self-contained HTML page of a run, and what stands in it."""

from attractory.report._dynamics import Dynamics, Effort, dynamics
from attractory.report._page import write
from attractory.report._reproduce import reproduce
from attractory.report._study import Study, study

__all__ = ["Dynamics", "Effort", "Study", "dynamics", "reproduce", "study", "write"]
