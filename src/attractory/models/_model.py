"""What every model is: a description that makes weights, and runs them on inputs."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field, model_validator

from attractory._errors import InvalidSetting, nearest, shown
from attractory._settings import Settings
from attractory.kernels import Precision
from attractory.models import _initial
from attractory.tasks import random_key

Weights = dict[str, Any]  # arrays by name, of JAX or NumPy


class Model(Settings):
    """Base of all models: a recurrent cell and a linear readout of its hidden state.

        s(t+dt) = cell(s(t), x(t)),    z(t) = W_out h(t) + c + noise

    The state s starts at 0; what of it is read out, the hidden state h, has `units` entries. A
    model's author writes the cell: `cell_shapes`, `cell_init`, `cell_states`.

    Fields
    ------
    units: number of units.
    output_bias: whether there is a readout bias c (it starts at 0).
    output_noise: standard deviation of white noise on the outputs.
    output_init: "glorot" (uniform), "normal" (standard deviation 1/√from), or an array.
    trainable: the weights, by name, that a learning rule may change; the others stay as they began.
        None: all of them.
    """

    fixed_weights: ClassVar[
        tuple[str, ...]
    ] = ()  # arrays among the weights that no rule may change

    units: int = Field(default=400, ge=1)
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

    def replace(self, **changes: Any) -> Self:
        """The same model with some fields changed; the result is checked again.

        What was never said stays unsaid: a model that never said its dt takes a task's.
        """
        said = {name: getattr(self, name) for name in self.model_fields_set}
        return type(self)(**{**said, **changes})

    @property
    def step_length(self) -> float:
        """The length of one step, in the unit of the model's time constant (ms, usually)."""
        return float(getattr(self, "dt", 1.0))

    @property
    def leak(self) -> float:
        """The step over the time constant: the share of the state that a step replaces at most."""
        return 1.0

    @property
    def state_size(self) -> int:
        """Entries of the whole state; more than `units` where a cell has a memory of its own."""
        return self.units

    def cell_shapes(self, n_inputs: int) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the cell's weights."""
        raise NotImplementedError

    def cell_init(self, key: jax.Array, input_key: jax.Array, n_inputs: int) -> Weights:
        """Initial weights of the cell in float32; `input_key` is for those from the inputs."""
        raise NotImplementedError

    def cell_states(
        self,
        weights: Weights,
        inputs: jax.Array,
        initial_state: jax.Array,
        key: jax.Array | None = None,
    ) -> jax.Array:
        """States (time, trial, state) for inputs (time, trial, input), each after its step."""
        raise NotImplementedError

    def first_state(self, weights: Weights, trials: int, dtype: Any) -> jax.Array:
        """The states (trial, state) in which trials begin: 0, unless the model says otherwise."""
        return jnp.zeros((trials, self.state_size), dtype)

    def hidden(self, states: Any) -> Any:
        """The part of states (…, state) that is read out: (…, unit)."""
        return states[..., : self.units]

    def input_size(self, weights: Weights) -> int:
        """Number of input channels of a network with these weights."""
        return int(weights["input_weights"].shape[1])

    def recurrent_weights(self, weights: Weights) -> Any:
        """What multiplies the hidden state, [to, from]; gates one below the other."""
        return weights["recurrent_weights"]

    def square_recurrent_weights(self, weights: Weights) -> Any | None:
        """The matrix W_rec (unit, unit) of a model that has one, [to, from]; None for others."""
        try:
            found = self.recurrent_weights(weights)
        except InvalidSetting:
            return None
        return found if found.shape == (self.units, self.units) else None

    def bfloat16_missing(self) -> str | None:
        """Why precision "bfloat16" would not be faster here than float32; None where it is."""
        return f"{type(self).__name__} has no products of bfloat16 numbers"

    def constrained(self, weights: Weights, before: Weights) -> Weights:
        """The weights after an update, where they must be; `before`: those before it."""
        return weights

    def allowed_changes(self, changes: Weights, weights: Weights, gradients: Weights) -> Weights:
        """Changes (or gradients) without what `constrained` would undo anyway.

        That is, 0 for weights that may not change, and for those at a bound that the gradients
        push against: an optimiser that mixes entries (Muon) would let them push the others.
        """
        return changes

    def may_train(self, name: str) -> bool:
        """Whether a learning rule may change these weights."""
        return name not in self.fixed_weights and (self.trainable is None or name in self.trainable)

    def init(self, key: jax.Array, n_inputs: int, n_outputs: int) -> Weights:
        """Initial weights in float32, as a dictionary of arrays by name."""
        cell_key, input_key, output_key = jax.random.split(key, 3)
        weights = self.cell_init(cell_key, input_key, n_inputs)
        weights["output_weights"] = _initial.projection(
            "output_init", self.output_init, (n_outputs, self.units), output_key
        )
        if self.output_bias:
            weights["output_bias"] = jnp.zeros(n_outputs)
        return weights

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
        cell_key, output_key = self._noise_keys(key)
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

    def build(self, n_inputs: int, n_outputs: int, seed: int = 0) -> Any:
        """A `Network` with initial weights drawn from the seed."""
        from attractory.models._network import Network  # which holds a Model: not at the top

        for name, n in [("n_inputs", n_inputs), ("n_outputs", n_outputs)]:
            if not isinstance(n, (int, np.integer)) or n < 1:
                raise InvalidSetting(
                    f"{name} = {shown(n)} is not allowed: a whole number, 1 or more"
                )
        return Network(self, self.init(random_key(seed), n_inputs, n_outputs))

    def has_cell_noise(self) -> bool:
        """Whether the cell itself draws random numbers."""
        return False

    def _noise_keys(self, key: jax.Array | None) -> tuple[jax.Array | None, jax.Array | None]:
        """Keys for the noise of the cell and of the outputs; None for one that there is not."""
        if not self.has_cell_noise() and self.output_noise == 0:
            return None, None
        if key is None:
            raise InvalidSetting("run: key = None, but the model has noise: give a JAX random key")
        first, second = jax.random.split(key)
        return (first if self.has_cell_noise() else None), (
            second if self.output_noise > 0 else None
        )


def check_init(field: str, value: Any, allowed: tuple[str, ...]) -> None:
    """ValueError for an initial distribution that is unknown by name."""
    if isinstance(value, str) and value not in allowed:
        raise ValueError(
            f"{field} = {shown(value)} is not allowed: an array or a name; "
            + nearest(value, allowed)
        )
