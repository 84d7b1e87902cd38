"""What every model is: a cell with a linear readout; and one network, a model with its weights."""

from __future__ import annotations

from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from attractory._arguments import a_name, takes, whole
from attractory._errors import InvalidSetting, NamesNearest, shown
from attractory.kernels import Precision, window_argument
from attractory.models import _initial
from attractory.models._cell import Weights
from attractory.models._feedback import FEEDBACK
from attractory.models._readout import Readout
from attractory.models._simulation import responded, simulated
from attractory.models._steps import rescaled
from attractory.models._trajectory import Trajectory
from attractory.tasks import random_key


class Model(Readout):
    """Base of all models: a recurrent cell and a linear readout of its hidden state.

        s(t+dt) = step(s(t), x(t)),    z(t) = W_out h(t) + c + noise

    The state s starts at 0; what of it is read out, the hidden state h, has `units` entries. A
    model's author writes the cell (see `Cell`): `cell_shapes`, `cell_init`, `step`.

    Parameters
    ----------
    units : int
        Number of units.
    output_bias : bool
        Whether there is a readout bias c (it starts at 0).
    output_noise : float
        Standard deviation of white noise on the outputs.
    output_init : str or array (output, unit)
        "glorot" (uniform), "normal" (standard deviation 1/√from), "zeros", or an array.
    trainable : tuple of str, optional
        The weights, by name, that a learning rule may change; the others stay as they began. None:
        all of them.
    """

    def init(self, key: jax.Array, n_inputs: int, n_outputs: int) -> Weights:
        """Initial weights in float32.

        Parameters
        ----------
        key : JAX random key
            What they are drawn from.
        n_inputs, n_outputs : int
            Numbers of input and output channels.

        Returns
        -------
        dict of arrays
            The weights by name.
        """
        cell_key, input_key, output_key = jax.random.split(key, 3)
        weights = self.cell_init(cell_key, input_key, n_inputs)
        weights["output_weights"] = _initial.projection(
            "output_init", self.output_init, (n_outputs, self.units), output_key
        )
        if self.output_bias:
            weights["output_bias"] = jnp.zeros(n_outputs)
        return self.begun(weights, key)

    def with_feedback(self) -> Self:
        """The model with feedback of its outputs to its units.

        Returns
        -------
        Model
            This model where it has feedback already.

        Raises
        ------
        InvalidSetting
            For a model that cannot have feedback.
        """
        raise InvalidSetting(
            f"model: a {type(self).__name__} has no feedback from its outputs; allowed: RateRNN, "
            "LowRankRNN, CurrentRNN"
        )

    def without_feedback(self, weights: Weights) -> Self:
        """The model with these weights, which have no feedback.

        Parameters
        ----------
        weights : dict of arrays
            Weights as `closed_loop` gives them.

        Returns
        -------
        Model
            This model where it has no feedback.
        """
        return self

    def run(
        self,
        weights: Weights,
        inputs: jax.Array,
        key: jax.Array | None = None,
        initial_state: jax.Array | None = None,
        precision: Precision = "float32",
        window: int | None = None,
    ) -> tuple[jax.Array, jax.Array]:
        """States and outputs for a batch of inputs; pure and differentiable in the weights.

        Parameters
        ----------
        weights : dict of arrays
            The weights of a network.
        inputs : array (trial, time, input)
            What it is given.
        key : JAX random key, optional
            Needed where the model has noise.
        initial_state : array (trial, state), optional
            Where trials begin; `first_state` when None.
        precision : "float32" or "bfloat16"
            As in `outputs`.
        window : int, optional
            As in `cell_states`.

        Returns
        -------
        states : array (time, trial, state)
            The states, each after its step.
        outputs : array (trial, time, output)
            The outputs.
        """
        cell_key, output_key = self.noise_keys(key)
        inputs = jnp.asarray(inputs).swapaxes(0, 1)
        if initial_state is None:
            initial_state = self.first_state(weights, inputs.shape[1], inputs.dtype)
        cut = window_argument(window)
        states = self.cell_states(weights, inputs, initial_state, cell_key, **cut)
        readouts = jnp.einsum("tbu,ou->tbo", self.hidden(states), weights["output_weights"])
        return states, self.readout(weights, readouts, output_key)

    def outputs(
        self,
        weights: Weights,
        inputs: jax.Array,
        key: jax.Array | None = None,
        precision: Precision = "float32",
        window: int | None = None,
    ) -> jax.Array:
        """The outputs of `run` alone, from the first states.

        Some models are faster so, and need less memory.

        Parameters
        ----------
        weights : dict of arrays
            The weights of a network.
        inputs : array (trial, time, input)
            What it is given.
        key : JAX random key, optional
            Needed where the model has noise.
        precision : "float32" or "bfloat16"
            "bfloat16" rounds the factors of the recurrent products, of models that have such
            products (see `bfloat16_missing`).
        window : int, optional
            As in `cell_states`.

        Returns
        -------
        array (trial, time, output)
            The outputs.
        """
        return self.run(weights, inputs, key, **window_argument(window))[1]

    @takes()
    def build(self, n_inputs: int, n_outputs: int, seed: int = 0) -> Network:
        """A network with initial weights.

        Parameters
        ----------
        n_inputs, n_outputs : int
            Numbers of input and output channels.
        seed : int
            What the weights are drawn from.

        Returns
        -------
        Network
            The network.

        Raises
        ------
        InvalidSetting
            For a number of channels below 1, or one that is not whole.
        """
        for name, n in [("n_inputs", n_inputs), ("n_outputs", n_outputs)]:
            if not isinstance(n, (int, np.integer)) or n < 1:
                raise InvalidSetting(
                    f"{name} = {shown(n)} is not allowed: a whole number, 1 or more"
                )
        return Network(self, self.init(random_key(seed), n_inputs, n_outputs))


