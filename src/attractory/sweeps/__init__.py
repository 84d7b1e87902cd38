"""Many runs from one study: on this machine, or on a cluster."""

from attractory.sweeps._study import Point, Scoring, Study
from attractory.sweeps._vary import Draws, Span, Vary, When

__all__ = ["Draws", "Point", "Scoring", "Span", "Study", "Vary", "When"]
