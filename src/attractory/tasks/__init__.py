"""What the networks must do: one family of tasks a file. Pure: a key goes in, trials come out."""

from attractory.tasks._alignment import Alignment, aligned
from attractory.tasks._boolean import And, Boolean, ContextBoolean, Not, Or, Xor
from attractory.tasks._choice import ChoiceTask
from attractory.tasks._constant import ConstantInput
from attractory.tasks._decision import ContextDecision, PerceptualDecision
from attractory.tasks._epochs import Duration, EpochTask, OneOf, Timeline, TruncatedExponential
from attractory.tasks._evidence import EvidenceStream
from attractory.tasks._flip_flop import FlipFlop
from attractory.tasks._given import as_task, as_task_or_trials, as_trials
from attractory.tasks._keys import check_seed, noise_seed, random_key, trial_keys
from attractory.tasks._labels import coordinates
from attractory.tasks._machine import Machine
from attractory.tasks._matching import DualDelayedMatch
from attractory.tasks._memory import memory_states, state_names
from attractory.tasks._neurogym import NeurogymTask, from_neurogym
from attractory.tasks._parametric import ParametricWorkingMemory
from attractory.tasks._poisson_flip_flop import PoissonFlipFlop
from attractory.tasks._recipe import NetworkFacts, usual_network, usual_rule
from attractory.tasks._registry import find, get, in_words, names, of_the_paper, register
from attractory.tasks._ring import DelayedResponse
from attractory.tasks._set_reset import SetReset
from attractory.tasks._sinusoids import SumOfSinusoids
from attractory.tasks._task import Batch, Task, Trial, Trials
from attractory.tasks._time_series import NARMA, MackeyGlass, TimeSeries
from attractory.tasks._timing import TimePulse, TriggeredOscillation
from attractory.tasks._unknown import UnknownTask, sized
from attractory.tasks._yang import YangBattery

__all__ = [
    "NARMA",
    "Alignment",
    "And",
    "Batch",
    "Boolean",
    "ChoiceTask",
    "ConstantInput",
    "ContextBoolean",
    "ContextDecision",
    "DelayedResponse",
    "DualDelayedMatch",
    "Duration",
    "EpochTask",
    "EvidenceStream",
    "FlipFlop",
    "Machine",
    "MackeyGlass",
    "NetworkFacts",
    "NeurogymTask",
    "Not",
    "OneOf",
    "Or",
    "ParametricWorkingMemory",
    "PerceptualDecision",
    "PoissonFlipFlop",
    "SetReset",
    "SumOfSinusoids",
    "Task",
    "TimePulse",
    "TimeSeries",
    "Timeline",
    "Trial",
    "Trials",
    "TriggeredOscillation",
    "TruncatedExponential",
    "UnknownTask",
    "Xor",
    "YangBattery",
    "aligned",
    "as_task",
    "as_task_or_trials",
    "as_trials",
    "check_seed",
    "coordinates",
    "find",
    "from_neurogym",
    "get",
    "in_words",
    "memory_states",
    "names",
    "noise_seed",
    "of_the_paper",
    "random_key",
    "register",
    "sized",
    "state_names",
    "trial_keys",
    "usual_network",
    "usual_rule",
]