class Network(eqx.Module, NamesNearest):
    """A network: a model says what it is, and weights are its arrays.

    It is a pytree: JAX transformations see the weights and leave the description alone.

    Attributes
    ----------
    model : Model
        What the network is.
    weights : dict of arrays
        Its arrays by name ([to, from]).
    """

    model: Model = eqx.field(static=True)
    weights: Weights

    @property
    def recurrent_weights(self) -> np.ndarray:
        """W_rec (unit, unit), [to, from]; of gated cells their gates, one below the other.

        Of those (gate x unit, unit).

        Raises
        ------
        InvalidSetting
            For a model that has no such matrix.
        """
        return np.asarray(self.model.recurrent_weights(self.weights))

    @property
    def input_weights(self) -> np.ndarray:
        """W_in (unit, input), [to, from]; for gated cells (gate x unit, input)."""
        if "input_weights" not in self.weights:
            raise InvalidSetting(
                "this network has no weights named 'input_weights'; "
                f"it has {', '.join(self.weights)}"
            )
        return np.asarray(self.weights["input_weights"])

    @property
    def output_weights(self) -> np.ndarray:
        """W_out (output, unit), [to, from]."""
        return np.asarray(self.weights["output_weights"])

    @property
    def output_bias(self) -> np.ndarray | None:
        """Readout bias (output,), or None."""
        return _optional(self.weights, "output_bias")

    @property
    def bias(self) -> np.ndarray | None:
        """Recurrent bias (unit,), or None."""
        return _optional(self.weights, "bias")

    @property
    def units(self) -> int:
        """Number of recurrent units that are read out."""
        return self.model.units

    @property
    def state_size(self) -> int:
        """Entries of a state: `units`, and more where the cell or its layers have them."""
        return self.model.state_size

    @property
    def n_inputs(self) -> int:
        """Number of input channels."""
        return self.model.input_size(self.weights)

    @property
    def n_outputs(self) -> int:
        """Number of output channels."""
        return self.weights["output_weights"].shape[0]

    def closed_loop(self) -> Network:
        """The network without feedback that does the same as this one.

        Its recurrent weights are W_rec + W_fb W_out and its bias is b + W_fb c: with a linear
        readout the outputs say nothing that the state does not. Analyses look at this network.

        Returns
        -------
        Network
            The network itself where it has no feedback; else one with weights in float64.
            Constraints are of W_rec: the closed loop has none.
        """
        if not self.model.has_feedback:
            return self
        exact = {name: np.asarray(array, np.float64) for name, array in self.weights.items()}
        weights = self.model.closed_loop(exact)
        model = self.model.without_feedback(weights)
        shapes = model.weight_shapes(self.n_inputs, self.n_outputs)
        return Network(model, {name: weights[name] for name in shapes})

    def open_loop(self) -> Network:
        """This network with its feedback cut, all other weights as they are.

        Returns
        -------
        Network
            The network itself where it has no feedback.
        """
        if not self.model.has_feedback:
            return self
        weights = {name: array for name, array in self.weights.items() if name != FEEDBACK}
        return Network(self.model.replace(feedback=False), weights)

    def with_dt(self, dt: float) -> Self:
        """This network with steps of another length; the numbers that it computes stay the same.

        Time constants are scaled with the steps. For a network from elsewhere, whose steps have no
        length, or another one than the task that it is tried on.

        Parameters
        ----------
        dt : float
            The length of a step, in the unit of the time constant (ms, usually).

        Returns
        -------
        Network
            The network with these steps.
        """
        return type(self)(rescaled(self.model, dt), self.weights)

    @takes(precision=a_name)
    def simulate(
        self,
        inputs: Any,
        seed: int = 0,
        initial_state: Any = None,
        precision: str = "float32",
    ) -> Trajectory:
        """Run the network on inputs.

        Parameters
        ----------
        inputs : array (trial, time, input), or (time, input) for one trial
            What it is given.
        seed : int
            Serves only a model with noise.
        initial_state : array (trial, state) or (state,), optional
            Where trials begin; the model's own (0) when None.
        precision : "float32" or "float64"
            What the network is computed in.

        Returns
        -------
        Trajectory
            Inputs, states and outputs.

        Raises
        ------
        InvalidSetting
            For inputs of a wrong shape or with values that are not finite, and for axes in another
            order where that can be told: by the names of an xarray.DataArray's dimensions, by the
            number of initial states, by which axis has as many entries as there are inputs.
        """
        return simulated(self, inputs, seed, initial_state, precision)

    def __call__(self, inputs: Any, seed: int = 0) -> np.ndarray:
        """The outputs to inputs (trial, time, input), or (time, input) for one trial; see
        `respond`."""
        return self.respond(inputs, seed)

    def __repr__(self) -> str:
        sizes = f"{self.n_inputs} inputs, {self.units} units, {self.n_outputs} outputs"
        return f"Network of {self.model!r}: {sizes}"

    @takes(batch=whole(1))
    def respond(self, inputs: Any, seed: int = 0, batch: int = 64) -> np.ndarray:
        """The outputs alone, for many trials, in float32.

        Parameters
        ----------
        inputs : array (trial, time, input), or (time, input) for one trial
            What the network is given.
        seed : int
            Serves only a model with noise.
        batch : int
            Trials that are run at a time.

        Returns
        -------
        array (trial, time, output)
            The outputs; (time, output) for one trial without its axis.
        """
        return responded(self, inputs, seed, batch)


def _optional(weights: Weights, name: str) -> np.ndarray | None:
    return np.asarray(weights[name]) if name in weights else None
