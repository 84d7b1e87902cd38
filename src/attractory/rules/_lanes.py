"""Lanes: the places of a batch, along which states go on where trials are pieces of one signal."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from attractory.kernels import Shards
from attractory.models import Model, Weights
from attractory.rules._rule import RuleState

LANES = "lanes"  # in a rule's state: (trial, state)


def first_lanes(carry: bool, model: Model, weights: Weights, batch: int) -> RuleState:
    """The part of a rule's state that holds where lanes are; none without carry."""
    return {LANES: model.first_state(weights, batch, jnp.float32)} if carry else {}


def begin_of(state: RuleState, shards: Shards) -> jax.Array | None:
    """Where the trials of this device begin, (shard, trial, state); None: each begins anew."""
    if LANES not in state:
        return None
    lanes = state[LANES]
    by_shard = lanes.reshape(shards.total, -1, lanes.shape[-1])[shards.indices()]
    return jax.lax.stop_gradient(by_shard)


def lanes_after(ends: jax.Array | None, shards: Shards) -> RuleState:
    """The same part after an update, of where the trials of this device have ended."""
    if ends is None:
        return {}
    return {LANES: shards.all(ends).reshape(-1, ends.shape[-1])}
