"""Many runs from one study: on this machine, or on a cluster."""

from attractory.sweeps._common import Scoring
from attractory.sweeps._open_study import open_study
from attractory.sweeps._opened import Sweep, open_sweep
from attractory.sweeps._studied import Provenance, StudiedSweep, StudiedTuning
from attractory.sweeps._study import Point, Study
from attractory.sweeps._sweep import plan, sweep
from attractory.sweeps._tune import tune
from attractory.sweeps._tuning import Tuning, open_tuning
from attractory.sweeps._tuning_study import Objective, TuningStudy
from attractory.sweeps._vary import Draws, Span, Vary, When
from attractory.sweeps._where import Cluster

__all__ = [
    "Cluster",
    "Draws",
    "Objective",
    "Point",
    "Provenance",
    "Scoring",
    "Span",
    "StudiedSweep",
    "StudiedTuning",
    "Study",
    "Sweep",
    "Tuning",
    "TuningStudy",
    "Vary",
    "When",
    "open_study",
    "open_sweep",
    "open_tuning",
    "plan",
    "sweep",
    "tune",
]
