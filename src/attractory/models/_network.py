"""One network: a model's description together with its weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from attractory._errors import InvalidSetting, shown
from attractory.kernels import Activation, compiled
from attractory.models import _initial
from attractory.models._model import Model, Weights
from attractory.models._rate import RateRNN
from attractory.models._steps import check_axis_names, check_trials, rescaled
from attractory.tasks import random_key


@dataclass(frozen=True)
class Trajectory:
    """What a network did: NumPy arrays, the trial axis dropped when one trial went in without it.

    inputs (trial, time, input), states (trial, time, unit), outputs (trial, time, output). Time
    index t holds the state after the step that read input t. dt in the unit of the model's tau.
    The states of an LSTM hold its memory after its hidden state, those of several layers the last
    layer first (see the models).
    """

    inputs: np.ndarray
    states: np.ndarray
    outputs: np.ndarray
    dt: float

    def to_xarray(self) -> Any:
        """An xarray.Dataset of the three arrays, with the dimensions trial, time (in the unit of
        dt, the end of each step), input, unit, output."""
        import xarray

        steps = self.inputs.shape[-2]
        leading = ("trial",) if self.inputs.ndim == 3 else ()
        time = self.dt * np.arange(1, steps + 1)
        return xarray.Dataset(
            {
                name: ((*leading, "time", last), array)
                for name, last, array in [
                    ("inputs", "input", self.inputs),
                    ("states", "unit", self.states),
                    ("outputs", "output", self.outputs),
                ]
            },
            coords={"time": time},
        )


class Network(eqx.Module):
    """A network: `model` says what it is, `weights` holds its arrays by name ([to, from]).

    It is a pytree: JAX transformations see the weights and leave the description alone.
    """

    model: Model = eqx.field(static=True)
    weights: Weights

    @classmethod
    def from_weights(
        cls,
        recurrent: Any,
        input: Any,
        output: Any,
        output_bias: Any = None,
        bias: Any = None,
        activation: str | Activation = "tanh",
        tau: float | None = None,
        dt: float | None = None,
    ) -> Self:
        """A network from arrays made elsewhere.

        recurrent (unit, unit), input (unit, input), output (output, unit), all [to, from];
        output_bias (output,), bias (unit,), None where there is none. tau, dt: as in `RateRNN`;
        with neither, a step replaces the whole state, and has no length of its own (it is one step
        of whatever task the network is tried on). Float64 arrays keep their precision. Raises
        InvalidSetting when shapes do not fit, or a value is not finite or none in float32.
        """
        recurrent, input, output = (np.asarray(w) for w in (recurrent, input, output))
        if recurrent.ndim != 2 or recurrent.shape[0] != recurrent.shape[1] or not recurrent.size:
            raise InvalidSetting(
                f"recurrent has shape {recurrent.shape}; it must be square, (unit, unit)"
            )
        units = len(recurrent)
        arrays = {"recurrent_weights": recurrent, "input_weights": input, "output_weights": output}
        if output_bias is not None:
            arrays["output_bias"] = np.asarray(output_bias)
        if bias is not None:
            arrays["bias"] = np.asarray(bias)
        times = {name: value for name, value in [("tau", tau), ("dt", dt)] if value is not None}
        model = RateRNN(
            units=units,
            **times,
            activation=activation,
            bias=bias is not None,
            output_bias=output_bias is not None,
        )
        n_inputs = input.shape[1] if input.ndim == 2 else 1
        n_outputs = output.shape[0] if output.ndim == 2 else 1
        weights = {}
        for name, shape in model.weight_shapes(n_inputs, n_outputs).items():
            _initial.given(name.removesuffix("_weights"), arrays[name], shape)
            weights[name] = _as_float(arrays[name])
        return cls(model, weights)

    @property
    def recurrent_weights(self) -> np.ndarray:
        """W_rec (unit, unit), [to, from]; for gated cells (gate x unit, unit), gates one below the
        other. InvalidSetting for a model that has no such matrix."""
        return np.asarray(self.model.recurrent_weights(self.weights))

    @property
    def input_weights(self) -> np.ndarray:
        """W_in (unit, input), [to, from]; for gated cells (gate x unit, input)."""
        if "input_weights" not in self.weights:
            raise InvalidSetting(
                "this network has no weights named 'input_weights'; "
                f"it has {', '.join(self.weights)}"
            )
        return np.asarray(self.weights["input_weights"])

    @property
    def output_weights(self) -> np.ndarray:
        """W_out (output, unit), [to, from]."""
        return np.asarray(self.weights["output_weights"])

    @property
    def output_bias(self) -> np.ndarray | None:
        """Readout bias (output,), or None."""
        return _optional(self.weights, "output_bias")

    @property
    def bias(self) -> np.ndarray | None:
        """Recurrent bias (unit,), or None."""
        return _optional(self.weights, "bias")

    @property
    def units(self) -> int:
        """Number of recurrent units that are read out."""
        return self.model.units

    @property
    def state_size(self) -> int:
        """Entries of a state: `units`, and more where the cell or its layers have them."""
        return self.model.state_size

    @property
    def n_inputs(self) -> int:
        """Number of input channels."""
        return self.model.input_size(self.weights)

    @property
    def n_outputs(self) -> int:
        """Number of output channels."""
        return self.weights["output_weights"].shape[0]

    def with_dt(self, dt: float) -> Self:
        """This network with steps of another length; the numbers that it computes stay the same.

        Time constants are scaled with the steps. For a network from elsewhere, whose steps have no
        length, or another one than the task that it is tried on.
        """
        return type(self)(rescaled(self.model, dt), self.weights)

    def simulate(
        self,
        inputs: Any,
        seed: int = 0,
        initial_state: Any = None,
        precision: str = "float32",
    ) -> Trajectory:
        """Run the network on inputs (trial, time, input), or (time, input) for one trial.

        initial_state (trial, state) or (state,), the model's own (0) when None. The seed serves
        only a model with noise. precision is "float32" or "float64". Raises InvalidSetting for
        inputs of a wrong shape or with values that are not finite, and for axes in another order
        where that can be told: by the names of an xarray.DataArray's dimensions, by the number of
        initial states, by which axis has as many entries as there are inputs.
        """
        if precision not in ("float32", "float64"):
            raise InvalidSetting(
                f"precision = {shown(precision)} is not allowed: 'float32', 'float64'"
            )
        given = _checked_inputs(inputs, self.n_inputs)
        batch = given if given.ndim == 3 else given[None]
        start = initial_state
        if start is not None:
            check_trials(batch.shape, {"initial_state": np.shape(start)[:-1]})
            start = _checked_state(start, (len(batch), self.state_size)).astype(precision)
        with jax.enable_x64(precision == "float64"):
            cast = {name: jnp.asarray(w, precision) for name, w in self.weights.items()}
            states, outputs = _compiled_run(self.model)(
                cast, jnp.asarray(batch, precision), random_key(seed), start
            )
            states = np.asarray(states).transpose(1, 0, 2)
            outputs = np.asarray(outputs)
        if given.ndim == 2:
            states, outputs = states[0], outputs[0]
        return Trajectory(given, states, outputs, self.model.step_length)

    def respond(self, inputs: Any, seed: int = 0, batch: int = 64) -> np.ndarray:
        """The outputs (trial, time, output) alone, for many trials: float32, `batch` at a time."""
        given = _checked_inputs(inputs, self.n_inputs)
        if given.ndim == 2:
            return self.respond(given[None], seed)[0]
        outputs, devices = [], jax.devices()
        for i, first in enumerate(range(0, len(given), batch)):
            device = devices[i % len(devices)]  # parts run at the same time, each on its device
            weights, part, key = jax.device_put(
                (self.weights, given[first : first + batch], random_key(seed)), device
            )
            key = jax.random.fold_in(key, first)
            outputs.append(_compiled_outputs(self.model)(weights, part, key))
        return np.concatenate([np.asarray(part) for part in outputs])


@lru_cache(maxsize=32)
def _compiled_run(model: Model) -> Any:
    return compiled(model.run)


@lru_cache(maxsize=32)
def _compiled_outputs(model: Model) -> Any:
    def outputs(weights: Weights, inputs: jax.Array, key: jax.Array) -> jax.Array:
        weights, inputs = jax.tree.map(lambda x: x.astype(jnp.float32), (weights, inputs))
        return model.outputs(weights, inputs, key)

    return compiled(outputs)


def _checked_inputs(inputs: Any, n_inputs: int) -> np.ndarray:
    check_axis_names(inputs)
    array = np.asarray(inputs)
    if array.ndim not in (2, 3) or array.shape[-1] != n_inputs or 0 in array.shape:
        raise InvalidSetting(
            f"inputs have shape {array.shape}; it must be (trial, time, {n_inputs}) "
            f"or (time, {n_inputs})"
        )
    if not np.isfinite(array).all():
        raise InvalidSetting("inputs have values that are not finite; all must be")
    return array


def _checked_state(state: Any, shape: tuple[int, int]) -> np.ndarray:
    array = np.asarray(state)
    if array.shape not in (shape, shape[1:]):
        raise InvalidSetting(
            f"initial_state has shape {array.shape}; it must be {shape} or {shape[1:]}"
        )
    return np.broadcast_to(array, shape)


def _as_float(array: np.ndarray) -> np.ndarray:
    """A copy, so that the network stays as it is when the caller's array changes."""
    return np.array(array, dtype=array.dtype if array.dtype == np.float32 else np.float64)


def _optional(weights: Weights, name: str) -> np.ndarray | None:
    return np.asarray(weights[name]) if name in weights else None
