"""Where a network meets a task: steps of one length, axes in one order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from attractory._arguments import positive
from attractory._errors import InvalidSetting
from attractory.models._cell import Cell
from attractory.models._trajectory import check_trials
from attractory.tasks import Task, Trials


def in_steps_of(model: Any, dt: float, task: str) -> Any:
    """The model as it is trained on a task.

    A model that never said its dt takes the task's; with neither dt nor tau said, a step replaces
    the whole state, as before. Afterwards the model says its dt.

    Parameters
    ----------
    model : Model
        The model as it was given.
    dt : float
        Length of the task's steps.
    task : str
        The task's name, for messages.

    Returns
    -------
    Model
        The model with that dt.

    Raises
    ------
    InvalidSetting
        Where the model says another dt, or a tau shorter than the task's steps.
    """
    return model.with_cells(lambda cell: _in_steps_of(cell, dt, task))


def _in_steps_of(cell: Cell, dt: float, task: str) -> Cell:
    fields = type(cell).model_fields
    if "dt" not in fields:
        return cell
    own = float(getattr(cell, "dt"))  # noqa: B009  a field that the base class does not have
    if "dt" in cell.model_fields_set:
        if not _equal(own, dt):
            raise InvalidSetting(
                f"model: dt = {own:g}, but the steps of the task {task} have dt = {dt:g}; they "
                f"must be equal: model.replace(dt={dt:g}), with a tau in the same unit"
            )
        return cell
    if "tau" not in fields:
        return cell.replace(dt=dt)
    if "tau" not in cell.model_fields_set:
        return cell.replace(dt=dt, tau=dt)
    tau = float(getattr(cell, "tau"))  # noqa: B009
    if tau < dt:
        raise InvalidSetting(
            f"model: tau = {tau:g} is shorter than a step of the task {task}, dt = {dt:g}; "
            f"allowed: tau of at least {dt:g}, in the task's unit"
        )
    return cell.replace(dt=dt)


def check_steps(model: Cell, dt: float, of: str, network: str = "the network") -> None:
    """InvalidSetting for a network that is tried on steps of another length than its own.

    A network without a time constant whose dt was never said (one that comes from another
    framework, mostly) has steps of no length: each is one of the task's, whatever its dt.
    """
    for _, _, cell in model.parts():
        if "dt" not in type(cell).model_fields:
            continue
        own = cell.step_length
        said = "dt" in cell.model_fields_set
        if not _equal(own, dt) and (said or cell.leak != 1.0):
            raise InvalidSetting(
                f"{network} has steps of dt = {own:g}, {of} of dt = {dt:g}; they must be equal "
                f"(network.with_dt({dt:g}) if its steps are meant to be as long as these)"
            )


def check_meeting(model: Cell, met: Task | Trials, network: str = "the network") -> None:
    """Refuse a network and a task, or trials, that do not say the same of their steps.

    Parameters
    ----------
    model : Cell
        The model of the network.
    met : Task or Trials
        What it meets.
    network : str
        What the network is called in messages.

    Raises
    ------
    InvalidSetting
        Where they do not say the same, and where trials have their axes in another order and that
        can be told.
    """
    if isinstance(met, Task):
        check_steps(model, met.dt, f"the task {met.name}", network)
        return
    check_steps(model, met.dt, "the trials", network)
    by_trial = {name: np.shape(values) for name, values in met.conditions.items()}
    if met.epochs is not None:
        by_trial["epochs"] = np.shape(met.epochs)
    check_trials(np.shape(met.inputs), by_trial)


def rescaled(model: Any, dt: float) -> Any:
    """The model with steps of another length, and time constants of as many steps as before.

    Parameters
    ----------
    model : Model
        The model.
    dt : float
        The length of a step, above 0.

    Returns
    -------
    Model
        The model with these steps.

    Raises
    ------
    InvalidSetting
        For a dt that is none.
    """
    length = positive("dt", dt)
    return model.with_cells(lambda cell: _rescaled(cell, length))


def _rescaled(cell: Cell, dt: float) -> Cell:
    fields = type(cell).model_fields
    if "dt" not in fields:
        return cell
    if "tau" not in fields:
        return cell.replace(dt=dt)
    own, tau = cell.step_length, float(getattr(cell, "tau"))  # noqa: B009
    # exactly dt where there is no leak: a product of quotients may be less
    scaled = dt if tau == own else max(dt, tau * (dt / own))
    return cell.replace(dt=dt, tau=scaled)


def _equal(first: float, second: float) -> bool:
    return math.isclose(first, second, rel_tol=1e-6)  # a dt may have been a float32
