"""What identifies a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attractory.models import Model
from attractory.rules import Rule
from attractory.tasks import Task


def run_config(
    task: Task,
    model: Model,
    rule: Rule | None,
    nets: int,
    seed: int,
    source: dict[str, Any] | None = None,
    start: str | None = None,
    curriculum: Sequence[dict[str, Any]] = (),
    first: int = 0,
) -> dict[str, Any]:
    """What identifies a run, in JSON's terms.

    Parameters
    ----------
    task : Task
        What the networks are trained on.
    model : Model
        What they are.
    rule : Rule or None
        How they are trained; None of imported ones.
    nets : int
        Number of networks.
    seed : int
        The seed of the training.
    source : dict, optional
        Where imported networks came from.
    start : str, optional
        SHA-256 of the weights that training began with, where they were given.
    curriculum : sequence of dict
        The stages before the task, where there were any: task, steps and score of each.
    first : int
        The index of the first network, of a part of a population.

    Returns
    -------
    dict
        Two runs with equal ones are the same.
    """
    return {
        "task": {"name": task.name, "settings": task.to_json()},
        "model": {"name": type(model).__name__, "settings": model.to_json()},
        "rule": rule and {"name": type(rule).__name__, "settings": rule.to_json()},
        "nets": nets,
        "seed": int(seed),
        "source": source,
        # runs of before there was one of these have no such entry, and are the same
        **({} if start is None else {"start": start}),
        **({"curriculum": list(curriculum)} if curriculum else {}),
        **({"first": first} if first else {}),
    }
