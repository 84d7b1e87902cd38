"""What the training loop asks of a learning rule."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

import jax
from pydantic import Field, model_validator

from attractory._settings import Settings
from attractory.kernels import Shards
from attractory.models import Model, Weights
from attractory.rules._loss import check_fits, loss_of_trials
from attractory.rules._losses import Loss, squared_error
from attractory.tasks import Batch, Task

RuleState = dict[str, Any]
Info = dict[str, jax.Array]  # what an update reports, by name: numbers, "loss" among them
Report = dict[str, jax.Array]  # what a rule reports at the end, by name: arrays of any shape


class Rule(Settings, ABC):
    """A learning rule: pure `init` and `update` with explicit state, for one network.

    Parameters
    ----------
    steps : int
        Number of updates (set by epochs and trials when these are given).
    batch : int
        Trials in one update.
    trials, epochs : int, optional
        A fixed set of `trials` trials a network, gone through `epochs` times in random order (the
        last batch of an epoch may be smaller). Both None: fresh trials at every update.
    validation : int
        Number of trials, never trained on, for the validation loss; 0: none.
    check_every : int
        Updates between two checks (validation, early stopping); an epoch when trials and epochs are
        given.
    stop_below : float, optional
        A network stops when its mean training loss since the last check falls below this.
    patience : int, optional
        A network stops after this many checks without a better validation loss, and keeps the
        weights of the best one.
    on_divergence : "retry", "stop" or "continue"
        "retry" goes back to the last good state with half the rate, three times at the most, then
        stops; "stop" goes back and stops; "continue" notes it and goes on, unless numbers are no
        longer finite.
    keep_checks : bool
        Whether to keep the weights of every check as a file of their own, for `Run.checks`.
    """

    in_words: ClassVar[str]  # what it is called on the page: "trained by ..."
    # figures in `attractory.figures` by name: of the history of its runs (it takes what
    # `learning_curve` takes), and of what it reports at the end
    picture_of_history: ClassVar[str] = "learning_curve"
    picture: ClassVar[str | None] = None

    steps: int = Field(default=500, ge=1)
    batch: int = Field(default=8, ge=1)
    trials: int | None = Field(default=None, ge=1)
    epochs: int | None = Field(default=None, ge=1)
    validation: int = Field(default=0, ge=0)
    check_every: int = Field(default=50, ge=1)
    stop_below: float | None = Field(default=None, gt=0)
    patience: int | None = Field(default=None, ge=1)
    on_divergence: Literal["retry", "stop", "continue"] = "retry"
    keep_checks: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.trials is None) != (self.epochs is None):
            raise ValueError(
                f"trials = {self.trials} and epochs = {self.epochs} go together: both or neither"
            )
        if self.patience is not None and self.validation == 0:
            raise ValueError(f"patience = {self.patience} needs validation trials (validation = 0)")
        return self

    @property
    def steps_per_epoch(self) -> int | None:
        """Updates in one pass through the fixed set; None with fresh trials."""
        return None if self.trials is None else math.ceil(self.trials / self.batch)

    @property
    def n_steps(self) -> int:
        """Number of updates in all."""
        if self.steps_per_epoch is None or self.epochs is None:
            return self.steps
        return self.steps_per_epoch * self.epochs

    @property
    def check_interval(self) -> int:
        """Updates between two checks."""
        return self.steps_per_epoch or self.check_every

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        if not hasattr(cls, "in_words"):
            cls.in_words = cls.__name__

    def rate(self, step: int) -> float:
        """The learning rate at an update, for the history.

        Parameters
        ----------
        step : int
            The update, counted from 0.

        Returns
        -------
        float
            The rate; NaN where there is none.
        """
        return math.nan

    @property
    def numbers(self) -> dict[str, float]:
        """Fields that compiled programs take as arguments, by name.

        Rules that differ in these alone share their programs. In `init`, `update`, `error`,
        `finish` and `slowed` they are numbers that JAX traces: to be computed with, not to be
        looked at.
        """
        return {}

    def with_numbers(self, numbers: Mapping[str, Any]) -> Self:
        """The rule inside of a program, with the arguments in place of its own `numbers`.

        Parameters
        ----------
        numbers : dict of scalar arrays
            By the names of fields; they are not checked.

        Returns
        -------
        Rule
            The same rule with these.
        """
        return self.model_copy(update=dict(numbers))

    @property
    def program_of(self) -> Self:
        """The rule whose programs are this one's: the same for all that differ in `numbers`."""
        return self.with_numbers(dict.fromkeys(self.numbers, 1.0))

    def remark(self, model: Model) -> str | None:
        """What the user should know before training begins.

        Parameters
        ----------
        model : Model
            The model to be trained.

        Returns
        -------
        str or None
            The remark; None: nothing.
        """
        return None

    def usual_model(self, model: Model) -> Model:
        """The model that is trained where none is asked for.

        Parameters
        ----------
        model : Model
            That of the task's recipe.

        Returns
        -------
        Model
            The same, unless networks for this rule are usually others.
        """
        return model

    def adapt(self, model: Model) -> Model:
        """The model as this rule trains it.

        Parameters
        ----------
        model : Model
            The model as it was given.

        Returns
        -------
        Model
            The model that is trained.

        Raises
        ------
        InvalidSetting
            For a model that the rule cannot train.
        """
        return model

    def check(self, task: Task, model: Model) -> None:
        """Look at what is to be trained, before anything is computed.

        Parameters
        ----------
        task : Task
            The task.
        model : Model
            The model as this rule trains it.

        Raises
        ------
        InvalidSetting
            Where the loss does not fit the targets of the task, or the rule needs what the model
            has not.
        """
        check_fits(self.loss_function, task)

    @abstractmethod
    def init(self, model: Model, weights: Weights, key: jax.Array) -> RuleState:
        """The rule's state for a network with these initial weights.

        Parameters
        ----------
        model : Model
            The model of the network.
        weights : dict of arrays
            Its initial weights.
        key : JAX random key
            What the rule draws from.

        Returns
        -------
        dict
            The state: a pytree of arrays.
        """

    @abstractmethod
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
        """New weights and state after a batch of trials.

        Parameters
        ----------
        model : Model
            The model of the network.
        weights : dict of arrays
            Its weights before the update.
        state : dict
            The rule's state before it.
        trials : Batch
            The trials, (trial, …); with shards (shard, trial, …).
        step : int array
            The update, counted from 0.
        key : JAX random key
            For the model's noise; that of a shard follows from it and from the shard's index.
        shards : Shards, optional
            Where the batch is cut into shards, which of them these trials are; devices that share a
            batch make the same update. None: one shard.

        Returns
        -------
        weights : dict of arrays
            The new weights.
        state : dict
            The new state.
        info : dict of scalar arrays
            A report on the update, by name: among the numbers "loss", that of the batch before the
            update. All become columns of the history. A loss that is not finite says that the
            update is none: the network goes back (`on_divergence`). Other numbers may be NaN.
        """

    def error(self, model: Model, weights: Weights, trials: Batch, key: jax.Array) -> jax.Array:
        """What is trained, as a sum over the trials: also the validation loss.

        The squared error that the mask counts, unless the rule says otherwise.

        Parameters
        ----------
        model : Model
            The model of the network.
        weights : dict of arrays
            Its weights.
        trials : Batch
            The trials, (trial, …).
        key : JAX random key
            For the model's noise.

        Returns
        -------
        scalar array
            The sum.
        """
        return loss_of_trials(self.loss_function, model, weights, trials, key)

    @property
    def loss_function(self) -> Loss:
        """The loss of outputs against targets under a mask, as a sum."""
        return squared_error

    def finish(
        self, model: Model, weights: Weights, state: RuleState
    ) -> Weights | tuple[Weights, Report]:
        """The weights after the last update, for rules that solve for some of them at the end.

        The loop's own state stays as it was: what is finished is not trained on, and the losses in
        the history are of the weights before it.

        Parameters
        ----------
        model : Model
            The model of the network.
        weights : dict of arrays
            Its weights after the last update.
        state : dict
            The rule's state after it.

        Returns
        -------
        dict of arrays, or a pair of dicts
            The weights that come out of the training; in a pair, a report on how they were found is
            the second: arrays by name, which are kept as `Run.rule_report`.
        """
        return weights

    @abstractmethod
    def slowed(self, state: RuleState, factor: float | jax.Array) -> RuleState:
        """The state with all further steps scaled by a factor.

        Parameters
        ----------
        state : dict
            The rule's state.
        factor : float
            What steps are multiplied by.

        Returns
        -------
        dict
            The new state.
        """
