"""A network of currents: the nonlinearity acts on what a unit sends, not on what it sums."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import model_validator

from attractory.kernels import activation_of, current_network, in_windows
from attractory.models._cell import Weights
from attractory.models._connected import Connected
from attractory.models._equation import Equation, leaking
from attractory.models._feedback import FEEDBACK, fed_back
from attractory.models._rate_form import RateForm
from attractory.models._registry import register


@register
class CurrentRNN(Connected):
    """A network whose state is a current x; rates phi(x) are sent on and read out.

        x(t+dt) = (1 - dt/tau) x(t) + (dt/tau) (W_rec phi(x(t)) + W_in u(t) + b) + noise
        z(t)    = W_out phi(x(t)) + c

    It is the equation of PsychRNN and of much of the literature that begins with Sompolinsky et al.
    (1988). `RateRNN` has the nonlinearity outside of the sum; the two have the same fixed points
    in another guise (`RateForm`). Two other forms are in use: units send phi(x + b), whose b is
    then not in the sum (`bias_inside`), and the currents themselves are read out, z = W_out x + c
    (`read`).

    Parameters
    ----------
    units : int
        Number of units.
    tau, dt : float
        Time constant and step, in the same unit; 0 < dt <= tau.
    activation : str or callable
        The function phi: "tanh", "relu", "softplus", "sigmoid", another name, or a function.
    bias : bool
        Whether there is a recurrent bias b (it starts at 0).
    bias_inside : bool
        Whether b is inside of phi in the recurrent sum, W_rec phi(x + b), instead.
    read : "rates" or "currents"
        What is read out: "rates", phi(x), or "currents", x.
    trained_start : bool
        Whether the state at the start is a weight, "initial_state" (unit,), that starts at 0 and is
        trained; else it is 0.
    feedback : bool
        Whether the outputs come back to the units: W_fb z(t) is added to the recurrent sum. W_fb,
        "feedback_weights" (unit, output), is drawn uniformly from -feedback_gain to feedback_gain.
        Not in the two other forms, in which the closed loop is no network of this equation.
    feedback_gain : float
        See feedback.
    recurrent_noise : float
        Standard deviation of the private noise of a unit; a step adds √(2 dt/tau) of it.
    recurrent_init : str or array (unit, unit)
        "orthogonal", "normal" (standard deviation 1/√units), "glorot", "identity", each times
        recurrent_gain; or an array; with a rank see `LowRankRNN`.
    recurrent_gain : float
        See recurrent_init.
    input_init, output_init : str or array
        "glorot" (uniform), "normal" (standard deviation 1/√from), or an array; of the readout also
        "zeros".
    input_gain : float
        What drawn input weights are multiplied by, those of an array are not.
    constraints : Constraints, optional
        Signs, zeros, blocks, bounds of the weights; see `Constraints`.
    rank : int, optional
        W_rec = Σ m nᵀ / units of so many pairs of vectors; None: every entry is a weight.
    output_bias, output_noise, trainable : see `Model`
        As in `Model`.

    References
    ----------
    Sompolinsky, Crisanti & Sommers (1988), Phys. Rev. Lett. 61:259; Ehrlich et al. (2021), eNeuro
    8(1) (PsychRNN: its `Basic` model). The other forms: Valente, Pillow & Ostojic (2022), NeurIPS
    35; Pals, Macke & Barak (2024), PLoS Comput. Biol. 20:e1011852.
    """

    form: ClassVar[Literal["rates", "currents"] | None] = "currents"
    newer_fields: ClassVar[tuple[str, ...]] = (
        "constraints",
        "rank",
        "input_gain",
        "feedback",
        "feedback_gain",
    )

    bias: bool = True
    bias_inside: bool = False
    read: Literal["rates", "currents"] = "rates"
    recurrent_init: Any = "normal"

    @model_validator(mode="after")
    def _loop_can_be_closed(self) -> Self:
        if self.feedback and self.read == "currents":
            raise ValueError("feedback = True is not allowed with read = 'currents': 'rates'")
        if self.feedback and self.bias and self.bias_inside:
            raise ValueError("feedback = True is not allowed with bias_inside = True: False")
        return self

    def hidden(self, states: Any) -> Any:
        return states if self.read == "currents" else activation_of(self.activation)(states)

    def rates(self, weights: Weights, states: Any) -> Any:
        shift = weights["bias"] if self.bias_inside and "bias" in weights else 0.0
        return activation_of(self.activation)(states + shift)

    def step(
        self, weights: Weights, state: jax.Array, x: jax.Array, key: jax.Array | None = None
    ) -> jax.Array:
        sent, summed = state, weights["input_weights"] @ x
        if "bias" in weights and self.bias_inside:
            sent = sent + weights["bias"]
        elif "bias" in weights:
            summed = summed + weights["bias"]
        rates = activation_of(self.activation)(sent)
        summed = summed + self.recurrent_weights(weights) @ rates
        if FEEDBACK in weights:
            summed = summed + fed_back(weights, rates)
        moved = (1.0 - self.leak) * state + self.leak * summed
        return moved if key is None else moved + self._noise(key, moved.shape, moved.dtype)

    def _noise(self, key: jax.Array, shape: tuple[int, ...], dtype: Any) -> jax.Array:
        scale = self.recurrent_noise * (2.0 * self.leak) ** 0.5
        return scale * jax.random.normal(key, shape, dtype)

    def rate_form(self, weights: Weights) -> RateForm | None:
        weights, zero = self.closed_loop(weights), np.zeros(self.units)
        bias = weights.get("bias", zero)
        return RateForm(
            recurrent=self.recurrent_weights(weights),
            input_weights=weights["input_weights"],
            bias=bias,
            activation=activation_of(self.activation),
            leak=self.leak,
            noise=self.recurrent_noise * (2.0 / self.leak) ** 0.5,
            state="currents",
            shift=bias if self.bias_inside else zero,
            read=self.read,
        )

    def sum_slopes(
        self,
        weights: Weights,
        inputs: Any,
        before: Any,
        after: Any,
        key: jax.Array | None = None,
    ) -> Any:
        return jnp.full(before.shape, self.leak, before.dtype)

    def equation(self) -> Equation:
        sent = r"\phi(x(t) + b)" if self.bias and self.bias_inside else r"\phi(x(t))"
        bias = " + b" if self.bias and not self.bias_inside else ""
        bias += r" + W_\mathrm{fb}\,z(t)" if self.feedback else ""
        summed = rf"W_\mathrm{{rec}}\,{sent} + W_\mathrm{{in}}\,u(t){bias}"
        lines = leaking("x", summed if self.leak == 1 else rf"(\,{summed}\,)", self.leak)
        if self.recurrent_noise > 0:
            lines = (*lines[:-1], lines[-1][:-1] + r" + \xi(t)$")
        return Equation(
            (*lines, *self.rank_in_words()),
            read="x(t)" if self.read == "currents" else r"\phi(x(t))",
            state="x(t)",
            given="u(t)",
            in_words=r"x(t), recurrent through $W_\mathrm{rec}$",
        )

    def _noise_scale(self) -> str:
        return "√(2Δt/τ)"

    def cell_states(
        self,
        weights: Weights,
        inputs: jax.Array,
        initial_state: jax.Array,
        key: jax.Array | None = None,
        window: int | None = None,
    ) -> jax.Array:
        weights = self.closed_loop(weights)
        drive = self.leak * jnp.einsum("tbi,ui->tbu", inputs, weights["input_weights"])
        if "bias" in weights:
            drive = drive + self.leak * weights["bias"]
        if key is not None:
            drive = drive + self._noise(key, drive.shape, drive.dtype)
        # with b inside, x + b follows the equation that has it outside
        shift = weights["bias"] if self.bias_inside and "bias" in weights else 0.0
        phi, recurrent = activation_of(self.activation), self.recurrent_weights(weights)

        def of_window(state: jax.Array, drive: jax.Array) -> jax.Array:
            return current_network(phi, self.leak, recurrent, drive, state + shift) - shift

        return in_windows(of_window, window, drive, initial_state)
