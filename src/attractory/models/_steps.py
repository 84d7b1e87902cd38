"""Where a network meets a task: steps of one length, axes in one order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from attractory._errors import InvalidSetting, shown
from attractory.models._model import Model
from attractory.tasks import Task, Trials

AXES = ("trial", "time", "input")


def in_steps_of(model: Model, dt: float, task: str) -> Model:
    """The model as it is trained on a task whose steps have the length dt.

    A model that never said its dt takes the task's; with neither dt nor tau said, a step replaces
    the whole state, as before. Afterwards the model says its dt. Raises InvalidSetting where the
    model says another dt, or a tau shorter than the task's steps.
    """
    if hasattr(model, "layers"):
        layers = tuple(in_steps_of(layer, dt, task) for layer in model.layers)
        return model.replace(layers=layers)
    fields = type(model).model_fields
    if "dt" not in fields:
        return model
    own = float(getattr(model, "dt"))  # noqa: B009  a field that the base class does not have
    if "dt" in model.model_fields_set:
        if not _equal(own, dt):
            raise InvalidSetting(
                f"model: dt = {own:g}, but the steps of the task {task} have dt = {dt:g}; they "
                f"must be equal: model.replace(dt={dt:g}), with a tau in the same unit"
            )
        return model
    if "tau" not in fields:
        return model.replace(dt=dt)
    if "tau" not in model.model_fields_set:
        return model.replace(dt=dt, tau=dt)
    tau = float(getattr(model, "tau"))  # noqa: B009
    if tau < dt:
        raise InvalidSetting(
            f"model: tau = {tau:g} is shorter than a step of the task {task}, dt = {dt:g}; "
            f"allowed: tau of at least {dt:g}, in the task's unit"
        )
    return model.replace(dt=dt)


def check_steps(model: Model, dt: float, of: str, network: str = "the network") -> None:
    """InvalidSetting for a network that is tried on steps of another length than its own.

    A network without a time constant whose dt was never said (one that comes from another
    framework, mostly) has steps of no length: each is one of the task's, whatever its dt.
    """
    for cell in _cells(model):
        if "dt" not in type(cell).model_fields:
            continue
        own = cell.step_length
        said = "dt" in cell.model_fields_set
        if not _equal(own, dt) and (said or cell.leak != 1.0):
            raise InvalidSetting(
                f"{network} has steps of dt = {own:g}, {of} of dt = {dt:g}; they must be equal "
                f"(network.with_dt({dt:g}) if its steps are meant to be as long as these)"
            )


def check_meeting(model: Model, met: Task | Trials, network: str = "the network") -> None:
    """InvalidSetting where a network and a task, or trials, do not say the same of their steps.

    Nor where trials have their axes in another order and that can be told.
    """
    if isinstance(met, Task):
        check_steps(model, met.dt, f"the task {met.name}", network)
        return
    check_steps(model, met.dt, "the trials", network)
    by_trial = {name: np.shape(values) for name, values in met.conditions.items()}
    if met.epochs is not None:
        by_trial["epochs"] = np.shape(met.epochs)
    check_trials(np.shape(met.inputs), by_trial)


def rescaled(model: Model, dt: float) -> Model:
    """The model with steps of the length dt, and time constants of as many steps as before."""
    if isinstance(dt, bool) or not isinstance(dt, (int, float)) or not 0 < dt < math.inf:
        raise InvalidSetting(f"dt = {shown(dt)} is not allowed: a number above 0")
    if hasattr(model, "layers"):
        return model.replace(layers=tuple(rescaled(layer, dt) for layer in model.layers))
    fields = type(model).model_fields
    if "dt" not in fields:
        return model
    if "tau" not in fields:
        return model.replace(dt=float(dt))
    own, tau = model.step_length, float(getattr(model, "tau"))  # noqa: B009
    # exactly dt where there is no leak: a product of quotients may be less
    scaled = float(dt) if tau == own else max(float(dt), tau * (dt / own))
    return model.replace(dt=float(dt), tau=scaled)


def check_axis_names(array: Any) -> None:
    """InvalidSetting for an array whose own names of its axes say another order (xarray)."""
    names = tuple(getattr(array, "dims", ()))
    if len(names) not in (2, 3) or not all(isinstance(name, str) for name in names):
        return
    wanted = [name for name in AXES if name in names]
    if wanted and [name for name in names if name in AXES] != wanted:
        raise InvalidSetting(
            f"inputs have the dimensions ({', '.join(names)}); they must be (trial, time, input): "
            "inputs.transpose('trial', 'time', 'input')"
        )


def check_trials(shape: tuple[int, ...], by_trial: Mapping[str, tuple[int, ...]]) -> None:
    """InvalidSetting where what there is one of for each trial fits the second axis alone.

    shape: of inputs, (trial, time, input). by_trial: shapes of such arrays, by their names.
    """
    trials, steps = shape[:2]
    for name, own in by_trial.items():
        if own and own[0] != trials and own[0] == steps:
            raise InvalidSetting(
                f"inputs have shape {shape} and {name} is of {own[0]} trials: the axes look like "
                "(time, trial, input); they must be (trial, time, input)"
            )


def _cells(model: Model) -> Iterator[Model]:
    if hasattr(model, "layers"):
        for layer in model.layers:
            yield from _cells(layer)
    else:
        yield model


def _equal(first: float, second: float) -> bool:
    return math.isclose(first, second, rel_tol=1e-6)  # a dt may have been a float32
