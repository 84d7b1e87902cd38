"""The LSTM."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from pydantic import Field

from attractory.kernels import gated, in_windows
from attractory.models._cell import Weights
from attractory.models._equation import Equation
from attractory.models._gates import GATE_FUNCTIONS, Gated
from attractory.models._registry import register


@register
class LSTM(Gated):
    """Long short-term memory with a linear readout.

        i, f, o = σ(W h + U x + b) of each gate,    g = tanh(W_g h + U_g x + b_g)
        c(t+1) = f c + i g,    h(t+1) = o tanh(c(t+1))

    The numbers of Keras's LSTM and of torch's nn.LSTM; the weights have their order of the gates
    (i, f, g, o), one gate below the other. recurrent_weights (4 units, units), input_weights
    (4 units, input), bias (4 units,). A state is h followed by c: 2 units numbers.

    Parameters
    ----------
    units : int
        Number of units.
    dt : float
        Length of a step (for labels of time).
    recurrent_activation : str
        The σ of the gates, as in `GRU`.
    bias : bool
        Whether there is a bias.
    forget_bias : float
        Its initial value in the forget gate.
    recurrent_init : str or array (gate x unit, unit)
        "orthogonal", "normal", "glorot", "identity", for each gate; or an array.
    input_init, output_init : str or array
        "glorot" (uniform), "normal" (standard deviation 1/√from), or an array; of the readout also
        "zeros".
    output_bias, output_noise, trainable : see `Model`
        As in `Model`.

    References
    ----------
    Hochreiter & Schmidhuber (1997), Neural Computation 9:1735, with the forget gate of Gers,
    Schmidhuber & Cummins (2000), 12:2451.
    """

    gates: ClassVar[tuple[str, ...]] = ("input", "forget", "candidate", "output")

    dt: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    bias: bool = True
    forget_bias: float = Field(default=1.0, allow_inf_nan=False)

    @property
    def state_size(self) -> int:
        return 2 * self.units

    @property
    def stays_bounded(self) -> bool | None:
        # |h| < 1, hence the forget gate stays below some f < 1, and |c| <= 1 / (1 - f) is kept;
        # with a hard sigmoid f may be 1, and the memory may grow for ever
        return True if self.recurrent_activation == "sigmoid" else None

    def step(
        self, weights: Weights, state: jax.Array, x: jax.Array, key: jax.Array | None = None
    ) -> jax.Array:
        drive = weights["input_weights"] @ x + weights.get("bias", 0.0)
        product = weights["recurrent_weights"] @ state[: self.units]
        return lstm_cell(self.units, self.recurrent_activation)(product, drive, state)

    def equation(self) -> Equation:
        bias = " + b" if self.bias else ""
        lines = (
            rf"$i, f, o = \sigma(\,W_{{i,f,o}}\,h + U_{{i,f,o}}\,x{bias}\,)$",
            rf"$g = \tanh(\,W_g\,h + U_g\,x{bias}\,)$",
            r"$c(t+\Delta t) = f \odot c + i \odot g$",
            r"$h(t+\Delta t) = o \odot \tanh c(t+\Delta t)$",
        )
        return Equation(lines, in_words="h(t), LSTM cell")

    def terms(self) -> list[tuple[str, str]]:
        return [*self.gates_in_words(), (r"$\Delta t$", f"{self.dt:g} ms (step)")]

    def cell_shapes(self, n_inputs: int) -> dict[str, tuple[int, ...]]:
        rows = 4 * self.units
        shapes: dict[str, tuple[int, ...]] = {
            "recurrent_weights": (rows, self.units),
            "input_weights": (rows, n_inputs),
        }
        return {**shapes, "bias": (rows,)} if self.bias else shapes

    def cell_init(self, key: jax.Array, input_key: jax.Array, n_inputs: int) -> Weights:
        weights = self.gate_weights(4, key, input_key, n_inputs)
        if self.bias:
            forget = (jnp.arange(4 * self.units) // self.units) == 1
            weights["bias"] = jnp.where(forget, self.forget_bias, 0.0)
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
        none = jnp.zeros(4 * self.units, inputs.dtype)
        cell = lstm_cell(self.units, self.recurrent_activation)
        return in_windows(
            lambda state, drive: gated(cell, weights["recurrent_weights"], none, drive, state),
            window,
            drive,
            initial_state,
        )


@lru_cache(maxsize=64)
def lstm_cell(units: int, gate_function: str = "sigmoid") -> Any:
    sigma = GATE_FUNCTIONS[gate_function]

    def cell(product: jax.Array, drive: jax.Array, state: jax.Array) -> jax.Array:
        gates = product + drive
        enter, forget = jnp.split(sigma(gates[..., : 2 * units]), 2, axis=-1)
        written = jnp.tanh(gates[..., 2 * units : 3 * units])
        read = sigma(gates[..., 3 * units :])
        memory = forget * state[..., units:] + enter * written
        return jnp.concatenate([read * jnp.tanh(memory), memory], axis=-1)

    return cell
