"""A network that learns while it runs: steps of it, and between them recursive least squares."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from attractory.kernels import Shards
from attractory.models import Model, Weights
from attractory.rules._least_squares import after_sample, symmetric, with_pending
from attractory.rules._rule import Info
from attractory.tasks import Batch

# most samples between two writes of P, which is read for each: a write costs as much as about 20
# reads (of 1000 units), and what waits to be written (64 x 1000 numbers) stays in a core's cache
SAMPLES_OF_BLOCK = 64


class Learned(NamedTuple):
    """What one trial hands on to the next.

    inverse: P (regressor, regressor), solved (row, regressor), the weights that are solved for,
    both float64. state: that of the network (and of what runs beside it).
    """

    inverse: jax.Array
    solved: jax.Array
    state: Any


class Sums(NamedTuple):
    """Of what happened, over steps and changes of the weights; all are numbers."""

    loss: jax.Array
    before: jax.Array
    after: jax.Array
    change: jax.Array
    errors: jax.Array
    samples: jax.Array


class Given(NamedTuple):
    """A trial step by step; alive: False of steps that only fill up the last block.

    beside: what else runs beside the network hears (time, any).
    """

    inputs: jax.Array
    targets: jax.Array
    mask: jax.Array
    beside: jax.Array
    times: jax.Array
    alive: jax.Array


class OnlineRun:
    """One network that learns while it runs; to be traced with `jax.enable_x64`.

    Of a rule that solves for the readout; one that solves for more overrides what is said of it.

    Parameters
    ----------
    model : Model
        The model of the network.
    weights : dict of arrays
        Its weights before.
    begin : array (state,)
        Where trials begin.
    speed : float64 array
        What changes are multiplied by.
    every : int
        Steps between two changes.
    carry : bool
        Whether a trial begins where the one before ended.
    """

    def __init__(
        self,
        model: Model,
        weights: Weights,
        begin: Any,
        speed: jax.Array,
        every: int,
        carry: bool,
    ) -> None:
        self.model, self.weights, self.begin = model, weights, begin
        self.speed, self.every, self.carry = speed, every, carry

    def solved(self) -> jax.Array:
        """The weights that are solved for, before the first trial, (row, regressor)."""
        raise NotImplementedError

    def weights_of(self, solved: jax.Array) -> Weights:
        """The same as weights of the network, in float32."""
        raise NotImplementedError

    def regressors(self, state: Any) -> jax.Array:
        """What they multiply, (regressor,) in float64."""
        raise NotImplementedError

    def output(self, solved: jax.Array, state: Any) -> jax.Array:
        """What the network says (output,)."""
        raise NotImplementedError

    def wanted(self, state: Any, now: Given) -> tuple[jax.Array, jax.Array]:
        """What each row should give at a step, and 1 or 0: whether that counts; (row,) each."""
        raise NotImplementedError

    def beside(self, trial: Batch) -> jax.Array:
        """What else runs beside the network hears in a trial, (time, any)."""
        return jnp.zeros((len(trial.inputs), 0), jnp.float32)

    def moved(self, weights: Weights, state: Any, at: Given, key: jax.Array | None) -> Any:
        """The next state."""
        return self.model.step(weights, state, at.inputs, key)

    def trial(self, learned: Learned, given: tuple[Batch, jax.Array]) -> tuple[Learned, Sums]:
        """What is learned in one trial, with a key for its noise."""
        trial, key = given
        if not self.carry:
            learned = learned._replace(state=self.begin)

        def block(learned: Learned, now: Given) -> tuple[Learned, Sums]:
            pending = jnp.zeros((len(now.alive), len(learned.inverse)), jnp.float64)
            own = (learned.solved, learned.state, pending)
            places = jnp.arange(len(now.alive))
            (solved, state, pending), sums = jax.lax.scan(
                lambda own, each: self._sample(learned.inverse, key, own, each), own, (now, places)
            )
            return Learned(with_pending(learned.inverse, pending), solved, state), summed(sums)

        learned, sums = jax.lax.scan(block, learned, self._blocks(trial))
        return learned._replace(inverse=symmetric(learned.inverse)), summed(sums)

    def _blocks(self, trial: Batch) -> Given:
        """The trial as (block, sample, step, …)."""
        steps = len(trial.inputs)
        changes = -(-steps // self.every)
        blocks = -(-changes // SAMPLES_OF_BLOCK)
        samples = -(-changes // blocks)  # alike, so that few fill up the last block
        filled = blocks * samples * self.every - steps
        times, alive = jnp.arange(steps), jnp.ones(steps, bool)
        own = (trial.inputs, trial.targets, trial.mask, self.beside(trial))

        def cut(array: jax.Array) -> jax.Array:
            whole = jnp.pad(array, [(0, filled), *[(0, 0)] * (array.ndim - 1)])
            return whole.reshape(blocks, samples, self.every, *array.shape[1:])

        return jax.tree.map(cut, Given(*own, times, alive))

    def _sample(self, inverse: jax.Array, key: jax.Array, own: Any, each: Any) -> Any:
        """Some steps of the network, then one change of its weights."""
        solved, state, pending = own
        now, place = each
        weights = {**self.weights, **self.weights_of(solved)}

        def step(state: Any, at: Given) -> tuple[Any, jax.Array]:
            noise = jax.random.fold_in(key, at.times) if self.model.has_cell_noise() else None
            moved = self.moved(weights, state, at, noise)
            state = jax.tree.map(
                lambda new, old: jnp.where(at.alive, new.astype(old.dtype), old), moved, state
            )
            error = self.output(solved, state) - at.targets
            return state, jnp.sum(at.mask * error**2)

        state, losses = jax.lax.scan(step, state, now)
        last = jax.tree.map(lambda array: array[-1], now)
        targets, counted = self.wanted(state, last)
        counted = counted * last.alive
        regressors = self.regressors(state)
        made = after_sample(inverse, pending, solved, regressors, targets, counted, self.speed)
        sums = Sums(
            loss=jnp.sum(losses),
            before=jnp.sum(made.before**2),
            after=jnp.sum(made.after**2),
            change=jnp.linalg.norm(made.solved - solved),
            errors=jnp.sum(counted),
            samples=jnp.max(counted),
        )
        return (made.solved, state, pending.at[place].set(made.factor)), sums


def whole_batch(trials: Batch, shards: Shards | None) -> Batch:
    """The trials of a batch one after another, also where devices share them."""
    if shards is None:
        return trials
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), shards.all(trials))


def summed(sums: Sums) -> Sums:
    """The sums of several blocks or trials as one."""
    return jax.tree.map(lambda each: jnp.sum(each, axis=0), sums)


def report(sums: Sums, last: Learned, trials: Batch) -> Info:
    """The numbers of an update, from the sums of each of its trials."""
    total = summed(sums)
    errors, samples = jnp.maximum(total.errors, 1.0), jnp.maximum(total.samples, 1.0)
    info = {
        "loss": total.loss / jnp.maximum(jnp.sum(trials.mask), 1e-12),
        "error_before_change": jnp.sqrt(total.before / errors),
        "error_after_change": jnp.sqrt(total.after / errors),
        "weight_change": total.change / samples,
        "inverse_correlation_trace": jnp.trace(last.inverse),
    }
    return {name: value.astype(jnp.float32) for name, value in info.items()}
