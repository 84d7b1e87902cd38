"""What a training takes of memory, before it takes it."""

from __future__ import annotations

import math
from functools import lru_cache

import jax

from attractory._cores import check_memory
from attractory.models import Model
from attractory.rules import Rule, RuleState
from attractory.tasks import Task, random_key

FLOAT = 4  # bytes
HISTORY_BYTES = 5 * 8  # of an update of one network: the columns that are its own
COPIES_OF_STATE = 3  # of the rule's state: as it is, at the last good update, at the best check
COPIES = 4  # of weights: the state, its gradient or momentum, the last good state, the best one


def check_training_memory(task: Task, model: Model, rule: Rule, nets: int) -> None:
    """InvalidSetting where a training cannot fit into this machine's memory.

    Each part is what is there at the least: what fits by this count may still be too much.
    """
    for what, size in _parts(task, model, rule, nets).items():
        check_memory(what, size)


def training_memory(task: Task, model: Model, rule: Rule, nets: int) -> float:
    """What a training takes of memory at the least, beside the process itself.

    Parameters
    ----------
    task : Task
        What is learned.
    model : Model
        What learns it.
    rule : Rule
        How it is learned.
    nets : int
        Number of networks.

    Returns
    -------
    float
        Bytes.
    """
    return sum(_parts(task, model, rule, nets).values())


def _parts(task: Task, model: Model, rule: Rule, nets: int) -> dict[str, float]:
    """Bytes of each part, by what takes them in words."""
    shapes = model.weight_shapes(task.n_inputs, task.n_outputs)
    numbers = sum(math.prod(shape) for shape in shapes.values())
    channels = task.n_inputs + 2 * task.n_outputs + model.state_size
    state = f"the state of {type(rule).__name__} for nets = {nets} of units = {model.units}"
    trials = f"batch = {rule.batch} trials of {task.n_steps} steps, with the states of "
    parts = {
        f"nets = {nets} of units = {model.units}": float(FLOAT * COPIES * nets * numbers),
        state: float(COPIES_OF_STATE * nets * _bytes_of_state(task, model, rule.program_of)),
        f"{trials}units = {model.units},": float(FLOAT * rule.batch * task.n_steps * channels),
    }
    if rule.trials is not None:  # their order, drawn anew in each epoch: keys and values, sorted
        parts[f"the order of trials = {rule.trials}"] = 4.0 * FLOAT * rule.trials
    history = f"the history of {rule.n_steps} updates of nets = {nets}"
    parts[history] = float(HISTORY_BYTES * rule.n_steps * nets)
    return parts


@lru_cache(maxsize=256)
def _bytes_of_state(task: Task, model: Model, rule: Rule) -> int:
    """What the rule's state takes for one network."""

    def begun(key: jax.Array) -> RuleState:
        return rule.init(model, model.init(key, task.n_inputs, task.n_outputs), key)

    leaves = jax.tree.leaves(jax.eval_shape(begun, random_key(0)))
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in leaves)
