"""The trials of a network that an update is made of."""

from __future__ import annotations

import jax

from attractory.rules import Rule
from attractory.tasks import Batch, Task, trial_keys


def training_trials(
    task: Task, rule: Rule, key: jax.Array, step: jax.Array, slots: jax.Array
) -> Batch:
    """The trials at some positions of the batch of an update, from a network's stream."""
    if rule.trials is None or rule.steps_per_epoch is None:
        return task.batch(trial_keys(jax.random.fold_in(key, step), slots))
    order_key, set_key = jax.random.split(key)
    epoch_key = jax.random.fold_in(order_key, step // rule.steps_per_epoch)
    order = jax.random.permutation(epoch_key, rule.trials)
    positions = (step % rule.steps_per_epoch) * rule.batch + slots
    trials = task.batch(trial_keys(set_key, order[positions % rule.trials]))
    return counting(trials, positions < rule.trials)  # the last batch may be smaller


def counting(trials: Batch, counted: jax.Array) -> Batch:
    """The trials with those masked out that only fill up the batch; counted (trial,)."""
    return trials._replace(mask=trials.mask * counted[:, None, None])
