"""Trials of a task by the number, from a seed or from keys, and checked before they are used."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attractory._cores import check_memory
from attractory._errors import InvalidSetting, whole_number
from attractory.tasks._keys import random_key, trial_keys
from attractory.tasks._trial import Batch, Trial, Trials
from attractory.tasks._trial_checks import check_values, checked

FEW, MANY = 64, 1024  # trials that one program makes: 64 come at once, 1024 cost least each


def trials_of(task: Any, keys: jax.Array) -> tuple[Batch, Any, dict[str, Any]]:
    """One trial for each key in float32, their epochs (or None), their conditions."""
    made = jax.vmap(task.trial)(keys)
    mask = jnp.ones_like(made.targets) if made.mask is None else made.mask
    batch = Batch(*(x.astype(jnp.float32) for x in (made.inputs, made.targets, mask)))
    return batch, made.epochs, made.conditions or {}


def sampled(task: Any, n: int, seed: int, compiled: bool) -> Trials:
    """The trials of a seed, as `Task.sample` describes them."""
    n = whole_number("n", n)
    first_key = random_key(seed)
    _check_memory(task, n)  # which looks at the shapes first: a wrong one is reported as such
    batch, epochs, conditions = (_in_parts if compiled else _at_once)(task, first_key, n)
    check_values(task.name, batch)
    return Trials(
        batch.inputs,
        batch.targets,
        batch.mask,
        task.dt,
        task.epoch_names,
        epochs,
        conditions,
        task.input_names[: task.n_inputs],
        task.output_names,
    )


def checked_shapes(task: Any) -> Trial:
    """The checked shapes of one trial."""
    try:
        made = jax.eval_shape(task.trial, random_key(0))
    except (jax.errors.JAXTypeError, jax.errors.JAXIndexError) as error:
        first = str(error).splitlines()[0]
        raise InvalidSetting(
            f"{task.name}: trial() must be written in JAX operations (jnp, jax.random): {first}"
        ) from None
    return checked(task.name, made, task.epoch_names)


def _check_memory(task: Any, n: int) -> None:
    """InvalidSetting where so many trials, and a copy, do not fit into this machine."""
    points = task.n_steps * (task.n_inputs + 2 * task.n_outputs)
    check_memory(f"{n} trials of {task.name} ({task.n_steps} steps each)", 8.0 * n * points)


def _at_once(task: Any, first_key: jax.Array, n: int) -> Any:
    """All trials by single operations, which tasks have in common where shapes are equal."""
    full = -(-n // FEW) * FEW  # so that shapes are equal more often
    made = trials_of(task, trial_keys(first_key, jnp.arange(full)))
    return jax.tree.map(lambda array: np.asarray(array)[:n], made)


def _in_parts(task: Any, first_key: jax.Array, n: int) -> Any:
    """Part by part, each by the same program: another number of trials compiles nothing."""
    size = FEW if n <= MANY // 2 else MANY
    program = _compiled(task, size)
    parts = [jax.tree.map(np.asarray, program(first_key, start)) for start in range(0, n, size)]
    return jax.tree.map(lambda *arrays: np.concatenate(arrays)[:n], *parts)


@lru_cache(maxsize=64)
def _compiled(task: Any, size: int) -> Any:
    """Compiled once for equal settings, however often the task is made."""

    def _trials(first_key: jax.Array, start: jax.Array) -> tuple[Batch, Any, dict[str, Any]]:
        return trials_of(task, trial_keys(first_key, start + jnp.arange(size)))

    return jax.jit(_trials)
