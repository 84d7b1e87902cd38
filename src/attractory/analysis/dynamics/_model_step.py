"""One step of any model as a map h -> F(h, x): its own equation in float64, Jacobians by JAX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np

from attractory._errors import InvalidSetting
from attractory._stored import stored
from attractory.kernels import compiled
from attractory.models import Model, Network, Weights


@stored
@dataclass(frozen=True, eq=False)
class ModelStep:
    """The step of a network whose equation has no proofs here: gated, layered, a user's own.

    h is the whole state, of `units` entries: an LSTM's memory and all layers are in it.
    """

    model: Model
    weights: dict[str, np.ndarray]
    inputs: np.ndarray
    odd: bool = False
    rate_form: None = None

    @property
    def units(self) -> int:
        return self.model.state_size

    @property
    def dt(self) -> float:
        return self.model.step_length

    @property
    def leak(self) -> float:
        return self.model.slowest_leak

    @property
    def bounded(self) -> bool | None:
        return self.model.stays_bounded

    @cached_property
    def _arrays(self) -> Weights:
        with jax.enable_x64(True):
            return {name: jnp.asarray(array) for name, array in self.weights.items()}

    @property
    def _programs(self) -> _Programs:
        return _programs_of(self.model)

    def with_inputs(self, inputs: np.ndarray) -> Self:
        return replace(self, inputs=np.asarray(inputs, np.float64))

    def __call__(self, states: np.ndarray) -> np.ndarray:
        return self.driven(states, np.broadcast_to(self.inputs, (*states.shape[:-1], self._width)))

    def driven(self, states: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        """The next states under an input of their own each, (state, input)."""
        return self._run(self._programs.values, states, inputs)

    def jacobians(self, states: np.ndarray, dtype: Any = np.float64) -> np.ndarray:
        inputs = np.broadcast_to(self.inputs, (*states.shape[:-1], self._width))
        return self._run(self._programs.jacobians, states, inputs).astype(dtype)

    def pull_back(self, states: np.ndarray, rows: np.ndarray) -> np.ndarray:
        inputs = np.broadcast_to(self.inputs, (*states.shape[:-1], self._width))
        return self._run(self._programs.pull_back, states, inputs, rows)

    def input_jacobian(self, state: np.ndarray) -> np.ndarray:
        return self._run(self._programs.input_jacobians, state[None], self.inputs[None])[0]

    def outputs(self, states: np.ndarray) -> np.ndarray:
        with jax.enable_x64(True):  # an activation of JAX may be in it
            read = np.asarray(self.model.hidden(jnp.asarray(states, jnp.float64)))
        return read @ self.weights["output_weights"].T + self.weights.get("output_bias", 0.0)

    @property
    def _width(self) -> int:
        return len(self.inputs)

    def _run(self, program: Callable[..., Any], *given: np.ndarray) -> np.ndarray:
        return padded(lambda *rows: program(self._arrays, *rows), *given)


class _Programs(NamedTuple):
    """Of (weights, states, inputs), rows beside each other; `pull_back` takes rows, too."""

    values: Any
    jacobians: Any
    input_jacobians: Any
    pull_back: Any


@lru_cache(maxsize=16)
def _programs_of(model: Model) -> _Programs:
    """Compiled once for a model, whatever its weights."""

    def values(weights: Weights, states: jax.Array, inputs: jax.Array) -> jax.Array:
        return jax.vmap(lambda state, x: model.step(weights, state, x))(states, inputs)

    def pull_back(
        weights: Weights, states: jax.Array, inputs: jax.Array, rows: jax.Array
    ) -> jax.Array:
        return jax.vjp(lambda h: values(weights, h, inputs), states)[1](rows)[0]

    return _Programs(
        compiled(values),
        compiled(jax.vmap(jax.jacfwd(model.step, 1), (None, 0, 0))),
        compiled(jax.vmap(jax.jacfwd(model.step, 2), (None, 0, 0))),
        compiled(pull_back),
    )


def padded(program: Callable[..., Any], *given: np.ndarray) -> np.ndarray:
    """A program of arrays (…, any) with equal leading axes, run in float64.

    On one row, or a number of rows that is a power of two: few programs to compile.
    """
    leading = given[0].shape[:-1]
    rows = int(np.prod(leading))
    size = rows if rows < 2 else max(16, 1 << (rows - 1).bit_length())
    with jax.enable_x64(True):
        full = []
        for array in given:
            flat = np.zeros((size, array.shape[-1]))
            flat[:rows] = array.reshape(rows, -1)
            full.append(jnp.asarray(flat))
        made = np.asarray(program(*full))[:rows]
    return made.reshape(*leading, *made.shape[1:])


def in_float64(network: Network) -> dict[str, np.ndarray]:
    """The weights in float64: what follows from them (a matrix of low rank) is exact to it, too."""
    return {name: np.asarray(w, np.float64) for name, w in network.weights.items()}


def checked_weights(network: Network) -> dict[str, np.ndarray]:
    """The weights in float64; InvalidSetting for one of a wrong shape or not finite."""
    weights = in_float64(network)
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise InvalidSetting(f"{name} has values that are not finite; all must be")
    shapes = network.model.weight_shapes(network.n_inputs, network.n_outputs)
    for name, shape in shapes.items():
        if weights[name].shape != shape:
            raise InvalidSetting(f"{name} has shape {weights[name].shape}; it must be {shape}")
    return weights
