"""How a network does its task: connectivity, spectrum, state space. All in float64."""

from attractory.analysis._connectivity import Connectivity, connectivity
from attractory.analysis._fixed_points import Completeness, FixedPoints, fixed_points
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
    "Completeness",
    "Connectivity",
    "FixedPoints",
    "Hypercube",
    "SlowPoints",
    "Spectrum",
    "StateSpace",
    "connectivity",
    "fixed_points",
    "held_states",
    "hypercube",
    "spectrum",
    "state_space",
]
