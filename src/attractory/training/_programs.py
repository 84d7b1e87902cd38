"""The compiled functions of a population."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from attractory._errors import InvalidSetting, shown
from attractory.kernels import Shards, compiled, one_by_one, shards_of
from attractory.models import Model, Weights
from attractory.rules import Info, Report, Rule, RuleState, mean_over_shards
from attractory.runs import LOOP_COLUMNS
from attractory.tasks import Task, trial_keys
from attractory.training._batches import counting, training_trials

Numbers = Mapping[str, float | jax.Array]  # `Rule.numbers` as arguments of a program
OF_THE_RULE = 2**31 - 1  # folded into the key of the weights: a stream that none of them uses


class PopulationState(NamedTuple):
    """All that an update reads and writes; every leaf has a leading net axis."""

    weights: Weights
    rule: RuleState


class Keys(NamedTuple):
    """The random streams of a network; each is a key with a leading net axis."""

    weights: jax.Array
    trials: jax.Array
    noise: jax.Array
    validation: jax.Array


@lru_cache(maxsize=16)
def programs_of(task: Task, model: Model, rule: Rule, mesh: Mesh) -> Programs:
    """Compiled once for equal settings, however often they are trained."""
    return Programs(task, model, rule, mesh)


class Programs:
    """The functions of a population, compiled for a task, a model, a rule and a mesh.

    Each that asks the rule takes `Rule.numbers` as arguments: what stands in `self.rule` in their
    place is no rate of anybody's.
    """

    def __init__(self, task: Task, model: Model, rule: Rule, mesh: Mesh) -> None:
        self.task, self.model, self.rule = task, model, rule
        self._compiled: dict[int, Any] = {}
        self.initial = compiled(self._initial)
        self.begun = compiled(self._begun)
        self.update = self._over_devices(self._update, mesh, shared=2)
        self.validate = self._over_devices(self._validate, mesh, shared=1)
        # most rules have no last word: there is nothing to compile
        solves = type(rule).finish is not Rule.finish
        self.finish = compiled(self._finish) if solves else _as_trained
        self.choose = compiled(
            lambda which, *states: jax.tree.map(partial(_choose, which), *states)
        )
        self.slowed = compiled(self._slowed)

    def compiled_update(self, nets: int, *arguments: Any) -> Any:
        """`update` as a program for this number of networks."""
        if nets not in self._compiled:
            self._compiled[nets] = self.update.lower(*arguments).compile()
        return self._compiled[nets]

    def _initial(self, key: jax.Array, numbers: Numbers) -> PopulationState:
        weights = self.model.init(key, self.task.n_inputs, self.task.n_outputs)
        return self._begun(weights, key, numbers)

    def _begun(self, weights: Weights, key: jax.Array, numbers: Numbers) -> PopulationState:
        """The state before the first update of a network with these weights."""
        own = jax.random.fold_in(key, OF_THE_RULE)
        rule = self.rule.with_numbers(numbers)
        return PopulationState(weights, rule.init(self.model, weights, own))

    def _slowed(
        self, state: PopulationState, factors: jax.Array, numbers: Numbers
    ) -> PopulationState:
        rule = self.rule.with_numbers(numbers)
        return state._replace(rule=jax.vmap(rule.slowed)(state.rule, factors))

    def _finish(self, state: PopulationState, numbers: Numbers) -> tuple[Weights, Report]:
        rule = self.rule.with_numbers(numbers)
        finished = rule.finish(self.model, state.weights, state.rule)
        made, report = finished if isinstance(finished, tuple) else (finished, {})
        return jax.tree.map(partial(jnp.where, _all_finite(made)), made, state.weights), report

    def _update(
        self,
        keys: Keys,
        state_and_active: tuple[PopulationState, jax.Array],
        shards: Shards,
        numbers: Numbers,
        step: jax.Array,
    ) -> tuple[PopulationState, Info]:
        """One network on this device's shards of the batch."""
        state, active = state_and_active
        trials = shards.each(
            lambda index: training_trials(
                self.task, self.rule, keys.trials, step, self._slots(index)
            ),
            shards.indices(),
        )
        noise = jax.random.fold_in(keys.noise, step)
        weights, rule, info = self.rule.with_numbers(numbers).update(
            self.model, state.weights, state.rule, trials, step, noise, shards
        )
        new = PopulationState(weights, rule)
        # seen as divergence: without this the loss would be fine until the next update
        info = _checked_info(self.rule, info)
        info["loss"] = jnp.where(_all_finite(weights), info["loss"], jnp.nan)
        keep = active & jnp.isfinite(info["loss"])
        return jax.tree.map(partial(jnp.where, keep), new, state), info

    def _validate(
        self, keys: Keys, weights: Weights, shards: Shards, numbers: Numbers
    ) -> jax.Array:
        """Validation loss of one network, batch after batch."""
        rule = self.rule.with_numbers(numbers)

        def of_shard(chunk: jax.Array, shard: jax.Array) -> tuple[jax.Array, jax.Array]:
            positions = chunk * self.rule.batch + self._slots(shard)
            trials = self.task.batch(trial_keys(keys.validation, positions))
            trials = counting(trials, positions < self.rule.validation)
            noise = jax.random.fold_in(keys.validation, chunk * shards.total + shard)
            error = rule.error(self.model, weights, trials, noise)
            return error, jnp.sum(trials.mask)

        def with_chunk(chunk: jax.Array, sums: Any) -> Any:
            made = shards.each(partial(of_shard, chunk), shards.indices())
            return jax.tree.map(jnp.add, sums, made)

        chunks = math.ceil(self.rule.validation / self.rule.batch)
        nothing = jnp.zeros(shards.here), jnp.zeros(shards.here)
        errors, counted = jax.lax.fori_loop(0, chunks, with_chunk, nothing)
        loss: jax.Array = mean_over_shards(errors, counted, shards)
        return loss

    def _slots(self, shard: jax.Array) -> jax.Array:
        """The positions in the batch of a shard's trials."""
        size = self.rule.batch // shards_of(self.rule.batch)
        return shard * size + jnp.arange(size)

    def _over_devices(self, one: Any, mesh: Mesh, shared: int) -> Any:
        """Compile a function of one network's (keys, state), a device's shards and `shared` more.

        The program takes the numbers of networks and of shards of a device before these.
        """
        of_nets, everywhere = PartitionSpec("net"), PartitionSpec()
        total = shards_of(self.rule.batch)
        here = total // mesh.shape["batch"]

        def many(keys: Keys, states: Any, counts: jax.Array, *rest: jax.Array) -> Any:
            shards = Shards(total, here, "batch", counts[1])
            # one network after the other: on a CPU faster than a batched product (vmap), at every
            # size measured (100 to 400 units)
            return one_by_one(lambda each: one(*each, shards, *rest), (keys, states), counts[0])

        in_specs = (of_nets, of_nets, everywhere) + (everywhere,) * shared
        return compiled(
            jax.shard_map(many, mesh=mesh, in_specs=in_specs, out_specs=of_nets, check_vma=False)
        )


