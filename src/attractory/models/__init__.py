"""The networks: descriptions that build weights, and networks that hold them."""

from attractory.models._activations import activation_function
from attractory.models._network import Network, Trajectory
from attractory.models._rate import RateRNN, Weights

__all__ = ["Network", "RateRNN", "Trajectory", "Weights", "activation_function"]
