"""Reservoir computing: the readout alone is learned, and solved for."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
from pydantic import Field, field_validator, model_validator

from attractory._errors import InvalidSetting
from attractory.kernels import Shards
from attractory.models import Constraints, Model, Weights
from attractory.rules._float64 import as_bits, from_bits
from attractory.rules._loss import mean_over_shards, squared_error
from attractory.rules._moments import (
    LEAST,
    covariances,
    moments,
    ridge_readouts,
    squared_errors,
)
from attractory.rules._rule import Info, Report, Rule, RuleState
from attractory.rules._solved_readout import check_readout, solves_bias
from attractory.tasks import Batch

USUAL_UNITS = 400  # a reservoir needs more than a network that is trained all through
READOUT = ("output_weights", "output_bias")


class Reservoir(Rule):
    """The readout alone is learned, by ridge regression in closed form; all else stays as it began.

    Every update adds a batch of trials to sums over the states and targets, and solves the readout
    from all trials so far with `running_ridge`, so that the loss of the next batch, which is new,
    tells how good it is. At the end the ridge is chosen for each output by cross-validation within
    these sums, and the readout is solved with it from all trials.

    The fields are those of every `Rule` (how many updates, of which trials, when it stops), and
    these. Leak, spectral radius, sparsity and input scaling are the model's: `tau`,
    `recurrent_gain`, `constraints=Constraints(density=...)`, `input_gain`.

    Parameters
    ----------
    steps, batch, check_every : int
        See `Rule`. Fewer updates of more trials: what counts is how many trials there are in all.
    washout : int
        Steps at the start of each trial that the readout is not solved on: there the states still
        show where they began. Losses and scores count what the task's mask counts.
    ridges : tuple of float
        The ridges to choose from, each as a share of the mean variance of the units' states; they
        are not less than 0, all different.
    folds : int
        Parts of the updates, each of which is left out once in the cross-validation: update i is in
        part i modulo folds.
    running_ridge : float
        The ridge of the readout before the end. Large, since few trials are there at first.

    Notes
    -----
    The least of Σ mask · (W h + c - target)² + ridge · v · |W|² is sought, where v is the mean
    over units of Σ mask · (h - mean h)²; the bias c is free. A readout without bias has the states
    as they are in place of h - mean h. The sums are float64, for states in float32.

    The report at the end has, for each network, "ridges" (ridge,), "errors" (ridge, output), the
    mean squared error in the cross-validation, "chosen_ridge" (output,), and
    "standard_deviations" (unit,), those of the states along their principal axes, largest first.

    References
    ----------
    Jaeger (2001), GMD Report 148; Maass, Natschläger & Markram (2002), Neural Comput. 14:2531;
    Lukoševičius (2012), A practical guide to applying echo state networks.
    """

    in_words: ClassVar[str] = "a readout solved by ridge regression"
    picture: ClassVar[str | None] = "ridge_readout"

    steps: int = Field(default=20, ge=1)
    batch: int = Field(default=32, ge=1)
    check_every: int = Field(default=5, ge=1)
    washout: int = Field(default=0, ge=0)
    # decades from where float64 sums are rounded to where little is left of the readout
    ridges: tuple[float, ...] = tuple(10.0**power for power in range(-13, 1))
    folds: int = Field(default=5, ge=2)
    running_ridge: float = Field(default=1e-3, gt=0, allow_inf_nan=False)

    @field_validator("ridges")
    @classmethod
    def _some_ridges(cls, ridges: tuple[float, ...]) -> tuple[float, ...]:
        if not ridges or len(set(ridges)) < len(ridges) or not all(0 <= r < 1e30 for r in ridges):
            raise ValueError("one or more different numbers, none below 0")
        return ridges

    @model_validator(mode="after")
    def _every_part_is_seen(self) -> Self:
        if self.epochs is not None and self.epochs > 1:
            raise ValueError(
                f"epochs = {self.epochs} is not allowed: 1, since trials that came again would be "
                "in several parts of the cross-validation"
            )
        if self.n_steps < self.folds:
            raise ValueError(
                f"folds = {self.folds} is not allowed: at most the {self.n_steps} updates, each of "
                "which is in one part"
            )
        return self

    def usual_model(self, model: Model) -> Model:
        """An echo-state network: tanh, sparse, spectral radius 0.95, time constants as they were.

        Parameters
        ----------
        model : Model
            That of the task's recipe.

        Returns
        -------
        Model
            The echo-state network; the recipe's model where its units are not plain ones.
        """
        if model.form is None or model.recurrent_rank is not None or model.weight_constraints:
            return model
        return model.replace(
            units=max(USUAL_UNITS, model.units),
            activation="tanh",
            recurrent_init="normal",
            recurrent_gain=0.95,
            input_init="normal",
            constraints=Constraints(density=0.1),
        )

    def adapt(self, model: Model) -> Model:
        check_readout("Reservoir", model)
        return model.replace(trainable=tuple(n for n in READOUT if model.may_train(n)))

    def init(self, model: Model, weights: Weights, key: jax.Array) -> RuleState:
        columns = model.units + 2  # with the 1 and the target
        shape = (self.folds, len(weights["output_weights"]), columns, columns)
        with jax.enable_x64(True):
            return {"moments": as_bits(jnp.zeros(shape, jnp.float64))}

    def update(
        self,
        model: Model,
        weights: Weights,
        state: RuleState,
        trials: Batch,
        step: jax.Array,
        key: jax.Array,
        shards: Shards | None = None,
    ) -> tuple[Weights, RuleState, Info]:
        if shards is None:
            shards, trials = Shards(), jax.tree.map(lambda x: x[None], trials)
        self._check_length(trials)

        def of_shard(given: tuple[jax.Array, Batch]) -> Any:
            index, own = given
            noise = jax.random.fold_in(key, index)
            states, outputs = model.run(weights, own.inputs, noise)
            error = squared_error(outputs, own.targets, own.mask)
            summed = self._moments(model, weights, states, own)
            return error, jnp.sum(own.mask), summed

        error, counted, summed = shards.each(of_shard, (shards.indices(), trials))
        loss = mean_over_shards(error, counted, shards)
        with jax.enable_x64(True):
            folds = from_bits(state["moments"])
            folds = folds.at[step % self.folds].add(shards.sum(from_bits(summed)))
            solved = self._solved(model, weights, folds.sum(0), jnp.asarray(self.running_ridge))
            bits = as_bits(folds)
        return solved, {"moments": bits}, {"loss": loss}

    def finish(self, model: Model, weights: Weights, state: RuleState) -> tuple[Weights, Report]:
        with jax.enable_x64(True):
            folds = from_bits(state["moments"])
            total = folds.sum(0)
            errors = self._errors(model, folds, total).astype(jnp.float32)
            deviations = _standard_deviations(total.sum(0)).astype(jnp.float32)
        # of equal ones the largest ridge: errors of nothing at all are equal
        ridges = jnp.asarray(self._ridges(), jnp.float32)
        chosen = ridges[jnp.argmin(errors, axis=0)]
        report = {"ridges": ridges, "errors": errors, "chosen_ridge": chosen}
        with jax.enable_x64(True):
            solved = self._solved(model, weights, total, chosen)
        return solved, {**report, "standard_deviations": deviations}

    def slowed(self, state: RuleState, factor: float | jax.Array) -> RuleState:
        return state  # nothing goes by steps

    def _ridges(self) -> list[float]:
        """The ridges, largest first."""
        return sorted(self.ridges, reverse=True)

    def _check_length(self, trials: Batch) -> None:
        steps = trials.inputs.shape[2]
        if self.washout >= steps:
            raise InvalidSetting(
                f"washout = {self.washout} is not allowed: less than the {steps} steps of a trial"
            )

    def _moments(
        self, model: Model, weights: Weights, states: jax.Array, trials: Batch
    ) -> jax.Array:
        """The moments of some trials after the washout; states (time, trial, state)."""
        hidden = model.hidden(states).swapaxes(0, 1)[:, self.washout :]
        targets, mask = trials.targets[:, self.washout :], trials.mask[:, self.washout :]
        if not solves_bias(model) and "output_bias" in weights:
            targets = targets - weights["output_bias"]
        return moments(hidden, targets, mask)

    def _solved(
        self, model: Model, weights: Weights, total: jax.Array, ridge: jax.Array
    ) -> Weights:
        """The weights with the readout of these moments (output, column, column)."""
        with_bias = solves_bias(model)
        ridges = jnp.broadcast_to(ridge, len(total))

        def of_output(given: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            into, bias = ridge_readouts(given[0], given[1][None], with_bias)
            return into[0], bias[0]

        into, bias = jax.lax.map(of_output, (total, ridges))
        made = {"output_weights": into, **({"output_bias": bias} if with_bias else {})}
        return {**weights, **{name: w.astype(jnp.float32) for name, w in made.items()}}

    def _errors(self, model: Model, folds: jax.Array, total: jax.Array) -> jax.Array:
        """Mean squared errors in the cross-validation, (ridge, output), largest ridge first."""
        ridges = jnp.asarray(self._ridges())

        def left_out(given: tuple[jax.Array, jax.Array]) -> jax.Array:
            """Errors of one output on one part, by ridge."""
            left, whole = given
            solved = ridge_readouts(whole - left, ridges, solves_bias(model))
            return jax.vmap(partial(squared_errors, left))(*solved)

        outputs = folds.shape[1]
        each_part = folds.reshape(-1, *folds.shape[2:])
        errors = jax.lax.map(left_out, (each_part, jnp.tile(total, (self.folds, 1, 1))))
        summed = errors.reshape(self.folds, outputs, -1).sum(0).T
        mean = summed / jnp.maximum(total[:, -2, -2], LEAST)
        return jnp.where(jnp.isfinite(mean), mean, jnp.inf)


def _standard_deviations(total: jax.Array) -> jax.Array:
    """Of the states along their principal axes, (unit,), largest first."""
    squares = covariances(total, centred=True)[0] / jnp.maximum(total[-2, -2], LEAST)
    return jnp.sqrt(jnp.maximum(jnp.linalg.eigvalsh(squares), 0.0))[::-1]
