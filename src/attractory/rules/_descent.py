"""What rules have in common that step along a gradient, or along something like one."""

from __future__ import annotations

from typing import ClassVar, Literal

import jax
import jax.numpy as jnp
import optax
from pydantic import Field

from attractory.kernels import Shards
from attractory.models import Model, Weights
from attractory.rules._optimizer import Optimizer, optimiser
from attractory.rules._rule import Info, Rule, RuleState


class Descent(Rule):
    """A rule whose updates are steps of an optimiser: the base of those that descend a gradient.

    A rule finds a direction for each weight that is trained, the gradient of a loss or what it has
    in place of one, and hands it to `_descended`; the optimiser, the learning rate and its
    schedule, clipping, weight decay and the model's constraints are the same for all.

    Parameters
    ----------
    optimizer : "adam", "muon" or "sgd"
        Adam [1]_; Muon [2]_: the momentum of each matrix made orthogonal, vectors go by Adam; or
        gradient descent with momentum 0.9.
    learning_rate : float
        The rate of the optimiser.
    recurrent_optimizer, recurrent_learning_rate : str, float, optional
        The same for the recurrent weights alone; None takes the common ones.
    schedule : "cosine", "inverse_time" or "constant"
        "cosine" falls to final_rate times the rate at the last step; "inverse_time" is
        rate / (1 + decay · step), Keras 2's learning-rate decay.
    final_rate : float
        The share of the rate that a cosine schedule ends with.
    decay : float
        How fast the rate of an inverse-time schedule falls, per update.
    warmup : int
        Updates over which the rate rises linearly, from rate / warmup to the rate; the schedule
        begins after it.
    weight_decay : float
        Every update takes rate · weight_decay of each trained weight away, beside the optimiser's
        own change (as AdamW [3]_). Not `decay`, which is the learning rate's.
    clip : float, optional
        Largest norm of the gradient; longer ones are scaled down to it. None: no clipping.

    Notes
    -----
    Every update reports "gradient_norm", the norm of the gradient before clipping. The rate in the
    history is the common one.

    References
    ----------
    .. [1] Kingma & Ba (2014).
    .. [2] Jordan et al. (2024).
    .. [3] Loshchilov & Hutter (2019), ICLR.
    """

    newer_fields: ClassVar[tuple[str, ...]] = ("weight_decay",)

    optimizer: Optimizer = "muon"
    learning_rate: float = Field(default=3e-3, gt=0, allow_inf_nan=False)
    recurrent_optimizer: Optimizer | None = None
    recurrent_learning_rate: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    schedule: Literal["cosine", "inverse_time", "constant"] = "cosine"
    final_rate: float = Field(default=0.02, ge=0, le=1)
    decay: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    warmup: int = Field(default=20, ge=0)
    weight_decay: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    clip: float | None = Field(default=1.0, gt=0, allow_inf_nan=False)

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
        changes, optimizer_state = self._optimizer(shards).update(
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

    def _optimizer(self, shards: Shards | None) -> optax.GradientTransformation:
        groups = {
            "common": self._optimizer_of(self.optimizer, self.learning_rate, shards),
            "recurrent": self._optimizer_of(
                self.recurrent_optimizer or self.optimizer,
                self.recurrent_learning_rate or self.learning_rate,
                shards,
            ),
        }
        by_group = optax.partition(groups, _group)
        if self.clip is None:
            return by_group
        return optax.chain(optax.clip_by_global_norm(self.clip), by_group)

    def _optimizer_of(
        self, name: Optimizer, rate: float, shards: Shards | None
    ) -> optax.GradientTransformation:
        return optimiser(name, self._schedule(rate), self.weight_decay, shards)

    def _schedule(self, rate: float) -> optax.Schedule:
        after = max(1, self.n_steps - 1 - self.warmup)  # the last update has the final rate
        shapes = {
            "constant": optax.constant_schedule(rate),
            "cosine": optax.cosine_decay_schedule(rate, after, alpha=self.final_rate),
            "inverse_time": lambda step: rate / (1.0 + self.decay * step),
        }
        main = shapes[self.schedule]
        if self.warmup == 0:
            return main
        rise = optax.linear_schedule(rate / self.warmup, rate, self.warmup)
        return optax.join_schedules([rise, main], [self.warmup])


def trained_weights(model: Model, weights: Weights) -> Weights:
    """The weights that the model lets a rule change."""
    return {name: w for name, w in weights.items() if model.may_train(name)}


def _group(weights: Weights) -> dict[str, str]:
    return {name: "recurrent" if name == "recurrent_weights" else "common" for name in weights}
