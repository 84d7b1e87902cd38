"""The networks: descriptions that build weights, and networks that hold them."""

from attractory.kernels import Activation, activation
from attractory.models._cell import Cell, Part, Weights
from attractory.models._constraints import Constraints
from attractory.models._current import CurrentRNN
from attractory.models._custom import Custom
from attractory.models._equation import Equation
from attractory.models._gates import GateFunction
from attractory.models._given import check_fit, networks_of, one_network
from attractory.models._gru import GRU
from attractory.models._initial import check_weights
from attractory.models._lstm import LSTM
from attractory.models._model import Model, Network
from attractory.models._rate import LowRankRNN, RateRNN
from attractory.models._rate_form import RateForm
from attractory.models._registry import find, names, register
from attractory.models._stacked import Stacked
from attractory.models._steps import check_meeting, in_steps_of, rescaled
from attractory.models._trajectory import Trajectory

__all__ = [
    "GRU",
    "LSTM",
    "Activation",
    "Cell",
    "Constraints",
    "CurrentRNN",
    "Custom",
    "Equation",
    "GateFunction",
    "LowRankRNN",
    "Model",
    "Network",
    "Part",
    "RateForm",
    "RateRNN",
    "Stacked",
    "Trajectory",
    "Weights",
    "activation",
    "check_fit",
    "check_meeting",
    "check_weights",
    "find",
    "in_steps_of",
    "names",
    "networks_of",
    "one_network",
    "register",
    "rescaled",
]
