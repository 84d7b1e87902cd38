"""What a training takes of memory, before it takes it."""

from __future__ import annotations

import math

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
    shapes = model.weight_shapes(task.n_inputs, task.n_outputs)
    numbers = sum(math.prod(shape) for shape in shapes.values())
    check_memory(f"nets = {nets} of units = {model.units}", float(FLOAT * COPIES * nets * numbers))
    check_memory(
        f"the state of {type(rule).__name__} for nets = {nets} of units = {model.units}",
        float(COPIES_OF_STATE * nets * _bytes_of_state(task, model, rule)),
    )
    channels = task.n_inputs + 2 * task.n_outputs + model.state_size
    points = rule.batch * task.n_steps * channels
    check_memory(
        f"batch = {rule.batch} trials of {task.n_steps} steps, with the states of "
        f"units = {model.units},",
        float(FLOAT * points),
    )
    if rule.trials is not None:  # their order, drawn anew in each epoch: keys and values, sorted
        check_memory(f"the order of trials = {rule.trials}", 4.0 * FLOAT * rule.trials)
    check_memory(
        f"the history of {rule.n_steps} updates of nets = {nets}",
        float(HISTORY_BYTES * rule.n_steps * nets),
    )


def _bytes_of_state(task: Task, model: Model, rule: Rule) -> int:
    """What the rule's state takes for one network."""

    def begun(key: jax.Array) -> RuleState:
        return rule.init(model, model.init(key, task.n_inputs, task.n_outputs), key)

    leaves = jax.tree.leaves(jax.eval_shape(begun, random_key(0)))
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in leaves)
