"""What networks are tried on beside the settings of a task: axes of robustness, a user's too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from attractory._arguments import a_name, takes
from attractory._errors import InvalidSetting, nearest, shown
from attractory._registry import Registry
from attractory.models import Network
from attractory.tasks import Task, as_task

# (network, task, value, random generator) -> the network and the task as they are tried
Change = Callable[[Network, Task, Any, np.random.Generator], tuple[Network, Task]]


@dataclass(frozen=True)
class Axis:
    """A condition that changes networks, or a task in more than one setting.

    Attributes
    ----------
    name : str
        As `vary` of `robustness` says it.
    function : callable
        What is changed: (network, task, value, random generator) give the network and the task as
        they are tried.
    label : str
        Of a figure's axis, with the unit.
    trained : object
        The value at which nothing is changed, None where there is none.
    values : tuple or None
        Those that every study tries; None: studies leave it out.
    battery : tuple or None
        Those that a battery over a population tries; None: those of studies.
    """

    name: str
    function: Change
    label: str
    trained: Any = None
    values: tuple[Any, ...] | None = None
    battery: tuple[Any, ...] | None = None


_registry: Registry[Axis] = Registry(
    "axis",
    None,
    "attractory.evaluation",
    name_of=lambda made: made.name,
    decorator="attractory.evaluation.axis",
    accepts=lambda made: isinstance(made, Axis),
)
axis_names, find_axis = _registry.names, _registry.find


def axis(
    label: str,
    trained: Any = None,
    values: Sequence[Any] | None = None,
    battery: Sequence[Any] | None = None,
) -> Callable[[Change], Change]:
    """Make a function known as an axis of robustness, under its own name; a decorator.

    Parameters
    ----------
    label : str
        Of the axis of a figure, with its unit.
    trained : object, optional
        The value at which nothing is changed: it is marked on figures.
    values : sequence, optional
        Those that every study and page of a run tries; without them it is tried where it is asked
        for: `at.robustness(run, vary="weight_noise", values=[0, 0.1])`.
    battery : sequence, optional
        Those that a battery over a population tries (`at.population.battery`); those of studies
        where they are not said.

    Returns
    -------
    callable
        The decorator. Its function takes a network, the task, the value and a NumPy generator (the
        same for all values of one network), and returns the network and the task as they are to be
        tried.

    Raises
    ------
    InvalidSetting
        For the name of another axis.

    Examples
    --------
    ::

        @at.evaluation.axis("Noise on weights (share of their s.d.)", trained=0.0)
        def weight_noise(network, task, value, rng):
            ...
            return noisy_network, task
    """
    of_studies = None if values is None else tuple(values)
    of_batteries = None if battery is None else tuple(battery)

    def registered(function: Change) -> Change:
        made = Axis(function.__name__, function, label, trained, of_studies, of_batteries)
        _registry.register(made)
        return function

    return registered


@takes(task=as_task)
def axes_of_studies(task: Task) -> dict[str, Sequence[Any]]:
    """What a study varies, each with its values.

    Parameters
    ----------
    task : Task
        The task of the study.

    Returns
    -------
    dict of str to sequence
        The task's own conditions, and all axes with values, by name.
    """
    own: dict[str, Sequence[Any]] = dict(task.conditions())
    known = (_registry.find(name) for name in _registry.names())
    return own | {each.name: each.values for each in known if each.values and each.name not in own}


@takes(task=as_task)
def axes_of_batteries(task: Task) -> dict[str, Sequence[Any]]:
    """What a battery over a population varies, each with its values.

    Parameters
    ----------
    task : Task
        The task of the population.

    Returns
    -------
    dict of str to sequence
        What studies vary, and all axes with values for batteries, by name.
    """
    found = axes_of_studies(task)
    known = (_registry.find(name) for name in _registry.names())
    settings = type(task).model_fields
    return found | {
        one.name: one.battery for one in known if one.battery and one.name not in settings
    }


def check_vary(vary: str, task: Task) -> None:
    """InvalidSetting for what is neither a setting of the task nor an axis."""
    settings = type(task).model_fields
    if vary not in settings and vary not in _registry.parts:
        raise InvalidSetting(
            f"vary = {shown(vary)} is no setting of {task.name}"
            + (" and no axis; " if _registry.parts else "; ")
            + nearest(vary, {*settings, *_registry.parts})
        )


@takes(vary=a_name, task=as_task)
def axis_of(vary: str, task: Task) -> Axis | None:
    """The axis of this name; None for a setting of the task, which goes before.

    Parameters
    ----------
    vary : str
        A setting of the task, or the name of an axis.
    task : Task
        The task that is varied.

    Returns
    -------
    Axis or None
        The axis; None for a setting of the task, and for a name that is neither.
    """
    if vary in type(task).model_fields or vary not in _registry.parts:
        return None
    found: Axis = _registry.find(vary)
    return found
