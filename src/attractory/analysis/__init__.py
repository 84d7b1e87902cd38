"""How a network does its task: weights, state space, fixed points, automaton. All in float64."""

from attractory.analysis.dynamics._attractors import Attractors, attractors
from attractory.analysis.dynamics._automaton import Automaton, automaton
from attractory.analysis.dynamics._basins import (
    Border,
    Disturbance,
    basin_border,
    smallest_disturbances,
)
from attractory.analysis.dynamics._completeness import Completeness
from attractory.analysis.dynamics._connections import Connections, connections
from attractory.analysis.dynamics._continuation import Branch, Continuation, continuation
from attractory.analysis.dynamics._fates import Fate
from attractory.analysis.dynamics._find_points import fixed_points
from attractory.analysis.dynamics._fixed_points import FixedPoints
from attractory.analysis.dynamics._invariant import Ellipsoid
from attractory.analysis.dynamics._kinks import Side
from attractory.analysis.dynamics._linearisation import Linearisation, linearisation
from attractory.analysis.dynamics._lyapunov import lyapunov_exponents
from attractory.analysis.dynamics._lyapunov_exponents import LyapunovExponents
from attractory.analysis.dynamics._oscillations import Oscillation
from attractory.analysis.dynamics._pulses import pulse_thresholds
from attractory.analysis.dynamics._selection import selection_vectors
from attractory.analysis.dynamics._selection_vectors import SelectionVectors
from attractory.analysis.dynamics._slow_points import SlowPoints
from attractory.analysis.dynamics._slow_set import SlowSet, SlowSets
from attractory.analysis.dynamics._slow_sets import slow_sets
from attractory.analysis.dynamics._weight_continuation import (
    WeightContinuation,
    weight_continuation,
)
from attractory.analysis.states._averages import ConditionAverages, condition_averages
from attractory.analysis.states._coding_axes import CodingAxes, coding_axes
from attractory.analysis.states._demixed_pca import DemixedPCA, demixed_pca
from attractory.analysis.states._dimension import participation_ratio, two_nn_dimension
from attractory.analysis.states._dissimilarities import Dissimilarities, dissimilarities
from attractory.analysis.states._hypercube import Hypercube, hypercube
from attractory.analysis.states._selection_angles import SelectionAngles, selection_angles
from attractory.analysis.states._selectivity import Selectivity, selectivity
from attractory.analysis.states._state_space import StateSpace, held_states, state_space
from attractory.analysis.states._task_axes import TaskAxes, task_axes
from attractory.analysis.states._task_variance import TaskVariance, task_variance
from attractory.analysis.weights._audit import Audit, NetworkAudit, audit
from attractory.analysis.weights._connectivity import Connectivity, connectivity
from attractory.analysis.weights._spectrum import Spectrum, spectral_matrix, spectrum

__all__ = [
    "Attractors",
    "Audit",
    "Automaton",
    "Border",
    "Branch",
    "CodingAxes",
    "Completeness",
    "ConditionAverages",
    "Connections",
    "Connectivity",
    "Continuation",
    "DemixedPCA",
    "Dissimilarities",
    "Disturbance",
    "Ellipsoid",
    "Fate",
    "FixedPoints",
    "Hypercube",
    "Linearisation",
    "LyapunovExponents",
    "NetworkAudit",
    "Oscillation",
    "SelectionAngles",
    "SelectionVectors",
    "Selectivity",
    "Side",
    "SlowPoints",
    "SlowSet",
    "SlowSets",
    "Spectrum",
    "StateSpace",
    "TaskAxes",
    "TaskVariance",
    "WeightContinuation",
    "attractors",
    "audit",
    "automaton",
    "basin_border",
    "coding_axes",
    "condition_averages",
    "connections",
    "connectivity",
    "continuation",
    "demixed_pca",
    "dissimilarities",
    "fixed_points",
    "held_states",
    "hypercube",
    "linearisation",
    "lyapunov_exponents",
    "participation_ratio",
    "pulse_thresholds",
    "selection_angles",
    "selection_vectors",
    "selectivity",
    "slow_sets",
    "smallest_disturbances",
    "spectral_matrix",
    "spectrum",
    "state_space",
    "task_axes",
    "task_variance",
    "two_nn_dimension",
    "weight_continuation",
]
