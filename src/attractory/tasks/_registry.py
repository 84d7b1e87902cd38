"""The tasks by name."""

from __future__ import annotations

from typing import Any

from attractory._arguments import a_name, takes
from attractory._errors import InvalidSetting, nearest, shown
from attractory._registry import Registry
from attractory._stored import stored_by_name
from attractory.tasks._boolean import And, ContextBoolean, Not, Or, Xor
from attractory.tasks._decision import ContextDecision, PerceptualDecision
from attractory.tasks._flip_flop import FlipFlop
from attractory.tasks._matching import DualDelayedMatch
from attractory.tasks._neurogym import NeurogymTask, from_neurogym
from attractory.tasks._neurogym_names import PREFIX, environments
from attractory.tasks._parametric import ParametricWorkingMemory
from attractory.tasks._poisson_flip_flop import PoissonFlipFlop
from attractory.tasks._ring import DelayedResponse
from attractory.tasks._set_reset import SetReset
from attractory.tasks._sinusoids import SumOfSinusoids
from attractory.tasks._task import Task
from attractory.tasks._time_series import NARMA, MackeyGlass
from attractory.tasks._timing import TimePulse, TriggeredOscillation
from attractory.tasks._yang import YangBattery

_registry: Registry[Task] = Registry(
    "task",
    Task,
    "attractory.tasks",
    name_of=lambda task: task.name,
    known=(
        FlipFlop,
        PoissonFlipFlop,
        PerceptualDecision,
        ContextDecision,
        DualDelayedMatch,
        ParametricWorkingMemory,
        DelayedResponse,
        And,
        Or,
        Xor,
        Not,
        ContextBoolean,
        SetReset,
        TriggeredOscillation,
        TimePulse,
        SumOfSinusoids,
        NARMA,
        MackeyGlass,
        YangBattery,
        NeurogymTask,
    ),
)
stored_by_name("task", Task, lambda kind: kind.name, _registry.find)
find, register = _registry.find, _registry.register


def names() -> list[str]:
    """The names of all tasks that `get` makes without further settings.

    Returns
    -------
    list of str
        The package's own, those registered by a user, and, where neurogym is installed,
        "neurogym/ID" for each of its environments that can be a task. neurogym is not imported for
        it.
    """
    own = set(_registry.names()) - {NeurogymTask.name}  # which needs an environment
    return sorted(own | {PREFIX + name for name in environments()})


@takes()
def get(name: str, /, **settings: Any) -> Task:
    """A task by name, with settings: `get("flipflop", bits=3)`.

    Parameters
    ----------
    name : str
        The task's name; "neurogym/ID" is the environment of that ID, in the settings of
        `from_neurogym`: `get("neurogym/ReadySetGo-v0", dt=20)`.
    **settings : settings
        What differs from the task's usual settings.

    Returns
    -------
    Task
        The task.

    Raises
    ------
    InvalidSetting
        For an unknown name, an unknown or wrong setting, and for an environment without neurogym
        (the extra 'neurogym').
    """
    if isinstance(name, str) and name.startswith(PREFIX):
        return _from_neurogym(name, settings)
    return find(name)(**settings)


def of_the_paper(**settings: Any) -> Task:
    """The task of Jarne (2024), which files of networks without a task are taken for.

    Parameters
    ----------
    **settings : settings
        What differs from the published settings.

    Returns
    -------
    FlipFlop
        The task, as `FlipFlop.paper` makes it.
    """
    return FlipFlop.paper(**settings)


@takes(name=a_name)
def in_words(name: str) -> str:
    """What the task of this name is, in one line.

    Parameters
    ----------
    name : str
        A name that `get` knows.

    Returns
    -------
    str
        The first line of the task's description.
    """
    if name.startswith(PREFIX):
        return environments().get(name.removeprefix(PREFIX), "an environment of neurogym")
    return (find(name).__doc__ or name).strip().splitlines()[0]


def _from_neurogym(name: str, settings: dict[str, Any]) -> Task:
    environment = name.removeprefix(PREFIX)
    known = environments()
    if known and environment not in known:
        try:
            return from_neurogym(environment, **settings)
        except InvalidSetting as error:  # which cannot name the nearest one
            close = nearest(name, [PREFIX + each for each in known])
            raise InvalidSetting(f"task {shown(name)}: {error}; {close}") from None
    return from_neurogym(environment, **settings)
