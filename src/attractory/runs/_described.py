"""Task, model and rule of a run, made again from what its manifest says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from attractory import models, rules, tasks
from attractory._errors import AttractoryError, FileProblem, InvalidSetting, shown
from attractory.models import Model
from attractory.rules import Rule, UnknownRule
from attractory.runs._given import KINDS
from attractory.tasks import Task, UnknownTask

_FINDERS: dict[str, Any] = {"task": tasks.find, "model": models.find, "rule": rules.find}
# a run can be read without these two; without its model its weights are numbers with names
_UNKNOWN: dict[str, Any] = {"task": UnknownTask, "rule": UnknownRule}


@dataclass(frozen=True)
class Given:
    """What the user made a run with, and no JSON holds.

    Attributes
    ----------
    arrays : dict of str to array
        By the places that they have in the settings (`given_arrays`).
    functions : dict of str to callable
        By the names of their settings.
    """

    arrays: dict[str, np.ndarray]
    functions: dict[str, Any]


def described(
    path: Path, config: dict[str, Any], imports: Sequence[dict[str, str]], given: Given
) -> tuple[Task, Model, Rule | None]:
    """Task, model and rule from their JSON.

    Parameters
    ----------
    path : Path
        The manifest, for the message.
    config : dict
        What identifies the run.
    imports : sequence of dict
        The files of own parts that it was made with.
    given : Given
        What stands for itself in the settings.

    Returns
    -------
    task : Task
        An `UnknownTask` where its class is not known in this process.
    model : Model
        The model.
    rule : Rule or None
        An `UnknownRule` where its class is not known; None of imported networks.

    Raises
    ------
    InvalidSetting
        For a model that is not known, and where a function is missing.
    FileProblem
        For settings that make none of these.
    """
    made: dict[str, Any] = {"rule": None}
    try:
        for kind in KINDS:
            if config[kind] is not None:
                made[kind] = _made(kind, config[kind], imports, given)
    except AttractoryError:
        raise
    except Exception as error:  # whatever a constructor says to values that are none of its own
        what = type(error).__name__
        raise FileProblem(f"{path}: its settings make no run ({what}: {error})") from error
    return made["task"], made["model"], made["rule"]


def _made(
    kind: str, description: dict[str, Any], imports: Sequence[dict[str, str]], given: Given
) -> Any:
    name = description["name"]
    settings: dict[str, Any] = _put_back(description["settings"], f"given.{kind}", given.arrays)
    try:
        known = _FINDERS[kind](name)
    except InvalidSetting:
        said = _not_known(kind, name, imports)
        if kind not in _UNKNOWN:
            raise InvalidSetting(said) from None
        return _UNKNOWN[kind].named(name, settings, said)
    return known(**_with_functions(settings, kind, given.functions))


def _not_known(kind: str, name: str, imports: Sequence[dict[str, str]]) -> str:
    files = ", ".join(each["name"] for each in imports)
    made = f"; the run was made with {shown(files)}" if files else ""
    return (
        f"{kind} {shown(name, 60)} is not known here{made}: import what registers it before "
        "at.load; commands need attractory --import FILE"
    )


def _with_functions(
    settings: dict[str, Any], kind: str, functions: dict[str, Any]
) -> dict[str, Any]:
    """Settings with the user's functions put back where their names stand for them."""
    values = dict(settings)
    for name, value in settings.items():
        if isinstance(value, dict) and set(value) == {"function"}:
            if name not in functions:
                raise InvalidSetting(
                    f"{name} = None: this {kind} was made with the function {value['function']!r}, "
                    f"which is not stored; hand it over: attractory.load(path, {name}=...)"
                )
            values[name] = functions[name]
    return values


def _put_back(value: Any, place: str, given: dict[str, np.ndarray]) -> Any:
    """Settings with the user's arrays put back where their fingerprints stand for them."""
    if place in given:
        return given[place]
    if isinstance(value, dict):
        return {name: _put_back(each, f"{place}.{name}", given) for name, each in value.items()}
    if isinstance(value, list):
        return [_put_back(each, f"{place}.{i}", given) for i, each in enumerate(value)]
    return value
