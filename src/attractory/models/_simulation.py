"""Networks run on arrays: what goes in is checked, what comes out is NumPy."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attractory._errors import InvalidSetting, shown
from attractory.kernels import compiled
from attractory.models._cell import Weights
from attractory.models._steps import check_meeting
from attractory.models._trajectory import (
    Trajectory,
    check_trials,
    checked_inputs,
    checked_state,
)
from attractory.tasks import Trials, random_key


def simulated(
    network: Any, inputs: Any, seed: int, initial_state: Any, precision: str
) -> Trajectory:
    """What a network does, as `Network.simulate` describes it."""
    if precision not in ("float32", "float64"):
        raise InvalidSetting(f"precision = {shown(precision)} is not allowed: 'float32', 'float64'")
    given, trials = _given(network, inputs)
    batch = given if given.ndim == 3 else given[None]
    start = initial_state
    if start is not None:
        check_trials(batch.shape, {"initial_state": np.shape(start)[:-1]})
        start = checked_state(start, (len(batch), network.state_size)).astype(precision)
    with jax.enable_x64(precision == "float64"):
        cast = {name: jnp.asarray(w, precision) for name, w in network.weights.items()}
        states, outputs = _compiled_run(network.model)(
            cast, jnp.asarray(batch, precision), random_key(seed), start
        )
        states = np.asarray(states).transpose(1, 0, 2)
        outputs = np.asarray(outputs)
    if given.ndim == 2:
        states, outputs = states[0], outputs[0]
    return Trajectory(given, states, outputs, network.model.step_length, trials)


def responded(network: Any, inputs: Any, seed: int, batch: int) -> np.ndarray:
    """The outputs of a network, as `Network.respond` describes it."""
    given, _ = _given(network, inputs)
    if given.ndim == 2:
        return responded(network, given[None], seed, batch)[0]
    outputs, devices = [], jax.devices()
    for i, first in enumerate(range(0, len(given), batch)):
        device = devices[i % len(devices)]  # parts run at the same time, each on its device
        weights, part, key = jax.device_put(
            (network.weights, given[first : first + batch], random_key(seed)), device
        )
        key = jax.random.fold_in(key, first)
        outputs.append(_compiled_outputs(network.model)(weights, part, key))
    return np.concatenate([np.asarray(part) for part in outputs])


def _given(network: Any, inputs: Any) -> tuple[np.ndarray, Trials | None]:
    """Inputs as an array, and the trials that they came in."""
    trials = inputs if isinstance(inputs, Trials) else None
    if trials is not None:
        check_meeting(network.model, trials)
        inputs = trials.inputs
    return checked_inputs(inputs, network.n_inputs), trials


@lru_cache(maxsize=32)
def _compiled_run(model: Any) -> Any:
    return compiled(model.run)


@lru_cache(maxsize=32)
def _compiled_outputs(model: Any) -> Any:
    def outputs(weights: Weights, inputs: jax.Array, key: jax.Array) -> jax.Array:
        weights, inputs = jax.tree.map(lambda x: x.astype(jnp.float32), (weights, inputs))
        return model.outputs(weights, inputs, key)

    return compiled(outputs)
