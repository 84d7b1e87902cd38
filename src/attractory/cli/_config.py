"""What `attractory train` is asked: a YAML file, flags, and single settings, each over the last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from attractory import tasks
from attractory._errors import FileProblem, InvalidSetting, nearest
from attractory.models import RateRNN
from attractory.rules import BPTT

KEYS = ("task", "model", "rule", "nets", "seed", "out")
RECIPES: dict[str, Callable[..., BPTT]] = {
    "default": BPTT,
    "near_orthogonal": BPTT.near_orthogonal,
    "paper": BPTT.paper,
}


@dataclass(frozen=True)
class Asked:
    """The arguments of a training."""

    task: tasks.Task
    model: RateRNN
    rule: BPTT
    nets: int
    seed: int
    out: Path


def read_config(file: Path | None, flags: dict[str, Any], settings: list[str]) -> Asked:
    """Flags win over the file, single settings win over both.

    Raises InvalidSetting for an unknown key (naming the nearest one) or a wrong value, FileProblem
    when the file cannot be read as YAML.
    """
    values = {} if file is None else _read_yaml(file)
    for key, value in flags.items():
        if value is not None:
            values[key] = value
    sections = {name: _section(name, values.get(name)) for name in ("task", "model", "rule")}
    for setting in settings:
        _put(sections, setting)
    return _asked(values, sections)


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
    model_name = sections["model"].pop("name", "RateRNN")
    if model_name != "RateRNN":
        raise InvalidSetting(f"model.name = {model_name!r} is not allowed: RateRNN")
    recipe = sections["rule"].pop("name", "default")
    if recipe not in RECIPES:
        raise InvalidSetting(f"rule.name = {recipe!r} is not allowed; {nearest(recipe, RECIPES)}")
    for name, least in [("nets", 1), ("seed", 0)]:
        number = values.get(name, least)
        if isinstance(number, bool) or not isinstance(number, int) or number < least:
            raise InvalidSetting(f"{name} = {number!r} is not allowed: a whole number from {least}")
    return Asked(
        task=task,
        model=RateRNN(**sections["model"]),
        rule=RECIPES[recipe](**sections["rule"]),
        nets=values.get("nets", 1),
        seed=values.get("seed", 0),
        out=Path(values.get("out", Path("runs") / task.name)),
    )


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


def _put(sections: dict[str, dict[str, Any]], setting: str) -> None:
    """One KEY=VALUE, such as rule.steps=300, into its section."""
    key, equals, text = setting.partition("=")
    section, dot, name = key.partition(".")
    if not equals or not dot or not name:
        raise InvalidSetting(
            f"--set {setting} is not allowed: SECTION.KEY=VALUE, as rule.steps=300"
        )
    if section not in sections:
        raise InvalidSetting(f"--set {setting}: unknown section; {nearest(section, sections)}")
    try:
        sections[section][name] = yaml.safe_load(text)
    except yaml.YAMLError:
        raise InvalidSetting(f"--set {setting} is not allowed: the value is not readable") from None
