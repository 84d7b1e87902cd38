"""A network of currents: the nonlinearity acts on what a unit sends, not on what it sums."""

from __future__ import annotations

from typing import Any, Literal, Self

import jax
import jax.numpy as jnp
from pydantic import Field, model_validator

from attractory.kernels import Activation, current_network
from attractory.models import _initial
from attractory.models._activations import activation_function, check_activation
from attractory.models._model import Model, Weights, check_init


class CurrentRNN(Model):
    """A network whose state is a current x; rates phi(x) are sent on and read out.

        x(t+dt) = (1 - dt/tau) x(t) + (dt/tau) (W_rec phi(x(t)) + W_in u(t) + b) + noise
        z(t)    = W_out phi(x(t)) + c

    It is the equation of PsychRNN and of much of the literature that begins with Sompolinsky et al.
    (1988). `RateRNN` has the nonlinearity outside of the sum. Two other forms are in use: units
    send phi(x + b), whose b is then not in the sum (`bias_inside`), and the currents themselves are
    read out, z = W_out x + c (`read`).

    Fields
    ------
    units: number of units.
    tau, dt: time constant and step, in the same unit; 0 < dt <= tau.
    activation: phi: "tanh", "relu", "softplus", "sigmoid", another name of jax.nn, or a function.
    bias: whether there is a recurrent bias b (it starts at 0).
    bias_inside: whether b is inside of phi in the recurrent sum, W_rec phi(x + b), instead.
    read: what is read out: "rates", phi(x), or "currents", x.
    trained_start: whether the state at the start is a weight, "initial_state" (unit,), that starts
        at 0 and is trained; else it is 0.
    recurrent_noise: standard deviation of the private noise of a unit; a step adds √(2 dt/tau) of
        it.
    recurrent_init: "orthogonal", "normal" (standard deviation 1/√units), "glorot", "identity",
        each times recurrent_gain; or a (units, units) array.
    input_init, output_init: "glorot" (uniform), "normal" (standard deviation 1/√from), or an array.
    output_bias, output_noise, trainable: as in `Model`.

    Sources: Sompolinsky, Crisanti & Sommers (1988), Phys. Rev. Lett. 61:259; Ehrlich et al. (2021),
    eNeuro 8(1) (PsychRNN: its `Basic` model). The other forms: Valente, Pillow & Ostojic (2022),
    NeurIPS 35; Pals, Macke & Barak (2024), PLoS Comput. Biol. 20:e1011852.
    """

    tau: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    dt: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    activation: str | Activation = "tanh"
    bias: bool = True
    bias_inside: bool = False
    read: Literal["rates", "currents"] = "rates"
    trained_start: bool = False
    recurrent_noise: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    recurrent_init: Any = "normal"
    recurrent_gain: float = Field(default=1.0, allow_inf_nan=False)
    input_init: Any = "glorot"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_activation(self.activation)
        if self.dt > self.tau:
            raise ValueError(f"dt = {self.dt} is not allowed: at most tau = {self.tau}")
        allowed = ("orthogonal", "normal", "glorot", "identity")
        check_init("recurrent_init", self.recurrent_init, allowed)
        check_init("input_init", self.input_init, ("glorot", "normal"))
        return self

    @property
    def leak(self) -> float:
        """dt / tau."""
        return self.dt / self.tau

    def hidden(self, states: Any) -> Any:
        return states if self.read == "currents" else activation_function(self.activation)(states)

    def cell_shapes(self, n_inputs: int) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {
            "recurrent_weights": (self.units, self.units),
            "input_weights": (self.units, n_inputs),
        }
        for name, there in [("bias", self.bias), ("initial_state", self.trained_start)]:
            if there:
                shapes[name] = (self.units,)
        return shapes

    def cell_init(self, key: jax.Array, input_key: jax.Array, n_inputs: int) -> Weights:
        made: Weights = {
            "recurrent_weights": _initial.recurrent(
                self.recurrent_init, self.recurrent_gain, self.units, key
            ),
            "input_weights": _initial.projection(
                "input_init", self.input_init, (self.units, n_inputs), input_key
            ),
        }
        vectors = [name for name, shape in self.cell_shapes(n_inputs).items() if len(shape) == 1]
        return made | {name: jnp.zeros(self.units) for name in vectors}

    def first_state(self, weights: Weights, trials: int, dtype: Any) -> jax.Array:
        if "initial_state" not in weights:
            return super().first_state(weights, trials, dtype)
        return jnp.tile(jnp.asarray(weights["initial_state"], dtype), (trials, 1))

    def has_cell_noise(self) -> bool:
        return self.recurrent_noise > 0

    def cell_states(
        self,
        weights: Weights,
        inputs: jax.Array,
        initial_state: jax.Array,
        key: jax.Array | None = None,
    ) -> jax.Array:
        drive = self.leak * jnp.einsum("tbi,ui->tbu", inputs, weights["input_weights"])
        if "bias" in weights:
            drive = drive + self.leak * weights["bias"]
        if key is not None:
            scale = self.recurrent_noise * (2.0 * self.leak) ** 0.5
            drive = drive + scale * jax.random.normal(key, drive.shape, drive.dtype)
        # with b inside, x + b follows the equation that has it outside
        shift = weights["bias"] if self.bias_inside and "bias" in weights else 0.0
        states = current_network(
            activation_function(self.activation),
            self.leak,
            weights["recurrent_weights"],
            drive,
            initial_state + shift,
        )
        return states - shift
