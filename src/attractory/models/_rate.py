"""The rate network: description, weights, equation."""

from __future__ import annotations

from typing import Any, Literal, Self

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field, model_validator

from attractory._errors import InvalidSetting, nearest
from attractory._settings import Settings
from attractory.kernels import (
    Activation,
    Precision,
    RateWeights,
    rate_network,
    rate_outputs,
)
from attractory.models import _initial
from attractory.models._activations import activation_function, check_activation
from attractory.tasks import random_key

Weights = dict[str, Any]  # arrays by name, of JAX or NumPy
WeightName = Literal["recurrent_weights", "input_weights", "output_weights", "output_bias", "bias"]


class RateRNN(Settings):
    """A rate network with a linear readout (Jarne 2024, equations 6 and 7).

        h(t+dt) = (1 - dt/tau) h(t) + (dt/tau) phi(W_rec h(t) + W_in x(t) + b + noise)
        z(t)    = W_out h(t) + c + noise

    The state starts at 0. With dt = tau and no noise it is Keras's SimpleRNN followed by Dense.

    Fields
    ------
    units: number of units.
    tau, dt: time constant and step, in the same unit; 0 < dt <= tau.
    activation: phi: "tanh", "relu", "softplus", "sigmoid", another name of jax.nn, or a function.
    bias, output_bias: whether there is a recurrent bias b, and a readout bias c (both start at 0).
    recurrent_noise: standard deviation of the private noise of a unit; it enters phi scaled by
        √(2 tau/dt), so that its effect does not depend on dt (Song et al. 2016, equation 5).
    output_noise: standard deviation of white noise on the outputs.
    recurrent_init: "orthogonal", "normal" (standard deviation 1/√units), "glorot", "identity",
        each times recurrent_gain; or a (units, units) array.
    input_init, output_init: "glorot" (uniform), "normal" (standard deviation 1/√from), or an array.
    trainable: the weights that a learning rule may change; the others stay as they began.
    """

    units: int = Field(default=400, ge=1)
    tau: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    dt: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    activation: str | Activation = "tanh"
    bias: bool = False
    output_bias: bool = True
    recurrent_noise: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    output_noise: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    recurrent_init: Any = "orthogonal"
    recurrent_gain: float = Field(default=1.0, allow_inf_nan=False)
    input_init: Any = "glorot"
    output_init: Any = "glorot"
    trainable: tuple[WeightName, ...] = (
        "recurrent_weights",
        "input_weights",
        "output_weights",
        "output_bias",
        "bias",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_activation(self.activation)
        if self.dt > self.tau:
            raise ValueError(f"dt = {self.dt} is not allowed: at most tau = {self.tau}")
        for field, allowed in [
            ("recurrent_init", ("orthogonal", "normal", "glorot", "identity")),
            ("input_init", ("glorot", "normal")),
            ("output_init", ("glorot", "normal")),
        ]:
            value = getattr(self, field)
            if isinstance(value, str) and value not in allowed:
                raise ValueError(
                    f"{field} = {value!r} is not allowed: an array or a name; "
                    + nearest(value, allowed)
                )
        if not isinstance(self.recurrent_init, str):
            _initial.given("recurrent_init", self.recurrent_init, (self.units, self.units))
        return self

    @property
    def leak(self) -> float:
        """dt / tau: the share of the state that one step replaces."""
        return self.dt / self.tau

    def init(self, key: jax.Array, n_inputs: int, n_outputs: int) -> Weights:
        """Initial weights in float32, as a dictionary of arrays by name."""
        recurrent_key, input_key, output_key = jax.random.split(key, 3)
        weights = {
            "recurrent_weights": _initial.recurrent(
                self.recurrent_init, self.recurrent_gain, self.units, recurrent_key
            ),
            "input_weights": _initial.projection(
                "input_init", self.input_init, (self.units, n_inputs), input_key
            ),
            "output_weights": _initial.projection(
                "output_init", self.output_init, (n_outputs, self.units), output_key
            ),
        }
        if self.output_bias:
            weights["output_bias"] = jnp.zeros(n_outputs)
        if self.bias:
            weights["bias"] = jnp.zeros(self.units)
        return weights

    def weight_shapes(self, n_inputs: int, n_outputs: int) -> dict[str, tuple[int, ...]]:
        """The names and shapes of the weights of such a network."""
        shapes: dict[str, tuple[int, ...]] = {
            "recurrent_weights": (self.units, self.units),
            "input_weights": (self.units, n_inputs),
            "output_weights": (n_outputs, self.units),
        }
        if self.output_bias:
            shapes["output_bias"] = (n_outputs,)
        if self.bias:
            shapes["bias"] = (self.units,)
        return shapes

    def run(
        self,
        weights: Weights,
        inputs: jax.Array,
        key: jax.Array | None = None,
        initial_state: jax.Array | None = None,
    ) -> tuple[jax.Array, jax.Array]:
        """States and outputs for a batch of inputs; pure and differentiable in the weights.

        inputs (trial, time, input); initial_state (trial, unit), zero when None. Returns states
        (time, trial, unit), each after its step, and outputs (trial, time, output). The key is
        needed where the model has noise.
        """
        arguments, output_key = self._sequence(weights, inputs, key, initial_state)
        states, readouts = rate_network(**arguments)
        return states, self._outputs(weights, readouts, output_key)

    def outputs(
        self,
        weights: Weights,
        inputs: jax.Array,
        key: jax.Array | None = None,
        precision: Precision = "float32",
    ) -> jax.Array:
        """The outputs of `run` alone, from states 0: faster, and with less memory.

        precision "bfloat16" rounds the factors of the recurrent products (see
        `kernels.rate_network`).
        """
        arguments, output_key = self._sequence(weights, inputs, key, None)
        readouts = rate_outputs(**arguments, precision=precision)
        return self._outputs(weights, readouts, output_key)

    def _sequence(
        self,
        weights: Weights,
        inputs: jax.Array,
        key: jax.Array | None,
        initial_state: jax.Array | None,
    ) -> tuple[dict[str, Any], jax.Array | None]:
        """The arguments of the kernel, and the key of the output noise."""
        inputs, from_inputs = jnp.asarray(inputs).swapaxes(0, 1), weights["input_weights"]
        shape = (*inputs.shape[:2], self.units)
        if "bias" in weights:  # the weights of one more input, which is always 1
            inputs = jnp.concatenate([inputs, jnp.ones_like(inputs[..., :1])], axis=-1)
            from_inputs = jnp.concatenate([from_inputs, weights["bias"][:, None]], axis=1)
        recurrent = RateWeights(
            weights["recurrent_weights"], from_inputs, weights["output_weights"]
        )
        drive = None
        recurrent_key, output_key = _noise_keys(self, key)
        if recurrent_key is not None:
            scale = self.recurrent_noise * (2.0 * self.tau / self.dt) ** 0.5
            drive = scale * jax.random.normal(recurrent_key, shape, inputs.dtype)
        if initial_state is None:
            initial_state = jnp.zeros(shape[1:], inputs.dtype)
        return {
            "activation": activation_function(self.activation),
            "leak": self.leak,
            "weights": recurrent,
            "inputs": inputs,
            "initial_state": initial_state,
            "drive": drive,
        }, output_key

    def _outputs(
        self, weights: Weights, readouts: jax.Array, output_key: jax.Array | None
    ) -> jax.Array:
        """(trial, time, output): readouts (time, trial, output) with their bias and noise."""
        outputs = readouts.swapaxes(0, 1)
        if "output_bias" in weights:
            outputs = outputs + weights["output_bias"]
        if output_key is not None:
            outputs = outputs + self.output_noise * jax.random.normal(
                output_key, outputs.shape, outputs.dtype
            )
        return outputs

    def build(self, n_inputs: int, n_outputs: int, seed: int = 0) -> Any:
        """A `Network` with initial weights drawn from the seed."""
        from attractory.models._network import Network  # which holds a RateRNN: not at the top

        for name, n in [("n_inputs", n_inputs), ("n_outputs", n_outputs)]:
            if not isinstance(n, (int, np.integer)) or n < 1:
                raise InvalidSetting(f"{name} = {n!r} is not allowed: a whole number, 1 or more")
        return Network(self, self.init(random_key(seed), n_inputs, n_outputs))


def _noise_keys(model: RateRNN, key: jax.Array | None) -> tuple[jax.Array | None, jax.Array | None]:
    """Keys for the recurrent and the output noise; None for a noise that the model has not."""
    if model.recurrent_noise == 0 and model.output_noise == 0:
        return None, None
    if key is None:
        raise InvalidSetting("run: key = None, but the model has noise: give a JAX random key")
    first, second = jax.random.split(key)
    return (first if model.recurrent_noise > 0 else None), (
        second if model.output_noise > 0 else None
    )
