"""How a network does its task: connectivity, spectrum, state space. All in float64."""

from attractory.analysis._connectivity import Connectivity, connectivity
from attractory.analysis._spectrum import Spectrum, spectrum
from attractory.analysis._state_space import (
    Hypercube,
    StateSpace,
    held_states,
    hypercube,
    state_space,
)

__all__ = [
    "Connectivity",
    "Hypercube",
    "Spectrum",
    "StateSpace",
    "connectivity",
    "held_states",
    "hypercube",
    "spectrum",
    "state_space",
]
