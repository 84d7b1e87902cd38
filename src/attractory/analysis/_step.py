"""One step of a network as a map h -> F(h, x) in float64, for the search and the proofs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, Self

import jax
import jax.numpy as jnp
import numpy as np

from attractory._errors import InvalidSetting, shown, whole_number
from attractory.analysis._activations import Shape, shape_of
from attractory.analysis._model_step import ModelStep, checked_weights, padded
from attractory.kernels import compiled
from attractory.models import Network, RateRNN


class Step(Protocol):
    """h -> F(h, x) under one constant input x, without noise.

    units: size of h. dt: length of a step. leak: dt over the time constant (1 where there is none);
    odd: F(-h) = -F(h), exactly. bounded: F maps into a
    bounded set (None: not known).
    """

    @property
    def units(self) -> int: ...
    @property
    def dt(self) -> float: ...
    @property
    def leak(self) -> float: ...
    @property
    def odd(self) -> bool: ...
    @property
    def bounded(self) -> bool | None: ...
    @property
    def inputs(self) -> np.ndarray | None:
        """The constant input (input,), None where the map has none."""

    def __call__(self, states: np.ndarray) -> np.ndarray:
        """The next states: (state, unit) -> (state, unit)."""

    def jacobians(self, states: np.ndarray, dtype: Any = np.float64) -> np.ndarray:
        """∂F/∂h, (state, unit, unit) as [to, from]."""

    def pull_back(self, states: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """(∂F/∂h)ᵀ row at each state: (state, unit), (state, unit) -> (state, unit)."""

    def input_jacobian(self, state: np.ndarray) -> np.ndarray:
        """∂F/∂x at one state, (unit, input)."""

    def outputs(self, states: np.ndarray) -> np.ndarray:
        """The readout of states (…, unit) -> (…, output)."""

    def with_inputs(self, inputs: np.ndarray) -> Self:
        """The same map under another constant input."""


@dataclass(frozen=True, eq=False)
class RateStep:
    """The step of a rate network: F(h) = (1 - leak) h + leak · phi(W h + c), c = W_in x + b.

    Written in NumPy: threads run it side by side, and its rounding errors can be bounded. W of a
    network of low rank is the product of its vectors as float64 rounds it.
    """

    recurrent: np.ndarray
    input_weights: np.ndarray
    bias: np.ndarray
    output_weights: np.ndarray
    output_bias: np.ndarray
    leak: float
    dt: float
    shape: Shape
    inputs: np.ndarray

    @classmethod
    def of(cls, network: Network, inputs: np.ndarray | None) -> Self:
        model, weights = network.model, checked_weights(network)
        if not isinstance(model, RateRNN):
            raise InvalidSetting(
                f"network is of a {type(model).__name__}; a rate network (RateRNN, LowRankRNN) is "
                "needed"
            )
        return cls(
            recurrent=np.asarray(model.recurrent_weights(weights)),
            input_weights=weights["input_weights"],
            bias=weights.get("bias", np.zeros(network.units)),
            output_weights=weights["output_weights"],
            output_bias=weights.get("output_bias", np.zeros(network.n_outputs)),
            leak=model.leak,
            dt=model.dt,
            shape=shape_of(model.activation),
            inputs=np.zeros(network.n_inputs) if inputs is None else inputs,
        )

    @property
    def units(self) -> int:
        return len(self.recurrent)

    @property
    def odd(self) -> bool:
        return self.shape.odd and not self.constant.any()

    @property
    def bounded(self) -> bool:
        return self.shape.bounded

    @cached_property
    def constant(self) -> np.ndarray:
        """c = W_in x + b (unit,)."""
        return self.input_weights @ self.inputs + self.bias

    @cached_property
    def _recurrent_single(self) -> np.ndarray:
        return self.recurrent.astype(np.float32)

    def with_inputs(self, inputs: np.ndarray) -> Self:
        return replace(self, inputs=np.asarray(inputs, np.float64))

    def drive(self, states: np.ndarray) -> np.ndarray:
        """What enters phi: W h + c, (…, unit)."""
        return states @ self.recurrent.T + self.constant

    def __call__(self, states: np.ndarray) -> np.ndarray:
        rates = self.shape.value(self.drive(states))
        return rates if self.leak == 1 else states + self.leak * (rates - states)

    def driven(self, states: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        """The next states under an input of their own each, (state, input)."""
        drive = states @ self.recurrent.T + inputs @ self.input_weights.T + self.bias
        return states + self.leak * (self.shape.value(drive) - states)

    def jacobians(self, states: np.ndarray, dtype: Any = np.float64) -> np.ndarray:
        slopes = (self.leak * self.shape.slope(self.drive(states))).astype(dtype)
        weights = self._recurrent_single if dtype == np.float32 else self.recurrent
        made = slopes[..., None] * weights
        if self.leak != 1:
            np.einsum("...ii->...i", made)[...] += dtype(1.0 - self.leak)
        return made

    def pull_back(self, states: np.ndarray, rows: np.ndarray) -> np.ndarray:
        back = (self.leak * self.shape.slope(self.drive(states)) * rows) @ self.recurrent
        return back if self.leak == 1 else back + (1.0 - self.leak) * rows

    def input_jacobian(self, state: np.ndarray) -> np.ndarray:
        return (self.leak * self.shape.slope(self.drive(state)))[:, None] * self.input_weights

    def outputs(self, states: np.ndarray) -> np.ndarray:
        return states @ self.output_weights.T + self.output_bias


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

    @classmethod
    def of(cls, function: Callable[[Any, Any], Any], units: int, inputs: np.ndarray | None) -> Self:
        made = cls(function, units, inputs)
        probe = jax.ShapeDtypeStruct((units,), np.float64)
        try:
            with jax.enable_x64(True):
                found = jax.eval_shape(made._one, probe, made._input)
        except Exception as error:
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise InvalidSetting(
                f"step could not be run on a state of {units} units: {first} "
                "(it must be written in JAX operations; give its input as inputs=)"
            ) from None
        if not np.issubdtype(getattr(found, "dtype", np.bool_), np.floating):
            raise InvalidSetting(
                f"step returns {getattr(found, 'dtype', type(found).__name__)}; "
                "it must return an array of real numbers"
            )
        if getattr(found, "shape", None) != (units,):
            raise InvalidSetting(
                f"step returns shape {getattr(found, 'shape', None)} for a state of shape "
                f"({units},); it must return the same shape"
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

    def jacobians(self, states: np.ndarray, dtype: Any = np.float64) -> np.ndarray:
        return self._rows(self._jacobians, states).astype(dtype)

    def pull_back(self, states: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.einsum("sij,si->sj", self.jacobians(states), rows)

    def input_jacobian(self, state: np.ndarray) -> np.ndarray:
        if self.inputs is None:
            return np.zeros((self.units, 0))
        with jax.enable_x64(True):
            made = np.asarray(self._input_jacobian(jnp.asarray(state), jnp.asarray(self._input)))
        return made.reshape(self.units, -1)

    def outputs(self, states: np.ndarray) -> np.ndarray:
        return np.zeros((*states.shape[:-1], 0))

    def _rows(self, function: Any, states: np.ndarray) -> np.ndarray:
        return padded(lambda rows: function(rows, jnp.asarray(self._input)), states)


AnyStep = RateStep | ModelStep | FunctionStep


def step_of(system: Network | Callable[[Any, Any], Any], inputs: Any, units: int | None) -> AnyStep:
    """The map of a network, or of a user's step of so many units, under a constant input."""
    constant = _checked_inputs(inputs, system)
    if isinstance(system, Network):
        if units not in (None, system.state_size):
            raise InvalidSetting(
                f"units = {units} is not allowed: a state of the network has {system.state_size} "
                "entries"
            )
        rate = isinstance(system.model, RateRNN)
        return RateStep.of(system, constant) if rate else ModelStep.of(system, constant)
    if not callable(system):
        raise InvalidSetting(
            f"network is of type {type(system).__name__}; a Network or a function step(h, x) "
            "is needed"
        )
    if units is None:
        raise InvalidSetting(
            "units = None is not allowed for a function step(h, x): say how many units h has, "
            "or give initial_states"
        )
    return FunctionStep.of(system, whole_number("units", units), constant)


def _checked_inputs(inputs: Any, system: Any) -> np.ndarray | None:
    if inputs is None:
        return None
    try:
        constant = np.asarray(inputs, np.float64)
    except (TypeError, ValueError):
        raise InvalidSetting(
            f"inputs = {shown(inputs)} is not allowed: an array of numbers"
        ) from None
    if isinstance(system, Network) and constant.shape != (system.n_inputs,):
        raise InvalidSetting(
            f"inputs has shape {constant.shape}; a constant input of shape ({system.n_inputs},) "
            "is needed"
        )
    if not np.isfinite(constant).all():
        raise InvalidSetting("inputs has values that are not finite; all must be")
    return constant
