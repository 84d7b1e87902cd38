"""What the training loop asks of a learning rule."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import jax

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
        axis: str | None = None,
    ) -> tuple[Weights, RuleState, Metrics]:
        """New weights and state after a batch of trials; step counts the updates from 0.

        Where the batch is split over devices, `axis` names the mesh axis to sum over. The key is
        for the model's noise.
        """

    def slowed(self, state: RuleState, factor: float | jax.Array) -> RuleState:
        """The state with all further steps scaled by `factor`."""
