"""Backpropagation through time: a loss and penalties, and their gradient."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
from pydantic import Field, model_validator

from attractory._errors import InvalidSetting
from attractory.kernels import Precision, Shards
from attractory.models import Model, Weights
from attractory.rules._descent import Descent, trained_weights
from attractory.rules._lanes import begin_of, first_lanes, lanes_after
from attractory.rules._loss import find_loss
from attractory.rules._losses import Loss
from attractory.rules._objective import Objective
from attractory.rules._penalty import terms_of
from attractory.rules._rule import Info, RuleState
from attractory.rules._windows import check_windows
from attractory.tasks import Batch, Task

OF_DROPOUT = 2**31 - 1  # folded into the key of an update: a stream that no shard uses


class BPTT(Descent):
    """Gradient descent on a loss, by backpropagation through time.

    The fields are those of every `Rule` (how many updates, of which trials, when it stops), those
    of every `Descent` (the optimiser, its rate and schedule, weight decay, clipping, noise), and
    these.

    Parameters
    ----------
    loss : str
        Its name: "squared_error", the mean over what the mask counts; "sigmoid_cross_entropy",
        "softmax_cross_entropy", "cosine"; or one of your own (`attractory.rules.loss`).
    penalties : dict
        What is added to the loss: the weight of each penalty by its name, {"rates_l2": 1e-3}; or
        its settings, {"rates": {"penalty": "rates_l2", "weight": 1e-3}}, with "of" for the names of
        the weights of one that is of weights, and a name of your own, for the history, where
        "penalty" says which it is. Weight 0: measured, not trained. The page on losses and
        penalties lists them; your own: `attractory.rules.penalty`.
    dropout : float
        The share of the units that send nothing in an update, in all of its trials and steps; the
        others send 1 / (1 - dropout) times as much [1]_. Which they are is drawn anew for every
        update.
    orthogonal_pull : float
        After every update the singular values of the recurrent weights are moved towards 1 by
        orthogonal_pull times the learning rate, those that are closer become 1; 0: none. Refused
        for a model with constraints, which would undo it.
    pull_every : int
        Updates between two such steps (each then moves pull_every times as far).
    precision : "float32" or "bfloat16"
        Of the recurrent products, forward and backward. "bfloat16" (8 bits; weights, states,
        gradients and the optimiser stay float32) is about 1.7 times as fast on a processor that has
        it, and float32 on one that has not.
    window : int, optional
        Steps through which a gradient goes back (truncated backpropagation [2]_): a trial is cut
        into windows of so many steps, each begins in the state in which the one before ended, and
        takes it as given. The states, the loss and the one update of a batch are those of whole
        trials. None: to the beginning of the trial.
    carry : bool
        Whether trials are pieces of one signal: the trial at each place in the batch begins in the
        state in which the one at this place in the update before has ended, taken as given. The
        first ones, those of the validation, and the finished network begin in the network's own
        state. False: each trial begins anew.

    Notes
    -----
    The pull is the proximal step of a nuclear-norm penalty on the distance to the orthogonal
    matrices. Only the few directions that the task needs leave the orthogonal matrix.

    Beside the loss, which is without penalties, an update reports "gradient_norm", the norm of the
    gradient before clipping, penalties included, and the value of each penalty by its name, without
    its weight. The rate in the history is the common one. Validation is without penalties and
    without dropout.

    References
    ----------
    Backpropagation through time: Werbos (1990).

    .. [1] Srivastava et al. (2014), J. Mach. Learn. Res. 15:1929.
    .. [2] Williams & Peng (1990), Neural Comput. 2:490.
    """

    in_words: ClassVar[str] = "backpropagation through time"

    newer_fields: ClassVar[tuple[str, ...]] = (
        *Descent.newer_fields,
        "loss",
        "penalties",
        "dropout",
        "window",
        "carry",
    )

    loss: str = "squared_error"
    penalties: dict[str, Any] = Field(default={})
    dropout: float = Field(default=0.0, ge=0, lt=1)
    orthogonal_pull: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    pull_every: int = Field(default=1, ge=1)
    precision: Precision = "float32"
    window: int | None = Field(default=None, ge=1)
    carry: bool = False

    @classmethod
    def paper(cls, **changes: Any) -> Self:
        """The published protocol (Jarne 2024, Table 1, section 4, and its code).

        Adam 1e-4 with Keras 2's decay 1e-4, 30 050 fixed trials, batch 128, at most 20 epochs, 50
        held-out trials, stop when an epoch's training loss is below 0.009, weights kept after every
        epoch, no clipping.

        Parameters
        ----------
        **changes : settings
            Single settings that are to be others.

        Returns
        -------
        BPTT
            The rule.
        """
        published: dict[str, Any] = {
            "optimizer": "adam",
            "learning_rate": 1e-4,
            "schedule": "inverse_time",
            "decay": 1e-4,
            "warmup": 0,
            "clip": None,
            "trials": 30_050,
            "epochs": 20,
            "batch": 128,
            "validation": 50,
            "stop_below": 0.009,
            "on_divergence": "continue",
            "keep_checks": True,
        }
        return cls(**{**published, **changes})

    @classmethod
    def near_orthogonal(cls, **changes: Any) -> Self:
        """Fast training that keeps the recurrent weights near an orthogonal matrix.

        Muon on all matrices with small batches, and a pull of the singular values towards 1. For
        networks that start orthogonal: few eigenvalues leave the unit circle, as in the paper's
        figures 4 and 5.

        Parameters
        ----------
        **changes : settings
            Single settings that are to be others.

        Returns
        -------
        BPTT
            The rule.
        """
        recipe: dict[str, Any] = {
            "optimizer": "muon",
            "learning_rate": 1e-2,
            "orthogonal_pull": 0.5,
            "pull_every": 4,
            "batch": 8,
            "steps": 600,
            "validation": 128,
            "check_every": 200,
        }
        return cls(**{**recipe, **changes})

    @model_validator(mode="after")
    def _names_known(self) -> Self:
        find_loss(self.loss)
        for label in ("loss", "gradient_norm"):
            if label in self.penalties:
                raise ValueError(f"penalties: {label!r} is what an update reports itself")
        terms_of(self.penalties)
        return self

    def _key(self) -> str:
        # what is registered anew under its name is another loss, or penalty
        functions = [self.loss_function, *(term.penalty.function for term in self._objective.terms)]
        return json.dumps([super()._key(), list(map(id, functions))])

    @property
    def _objective(self) -> Objective:
        terms = terms_of(self.penalties)
        return Objective(self.loss_function, terms, self.precision, self.window)

    @property
    def loss_function(self) -> Loss:
        return find_loss(self.loss)

    def remark(self, model: Model) -> str | None:
        missing = model.bfloat16_missing() if self.precision == "bfloat16" else None
        return missing and f"precision = 'bfloat16': {missing}; training in float32"

    def adapt(self, model: Model) -> Model:
        if self.orthogonal_pull > 0 and getattr(model, "constraints", None) is not None:
            raise InvalidSetting(
                f"orthogonal_pull = {self.orthogonal_pull} contradicts the model's constraints: "
                "they would undo it; allowed with them: 0"
            )
        return model

    def check(self, task: Task, model: Model) -> None:
        super().check(task, model)
        for term in self._objective.terms:
            term.check(task, model)
        if self.window is not None and self.window < task.n_steps:
            check_windows(self.window, model)
        if self.dropout > 0:
            shapes = model.weight_shapes(task.n_inputs, task.n_outputs)
            weights = {name: jax.ShapeDtypeStruct(s, jnp.float32) for name, s in shapes.items()}
            jax.eval_shape(
                model.with_sent, weights, jax.ShapeDtypeStruct((model.all_units,), jnp.float32)
            )

    def init(self, model: Model, weights: Weights, key: jax.Array) -> RuleState:
        begun = super().init(model, weights, key)
        return {**begun, **first_lanes(self.carry, model, weights, self.batch)}

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
        trained = trained_weights(model, weights)
        kept = self._kept(model, trained, key)
        begin = begin_of(state, shards)
        values, gradients, ends = self._objective.gradients(
            model, weights, trained, trials, key, shards, kept, begin
        )
        changed, state, info = self.descended(
            model, weights, state, values, gradients, step, key, shards
        )
        return changed, {**state, **lanes_after(ends, shards)}, info

    def _kept(self, model: Model, weights: Weights, key: jax.Array) -> jax.Array | None:
        """What each unit's sending is multiplied by, 0 for those that are dropped; None: all by 1.

        The same for all shards: they share the weights.
        """
        if self.dropout == 0:
            return None
        own = jax.random.fold_in(key, OF_DROPOUT)
        stays = jax.random.bernoulli(own, 1.0 - self.dropout, (model.all_units,))
        dtype = next(iter(weights.values())).dtype
        return stays.astype(dtype) / (1.0 - self.dropout)

    def _after_step(
        self, model: Model, weights: Weights, rate_factor: jax.Array, step: jax.Array
    ) -> Weights:
        """The weights after the pull towards the orthogonal matrices, where it is due."""
        if self.orthogonal_pull == 0 or not model.may_train("recurrent_weights"):
            return weights
        rate = self._schedule(self._recurrent_rate)(step)
        amount = self.pull_every * self.orthogonal_pull * rate * rate_factor
        pulled = jax.lax.cond(
            step % self.pull_every == self.pull_every - 1,
            lambda matrix: pull_to_orthogonal(matrix, amount),
            lambda matrix: matrix,
            weights["recurrent_weights"],
        )
        return {**weights, "recurrent_weights": pulled}


def pull_to_orthogonal(matrix: jax.Array, amount: jax.Array) -> jax.Array:
    """Move all singular values towards 1 by `amount`, and those closer than that to 1.

    The proximal operator of amount · ‖W - Q‖_* where Q is the orthogonal matrix nearest to W (its
    polar factor): soft thresholding of the singular values' distance from 1 (Cai, Candès & Shen
    2010, theorem 2.1, around Q instead of 0).
    """
    squared, right = jnp.linalg.eigh(matrix.T @ matrix)
    singular = jnp.sqrt(jnp.maximum(squared, 1e-8))
    distance = singular - 1.0
    moved = 1.0 + jnp.sign(distance) * jnp.maximum(jnp.abs(distance) - amount, 0.0)
    return (matrix @ right * (moved / singular)) @ right.T
