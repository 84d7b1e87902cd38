"""The recipes of all tasks as one table: what differs from the defaults of model and rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attractory as at
from attractory import tasks
from attractory.models import Constraints, CurrentRNN, RateRNN

FILE = Path(__file__).with_suffix(".json")
NAMES = (
    "and", "context_boolean", "context_decision", "delayed_response", "dual_delayed_match",
    "flipflop", "not", "or", "parametric_memory", "perceptual_decision", "poisson_flipflop",
    "set_reset", "time_pulse", "triggered_oscillation", "xor", "yang",
)  # fmt: skip


def table() -> dict[str, dict[str, Any]]:
    """For each task the recipes of all cells, and the rules for some other models."""
    made = {}
    for name in NAMES:
        task = tasks.get(name)
        row = {cell: _row(at.recipe(task, cell)) for cell in ("rate", "lowrank", "gru", "lstm")}
        for law in ({"excitatory": 0.8}, {"density": 0.2}):
            row[f"rate, {law}"] = _row(at.recipe(task, constraints=Constraints(**law)))
        for model in (RateRNN(units=20), CurrentRNN(units=20)):
            row[f"rule of {type(model).__name__}()"] = _changed(at.training.rule_for(task, model))
        made[name] = row
    return made


def _row(recipe: Any) -> list[Any]:
    return [_changed(recipe.model), _changed(recipe.rule)]


def _changed(settings: Any) -> dict[str, Any]:
    """The class, and the settings that differ from their defaults."""
    fields, told = type(settings).model_fields, settings.to_json()
    changed = {k: told[k] for k, f in fields.items() if getattr(settings, k) != f.default}
    return {"class": type(settings).__name__, **changed}


if __name__ == "__main__":
    rows = ",\n".join(
        f" {json.dumps(name)}: {{\n"
        + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in row.items())
        + "}"
        for name, row in table().items()
    )
    FILE.write_text(f"{{\n{rows}\n}}\n")
