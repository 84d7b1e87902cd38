"""The recurrent part of a model: one step of its state, and sequences of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

import jax
import jax.numpy as jnp

from attractory._errors import InvalidSetting
from attractory.kernels import in_windows
from attractory.models._cell_facts import CellFacts, Weights


class Part(NamedTuple):
    """One cell of a model.

    Parameters
    ----------
    prefix : str
        What the names of its weights begin with ("" of a single cell).
    layer : int or None
        Its number from 1 in a stack; None of a single cell.
    cell : Cell
        The cell.
    """

    prefix: str
    layer: int | None
    cell: Cell

    def own(self, weights: Weights) -> Weights:
        """The cell's own weights.

        Parameters
        ----------
        weights : dict of arrays
            The weights of the model.

        Returns
        -------
        dict of arrays
            Those of the cell, by its own names for them.
        """
        return {
            name.removeprefix(self.prefix): array
            for name, array in weights.items()
            if name.startswith(self.prefix)
        }


class Cell(CellFacts):
    """A recurrent cell: s(t+dt) = step(s(t), x(t)), and what everybody else asks about it.

    Its author writes `cell_shapes`, `cell_init` and `step`; sequences are the scan of the step,
    unless `cell_states` has a faster way. All else are facts with usual answers.

    Parameters
    ----------
    units : int
        Number of units.

    Attributes
    ----------
    fixed_weights : tuple of str
        Arrays among the weights that no rule may change.
    gates : tuple of str
        Names of the blocks of `units` rows in the recurrent weights of a gated cell.
    symbols : dict of str
        How weights are written in the equation, by name, in mathtext.
    form : "rates", "currents" or None
        Whether the state is that of a "rates" or a "currents" equation (see `RateForm`); None for
        others.
    of_text : bool
        Whether the settings can be written in a file (a function cannot).
    takes_feedback : bool
        Whether its outputs can come back to its units (`Model.with_feedback`).
    """

    @abstractmethod
    def cell_shapes(self, n_inputs: int) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the cell's weights.

        Parameters
        ----------
        n_inputs : int
            Number of input channels.

        Returns
        -------
        dict of tuples
            The shapes by name.
        """

    @abstractmethod
    def cell_init(self, key: jax.Array, input_key: jax.Array, n_inputs: int) -> Weights:
        """Initial weights of the cell in float32.

        Parameters
        ----------
        key : JAX random key
            What they are drawn from.
        input_key : JAX random key
            What those from the inputs are drawn from.
        n_inputs : int
            Number of input channels.

        Returns
        -------
        dict of arrays
            The weights by name.
        """

    def begun(self, weights: Weights, key: jax.Array) -> Weights:
        """Initial weights as constraints want them.

        Parameters
        ----------
        weights : dict of arrays
            The weights as they were drawn.
        key : JAX random key
            That of the initial weights.

        Returns
        -------
        dict of arrays
            The weights that a network begins with.
        """
        return weights

    @abstractmethod
    def step(
        self, weights: Weights, state: jax.Array, x: jax.Array, key: jax.Array | None = None
    ) -> jax.Array:
        """The next state of one trial, in JAX operations.

        Parameters
        ----------
        weights : dict of arrays
            The cell's weights.
        state : array (state,)
            The state.
        x : array (input,)
            The input.
        key : JAX random key, optional
            For the cell's noise in this step; None: without noise.

        Returns
        -------
        array (state,)
            The next state.
        """

    def cell_states(
        self,
        weights: Weights,
        inputs: jax.Array,
        initial_state: jax.Array,
        key: jax.Array | None = None,
        window: int | None = None,
    ) -> jax.Array:
        """The states of many trials, each after its step.

        The scan of `step`. Cells that override it make the same states, faster; with noise they may
        draw other numbers.

        Parameters
        ----------
        weights : dict of arrays
            The cell's weights.
        inputs : array (time, trial, input)
            The inputs.
        initial_state : array (trial, state)
            Where trials begin.
        key : JAX random key, optional
            For the cell's noise; None: without noise.
        window : int, optional
            Steps through which a gradient goes back: every so many steps the state is taken as
            given (`kernels.in_windows`). None: all of them. It changes no state.

        Returns
        -------
        array (time, trial, state)
            The states.
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

        def scanned(state: jax.Array, given: Any) -> jax.Array:
            return jax.lax.scan(step, state, given)[1]

        return in_windows(scanned, window, (inputs, jnp.arange(len(inputs))), initial_state)

    def first_state(self, weights: Weights, trials: int, dtype: Any) -> jax.Array:
        """The states in which trials begin: 0, unless the model says otherwise.

        Parameters
        ----------
        weights : dict of arrays
            The cell's weights.
        trials : int
            How many trials.
        dtype : dtype
            What the states are made of.

        Returns
        -------
        array (trial, state)
            The states.
        """
        if "initial_state" in weights:
            return jnp.tile(jnp.asarray(weights["initial_state"], dtype), (trials, 1))
        return jnp.zeros((trials, self.state_size), dtype)

    def hidden(self, states: Any) -> Any:
        """The part of states that is read out.

        Parameters
        ----------
        states : array (…, state)
            States of the cell.

        Returns
        -------
        array (…, unit)
            The hidden states.
        """
        return states[..., : self.units]

    def rates(self, weights: Weights, states: Any) -> Any:
        """What the units send: to each other, and usually to the outputs.

        Parameters
        ----------
        weights : dict of arrays
            The cell's weights.
        states : array (…, state)
            States of the cell.

        Returns
        -------
        array (…, all_units)
            The rates.
        """
        return self.hidden(states)

    def with_sent(self, weights: Weights, factors: Any) -> Weights:
        """The weights, with what each unit sends multiplied by a factor.

        Parameters
        ----------
        weights : dict of arrays
            The cell's weights, or the model's.
        factors : array (all_units,)
            The factors, in the order of `rates`.

        Returns
        -------
        dict of arrays
            The weights of a network whose units send so much more or less.

        Raises
        ------
        InvalidSetting
            For a cell of which it is not known what reads the units.
        """
        raise InvalidSetting(
            f"{type(self).__name__} does not say which of its weights read the units (a method "
            "with_sent())"
        )

    def parts(self) -> Iterator[Part]:
        """The cells of the model: itself; of layers each of them, the first layer first.

        Yields
        ------
        Part
            A cell, and how its weights are named.
        """
        yield Part("", None, self)

    def with_cells(self, change: Callable[[Any], Any]) -> Any:
        """The model with each of its cells changed.

        Parameters
        ----------
        change : callable
            Makes a cell of a cell.

        Returns
        -------
        Cell
            The changed model.
        """
        return change(self)

    @property
    def slowest_leak(self) -> float:
        """The step over the longest time constant of the model's cells."""
        return min(part.cell.leak for part in self.parts())

    def constrained(self, weights: Weights, before: Weights) -> Weights:
        """The weights after an update, where they must be.

        Parameters
        ----------
        weights : dict of arrays
            The weights after it.
        before : dict of arrays
            Those before it.

        Returns
        -------
        dict of arrays
            Weights that obey.
        """
        return weights

    def allowed_changes(self, changes: Weights, weights: Weights, gradients: Weights) -> Weights:
        """Changes (or gradients) without what `constrained` would undo anyway.

        That is, 0 for weights that may not change, and for those at a bound that the gradients push
        against: an optimiser that mixes entries (Muon) would let them push the others.

        Parameters
        ----------
        changes : dict of arrays
            The changes that are meant.
        weights, gradients : dict of arrays
            The weights, and the loss's gradients there.

        Returns
        -------
        dict of arrays
            The changes that may be made.
        """
        return changes

    def replace(self, **changes: Any) -> Self:
        """The same model with some fields changed; the result is checked again.

        What was never said stays unsaid: a model that never said its dt takes a task's.

        Parameters
        ----------
        **changes : settings
            The fields that are to be others.

        Returns
        -------
        Cell
            The new model.
        """
        said = {
            setting: getattr(self, name)
            for setting, name in self.setting_names().items()
            if name in self.model_fields_set
        }
        return type(self)(**{**said, **changes})
