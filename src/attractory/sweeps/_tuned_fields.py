"""What a tuning's study says of its fields: their ranges in words, and what the recipe has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attractory import tasks
from attractory._errors import AttractoryError
from attractory.training import recipe

Described = Mapping[str, Any]  # the study as its folder has it


def ranges_of(described: Described) -> dict[str, str]:
    """Of each field the range or the choices, in words."""
    return {field: _in_words(value) for field, value in described["tune"].items()}


def recipe_of(described: Described) -> dict[str, Any]:
    """The values of the task's own recipe in the tuned fields.

    Fields are left out where the recipe has another model or rule; {} where the task is not known
    in this process.
    """
    task = described["task"]
    try:
        usual = recipe(tasks.find(task["name"])(**task["settings"]))
    except AttractoryError:
        return {}
    found = {}
    for field in described["tune"]:
        kind, _, rest = field.partition(".")
        part: Any = getattr(usual, kind)
        if rest and type(part).__name__ == described[kind]["name"]:
            value: Any = part.to_json()
            for name in rest.split("."):
                value = value.get(name) if isinstance(value, dict) else None
            found[field] = "none" if value is None else value
    return found


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['low']:g} to {value['high']:g}" + (", logarithmic" * bool(value.get("log")))
    return ", ".join("none" if each is None else str(each) for each in value)
