"""What rules have in common that estimate a gradient without going back through the network."""

from __future__ import annotations

import json
from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple, Self

import jax
import jax.numpy as jnp
from pydantic import model_validator

from attractory._errors import InvalidSetting
from attractory.kernels import Shards
from attractory.models import Model, Weights
from attractory.rules._descent import Descent, trained_weights
from attractory.rules._loss import find_loss, mean_over_shards
from attractory.rules._losses import Loss
from attractory.rules._named import Named
from attractory.rules._rule import Info, RuleState
from attractory.tasks import Batch

OF_PERTURBATIONS = 2**31 - 3  # folded into a key: a stream that no shard uses
READOUT = ("output_weights", "output_bias")


class Keys(NamedTuple):
    """The random keys of a shard in an update.

    noise: for the model's noise. common: for perturbations that all shards share. own: for those
    of this shard's trials.
    """

    noise: jax.Array
    common: jax.Array
    own: jax.Array


class Estimate(Descent):
    """A rule that hands an estimate of the gradient to the optimiser: the base of such rules.

    The estimate is a sum over the steps and trials of a batch; the weights change once a batch.

    Parameters
    ----------
    loss : str
        Its name, as for `BPTT`.
    optimizer : str or dict
        As for every rule that descends a gradient; Adam is the usual one here.
    """

    newer_fields: ClassVar[tuple[str, ...]] = ()

    loss: str = "squared_error"
    optimizer: Named = "adam"

    @model_validator(mode="after")
    def _loss_known(self) -> Self:
        find_loss(self.loss)
        return self

    def _key(self) -> str:
        # what is registered anew under its name is another loss
        return json.dumps([super()._key(), id(self.loss_function)])

    @property
    def loss_function(self) -> Loss:
        return find_loss(self.loss)

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
        common = jax.random.fold_in(key, OF_PERTURBATIONS)

        def of_shard(given: tuple[jax.Array, Batch]) -> Any:
            index, own = given
            keys = Keys(jax.random.fold_in(key, index), common, jax.random.fold_in(common, index))
            found = self._of_trials(model, weights, state, own, keys)
            return found, jnp.sum(own.mask)

        sums, counted = shards.each(of_shard, (shards.indices(), trials))
        loss, gradients = mean_over_shards(sums, counted, shards)
        trained = {name: gradients[name] for name in trained_weights(model, weights)}
        values = {"loss": loss, **self._reported(weights, state)}
        return self.descended(model, weights, state, values, trained, step, key, shards)

    @abstractmethod
    def _of_trials(
        self, model: Model, weights: Weights, state: RuleState, trials: Batch, keys: Keys
    ) -> tuple[jax.Array, Weights]:
        """The loss, and what stands for the gradient by weight: sums over the trials."""

    def _reported(self, weights: Weights, state: RuleState) -> Info:
        """What an update reports beside its loss and gradient."""
        return {}


def before_each_step(model: Model, weights: Weights, states: jax.Array) -> jax.Array:
    """The states (time, trial, state) that the steps begin with, from those that they end in."""
    start = model.first_state(weights, states.shape[1], states.dtype)
    return jnp.concatenate([start[None], states[:-1]])


def of_synapses(
    model: Model, weights: Weights, inputs: jax.Array, before: jax.Array, of_sums: jax.Array
) -> Weights:
    """What is by a unit's sum (time, trial, unit), for each weight in that sum.

    inputs (time, trial, input), before (time, trial, state): what the weights multiply.
    """
    return {
        "recurrent_weights": jnp.einsum("tbu,tbv->uv", of_sums, model.rates(weights, before)),
        "input_weights": jnp.einsum("tbu,tbi->ui", of_sums, inputs),
        "bias": jnp.sum(of_sums, axis=(0, 1)),
    }


def of_readout(model: Model, states: jax.Array, of_outputs: jax.Array) -> Weights:
    """What is by an output (trial, time, output), for each weight of the readout."""
    return {
        "output_weights": jnp.einsum("bto,tbu->ou", of_outputs, model.hidden(states)),
        "output_bias": jnp.sum(of_outputs, axis=(0, 1)),
    }


def check_synapses(rule: str, model: Model, others: tuple[str, ...] = ()) -> None:
    """InvalidSetting for a model whose trained weights are not those of plain sums and a readout.

    Parameters
    ----------
    rule : str
        The name of the rule.
    model : Model
        The model.
    others : tuple of str
        Further weights that the rule can train.
    """
    allowed = "allowed: RateRNN, CurrentRNN, with recurrent weights of full rank"
    if model.form is None or model.recurrent_rank is not None:
        raise InvalidSetting(f"model: {rule} cannot train a {type(model).__name__}; {allowed}")
    known = ("recurrent_weights", "input_weights", "bias", *READOUT, *others)
    for name in filter(model.may_train, model.weight_shapes(1, 1)):
        inside = name == "bias" and getattr(model, "bias_inside", False)
        if name not in known or inside:
            which = f"{name} inside of phi" if inside else name
            raise InvalidSetting(
                f"model: {rule} cannot train the weights {which}; allowed in trainable: "
                f"{', '.join(n for n in known if not (inside and n == name))}"
            )
