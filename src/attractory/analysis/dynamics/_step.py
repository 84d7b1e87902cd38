"""One step of a network as a map h -> F(h, x) in float64, for the search and the proofs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np

from attractory._errors import InvalidSetting, shown, whole_number
from attractory._stored import stored
from attractory.analysis.dynamics._function_step import FunctionStep
from attractory.analysis.dynamics._model_step import ModelStep, checked_weights
from attractory.kernels import Activation
from attractory.models import Network, RateForm


class Step(Protocol):
    """h -> F(h, x) under one constant input x, without noise.

    units: size of h. dt: length of a step. leak: dt over the time constant (1 where there is none).
    odd: F(-h) = -F(h), exactly. bounded: F maps into a bounded set (None: not known).
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

    @property
    def rate_form(self) -> RateStep | None:
        """The rate network whose fixed points are this map's, one to one, with the same
        eigenvalues (`models.RateForm`); what is proved, is proved of it. None: there is none."""


@stored
@dataclass(frozen=True, eq=False)
class RateStep:
    """The step of a rate network: F(h) = (1 - leak) h + leak · phi(W h + c), c = W_in x + b.

    Written in NumPy: threads run it side by side, and its rounding errors can be bounded. W of a
    network of low rank is the product of its vectors as float64 rounds it. noise: standard
    deviation of a unit's private noise inside of phi; the map itself is without.
    """

    recurrent: np.ndarray
    input_weights: np.ndarray
    bias: np.ndarray
    output_weights: np.ndarray
    output_bias: np.ndarray
    leak: float
    dt: float
    activation: Activation
    inputs: np.ndarray
    noise: float = 0.0

    @classmethod
    def of(
        cls,
        form: RateForm,
        readout: tuple[np.ndarray, np.ndarray],
        inputs: np.ndarray,
        dt: float,
    ) -> Self:
        """That of a rate form with a readout (W_out, c) under a constant input."""
        return cls(
            recurrent=np.asarray(form.recurrent),
            input_weights=np.asarray(form.input_weights),
            bias=np.asarray(form.bias),
            output_weights=readout[0],
            output_bias=readout[1],
            leak=form.leak,
            dt=dt,
            activation=form.activation,
            inputs=inputs,
            noise=form.noise,
        )

    @property
    def rate_form(self) -> RateStep | None:
        return self

    @property
    def units(self) -> int:
        return len(self.recurrent)

    @property
    def odd(self) -> bool:
        return self.activation.odd and not self.constant.any()

    @property
    def bounded(self) -> bool:
        return self.activation.bounded

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

    def arguments(self, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What enters phi at a state (unit,), and the size of the terms that it is the sum of."""
        by_state = np.abs(self.recurrent) @ np.abs(state)
        terms = by_state + np.abs(self.constant)
        return self.drive(state), terms

    @property
    def felt(self) -> np.ndarray:
        """(unit,): whether the slope of phi matters; not where a unit hears no other."""
        return np.any(self.recurrent, axis=1)

    def moves(self, units: np.ndarray) -> np.ndarray:
        """How what enters phi of some units changes with the state, (some, unit)."""
        return self.recurrent[units]

    def __call__(self, states: np.ndarray) -> np.ndarray:
        drive = self.drive(states)
        rates = self.activation.value(drive)
        if self.leak == 1:
            return rates
        return states + self.leak * (rates - states)

    def driven(self, states: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        """The next states under an input of their own each, (state, input)."""
        by_states = states @ self.recurrent.T
        by_inputs = inputs @ self.input_weights.T
        drive = by_states + by_inputs + self.bias
        rates = self.activation.value(drive)
        return states + self.leak * (rates - states)

    def jacobian_with(self, slopes: np.ndarray) -> np.ndarray:
        """The Jacobian (unit, unit) where phi has these slopes (unit,)."""
        by_rates = self.leak * slopes[:, None] * self.recurrent
        kept = (1.0 - self.leak) * np.eye(self.units)
        return by_rates + kept

    def jacobians(self, states: np.ndarray, dtype: Any = np.float64) -> np.ndarray:
        slopes = self.activation.slope(self.drive(states))
        gains = (self.leak * slopes).astype(dtype)
        weights = self.recurrent
        if dtype == np.float32:
            weights = self._recurrent_single
        made = gains[..., None] * weights
        if self.leak != 1:
            diagonals = np.einsum("...ii->...i", made)
            diagonals[...] += dtype(1.0 - self.leak)
        return made

    def pull_back(self, states: np.ndarray, rows: np.ndarray) -> np.ndarray:
        slopes = self.activation.slope(self.drive(states))
        back = (self.leak * slopes * rows) @ self.recurrent
        if self.leak == 1:
            return back
        return back + (1.0 - self.leak) * rows

    def input_jacobian(self, state: np.ndarray) -> np.ndarray:
        slopes = self.activation.slope(self.drive(state))
        gains = self.leak * slopes
        return gains[:, None] * self.input_weights

    def outputs(self, states: np.ndarray) -> np.ndarray:
        return states @ self.output_weights.T + self.output_bias


@stored
@dataclass(frozen=True, eq=False)
class CurrentStep:
    """The step of a network of currents: F(x) = (1 - leak) x + leak · (W phi(x + shift) + c),

    c = W_in u + b - shift, in NumPy. Its fixed points are x* = W r* + c of those r* of its rate
    form, which has the same numbers (`models.RateForm`).
    """

    rates: RateStep
    shift: np.ndarray
    reads_currents: bool

    @property
    def rate_form(self) -> RateStep | None:
        return self.rates

    @property
    def units(self) -> int:
        return self.rates.units

    @property
    def dt(self) -> float:
        return self.rates.dt

    @property
    def leak(self) -> float:
        return self.rates.leak

    @property
    def inputs(self) -> np.ndarray:
        return self.rates.inputs

    @property
    def activation(self) -> Activation:
        return self.rates.activation

    def arguments(self, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What enters phi at a state (unit,), and the size of the terms that it is the sum of."""
        argument = state + self.shift
        terms = np.abs(state) + np.abs(self.shift)
        return argument, terms

    @property
    def felt(self) -> np.ndarray:
        """(unit,): whether the slope of phi matters; not where nothing hears the unit."""
        return np.any(self.rates.recurrent, axis=0)

    def moves(self, units: np.ndarray) -> np.ndarray:
        """How what enters phi of some units changes with the state, (some, unit)."""
        return np.eye(self.units)[units]

    @property
    def odd(self) -> bool:
        return self.rates.odd and not self.shift.any()

    @property
    def bounded(self) -> bool:
        return self.rates.bounded

    def with_inputs(self, inputs: np.ndarray) -> Self:
        return replace(self, rates=self.rates.with_inputs(inputs))

    def sent(self, states: np.ndarray) -> np.ndarray:
        """The rates that units send: phi(x + shift), (…, unit). At a fixed point: r*."""
        return self.rates.activation.value(states + self.shift)

    def of_rates(self, rates: np.ndarray) -> np.ndarray:
        """The currents W r + c that rates (…, unit) make; at a fixed point: x*."""
        return self.rates.drive(rates) - self.shift

    def __call__(self, states: np.ndarray) -> np.ndarray:
        summed = self.of_rates(self.sent(states))
        if self.leak == 1:
            return summed
        return states + self.leak * (summed - states)

    def driven(self, states: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        """The next states under an input of their own each, (state, input)."""
        form = self.rates
        by_states = self.sent(states) @ form.recurrent.T
        by_inputs = inputs @ form.input_weights.T
        summed = by_states + by_inputs
        return states + self.leak * (summed + form.bias - self.shift - states)

    def _slopes(self, states: np.ndarray) -> np.ndarray:
        return self.rates.activation.slope(states + self.shift)

    def jacobian_with(self, slopes: np.ndarray) -> np.ndarray:
        """The Jacobian (unit, unit) where phi has these slopes (unit,)."""
        by_rates = self.leak * self.rates.recurrent * slopes[None, :]
        kept = (1.0 - self.leak) * np.eye(self.units)
        return by_rates + kept

    def jacobians(self, states: np.ndarray, dtype: Any = np.float64) -> np.ndarray:
        slopes = self._slopes(states)
        made = self.leak * self.rates.recurrent * slopes[..., None, :]
        if self.leak != 1:
            diagonals = np.einsum("...ii->...i", made)
            diagonals[...] += 1.0 - self.leak
        return made.astype(dtype)

    def pull_back(self, states: np.ndarray, rows: np.ndarray) -> np.ndarray:
        sent_back = rows @ self.rates.recurrent
        back = self.leak * self._slopes(states) * sent_back
        if self.leak == 1:
            return back
        return back + (1.0 - self.leak) * rows

    def input_jacobian(self, state: np.ndarray) -> np.ndarray:
        return self.leak * self.rates.input_weights

    def outputs(self, states: np.ndarray) -> np.ndarray:
        read = states if self.reads_currents else self.rates.activation.value(states)
        return read @ self.rates.output_weights.T + self.rates.output_bias


NetworkStep = RateStep | CurrentStep | ModelStep
AnyStep = NetworkStep | FunctionStep


def network_step(network: Network, inputs: np.ndarray | None) -> NetworkStep:
    """The map of a network under a constant input (input,); 0 when None."""
    weights = checked_weights(network)
    constant = np.zeros(network.n_inputs) if inputs is None else inputs
    form = network.model.rate_form(weights)
    if form is None:
        return ModelStep(network.model, weights, constant)
    zero = np.zeros(network.n_outputs)
    readout = (weights["output_weights"], weights.get("output_bias", zero))
    step = RateStep.of(
        form,
        readout,
        constant,
        network.model.step_length,
    )
    if form.state == "rates":
        return step
    return CurrentStep(
        step,
        np.asarray(form.shift),
        form.read == "currents",
    )


def step_of(
    system: Network | Callable[[Any, Any], Any],
    inputs: Any,
    units: int | None,
) -> AnyStep:
    """The map of a network, or of a user's step of so many units, under a constant input."""
    constant = _checked_inputs(inputs, system)
    if isinstance(system, Network):
        if units not in (None, system.state_size):
            raise InvalidSetting(
                f"units = {units} is not allowed: a state of the network has {system.state_size} "
                "entries"
            )
        return network_step(system, constant)
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
    return FunctionStep.of(
        system,
        whole_number("units", units),
        constant,
    )


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
