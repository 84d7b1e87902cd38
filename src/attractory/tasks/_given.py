"""What is meant by what stands in the place of a task, or of its trials."""

from __future__ import annotations

from typing import Any

from attractory._arguments import refusal
from attractory._errors import InvalidSetting
from attractory.tasks._registry import get
from attractory.tasks._task import Task, Trials


def as_task(name: str, value: Any) -> Task:
    """A task; also by its name, or its class with the usual settings.

    Parameters
    ----------
    name : str
        The argument, as the message names it.
    value : Task, str or type
        What was given.

    Returns
    -------
    Task
        The task that is meant.

    Raises
    ------
    InvalidSetting
        For anything else.
    """
    if isinstance(value, str):
        return get(value)
    if isinstance(value, type) and issubclass(value, Task):
        return value()
    if not isinstance(value, Task):
        hint = f"its own is {name} = run.task" if hasattr(value, "networks") else ""
        raise InvalidSetting(refusal(name, value, "a Task, or the name of one,", hint))
    return value


def as_trials(name: str, value: Any) -> Trials:
    """Trials, and nothing else.

    Parameters
    ----------
    name : str
        The argument, as the message names it.
    value : Trials
        What was given.

    Returns
    -------
    Trials
        The same.

    Raises
    ------
    InvalidSetting
        For anything else: inputs alone say nothing of what is asked.
    """
    if not isinstance(value, Trials):
        raise InvalidSetting(refusal(name, value, "a Trials object", "task.sample(128) makes one"))
    return value


def as_task_or_trials(name: str, value: Any) -> Task | Trials:
    """Trials as they are, all else as a task.

    Parameters
    ----------
    name : str
        The argument, as the message names it.
    value : Trials, Task, str or type
        What was given.

    Returns
    -------
    Task or Trials
        What is meant.
    """
    return value if isinstance(value, Trials) else as_task(name, value)
