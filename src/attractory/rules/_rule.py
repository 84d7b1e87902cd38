"""What the training loop asks of a learning rule."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import jax

from attractory.kernels import Shards
from attractory.models import Model, Weights
from attractory.tasks import Batch

RuleState = dict[str, Any]


class Metrics(NamedTuple):
    """What one update reports: the loss before it, and the norm of the whole gradient."""

    loss: jax.Array
    gradient_norm: jax.Array


class Rule(Protocol):
    """A learning rule: pure `init` and `update` with explicit state, for one network."""

    def init(self, model: Model, weights: Weights) -> RuleState:
        """The rule's state for a network with these initial weights."""

    def update(
        self,
        model: Model,
        weights: Weights,
        state: RuleState,
        trials: Batch,
        step: jax.Array,
        key: jax.Array,
        shards: Shards | None = None,
    ) -> tuple[Weights, RuleState, Metrics]:
        """New weights and state after a batch of trials; step counts the updates from 0.

        shards: where the batch is cut into shards, which of them these trials are (shard, trial,
        …); devices that share a batch make the same update. None: one shard, (trial, …). The key is
        for the model's noise; that of a shard follows from it and from the shard's index.
        """

    def slowed(self, state: RuleState, factor: float | jax.Array) -> RuleState:
        """The state with all further steps scaled by `factor`."""
