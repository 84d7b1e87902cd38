"""Gated cells: GRU (leaky, too) and LSTM."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar, Literal, Self

import jax
import jax.numpy as jnp
from pydantic import Field, model_validator

from attractory.kernels import gated, gated_twice
from attractory.models import _initial
from attractory.models._cell import Weights
from attractory.models._equation import Equation
from attractory.models._model import Model, check_init
from attractory.models._registry import register

GateFunction = Literal["sigmoid", "hard_sigmoid", "hard_sigmoid_keras2"]


def _keras2_hard_sigmoid(x: jax.Array) -> jax.Array:
    return jnp.clip(0.2 * x + 0.5, 0.0, 1.0)


# The two hard ones differ in slope; jax.nn's is that of Keras 3 and torch, x/6 + 1/2 within [0, 1].
_GATE_FUNCTIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "sigmoid": jax.nn.sigmoid,
    "hard_sigmoid": jax.nn.hard_sigmoid,
    "hard_sigmoid_keras2": _keras2_hard_sigmoid,
}


class _Gated(Model):
    """What GRU and LSTM share: one block of weights a gate, one below the other."""

    units: int = Field(default=128, ge=1)
    recurrent_activation: GateFunction = "sigmoid"
    recurrent_init: Any = "orthogonal"
    input_init: Any = "glorot"

    @model_validator(mode="after")
    def _initial_weights_known(self) -> Self:
        allowed = ("orthogonal", "normal", "glorot", "identity")
        check_init("recurrent_init", self.recurrent_init, allowed)
        check_init("input_init", self.input_init, ("glorot", "normal"))
        return self

    def _gates_in_words(self) -> list[tuple[str, str]]:
        """What the gates apply, where it is not the usual sigmoid."""
        if self.recurrent_activation == "sigmoid":
            return []
        return [(r"$\sigma$", f"{self.recurrent_activation} (of the gates)")]

    def _gate_weights(
        self, gates: int, key: jax.Array, input_key: jax.Array, n_inputs: int
    ) -> Weights:
        """Recurrent and input weights, drawn for each gate by itself; arrays hold all gates."""
        units = self.units
        recurrent_init, input_init = self.recurrent_init, self.input_init
        if not isinstance(recurrent_init, str):
            recurrent = _initial.given("recurrent_init", recurrent_init, (gates * units, units))
        else:
            recurrent = jnp.concatenate(
                [
                    _initial.recurrent(recurrent_init, 1.0, units, each)
                    for each in jax.random.split(key, gates)
                ]
            )
        if not isinstance(input_init, str):
            into = _initial.given("input_init", input_init, (gates * units, n_inputs))
        else:
            into = jnp.concatenate(
                [
                    _initial.projection("input_init", input_init, (units, n_inputs), each)
                    for each in jax.random.split(input_key, gates)
                ]
            )
        return {"recurrent_weights": recurrent, "input_weights": into}


@register
class GRU(_Gated):
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

    Fields
    ------
    units: number of units.
    tau, dt: time constant and step, in the same unit; 0 < dt <= tau.
    reset_after: whether the reset gate acts after the product with W_n, or before it.
    recurrent_activation: σ of the gates: "sigmoid", "hard_sigmoid" (x/6 + 1/2 within [0, 1]: that
        of Keras 3, torch and JAX), "hard_sigmoid_keras2" (x/5 + 1/2: that of Keras 1 and 2).
    bias: whether there are the biases a and b (both start at 0).
    update_bias: initial value of a_u: units keep their state the longer, the larger it is.
    recurrent_init: "orthogonal", "normal", "glorot", "identity", for each gate; or an array.
    input_init, output_init: "glorot" (uniform), "normal" (standard deviation 1/√from), or an array.
    output_bias, output_noise, trainable: as in `Model`.

    Source: Cho et al. (2014), arXiv:1406.1078; the leak as in Yang et al. (2019).
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
        """dt / tau."""
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
            return _gru_cell(units, self.leak, self.recurrent_activation)(product, drive, state)
        gate, close = _reset_first(units, self.leak, self.recurrent_activation)
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
        return [*self._gates_in_words(), (r"$\Delta t,\ \tau$", steps)]

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
        weights = self._gate_weights(3, key, input_key, n_inputs)
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
    ) -> jax.Array:
        drive = jnp.einsum("tbi,ui->tbu", inputs, weights["input_weights"])
        if "bias" in weights:
            drive = drive + weights["bias"]
        recurrent = weights["recurrent_weights"]
        if not self.reset_after:
            gate, close = _reset_first(self.units, self.leak, self.recurrent_activation)
            return gated_twice(gate, close, recurrent, drive, initial_state)
        none = jnp.zeros(3 * self.units, inputs.dtype)
        cell = _gru_cell(self.units, self.leak, self.recurrent_activation)
        return gated(cell, recurrent, weights.get("recurrent_bias", none), drive, initial_state)


@register
class LSTM(_Gated):
    """Long short-term memory with a linear readout.

        i, f, o = σ(W h + U x + b) of each gate,    g = tanh(W_g h + U_g x + b_g)
        c(t+1) = f c + i g,    h(t+1) = o tanh(c(t+1))

    The numbers of Keras's LSTM and of torch's nn.LSTM; the weights have their order of the gates
    (i, f, g, o), one gate below the other. recurrent_weights (4 units, units), input_weights
    (4 units, input), bias (4 units,). A state is h followed by c: 2 units numbers.

    Fields
    ------
    units: number of units.
    dt: length of a step (for labels of time).
    recurrent_activation: σ of the gates, as in `GRU`.
    bias: whether there is a bias.
    forget_bias: its initial value in the forget gate.
    recurrent_init: "orthogonal", "normal", "glorot", "identity", for each gate; or an array.
    input_init, output_init: "glorot" (uniform), "normal" (standard deviation 1/√from), or an array.
    output_bias, output_noise, trainable: as in `Model`.

    Source: Hochreiter & Schmidhuber (1997), Neural Computation 9:1735, with the forget gate of
    Gers, Schmidhuber & Cummins (2000), 12:2451.
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
        return _lstm_cell(self.units, self.recurrent_activation)(product, drive, state)

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
        return [*self._gates_in_words(), (r"$\Delta t$", f"{self.dt:g} ms (step)")]

    def cell_shapes(self, n_inputs: int) -> dict[str, tuple[int, ...]]:
        rows = 4 * self.units
        shapes: dict[str, tuple[int, ...]] = {
            "recurrent_weights": (rows, self.units),
            "input_weights": (rows, n_inputs),
        }
        return {**shapes, "bias": (rows,)} if self.bias else shapes

    def cell_init(self, key: jax.Array, input_key: jax.Array, n_inputs: int) -> Weights:
        weights = self._gate_weights(4, key, input_key, n_inputs)
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
    ) -> jax.Array:
        drive = jnp.einsum("tbi,ui->tbu", inputs, weights["input_weights"])
        if "bias" in weights:
            drive = drive + weights["bias"]
        none = jnp.zeros(4 * self.units, inputs.dtype)
        cell = _lstm_cell(self.units, self.recurrent_activation)
        return gated(cell, weights["recurrent_weights"], none, drive, initial_state)