def _checked_info(rule: Rule, info: Any) -> Info:
    """What a rule reports, as float32; InvalidSetting where the history cannot hold it."""
    of = f"{type(rule).__name__}.update"
    if not isinstance(info, dict) or "loss" not in info:
        raise InvalidSetting(
            f"{of} reports {shown(info)}; it must be a dictionary of numbers with 'loss' in it"
        )
    for name, value in info.items():
        if name != "loss" and (not isinstance(name, str) or name in (*LOOP_COLUMNS, "active")):
            raise InvalidSetting(f"{of} reports {shown(name)}, a name that the history has itself")
        if jnp.shape(value) != ():
            raise InvalidSetting(
                f"{of} reports {shown(name)} of shape {jnp.shape(value)}; it must be one number"
            )
    return {name: jnp.asarray(value, jnp.float32) for name, value in info.items()}


def _as_trained(state: PopulationState, numbers: Numbers) -> tuple[Weights, Report]:
    return state.weights, {}


def _all_finite(weights: Weights) -> jax.Array:
    return jnp.stack([jnp.isfinite(w).all() for w in weights.values()]).all()


def mesh_of(nets: int, shards: int) -> Mesh:
    """Devices as (net, batch): the networks divide evenly over one axis, shards over the other."""
    devices = jax.devices()
    over_nets = math.gcd(nets, len(devices))
    over_batch = math.gcd(shards, len(devices) // over_nets)
    used = np.array(devices[: over_nets * over_batch]).reshape(over_nets, over_batch)
    return Mesh(used, ("net", "batch"))


def _choose(which: jax.Array, first: jax.Array, second: jax.Array) -> jax.Array:
    return jnp.where(which.reshape(which.shape + (1,) * (first.ndim - 1)), first, second)
