"""What every model is: a cell with a linear readout; and one network, a model with its weights."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field, model_validator

from attractory._arguments import a_name, as_array, takes, whole
from attractory._errors import InvalidSetting, NamesNearest, nearest, shown
from attractory.kernels import Precision, compiled
from attractory.models import _initial
from attractory.models._cell import Cell, Weights
from attractory.models._steps import check_meeting, rescaled
from attractory.models._trajectory import (
    Trajectory,
    check_trials,
    checked_inputs,
    checked_state,
)
from attractory.tasks import Trials, random_key


class Model(Cell):
    """Base of all models: a recurrent cell and a linear readout of its hidden state.

        s(t+dt) = step(s(t), x(t)),    z(t) = W_out h(t) + c + noise

    The state s starts at 0; what of it is read out, the hidden state h, has `units` entries. A
    model's author writes the cell (see `Cell`): `cell_shapes`, `cell_init`, `step`.

    Fields
    ------
    units: number of units.
    output_bias: whether there is a readout bias c (it starts at 0).
    output_noise: standard deviation of white noise on the outputs.
    output_init: "glorot" (uniform), "normal" (standard deviation 1/√from), or an array.
    trainable: the weights, by name, that a learning rule may change; the others stay as they began.
        None: all of them.
    """

    output_bias: bool = True
    output_noise: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    output_init: Any = "glorot"
    trainable: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _readout_consistent(self) -> Any:
        check_init("output_init", self.output_init, ("glorot", "normal"))
        if self.trainable is not None:
            known = self.weight_shapes(1, 1)
            for name in self.trainable:
                # a bias may be named though this model has none
                if name not in known and name not in ("bias", "output_bias"):
                    raise ValueError(
                        f"trainable = {shown(name)} is not allowed: {nearest(name, known)}"
                    )
        return self

    def may_train(self, name: str) -> bool:
        """Whether a learning rule may change these weights."""
        fixed = any(
            name == f"{part.prefix}{own}"
            for part in self.parts()
            for own in part.cell.fixed_weights
        )
        return not fixed and (self.trainable is None or name in self.trainable)

    def init(self, key: jax.Array, n_inputs: int, n_outputs: int) -> Weights:
        """Initial weights in float32, as a dictionary of arrays by name."""
        cell_key, input_key, output_key = jax.random.split(key, 3)
        weights = self.cell_init(cell_key, input_key, n_inputs)
        weights["output_weights"] = _initial.projection(
            "output_init", self.output_init, (n_outputs, self.units), output_key
        )
        if self.output_bias:
            weights["output_bias"] = jnp.zeros(n_outputs)
        return self.begun(weights, key)

    def weight_shapes(self, n_inputs: int, n_outputs: int) -> dict[str, tuple[int, ...]]:
        """The names and shapes of the weights of such a network."""
        shapes = {**self.cell_shapes(n_inputs), "output_weights": (n_outputs, self.units)}
        if self.output_bias:
            shapes["output_bias"] = (n_outputs,)
        return shapes

    def run(
        self,
        weights: Weights,
        inputs: jax.Array,
        key: jax.Array | None = None,
        initial_state: jax.Array | None = None,
    ) -> tuple[jax.Array, jax.Array]:
        """States and outputs for a batch of inputs; pure and differentiable in the weights.

        inputs (trial, time, input); initial_state (trial, state), `first_state` when None. Returns
        states (time, trial, state), each after its step, and outputs (trial, time, output). The
        key is needed where the model has noise.
        """
        cell_key, output_key = self.noise_keys(key)
        inputs = jnp.asarray(inputs).swapaxes(0, 1)
        if initial_state is None:
            initial_state = self.first_state(weights, inputs.shape[1], inputs.dtype)
        states = self.cell_states(weights, inputs, initial_state, cell_key)
        readouts = jnp.einsum("tbu,ou->tbo", self.hidden(states), weights["output_weights"])
        return states, self.readout(weights, readouts, output_key)

    def outputs(
        self,
        weights: Weights,
        inputs: jax.Array,
        key: jax.Array | None = None,
        precision: Precision = "float32",
    ) -> jax.Array:
        """The outputs of `run` alone, from the first states."""
        return self.run(weights, inputs, key)[1]

    def readout(
        self, weights: Weights, readouts: jax.Array, output_key: jax.Array | None
    ) -> jax.Array:
        """(trial, time, output): W_out h (time, trial, output) with bias and noise."""
        outputs = readouts.swapaxes(0, 1)
        if "output_bias" in weights:
            outputs = outputs + weights["output_bias"]
        if output_key is not None:
            outputs = outputs + self.output_noise * jax.random.normal(
                output_key, outputs.shape, outputs.dtype
            )
        return outputs

    def noise_keys(self, key: jax.Array | None) -> tuple[jax.Array | None, jax.Array | None]:
        """Keys for the noise of the cell and of the outputs; None for one that there is not."""
        if not self.has_cell_noise() and self.output_noise == 0:
            return None, None
        if key is None:
            raise InvalidSetting("run: key = None, but the model has noise: give a JAX random key")
        first, second = jax.random.split(key)
        return (first if self.has_cell_noise() else None), (
            second if self.output_noise > 0 else None
        )

    @takes()
    def build(self, n_inputs: int, n_outputs: int, seed: int = 0) -> Network:
        """A network with initial weights drawn from the seed."""
        for name, n in [("n_inputs", n_inputs), ("n_outputs", n_outputs)]:
            if not isinstance(n, (int, np.integer)) or n < 1:
                raise InvalidSetting(
                    f"{name} = {shown(n)} is not allowed: a whole number, 1 or more"
                )
        return Network(self, self.init(random_key(seed), n_inputs, n_outputs))


class Network(eqx.Module, NamesNearest):
    """A network: `model` says what it is, `weights` holds its arrays by name ([to, from]).

    It is a pytree: JAX transformations see the weights and leave the description alone.
    """

    model: Model = eqx.field(static=True)
    weights: Weights

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

    @takes(precision=a_name)
    def simulate(
        self,
        inputs: Any,
        seed: int = 0,
        initial_state: Any = None,
        precision: str = "float32",
    ) -> Trajectory:
        """Run the network on trials, on inputs (trial, time, input), or (time, input) for one.

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
        given, trials = self._given(inputs)
        batch = given if given.ndim == 3 else given[None]
        start = initial_state
        if start is not None:
            check_trials(batch.shape, {"initial_state": np.shape(start)[:-1]})
            start = checked_state(start, (len(batch), self.state_size)).astype(precision)
        with jax.enable_x64(precision == "float64"):
            cast = {name: jnp.asarray(w, precision) for name, w in self.weights.items()}
            states, outputs = _compiled_run(self.model)(
                cast, jnp.asarray(batch, precision), random_key(seed), start
            )
            states = np.asarray(states).transpose(1, 0, 2)
            outputs = np.asarray(outputs)
        if given.ndim == 2:
            states, outputs = states[0], outputs[0]
        return Trajectory(given, states, outputs, self.model.step_length, trials)

    def _given(self, inputs: Any) -> tuple[np.ndarray, Trials | None]:
        """Inputs as an array, and the trials that they came in."""
        trials = inputs if isinstance(inputs, Trials) else None
        if trials is not None:
            check_meeting(self.model, trials)
            inputs = trials.inputs
        return checked_inputs(inputs, self.n_inputs), trials

    def __call__(self, inputs: Any, seed: int = 0) -> np.ndarray:
        """The outputs to inputs (trial, time, input), or (time, input) for one trial; see
        `respond`."""
        return self.respond(inputs, seed)

    def __repr__(self) -> str:
        sizes = f"{self.n_inputs} inputs, {self.units} units, {self.n_outputs} outputs"
        return f"Network of {self.model!r}: {sizes}"

    @takes(batch=whole(1))
    def respond(self, inputs: Any, seed: int = 0, batch: int = 64) -> np.ndarray:
        """The outputs (trial, time, output) alone, for many trials: float32, `batch` at a time."""
        given, _ = self._given(inputs)
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


def _optional(weights: Weights, name: str) -> np.ndarray | None:
    return np.asarray(weights[name]) if name in weights else None


def check_init(field: str, value: Any, allowed: tuple[str, ...]) -> None:
    """ValueError for an initial distribution that is unknown by name."""
    if isinstance(value, str) and value not in allowed:
        raise ValueError(
            f"{field} = {shown(value)} is not allowed: an array or a name; "
            + nearest(value, allowed)
        )
    if not isinstance(value, str):
        as_array(field, value)