# The gates after the products; equal settings share one function, and so their programs.


@lru_cache(maxsize=64)
def _gru_cell(units: int, leak: float, gate_function: str = "sigmoid") -> Any:
    sigma = _GATE_FUNCTIONS[gate_function]

    def cell(product: jax.Array, drive: jax.Array, state: jax.Array) -> jax.Array:
        reset = sigma(product[..., :units] + drive[..., :units])
        update = sigma(product[..., units : 2 * units] + drive[..., units : 2 * units])
        candidate = jnp.tanh(reset * product[..., 2 * units :] + drive[..., 2 * units :])
        return _updated(state, update, candidate, leak)

    return cell


@lru_cache(maxsize=64)
def _reset_first(units: int, leak: float, gate_function: str = "sigmoid") -> tuple[Any, Any]:
    """`gate` and `close` of a GRU with reset_after=False."""
    sigma = _GATE_FUNCTIONS[gate_function]

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


@lru_cache(maxsize=64)
def _lstm_cell(units: int, gate_function: str = "sigmoid") -> Any:
    sigma = _GATE_FUNCTIONS[gate_function]

    def cell(product: jax.Array, drive: jax.Array, state: jax.Array) -> jax.Array:
        gates = product + drive
        enter, forget = jnp.split(sigma(gates[..., : 2 * units]), 2, axis=-1)
        written = jnp.tanh(gates[..., 2 * units : 3 * units])
        read = sigma(gates[..., 3 * units :])
        memory = forget * state[..., units:] + enter * written
        return jnp.concatenate([read * jnp.tanh(memory), memory], axis=-1)

    return cell
