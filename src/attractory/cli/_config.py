"""What `attractory train` is asked: a YAML file, flags, and single settings, each over the last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from attractory import tasks
from attractory._errors import FileProblem, InvalidSetting, nearest
from attractory.models import MODELS, Constraints, Model, find_model
from attractory.rules import BPTT
from attractory.training import CELLS, recipe, rule_for

KEYS = ("task", "model", "rule", "nets", "seed", "out")
RULES: dict[str, Callable[..., BPTT]] = {
    "near_orthogonal": BPTT.near_orthogonal,
    "paper": BPTT.paper,
}


@dataclass(frozen=True)
class Asked:
    """The arguments of a training."""

    task: tasks.Task
    model: Model
    rule: BPTT
    nets: int
    seed: int
    out: Path


def read_config(file: Path | None, flags: dict[str, Any], settings: list[str]) -> Asked:
    """Flags win over the file, single settings win over both.

    flags: by key, or by the setting that they stand for ("model.units"); None where not given.

    Raises InvalidSetting for an unknown key (naming the nearest one) or a wrong value, FileProblem
    when the file cannot be read as YAML.
    """
    values = {} if file is None else _read_yaml(file)
    given = {key: value for key, value in flags.items() if value is not None}
    values |= {key: value for key, value in given.items() if "." not in key}
    sections = {name: _section(name, values.get(name)) for name in ("task", "model", "rule")}
    for key, value in given.items():
        if "." in key:
            _put(sections, key, value)
    for setting in settings:
        _put(sections, *_parsed(setting))
    return _asked(values, sections)


def task_settings(settings: list[str]) -> dict[str, Any]:
    """Settings of a task, KEY=VALUE each."""
    sections: dict[str, dict[str, Any]] = {"task": {}}
    for setting in settings:
        _put(sections, *_parsed(f"task.{setting}"))
    return sections["task"]


def parsed_values(text: str | None, vary: str, task: tasks.Task) -> list[Any]:
    """The values of a robustness curve, from '0,0.1,0.2' or the task's own."""
    if text is None:
        own = task.conditions()
        if vary not in own:
            raise InvalidSetting(
                f"--values is needed for --vary {vary}; {task.name} has values of its own for "
                f"{', '.join(own) or 'no setting'}"
            )
        return own[vary]
    values = [yaml.safe_load(part) for part in text.split(",")]
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise InvalidSetting(f"--values {text} is not allowed: numbers with commas between")
    return values


def _asked(values: dict[str, Any], sections: dict[str, dict[str, Any]]) -> Asked:
    if "name" not in sections["task"]:
        raise InvalidSetting(
            f"no task is given; use --task NAME or 'task:' in the file; "
            f"allowed: {', '.join(tasks.names())}"
        )
    task = tasks.get(sections["task"].pop("name"), **sections["task"])
    model = _model(task, sections["model"])
    for name, least in [("nets", 1), ("seed", 0)]:
        number = values.get(name, least)
        if isinstance(number, bool) or not isinstance(number, int) or number < least:
            raise InvalidSetting(f"{name} = {number!r} is not allowed: a whole number from {least}")
    return Asked(
        task=task,
        model=model,
        rule=_rule(task, model, sections["rule"]),
        nets=values.get("nets", 1),
        seed=values.get("seed", 0),
        out=Path(values.get("out", Path("runs") / task.name)),
    )


def _model(task: tasks.Task, settings: dict[str, Any]) -> Model:
    """The recipe's model for the task, with these settings in it; or one that is named in full."""
    name = settings.pop("name", "rate")
    cells = {**{cell: cell for cell in CELLS}, **{CELLS[cell].__name__: cell for cell in CELLS}}
    if name not in cells:
        allowed = set(MODELS) - {"Custom"} - set(cells)  # a function cannot be written in a file
        if name not in allowed:
            raise InvalidSetting(
                f"model.name = {name!r} is not allowed; {nearest(str(name), {*cells, *allowed})}"
            )
        return find_model(name)(**settings)
    constraints = settings.pop("constraints", None)
    if constraints is not None and not isinstance(constraints, dict):
        raise InvalidSetting(f"model.constraints = {constraints!r} is not allowed: keys and values")
    asked = None if constraints is None else Constraints(**constraints)
    return recipe(task, cells[name], asked).model.replace(**settings)


def _rule(task: tasks.Task, model: Model, settings: dict[str, Any]) -> BPTT:
    """The rule of the recipe for task and model, or one that is named, with these settings."""
    name = settings.pop("name", "default")
    if name == "default":
        return rule_for(task, model).replace(**settings)
    if name not in RULES:
        raise InvalidSetting(
            f"rule.name = {name!r} is not allowed; {nearest(str(name), [*RULES, 'default'])}"
        )
    return RULES[name](**settings)


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileProblem(f"{file}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise FileProblem(f"{file}: not readable as YAML: {reason}") from None
    values = {} if values is None else values
    if not isinstance(values, dict):
        raise FileProblem(f"{file}: must hold keys and values; allowed keys: {', '.join(KEYS)}")
    for key in values:
        if key not in KEYS:
            raise InvalidSetting(f"{file}: unknown key {key!r}; {nearest(str(key), KEYS)}")
    return values


def _section(name: str, value: Any) -> dict[str, Any]:
    """A section as a dictionary; a bare word is its name."""
    if value is None:
        return {}
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, dict):
        return dict(value)
    raise InvalidSetting(f"{name} = {value!r} is not allowed: a name, or keys and values")


def _parsed(setting: str) -> tuple[str, Any]:
    """One KEY=VALUE, such as rule.steps=300."""
    key, equals, text = setting.partition("=")
    if not equals or not all(key.split(".")) or "." not in key:
        raise InvalidSetting(
            f"--set {setting} is not allowed: SECTION.KEY=VALUE, as rule.steps=300"
        )
    try:
        return key, yaml.safe_load(text)
    except yaml.YAMLError:
        raise InvalidSetting(f"--set {setting} is not allowed: the value is not readable") from None


def _put(sections: dict[str, dict[str, Any]], key: str, value: Any) -> None:
    """A value at its place: rule.steps, or deeper, model.constraints.density."""
    section, *places, name = key.split(".")
    if section not in sections:
        raise InvalidSetting(f"{key}: unknown section; {nearest(section, sections)}")
    found = sections[section]
    for place in places:
        found[place] = dict(found.get(place) or {})
        found = found[place]
    found[name] = value
