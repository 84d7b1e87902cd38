"""Learning rules: each pure, with `init`, `update` and explicit state."""

from attractory.rules._bptt import BPTT
from attractory.rules._force import FORCE
from attractory.rules._full_force import FullFORCE
from attractory.rules._loss import (
    Loss,
    find_loss,
    loss,
    loss_names,
    loss_of_trials,
    mean_over_shards,
    squared_error,
)
from attractory.rules._registry import find, names, register
from attractory.rules._rule import Info, Rule, RuleState

__all__ = [
    "BPTT",
    "FORCE",
    "FullFORCE",
    "Info",
    "Loss",
    "Rule",
    "RuleState",
    "find",
    "find_loss",
    "loss",
    "loss_names",
    "loss_of_trials",
    "mean_over_shards",
    "names",
    "register",
    "squared_error",
]
