"""What the networks must do: one task a file. Pure: a key goes in, trials come out."""

from attractory.tasks._flip_flop import FlipFlop
from attractory.tasks._machine import Machine
from attractory.tasks._memory import memory_states, state_names
from attractory.tasks._registry import find, get, names, register
from attractory.tasks._task import Batch, Task, Trial, Trials, random_key, trial_keys

__all__ = [
    "Batch",
    "FlipFlop",
    "Machine",
    "Task",
    "Trial",
    "Trials",
    "find",
    "get",
    "memory_states",
    "names",
    "random_key",
    "register",
    "state_names",
    "trial_keys",
]
