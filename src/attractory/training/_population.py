"""Many networks trained at once: their state stacked on a leading axis, one compiled step."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from attractory.models import RateRNN, Weights
from attractory.rules import BPTT, Metrics, RuleState, mask_total, squared_error
from attractory.tasks import Batch, Task, random_key, trial_keys


class PopulationState(NamedTuple):
    """All that an update reads and writes; every leaf has a leading net axis."""

    weights: Weights
    rule: RuleState


class _Keys(NamedTuple):
    """The random streams of a network; each is a key with a leading net axis."""

    weights: jax.Array
    trials: jax.Array
    noise: jax.Array
    validation: jax.Array


class Population:
    """The compiled functions of a population: initial state, update, validation.

    Network i depends on the seed and on i, not on how many others there are. The work is spread
    over the host's devices (JAX shows one unless `jax_num_cpu_devices` says more): first whole
    networks, then, where networks do not divide evenly, parts of the batch.
    """

    def __init__(self, task: Task, model: RateRNN, rule: BPTT, nets: int, seed: int) -> None:
        self.task, self.model, self.rule, self.nets = task, model, rule, nets
        root = random_key(seed)
        self._keys = _Keys(
            *jax.vmap(lambda net: jax.random.split(jax.random.fold_in(root, net), 4), out_axes=1)(
                jnp.arange(nets)
            )
        )
        self._mesh = _mesh(nets, rule.batch)
        self._update = self._over_devices(self._update_one, shared=1)
        self._validate = self._over_devices(self._validate_one, shared=0)
        self._chosen = jax.jit(partial(jax.tree.map, _choose))

    def initial_state(self) -> PopulationState:
        """Fresh weights and rule states."""

        def one(key: jax.Array) -> PopulationState:
            weights = self.model.init(key, self.task.n_inputs, self.task.n_outputs)
            return PopulationState(weights, self.rule.init(self.model, weights))

        made = [jax.jit(one)(key) for key in self._keys.weights]
        return jax.tree.map(lambda *leaves: jnp.stack(leaves), *made)

    def update(
        self, state: PopulationState, active: np.ndarray, step: int
    ) -> tuple[PopulationState, np.ndarray, np.ndarray]:
        """One update of the active networks; step counts from 0.

        Returns the new state, the losses and the gradient norms (net,). A network that is not
        active, or whose numbers are no longer finite, keeps its state.
        """
        state, metrics = self._update(self._keys, (state, jnp.asarray(active)), jnp.asarray(step))
        return state, np.asarray(metrics.loss), np.asarray(metrics.gradient_norm)

    def validate(self, state: PopulationState) -> np.ndarray:
        """Loss of each network on its own held-out trials, (net,)."""
        return np.asarray(self._validate(self._keys, state.weights))

    def choose(
        self, which: np.ndarray, first: PopulationState, second: PopulationState
    ) -> PopulationState:
        """`first` for the networks where `which` is true, `second` for the others."""
        flags = jax.tree.map(lambda _: jnp.asarray(which), first)
        return self._chosen(flags, first, second)

    def slowed(self, state: PopulationState, factors: np.ndarray) -> PopulationState:
        """The state with further steps scaled by one factor a network."""
        rule = jax.vmap(self.rule.slowed)(state.rule, jnp.asarray(factors, jnp.float32))
        return state._replace(rule=rule)

    def _update_one(
        self,
        keys: _Keys,
        state_and_active: tuple[PopulationState, jax.Array],
        slots: jax.Array,
        step: jax.Array,
    ) -> tuple[PopulationState, Metrics]:
        """One network on its share of the batch."""
        state, active = state_and_active
        trials = self._training_trials(keys.trials, step, slots)
        share = jax.lax.axis_index("batch")
        noise = jax.random.fold_in(jax.random.fold_in(keys.noise, step), share)
        weights, rule, metrics = self.rule.update(
            self.model, state.weights, state.rule, trials, step, noise, axis="batch"
        )
        new = PopulationState(weights, rule)
        keep = active & jnp.isfinite(metrics.loss) & jnp.isfinite(metrics.gradient_norm)
        return jax.tree.map(lambda a, b: jnp.where(keep, a, b), new, state), metrics

    def _training_trials(self, key: jax.Array, step: jax.Array, slots: jax.Array) -> Batch:
        """The trials at some positions of the batch of an update."""
        if self.rule.trials is None:
            return self.task.batch(trial_keys(jax.random.fold_in(key, step), slots))
        per_epoch = self.rule.steps_per_epoch
        assert per_epoch is not None  # it is a number wherever trials is
        order_key, set_key = jax.random.split(key)
        order = jax.random.permutation(
            jax.random.fold_in(order_key, step // per_epoch), self.rule.trials
        )
        positions = (step % per_epoch) * self.rule.batch + slots
        trials = self.task.batch(trial_keys(set_key, order[positions % self.rule.trials]))
        inside = (positions < self.rule.trials)[:, None, None]  # the last batch may be smaller
        return trials._replace(mask=trials.mask * inside)

    def _validate_one(self, keys: _Keys, weights: Weights, slots: jax.Array) -> jax.Array:
        """Validation loss of one network, batch after batch."""
        chunks = math.ceil(self.rule.validation / self.rule.batch)

        def chunk(index: jax.Array) -> tuple[jax.Array, jax.Array]:
            positions = index * self.rule.batch + slots
            trials = self.task.batch(trial_keys(keys.validation, positions))
            inside = (positions < self.rule.validation)[:, None, None]
            trials = trials._replace(mask=trials.mask * inside)
            noise = jax.random.fold_in(keys.validation, index)
            error = squared_error(self.model, weights, trials, noise)
            return jax.lax.psum(error, "batch"), mask_total(trials, "batch")

        errors, totals = jax.lax.map(chunk, jnp.arange(chunks))
        return errors.sum() / totals.sum()

    def _over_devices(self, one: Any, shared: int) -> Any:
        """Compile a function of one network's (keys, state), batch slots and `shared` more."""
        nets, batch, everywhere = PartitionSpec("net"), PartitionSpec("batch"), PartitionSpec()
        many = jax.vmap(one, in_axes=(0, 0, None) + (None,) * shared)
        spread = jax.shard_map(
            many,
            mesh=self._mesh,
            in_specs=(nets, nets, batch) + (everywhere,) * shared,
            out_specs=nets,
            check_vma=False,
        )
        slots = jnp.arange(self.rule.batch)
        return jax.jit(lambda keys, state, *rest: spread(keys, state, slots, *rest))


def _mesh(nets: int, batch: int) -> Mesh:
    """Devices as (net, batch): the networks divide evenly over one axis, trials over the other."""
    devices = jax.devices()
    over_nets = math.gcd(nets, len(devices))
    over_batch = math.gcd(batch, len(devices) // over_nets)
    used = np.array(devices[: over_nets * over_batch]).reshape(over_nets, over_batch)
    return Mesh(used, ("net", "batch"))


def _choose(which: jax.Array, first: jax.Array, second: jax.Array) -> jax.Array:
    return jnp.where(which.reshape(which.shape + (1,) * (first.ndim - 1)), first, second)
