"""The rate network: description, weights, equation."""

from __future__ import annotations

from typing import Any, Self

import jax
import jax.numpy as jnp
from pydantic import Field, model_validator

from attractory.kernels import (
    Activation,
    Precision,
    RateWeights,
    bfloat16_missing,
    rate_network,
    rate_outputs,
)
from attractory.models import _initial
from attractory.models._activations import activation_function, check_activation
from attractory.models._constraints import Constraints
from attractory.models._model import Model, Weights, check_init

_NONNEGATIVE = ("relu", "relu6", "sigmoid", "softplus")


class RateRNN(Model):
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
    constraints: signs, zeros, blocks, bounds of the weights; see `Constraints`.
    trainable: the weights that a learning rule may change; the others stay as they began; None: all
        of them.
    """

    fixed_weights = ("recurrent_mask", "recurrent_fixed")

    tau: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    dt: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    activation: str | Activation = "tanh"
    bias: bool = False
    recurrent_noise: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    recurrent_init: Any = "orthogonal"
    recurrent_gain: float = Field(default=1.0, allow_inf_nan=False)
    input_init: Any = "glorot"
    constraints: Constraints | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_activation(self.activation)
        if self.dt > self.tau:
            raise ValueError(f"dt = {self.dt} is not allowed: at most tau = {self.tau}")
        check_init("recurrent_init", self.recurrent_init, self._recurrent_inits())
        check_init("input_init", self.input_init, ("glorot", "normal"))
        if not isinstance(self.recurrent_init, str):
            _initial.given("recurrent_init", self.recurrent_init, (self.units, self.units))
        if self.constraints is not None:
            known = self.activation in _NONNEGATIVE
            self.constraints.check(self.units, known, self.activation, self.recurrent_init)
        return self

    @staticmethod
    def _recurrent_inits() -> tuple[str, ...]:
        return ("orthogonal", "normal", "glorot", "identity")

    @property
    def leak(self) -> float:
        """dt / tau: the share of the state that one step replaces."""
        return self.dt / self.tau

    def cell_shapes(self, n_inputs: int) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {
            "recurrent_weights": (self.units, self.units),
            "input_weights": (self.units, n_inputs),
        }
        if self.bias:
            shapes["bias"] = (self.units,)
        if self.constraints is not None:
            shapes |= self.constraints.shapes(self.units)
        return shapes

    def cell_init(self, key: jax.Array, input_key: jax.Array, n_inputs: int) -> Weights:
        weights = {
            "recurrent_weights": _initial.recurrent(
                self.recurrent_init, self.recurrent_gain, self.units, key
            ),
            "input_weights": _initial.projection(
                "input_init", self.input_init, (self.units, n_inputs), input_key
            ),
        }
        if self.bias:
            weights["bias"] = jnp.zeros(self.units)
        return weights

    def init(self, key: jax.Array, n_inputs: int, n_outputs: int) -> Weights:
        weights = super().init(key, n_inputs, n_outputs)
        if self.constraints is None:
            return weights
        return self.constraints.begin(weights, self.initial_radius(), jax.random.fold_in(key, 1))

    def initial_radius(self) -> float | None:
        """What constrained initial weights are scaled to; None: a user's own stay as they are."""
        return abs(self.recurrent_gain) if isinstance(self.recurrent_init, str) else None

    def constrained(self, weights: Weights, before: Weights) -> Weights:
        return weights if self.constraints is None else self.constraints.project(weights, before)

    def allowed_changes(self, changes: Weights, weights: Weights, gradients: Weights) -> Weights:
        if self.constraints is None:
            return changes
        return self.constraints.free(changes, weights, gradients)

    def bfloat16_missing(self) -> str | None:
        return bfloat16_missing(activation_function(self.activation))

    def has_cell_noise(self) -> bool:
        return self.recurrent_noise > 0

    def cell_states(
        self,
        weights: Weights,
        inputs: jax.Array,
        initial_state: jax.Array,
        key: jax.Array | None = None,
    ) -> jax.Array:
        readout = jnp.zeros((1, self.units), inputs.dtype)
        arguments = self._sequence({**weights, "output_weights": readout}, inputs, key)
        return rate_network(**arguments, initial_state=initial_state)[0]

    def run(
        self,
        weights: Weights,
        inputs: jax.Array,
        key: jax.Array | None = None,
        initial_state: jax.Array | None = None,
    ) -> tuple[jax.Array, jax.Array]:
        cell_key, output_key = self._noise_keys(key)
        inputs = jnp.asarray(inputs).swapaxes(0, 1)
        if initial_state is None:
            initial_state = jnp.zeros((inputs.shape[1], self.units), inputs.dtype)
        arguments = self._sequence(weights, inputs, cell_key)
        states, readouts = rate_network(**arguments, initial_state=initial_state)
        return states, self.readout(weights, readouts, output_key)

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
        cell_key, output_key = self._noise_keys(key)
        inputs = jnp.asarray(inputs).swapaxes(0, 1)
        initial_state = jnp.zeros((inputs.shape[1], self.units), inputs.dtype)
        arguments = self._sequence(weights, inputs, cell_key)
        readouts = rate_outputs(**arguments, initial_state=initial_state, precision=precision)
        return self.readout(weights, readouts, output_key)

    def _sequence(
        self, weights: Weights, inputs: jax.Array, key: jax.Array | None
    ) -> dict[str, Any]:
        """What the kernel gets for inputs (time, trial, input), but for the initial state."""
        from_inputs = weights["input_weights"]
        shape = (*inputs.shape[:2], self.units)
        if "bias" in weights:  # the weights of one more input, which is always 1
            inputs = jnp.concatenate([inputs, jnp.ones_like(inputs[..., :1])], axis=-1)
            from_inputs = jnp.concatenate([from_inputs, weights["bias"][:, None]], axis=1)
        drive = None
        if key is not None:
            scale = self.recurrent_noise * (2.0 * self.tau / self.dt) ** 0.5
            drive = scale * jax.random.normal(key, shape, inputs.dtype)
        return {
            "activation": activation_function(self.activation),
            "leak": self.leak,
            "weights": RateWeights(
                self.recurrent_weights(weights), from_inputs, weights["output_weights"]
            ),
            "inputs": inputs,
            "drive": drive,
        }


