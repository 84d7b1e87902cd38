"""What rules have in common that step along a gradient, or along something like one."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import optax
from pydantic import Field, field_validator, model_validator

from attractory.kernels import Shards
from attractory.models import Model, Weights
from attractory.rules._named import Chosen, Named, only_name
from attractory.rules._optimizer import chosen_optimizer, optimiser
from attractory.rules._rule import Info, Rule, RuleState
from attractory.rules._schedule import chosen_schedule, rates

OF_GRADIENT_NOISE = 2**31 - 2  # folded into the key of an update: a stream that no shard uses
NOISE_DECAY = 0.55  # how fast the variance of the gradients' noise falls (Neelakantan et al. 2015)


class Descent(Rule):
    """A rule whose updates are steps of an optimiser: the base of those that descend a gradient.

    A rule finds a direction for each weight that is trained, the gradient of a loss or what it has
    in place of one, and hands it to `descended`; the optimiser, the learning rate and its
    schedule, clipping, weight decay and the model's constraints are the same for all.

    Parameters
    ----------
    optimizer : str or dict
        Its name: "adam" [1]_; "muon" [2]_, the momentum of each matrix made orthogonal, vectors go
        by Adam; "sgd", gradient descent with momentum 0.9; any other of Optax's (the page on rules
        lists them); "fractional", gradient descent of fractional order [3]_; or one of your own
        (`attractory.rules.optimizer`). With settings: {"name": "adam", "b1": 0.8}.
    learning_rate : float
        The rate of the optimiser.
    recurrent_optimizer, recurrent_learning_rate : str or dict, float, optional
        The same for the recurrent weights alone; None takes the common ones.
    schedule : str or dict
        Its name: "cosine" falls to final_rate times the rate at the last step; "inverse_time" is
        rate / (1 + decay · step), Keras 2's learning-rate decay; "constant"; any other of those
        that the page lists, or one of your own (`attractory.rules.schedule`). With settings:
        {"name": "exponential", "decay_rate": 0.1}.
    final_rate : float
        The share of the rate that a schedule ends with: cosine, linear, polynomial, sgdr.
    decay : float
        How fast the rate of an inverse-time schedule falls, per update.
    warmup : int
        Updates over which the rate rises linearly, from rate / warmup to the rate; the schedule
        begins after it.
    weight_decay : float
        Every update takes rate · weight_decay of each trained weight away, beside the optimiser's
        own change (as AdamW [4]_). Not `decay`, which is the learning rate's.
    clip : float, optional
        Largest norm of the gradient; longer ones are scaled down to it. None: no clipping.
    gradient_noise : float
        The variance of the Gaussian noise on each entry of the gradient in the first update, which
        falls as 1 / (1 + step)^0.55 [5]_; 0: none. It is added after clipping, so that it has this
        variance, and before the optimiser.

    Notes
    -----
    Every update reports "gradient_norm", the norm of the gradient before clipping. The rate in the
    history is the common one.

    The rates are arguments of the compiled program, unless the schedule looks at them: a rule of
    your own has them in `update`, and wherever else it is asked within a program, as numbers that
    JAX traces.

    References
    ----------
    .. [1] Kingma & Ba (2014).
    .. [2] Jordan et al. (2024).
    .. [3] Khan et al. (2018), Circuits Syst. Signal Process. 37:593.
    .. [4] Loshchilov & Hutter (2019), ICLR.
    .. [5] Neelakantan et al. (2015), arXiv:1511.06807.
    """

    newer_fields: ClassVar[tuple[str, ...]] = ("weight_decay", "gradient_noise")

    optimizer: Named = "muon"
    learning_rate: float = Field(default=3e-3, gt=0, allow_inf_nan=False)
    recurrent_optimizer: Named | None = None
    recurrent_learning_rate: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    schedule: Named = "cosine"
    final_rate: float = Field(default=0.02, ge=0, le=1)
    decay: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    warmup: int = Field(default=20, ge=0)
    weight_decay: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    clip: float | None = Field(default=1.0, gt=0, allow_inf_nan=False)
    gradient_noise: float = Field(default=0.0, ge=0, allow_inf_nan=False)

    @field_validator("optimizer", "recurrent_optimizer", "schedule", mode="after")
    @classmethod
    def _without_settings_a_name(cls, value: Any) -> Any:
        return only_name(value)

    @model_validator(mode="after")
    def _can_be_made(self) -> Self:
        self._optimizer(None)
        return self

    def _key(self) -> str:
        # what is registered anew under its name is another optimiser, or schedule
        named = [*self._chosen_optimizers(), chosen_schedule(self.schedule)]
        return json.dumps([super()._key(), [id(each.maker.function) for each in named]])

    @property
    def numbers(self) -> dict[str, float]:
        """The learning rates, so that another rate needs no new program.

        None where the schedule looks at its rate, and each rate has a schedule of its own.
        """
        rates = {"learning_rate": self.learning_rate}
        if self.recurrent_learning_rate is not None:
            rates["recurrent_learning_rate"] = self.recurrent_learning_rate
        return rates if _takes_any_rate(self.with_numbers(dict.fromkeys(rates, 1.0))) else {}

    def rate(self, step: int) -> float:
        return float(self._schedule(self.learning_rate)(step))

    def init(self, model: Model, weights: Weights, key: jax.Array) -> RuleState:
        return {
            "optimizer": self._optimizer(Shards()).init(trained_weights(model, weights)),
            "rate_factor": jnp.ones(()),  # on the rate, until a network is slowed
        }

    def slowed(self, state: RuleState, factor: float | jax.Array) -> RuleState:
        return {**state, "rate_factor": factor * state["rate_factor"]}

    def descended(
        self,
        model: Model,
        weights: Weights,
        state: RuleState,
        values: Info,
        gradients: Weights,
        step: jax.Array,
        key: jax.Array,
        shards: Shards | None,
    ) -> tuple[Weights, RuleState, Info]:
        """What an update returns, once it has found a gradient.

        Parameters
        ----------
        model : Model
            The model of the network.
        weights : dict of arrays
            Its weights before the update.
        state : dict
            The rule's state before it: what `init` made here, and what a rule adds to it.
        values : dict of scalar arrays
            What the update reports, "loss" among it.
        gradients : dict of arrays
            For each weight that is trained (`Model.may_train`) the gradient, or what stands for it:
            the step is against it. The same on all devices that share the batch.
        step : int array
            The update, counted from 0.
        key : JAX random key
            That of the update.
        shards : Shards, optional
            How devices share the batch.

        Returns
        -------
        weights : dict of arrays
            The new weights.
        state : dict
            The new state.
        info : dict of scalar arrays
            The report, with "gradient_norm", and with a loss that is NaN where the gradient is not
            finite.
        """
        trained = trained_weights(model, weights)
        allowed = model.allowed_changes(gradients, weights, gradients)
        noise = self._noise(model, weights, gradients, step, key)
        changes, optimizer_state = self._optimizer(shards, noise).update(
            allowed, state["optimizer"], trained
        )
        changes = model.allowed_changes(changes, weights, gradients)
        changes = jax.tree.map(lambda change: state["rate_factor"] * change, changes)
        changed = {**weights, **optax.apply_updates(trained, changes)}
        changed = self._after_step(model, changed, state["rate_factor"], step)
        norm = optax.tree.norm(allowed)
        # a gradient without a length has no direction either: clipped to 0, it would pass unseen
        loss = jnp.where(jnp.isfinite(norm), values["loss"], jnp.nan)
        return (
            model.constrained(changed, weights),
            {**state, "optimizer": optimizer_state},
            {**values, "loss": loss, "gradient_norm": norm},
        )

    def _after_step(
        self, model: Model, weights: Weights, rate_factor: jax.Array, step: jax.Array
    ) -> Weights:
        """The weights that the constraints are put on, from those after the optimiser's step."""
        return weights

    def _optimizer(
        self, shards: Shards | None, noise: Weights | None = None
    ) -> optax.GradientTransformation:
        """What makes changes of gradients. noise: what is added to these, where there is any."""
        common, recurrent = self._chosen_optimizers()
        groups = {
            "common": self._optimizer_of(common, self.learning_rate, shards),
            "recurrent": self._optimizer_of(recurrent, self._recurrent_rate, shards),
        }
        chain = [optax.partition(groups, _group)]
        if self.gradient_noise > 0:
            chain.insert(0, optax.stateless(lambda found, _: jax.tree.map(jnp.add, found, noise)))
        if self.clip is not None:
            chain.insert(0, optax.clip_by_global_norm(self.clip))
        return optax.chain(*chain) if len(chain) > 1 else chain[0]

    def _optimizer_of(
        self, named: Chosen, rate: float, shards: Shards | None
    ) -> optax.GradientTransformation:
        return optimiser(named, self._schedule(rate), self.weight_decay, shards)

    def _chosen_optimizers(self) -> tuple[Chosen, Chosen]:
        """The common optimiser, and that of the recurrent weights."""
        common = chosen_optimizer("optimizer", self.optimizer)
        own = self.recurrent_optimizer
        return common, common if own is None else chosen_optimizer("recurrent_optimizer", own)

    @property
    def _recurrent_rate(self) -> float:
        own = self.recurrent_learning_rate
        return self.learning_rate if own is None else own

    def _schedule(self, rate: float) -> optax.Schedule:
        return rates(
            chosen_schedule(self.schedule),
            rate,
            self.n_steps,
            self.warmup,
            final_rate=self.final_rate,
            decay=self.decay,
        )

    def _noise(
        self, model: Model, weights: Weights, gradients: Weights, step: jax.Array, key: jax.Array
    ) -> Weights | None:
        """The noise of an update's gradients, the same on all devices that share the batch."""
        if self.gradient_noise == 0:
            return None
        own = jax.random.fold_in(key, OF_GRADIENT_NOISE)
        spread = jnp.sqrt(self.gradient_noise / (1.0 + step) ** NOISE_DECAY)
        drawn = {
            name: spread * jax.random.normal(jax.random.fold_in(own, i), array.shape, array.dtype)
            for i, (name, array) in enumerate(sorted(gradients.items()))
        }
        return model.allowed_changes(drawn, weights, gradients)


@lru_cache(maxsize=64)
def _takes_any_rate(rule: Descent) -> bool:
    """Whether the schedule of a rule only computes with its rate."""
    try:
        jax.eval_shape(lambda rate, step: rule._schedule(rate)(step), rule.learning_rate, 0)
    except jax.errors.JAXTypeError:
        return False
    return True


def trained_weights(model: Model, weights: Weights) -> Weights:
    """The weights that the model lets a rule change."""
    return {name: w for name, w in weights.items() if model.may_train(name)}


def _group(weights: Weights) -> dict[str, str]:
    return {name: "recurrent" if name == "recurrent_weights" else "common" for name in weights}
