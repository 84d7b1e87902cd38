"""The optimisers of gradient descent, with a weight decay beside the gradient."""

from __future__ import annotations

from typing import Any, Literal

import jax
import optax

from attractory.kernels import Shards
from attractory.models import Weights
from attractory.rules._muon import muon

Optimizer = Literal["adam", "muon", "sgd"]


def optimiser(
    name: Optimizer, rate: optax.Schedule, weight_decay: float, shards: Shards | None
) -> optax.GradientTransformation:
    """An optimiser whose every step takes rate · weight_decay of each weight away as well."""
    made = _optimiser(name, rate, shards)
    if weight_decay == 0:
        return made
    # beside the optimiser, not through it (Loshchilov & Hutter 2019)
    return optax.chain(made, _decay(lambda step: weight_decay * rate(step)))


def _optimiser(
    name: Optimizer, rate: optax.Schedule, shards: Shards | None
) -> optax.GradientTransformation:
    if name == "adam":
        return optax.adam(rate)
    if name == "muon":
        return optax.partition({"matrix": muon(rate, shards), "vector": optax.adam(rate)}, _kind)
    return optax.sgd(rate, momentum=0.9)


def _decay(share: optax.Schedule) -> optax.GradientTransformation:
    """Takes a share of the weights away."""

    def update(changes: Any, state: Any, weights: Any = None) -> tuple[Any, Any]:
        taken = share(state.count)
        made = jax.tree.map(lambda change, weight: change - taken * weight, changes, weights)
        return made, optax.ScaleByScheduleState(state.count + 1)

    return optax.GradientTransformation(optax.scale_by_schedule(share).init, update)


def _kind(weights: Weights) -> Any:
    return jax.tree.map(lambda w: "matrix" if w.ndim == 2 else "vector", weights)
