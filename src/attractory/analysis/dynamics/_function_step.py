"""One step of a user's own map, a function in JAX operations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from attractory._errors import InvalidSetting
from attractory._stored import stored
from attractory.analysis.dynamics._model_step import padded
from attractory.kernels import compiled


@stored
@dataclass(frozen=True, eq=False)
class FunctionStep:
    """A user's step(h, x) in JAX operations, one state (unit,) at a time; Jacobians by JAX."""

    function: Callable[[Any, Any], Any]
    units: int
    inputs: np.ndarray | None
    dt: float = 1.0
    leak: float = 1.0
    odd: bool = False
    bounded: bool | None = None
    rate_form: None = None

    @classmethod
    def of(
        cls,
        function: Callable[[Any, Any], Any],
        units: int,
        inputs: np.ndarray | None,
    ) -> Self:
        made = cls(function, units, inputs)
        probe = jax.ShapeDtypeStruct((units,), np.float64)
        try:
            with jax.enable_x64(True):
                found = jax.eval_shape(
                    made._one,
                    probe,
                    made._input,
                )
        except Exception as error:
            lines = str(error).splitlines()
            first = lines[0] if lines else type(error).__name__
            raise InvalidSetting(
                f"step could not be run on a state of {units} units: {first} "
                "(it must be written in JAX operations; give its input as inputs=)"
            ) from None
        dtype = getattr(found, "dtype", np.bool_)
        if not np.issubdtype(dtype, np.floating):
            kind = getattr(found, "dtype", type(found).__name__)
            raise InvalidSetting(f"step returns {kind}; it must return an array of real numbers")
        shape = getattr(found, "shape", None)
        if shape != (units,):
            raise InvalidSetting(
                f"step returns shape {shape} for a state of shape ({units},); it must return the "
                "same shape"
            )
        return made

    def _one(self, state: Any, inputs: Any) -> Any:
        return self.function(state, inputs)

    @property
    def _input(self) -> np.ndarray:
        """A step that has no input may be written for x = None or for 0."""
        return np.zeros(()) if self.inputs is None else self.inputs

    @cached_property
    def _values(self) -> Any:
        return compiled(jax.vmap(self._one, (0, None)))

    @cached_property
    def _jacobians(self) -> Any:
        return compiled(jax.vmap(jax.jacfwd(self._one), (0, None)))

    @cached_property
    def _input_jacobian(self) -> Any:
        return compiled(jax.jacfwd(self._one, 1))

    def with_inputs(self, inputs: np.ndarray) -> Self:
        return replace(self, inputs=np.asarray(inputs, np.float64))

    def __call__(self, states: np.ndarray) -> np.ndarray:
        return self._rows(self._values, states)

    def jacobians(
        self,
        states: np.ndarray,
        dtype: Any = np.float64,
    ) -> np.ndarray:
        return self._rows(self._jacobians, states).astype(dtype)

    def pull_back(
        self,
        states: np.ndarray,
        rows: np.ndarray,
    ) -> np.ndarray:
        return np.einsum(
            "sij,si->sj",
            self.jacobians(states),
            rows,
        )

    def input_jacobian(self, state: np.ndarray) -> np.ndarray:
        if self.inputs is None:
            return np.zeros((self.units, 0))
        with jax.enable_x64(True):
            at = jnp.asarray(state)
            given = jnp.asarray(self._input)
            made = np.asarray(self._input_jacobian(at, given))
        return made.reshape(self.units, -1)

    def outputs(self, states: np.ndarray) -> np.ndarray:
        return np.zeros((*states.shape[:-1], 0))

    def _rows(
        self,
        function: Any,
        states: np.ndarray,
    ) -> np.ndarray:
        """A program of this step on states (…, unit)."""

        def with_input(rows: Any) -> Any:
            return function(rows, jnp.asarray(self._input))

        return padded(with_input, states)
