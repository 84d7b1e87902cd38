"""The GRU, leaky too."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
from pydantic import Field, model_validator

from attractory.kernels import gated, gated_twice, in_windows
from attractory.models._cell import Weights
from attractory.models._equation import Equation
from attractory.models._gates import GATE_FUNCTIONS, Gated
from attractory.models._registry import register


@register
class GRU(Gated):
    """Gated recurrent units with a linear readout; with tau > dt they leak.

        r = σ(W_r h + b_r + U_r x + a_r)                 reset
        u = σ(W_u h + b_u + U_u x + a_u)                 update
        n = tanh(r · (W_n h + b_n) + U_n x + a_n)        candidate
        h(t+dt) = h + (dt/tau) (1 - u) (n - h)

    With dt = tau these are the numbers of Keras's GRU (reset_after=True) and of torch's nn.GRU,
    whose order of the gates (r, u, n) the weights have, one gate below the other.
    recurrent_weights (3 units, units), input_weights (3 units, input), bias a and recurrent_bias b
    (3 units,).

    With reset_after=False the reset gate acts before the product, as in Cho et al. and in Keras's
    GRU with that setting (the only one until 2018), and there is the bias a alone:

        n = tanh(W_n (r · h) + U_n x + a_n)

    Parameters
    ----------
    units : int
        Number of units.
    tau, dt : float
        Time constant and step, in the same unit; 0 < dt <= tau.
    reset_after : bool
        Whether the reset gate acts after the product with W_n, or before it.
    recurrent_activation : str
        The σ of the gates: "sigmoid", "hard_sigmoid" (x/6 + 1/2 within [0, 1]: that of Keras 3,
        torch and JAX), "hard_sigmoid_keras2" (x/5 + 1/2: that of Keras 1 and 2).
    bias : bool
        Whether there are the biases a and b (both start at 0).
    update_bias : float
        Initial value of a_u: units keep their state the longer, the larger it is.
    recurrent_init : str or array (gate x unit, unit)
        "orthogonal", "normal", "glorot", "identity", for each gate; or an array.
    input_init, output_init : str or array
        "glorot" (uniform), "normal" (standard deviation 1/√from), or an array; of the readout also
        "zeros".
    output_bias, output_noise, trainable : see `Model`
        As in `Model`.

    References
    ----------
    Cho et al. (2014), arXiv:1406.1078; the leak as in Yang et al. (2019).
    """

    gates: ClassVar[tuple[str, ...]] = ("reset", "update", "candidate")

    tau: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    dt: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    reset_after: bool = True
    bias: bool = True
    update_bias: float = Field(default=0.0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _leaks(self) -> Self:
        if self.dt > self.tau:
            raise ValueError(f"dt = {self.dt} is not allowed: at most tau = {self.tau}")
        return self

    @property
    def leak(self) -> float:
        return self.dt / self.tau

    @property
    def stays_bounded(self) -> bool | None:
        # a leaky mean of the state and of a candidate within ±1
        return True

    def step(
        self, weights: Weights, state: jax.Array, x: jax.Array, key: jax.Array | None = None
    ) -> jax.Array:
        drive = weights["input_weights"] @ x + weights.get("bias", 0.0)
        recurrent, units = weights["recurrent_weights"], self.units
        if self.reset_after:
            product = recurrent @ state + weights.get("recurrent_bias", 0.0)
            return gru_cell(units, self.leak, self.recurrent_activation)(product, drive, state)
        gate, close = reset_first(units, self.leak, self.recurrent_activation)
        kept, update = gate(recurrent[: 2 * units] @ state, drive, state)
        return close(recurrent[2 * units :] @ kept, update, drive, state)

    def equation(self) -> Equation:
        own, bias = (r" + b_\mathrm{rec}", " + b") if self.bias else ("", "")
        leak = "" if self.leak == 1 else r"(\Delta t/\tau)\,"
        if self.reset_after:
            product = rf"r \odot (W_n\,h{own})"
        else:
            own, product = "", r"W_n\,(r \odot h)"
        lines = (
            rf"$r, u = \sigma(\,W_{{r,u}}\,h{own} + U_{{r,u}}\,x{bias}\,)$",
            rf"$n = \tanh(\,{product} + U_n\,x{bias}\,)$",
            rf"$h(t+\Delta t) = h + {leak}(1 - u) \odot (n - h)$",
        )
        return Equation(lines, in_words="h(t), GRU cell")

    def terms(self) -> list[tuple[str, str]]:
        steps = f"{self.dt:g}, {self.tau:g} ms (step, time constant)"
        return [*self.gates_in_words(), (r"$\Delta t,\ \tau$", steps)]

    def cell_shapes(self, n_inputs: int) -> dict[str, tuple[int, ...]]:
        rows = 3 * self.units
        shapes: dict[str, tuple[int, ...]] = {
            "recurrent_weights": (rows, self.units),
            "input_weights": (rows, n_inputs),
        }
        if self.bias:
            shapes["bias"] = (rows,)
        if self.bias and self.reset_after:
            shapes["recurrent_bias"] = (rows,)
        return shapes

    def cell_init(self, key: jax.Array, input_key: jax.Array, n_inputs: int) -> Weights:
        weights = self.gate_weights(3, key, input_key, n_inputs)
        if self.bias:
            update = (jnp.arange(3 * self.units) // self.units) == 1
            weights["bias"] = jnp.where(update, self.update_bias, 0.0)
            if self.reset_after:
                weights["recurrent_bias"] = jnp.zeros(3 * self.units)
        return weights

    def cell_states(
        self,
        weights: Weights,
        inputs: jax.Array,
        initial_state: jax.Array,
        key: jax.Array | None = None,
        window: int | None = None,
    ) -> jax.Array:
        drive = jnp.einsum("tbi,ui->tbu", inputs, weights["input_weights"])
        if "bias" in weights:
            drive = drive + weights["bias"]
        recurrent = weights["recurrent_weights"]
        if not self.reset_after:
            gate, close = reset_first(self.units, self.leak, self.recurrent_activation)
            return in_windows(
                lambda state, drive: gated_twice(gate, close, recurrent, drive, state),
                window,
                drive,
                initial_state,
            )
        bias = weights.get("recurrent_bias", jnp.zeros(3 * self.units, inputs.dtype))
        cell = gru_cell(self.units, self.leak, self.recurrent_activation)
        return in_windows(
            lambda state, drive: gated(cell, recurrent, bias, drive, state),
            window,
            drive,
            initial_state,
        )


# The gates after the products; equal settings share one function, and so their programs.


@lru_cache(maxsize=64)
def gru_cell(units: int, leak: float, gate_function: str = "sigmoid") -> Any:
    sigma = GATE_FUNCTIONS[gate_function]

    def cell(product: jax.Array, drive: jax.Array, state: jax.Array) -> jax.Array:
        reset = sigma(product[..., :units] + drive[..., :units])
        update = sigma(product[..., units : 2 * units] + drive[..., units : 2 * units])
        candidate = jnp.tanh(reset * product[..., 2 * units :] + drive[..., 2 * units :])
        return _updated(state, update, candidate, leak)

    return cell


@lru_cache(maxsize=64)
def reset_first(units: int, leak: float, gate_function: str = "sigmoid") -> tuple[Any, Any]:
    """`gate` and `close` of a GRU with reset_after=False."""
    sigma = GATE_FUNCTIONS[gate_function]

    def gate(product: jax.Array, drive: jax.Array, state: jax.Array) -> tuple[jax.Array, jax.Array]:
        reset = sigma(product[..., :units] + drive[..., :units])
        update = sigma(product[..., units:] + drive[..., units : 2 * units])
        return reset * state, update

    def close(
        product: jax.Array, update: jax.Array, drive: jax.Array, state: jax.Array
    ) -> jax.Array:
        candidate = jnp.tanh(product + drive[..., 2 * units :])
        return _updated(state, update, candidate, leak)

    return gate, close


def _updated(state: jax.Array, update: jax.Array, candidate: jax.Array, leak: float) -> jax.Array:
    if leak == 1.0:
        return update * state + (1.0 - update) * candidate
    return state + leak * (1.0 - update) * (candidate - state)
