"""What the networks must do: one task a file. Pure: a key goes in, trials come out."""

from attractory.tasks._flip_flop import FlipFlop
from attractory.tasks._registry import find, get, names, register
from attractory.tasks._task import Task, Trial, Trials, random_key, trial_keys

__all__ = [
    "FlipFlop",
    "Task",
    "Trial",
    "Trials",
    "find",
    "get",
    "names",
    "random_key",
    "register",
    "trial_keys",
]
