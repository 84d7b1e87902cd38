"""The networks: descriptions that build weights, and networks that hold them."""

from attractory.models._activations import activation_function
from attractory.models._constraints import Constraints
from attractory.models._current import CurrentRNN
from attractory.models._custom import MODELS, Custom, Stacked, find_model
from attractory.models._gated import GRU, LSTM, GateFunction
from attractory.models._initial import check_weights
from attractory.models._model import Model, Weights
from attractory.models._network import Network, Trajectory
from attractory.models._rate import LowRankRNN, RateRNN
from attractory.models._steps import check_meeting, in_steps_of, rescaled

__all__ = [
    "GRU",
    "LSTM",
    "MODELS",
    "Constraints",
    "CurrentRNN",
    "Custom",
    "GateFunction",
    "LowRankRNN",
    "Model",
    "Network",
    "RateRNN",
    "Stacked",
    "Trajectory",
    "Weights",
    "activation_function",
    "check_meeting",
    "check_weights",
    "find_model",
    "in_steps_of",
    "rescaled",
]
