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

FEWEST_ROWS = 16  # of a program for several rows


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
        return self.driven(states, self._inputs_for(states))

    def driven(
        self,
        states: np.ndarray,
        inputs: np.ndarray,
    ) -> np.ndarray:
        """The next states under an input of their own each, (state, input)."""
        return self._run(
            self._programs.values,
            states,
            inputs,
        )

    def jacobians(
        self,
        states: np.ndarray,
        dtype: Any = np.float64,
    ) -> np.ndarray:
        made = self._run(
            self._programs.jacobians,
            states,
            self._inputs_for(states),
        )
        return made.astype(dtype)

    def pull_back(
        self,
        states: np.ndarray,
        rows: np.ndarray,
    ) -> np.ndarray:
        return self._run(
            self._programs.pull_back,
            states,
            self._inputs_for(states),
            rows,
        )

    def input_jacobian(self, state: np.ndarray) -> np.ndarray:
        made = self._run(
            self._programs.input_jacobians,
            state[None],
            self.inputs[None],
        )
        return made[0]

    def outputs(self, states: np.ndarray) -> np.ndarray:
        with jax.enable_x64(True):  # an activation of JAX may be in it
            given = jnp.asarray(states, jnp.float64)
            read = np.asarray(self.model.hidden(given))
        output_weights = self.weights["output_weights"]
        output_bias = self.weights.get("output_bias", 0.0)
        return read @ output_weights.T + output_bias

    def _inputs_for(self, states: np.ndarray) -> np.ndarray:
        """The constant input beside each of these states (…, unit): (…, input)."""
        shape = (*states.shape[:-1], len(self.inputs))
        return np.broadcast_to(self.inputs, shape)

    def _run(
        self,
        program: Callable[..., Any],
        *given: np.ndarray,
    ) -> np.ndarray:
        """A program with the weights, on arrays with equal leading axes."""

        def with_weights(*rows: Any) -> Any:
            return program(self._arrays, *rows)

        return padded(with_weights, *given)


class _Programs(NamedTuple):
    """Of (weights, states, inputs), rows beside each other; `pull_back` takes rows, too."""

    values: Any
    jacobians: Any
    input_jacobians: Any
    pull_back: Any


@lru_cache(maxsize=16)
def _programs_of(model: Model) -> _Programs:
    """Compiled once for a model, whatever its weights."""

    def values(
        weights: Weights,
        states: jax.Array,
        inputs: jax.Array,
    ) -> jax.Array:
        def following(
            state: jax.Array,
            x: jax.Array,
        ) -> jax.Array:
            return model.step(weights, state, x)

        return jax.vmap(following)(states, inputs)

    def pull_back(
        weights: Weights,
        states: jax.Array,
        inputs: jax.Array,
        rows: jax.Array,
    ) -> jax.Array:
        _, transposed = jax.vjp(lambda h: values(weights, h, inputs), states)
        return transposed(rows)[0]

    by_state = jax.jacfwd(model.step, 1)
    by_input = jax.jacfwd(model.step, 2)
    beside_each_other = (None, 0, 0)
    return _Programs(
        values=compiled(values),
        jacobians=compiled(jax.vmap(by_state, beside_each_other)),
        input_jacobians=compiled(jax.vmap(by_input, beside_each_other)),
        pull_back=compiled(pull_back),
    )


def padded(
    program: Callable[..., Any],
    *given: np.ndarray,
) -> np.ndarray:
    """A program of arrays (…, any) with equal leading axes, run in float64.

    On one row, or a number of rows that is a power of two: few programs to compile.
    """
    leading = given[0].shape[:-1]
    rows = int(np.prod(leading))
    size = rows
    if rows >= 2:
        next_power_of_two = 1 << (rows - 1).bit_length()
        size = max(FEWEST_ROWS, next_power_of_two)
    with jax.enable_x64(True):
        full = []
        for array in given:
            flat = np.zeros((size, array.shape[-1]))
            flat[:rows] = array.reshape(rows, -1)
            full.append(jnp.asarray(flat))
        padded_results = np.asarray(program(*full))
    made = padded_results[:rows]
    return made.reshape(*leading, *made.shape[1:])


def in_float64(network: Network) -> dict[str, np.ndarray]:
    """The weights in float64: what follows from them (a matrix of low rank) is exact to it, too."""
    exact = {}
    for name, array in network.weights.items():
        exact[name] = np.asarray(array, np.float64)
    return exact


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
