"""What gated cells share: one block of weights a gate, one below the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Self

import jax
import jax.numpy as jnp
from pydantic import Field, model_validator

from attractory.models import _initial
from attractory.models._cell import Weights
from attractory.models._model import Model
from attractory.models._readout import read_out

GateFunction = Literal["sigmoid", "hard_sigmoid", "hard_sigmoid_keras2"]


def _keras2_hard_sigmoid(x: jax.Array) -> jax.Array:
    return jnp.clip(0.2 * x + 0.5, 0.0, 1.0)


# The two hard ones differ in slope; jax.nn's is that of Keras 3 and torch, x/6 + 1/2 within [0, 1].
GATE_FUNCTIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "sigmoid": jax.nn.sigmoid,
    "hard_sigmoid": jax.nn.hard_sigmoid,
    "hard_sigmoid_keras2": _keras2_hard_sigmoid,
}


class Gated(Model):
    """Base of GRU and LSTM."""

    units: int = Field(default=128, ge=1)
    recurrent_activation: GateFunction = "sigmoid"
    recurrent_init: Any = "orthogonal"
    input_init: Any = "glorot"

    @model_validator(mode="after")
    def _initial_weights_known(self) -> Self:
        allowed = ("orthogonal", "normal", "glorot", "identity")
        _initial.check_init("recurrent_init", self.recurrent_init, allowed)
        _initial.check_init("input_init", self.input_init, ("glorot", "normal"))
        return self

    def gates_in_words(self) -> list[tuple[str, str]]:
        """What the gates apply, where it is not the usual sigmoid."""
        if self.recurrent_activation == "sigmoid":
            return []
        return [(r"$\sigma$", f"{self.recurrent_activation} (of the gates)")]

    def with_sent(self, weights: Weights, factors: Any) -> Weights:
        made = {**weights, "recurrent_weights": weights["recurrent_weights"] * factors}
        return read_out(made, factors)

    def gate_weights(
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
