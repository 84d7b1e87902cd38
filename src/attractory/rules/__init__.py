"""Learning rules: each pure, with `init`, `update` and explicit state."""

from attractory.rules._bptt import BPTT
from attractory.rules._descent import Descent
from attractory.rules._eprop import EProp
from attractory.rules._force import FORCE
from attractory.rules._full_force import FullFORCE
from attractory.rules._loss import (
    find_loss,
    loss,
    loss_names,
    loss_of_trials,
    mean_over_shards,
)
from attractory.rules._losses import (
    Loss,
    cosine,
    sigmoid_cross_entropy,
    softmax_cross_entropy,
    squared_error,
)
from attractory.rules._optimizer import optimizer, optimizer_names
from attractory.rules._penalty import find_penalty, penalty, penalty_names
from attractory.rules._perturbation import NodePerturbation, WeightPerturbation
from attractory.rules._registry import find, names, register
from attractory.rules._reservoir import Reservoir
from attractory.rules._rflo import RFLO
from attractory.rules._rule import Info, Report, Rule, RuleState
from attractory.rules._schedule import schedule, schedule_names
from attractory.rules._unknown import UnknownRule

__all__ = [
    "BPTT",
    "FORCE",
    "RFLO",
    "Descent",
    "EProp",
    "FullFORCE",
    "Info",
    "Loss",
    "NodePerturbation",
    "Report",
    "Reservoir",
    "Rule",
    "RuleState",
    "UnknownRule",
    "WeightPerturbation",
    "cosine",
    "find",
    "find_loss",
    "find_penalty",
    "loss",
    "loss_names",
    "loss_of_trials",
    "mean_over_shards",
    "names",
    "optimizer",
    "optimizer_names",
    "penalty",
    "penalty_names",
    "register",
    "schedule",
    "schedule_names",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
    "squared_error",
]
