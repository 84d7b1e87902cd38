"""The recurrent part of a model: one step of its state, and the facts about it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Literal, NamedTuple, Self

import jax
import jax.numpy as jnp
from pydantic import Field

from attractory._errors import InvalidSetting
from attractory._settings import Settings
from attractory.models._constraints import Constraints
from attractory.models._equation import Equation
from attractory.models._rate_form import RateForm

Weights = dict[str, Any]  # arrays by name, of JAX or NumPy


class Part(NamedTuple):
    """One cell of a model. prefix: what the names of its weights begin with ("" of a single cell).
    layer: its number from 1 in a stack, None of a single cell."""

    prefix: str
    layer: int | None
    cell: Cell

    def own(self, weights: Weights) -> Weights:
        """The cell's own weights by its own names for them."""
        return {
            name.removeprefix(self.prefix): array
            for name, array in weights.items()
            if name.startswith(self.prefix)
        }


class Cell(Settings):
    """A recurrent cell: s(t+dt) = step(s(t), x(t)), and what everybody else asks about it.

    Its author writes `cell_shapes`, `cell_init` and `step`; sequences are the scan of the step,
    unless `cell_states` has a faster way. All else are facts with usual answers.

    Class variables
    ---------------
    fixed_weights: arrays among the weights that no rule may change.
    gates: names of the blocks of `units` rows in the recurrent weights of a gated cell.
    symbols: how weights are written in the equation, by name, in mathtext.
    form: whether the state is that of a "rates" or a "currents" equation (see `RateForm`); None
        for others.
    of_text: whether the settings can be written in a file (a function cannot).
    """

    fixed_weights: ClassVar[tuple[str, ...]] = ()
    gates: ClassVar[tuple[str, ...]] = ()
    form: ClassVar[Literal["rates", "currents"] | None] = None
    of_text: ClassVar[bool] = True
    symbols: ClassVar[dict[str, str]] = {
        "input_weights": r"$W_\mathrm{in}$",
        "recurrent_weights": r"$W_\mathrm{rec}$",
        "left_vectors": r"$m$",
        "right_vectors": r"$n$",
        "bias": r"$b$",
        "recurrent_bias": r"$b_\mathrm{rec}$",
    }

    by_position: ClassVar[tuple[str, ...]] = ("units",)

    units: int = Field(default=400, ge=1)

    @abstractmethod
    def cell_shapes(self, n_inputs: int) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the cell's weights."""

    @abstractmethod
    def cell_init(self, key: jax.Array, input_key: jax.Array, n_inputs: int) -> Weights:
        """Initial weights of the cell in float32; `input_key` is for those from the inputs."""

    def begun(self, weights: Weights, key: jax.Array) -> Weights:
        """Initial weights as constraints want them; key: that of the initial weights."""
        return weights

    @abstractmethod
    def step(
        self, weights: Weights, state: jax.Array, x: jax.Array, key: jax.Array | None = None
    ) -> jax.Array:
        """The next state of one trial: state (state,), x (input,) -> (state,), in JAX operations.

        key: for the cell's noise in this step; None: without noise.
        """

    def cell_states(
        self,
        weights: Weights,
        inputs: jax.Array,
        initial_state: jax.Array,
        key: jax.Array | None = None,
    ) -> jax.Array:
        """States (time, trial, state) for inputs (time, trial, input), each after its step.

        The scan of `step`. Cells that override it make the same states, faster; with noise they
        may draw other numbers.
        """
        trials = inputs.shape[1]

        def step(state: jax.Array, now: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            x, time = now
            if key is None:
                made = jax.vmap(lambda s, u: self.step(weights, s, u))(state, x)
            else:
                keys = jax.random.split(jax.random.fold_in(key, time), trials)
                made = jax.vmap(lambda s, u, k: self.step(weights, s, u, k))(state, x, keys)
            if made.shape != state.shape:
                raise InvalidSetting(
                    f"step returned shape {made.shape[1:]} for a state of shape "
                    f"{state.shape[1:]}; it must be the same"
                )
            return made, made

        return jax.lax.scan(step, initial_state, (inputs, jnp.arange(len(inputs))))[1]

    def first_state(self, weights: Weights, trials: int, dtype: Any) -> jax.Array:
        """The states (trial, state) in which trials begin: 0, unless the model says otherwise."""
        if "initial_state" in weights:
            return jnp.tile(jnp.asarray(weights["initial_state"], dtype), (trials, 1))
        return jnp.zeros((trials, self.state_size), dtype)

    def hidden(self, states: Any) -> Any:
        """The part of states (…, state) that is read out: (…, unit)."""
        return states[..., : self.units]

    def parts(self) -> Iterator[Part]:
        """The cells of the model: itself; of layers each of them, the first layer first."""
        yield Part("", None, self)

    def with_cells(self, change: Callable[[Any], Any]) -> Any:
        """The model with each of its cells changed by a function of cells."""
        return change(self)

    @property
    def step_length(self) -> float:
        """The length of one step, in the unit of the model's time constant (ms, usually)."""
        return float(getattr(self, "dt", 1.0))

    @property
    def leak(self) -> float:
        """The step over the time constant: the share of the state that a step replaces at most."""
        return 1.0

    @property
    def slowest_leak(self) -> float:
        """The step over the longest time constant of the model's cells."""
        return min(part.cell.leak for part in self.parts())

    @property
    def state_size(self) -> int:
        """Entries of the whole state; more than `units` where a cell has a memory of its own."""
        return self.units

    @property
    def stays_bounded(self) -> bool | None:
        """Whether the step under a constant input maps a ball of states into itself; None: not
        known."""
        return None

    @property
    def weight_constraints(self) -> Constraints | None:
        """What the recurrent weights must obey; None: nothing."""
        return None

    @property
    def recurrent_rank(self) -> int | None:
        """The rank of the recurrent weights where they are made of so many pairs of vectors."""
        return None

    def has_cell_noise(self) -> bool:
        """Whether the cell itself draws random numbers."""
        return False

    def rate_form(self, weights: Weights) -> RateForm | None:
        """The rate network with the same fixed points and eigenvalues, where there is one: then
        they are proved. None: nothing is proved."""
        return None

    def equation(self) -> Equation:
        """How the cell is written on a figure."""
        own = type(self).__name__
        lines = (r"$s(t+\Delta t) = F(\,s(t),\ x(t)\,)$", r"$h$: the first entries of $s$")
        return Equation(lines, state="s(t)", in_words=f"{own} cell")

    def terms(self) -> list[tuple[str, str]]:
        """Symbol and value of what stands in the equation beside weights."""
        return [
            (r"$F$", f"{type(self).__name__} (user's own cell)"),
            (r"$s$", f"{self.state_size} (state)"),
            (r"$\Delta t$", f"{self.step_length:g} ms (step)"),
        ]

    def input_size(self, weights: Weights) -> int:
        """Number of input channels of a network with these weights."""
        return int(weights["input_weights"].shape[1])

    def recurrent_weights(self, weights: Weights) -> Any:
        """What multiplies the hidden state, [to, from]; gates one below the other."""
        if "recurrent_weights" not in weights:
            raise InvalidSetting(
                "this model's cell has no weights named 'recurrent_weights'; "
                f"it has {', '.join(weights)}"
            )
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

    def replace(self, **changes: Any) -> Self:
        """The same model with some fields changed; the result is checked again.

        What was never said stays unsaid: a model that never said its dt takes a task's.
        """
        said = {
            setting: getattr(self, name)
            for setting, name in self.setting_names().items()
            if name in self.model_fields_set
        }
        return type(self)(**{**said, **changes})
