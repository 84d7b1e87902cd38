"""How a network does its task: weights, state space, fixed points, automaton. All in float64."""

from attractory.analysis._attractors import Attractors, attractors
from attractory.analysis._audit import Audit, NetworkAudit, audit
from attractory.analysis._automaton import Automaton, automaton
from attractory.analysis._basins import Border, Disturbance, basin_border, smallest_disturbances
from attractory.analysis._completeness import Completeness
from attractory.analysis._connections import Connections, connections
from attractory.analysis._connectivity import Connectivity, connectivity
from attractory.analysis._continuation import (
    Branch,
    Continuation,
    continuation,
    pulse_thresholds,
)
from attractory.analysis._find_points import fixed_points
from attractory.analysis._fixed_points import FixedPoints
from attractory.analysis._invariant import Ellipsoid
from attractory.analysis._kinks import Side
from attractory.analysis._linearisation import Linearisation, linearisation
from attractory.analysis._oscillations import Oscillation
from attractory.analysis._slow_points import SlowPoints
from attractory.analysis._spectrum import Spectrum, spectrum
from attractory.analysis._state_space import (
    Hypercube,
    StateSpace,
    held_states,
    hypercube,
    state_space,
)

__all__ = [
    "Attractors",
    "Audit",
    "Automaton",
    "Border",
    "Branch",
    "Completeness",
    "Connections",
    "Connectivity",
    "Continuation",
    "Disturbance",
    "Ellipsoid",
    "FixedPoints",
    "Hypercube",
    "Linearisation",
    "NetworkAudit",
    "Oscillation",
    "Side",
    "SlowPoints",
    "Spectrum",
    "StateSpace",
    "attractors",
    "audit",
    "automaton",
    "basin_border",
    "connections",
    "connectivity",
    "continuation",
    "fixed_points",
    "held_states",
    "hypercube",
    "linearisation",
    "pulse_thresholds",
    "smallest_disturbances",
    "spectrum",
    "state_space",
]