class LowRankRNN(RateRNN):
    """A rate network whose recurrent weights have a low rank: W_rec = Σ_r m_r n_rᵀ / units.

    The vectors m and n are what is trained. Settings are those of `RateRNN`, and

    Fields
    ------
    rank: number of pairs of vectors.
    recurrent_init: "normal", the entries of m and n are independent; "aligned", n starts as m, so
        that W_rec has `rank` eigenvalues of about recurrent_gain² and begins with a memory.
    recurrent_gain: standard deviation of the initial entries of m and n.

    Source: Mastrogiuseppe & Ostojic (2018), Neuron 99:609; Dubreuil et al. (2022), Nat. Neurosci.
    25:783.
    """

    rank: int = Field(default=2, ge=1)
    recurrent_init: Any = "normal"

    @model_validator(mode="after")
    def _rank_fits(self) -> Self:
        if self.rank > self.units:
            raise ValueError(f"rank = {self.rank} is not allowed: at most units = {self.units}")
        if self.constraints is not None:
            raise ValueError("constraints contradict a low rank: its weights follow from vectors")
        return self

    @staticmethod
    def _recurrent_inits() -> tuple[str, ...]:
        return ("normal", "aligned")

    def recurrent_weights(self, weights: Weights) -> Any:
        return weights["left_vectors"] @ weights["right_vectors"].T / self.units

    def cell_shapes(self, n_inputs: int) -> dict[str, tuple[int, ...]]:
        shapes = super().cell_shapes(n_inputs)
        del shapes["recurrent_weights"]
        vectors = (self.units, self.rank)
        return {"left_vectors": vectors, "right_vectors": vectors, **shapes}

    def cell_init(self, key: jax.Array, input_key: jax.Array, n_inputs: int) -> Weights:
        weights = super().cell_init(key, input_key, n_inputs)
        del weights["recurrent_weights"]
        left, right = self.recurrent_gain * jax.random.normal(key, (2, self.units, self.rank))
        right = left if self.recurrent_init == "aligned" else right
        return {"left_vectors": left, "right_vectors": right, **weights}
