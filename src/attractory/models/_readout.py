"""The readout of a model: linear, with a bias and noise; and which weights are trained."""

from __future__ import annotations

from typing import Any

import jax
from pydantic import Field, model_validator

from attractory._errors import InvalidSetting, nearest, shown
from attractory.kernels import Precision
from attractory.models import _initial
from attractory.models._cell import Cell, Weights


def read_out(weights: Weights, factors: Any) -> Weights:
    """The weights with each unit's column of the readout, where there is one, times a factor."""
    if "output_weights" not in weights:  # those of a layer
        return weights
    return {**weights, "output_weights": weights["output_weights"] * factors}


class Readout(Cell):
    """A cell with a linear readout; see `Model`."""

    output_bias: bool = True
    output_noise: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    output_init: Any = "glorot"
    trainable: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _readout_consistent(self) -> Any:
        _initial.check_init("output_init", self.output_init, ("glorot", "normal", "zeros"))
        if self.trainable is not None:
            known = self.weight_shapes(1, 1)
            for name in self.trainable:
                # a bias may be named though this model has none
                if name not in known and name not in ("bias", "output_bias"):
                    raise ValueError(
                        f"trainable = {shown(name)} is not allowed: {nearest(name, known)}"
                    )
        return self

    def may_train(self, name: str) -> bool:
        """Whether a learning rule may change these weights.

        Parameters
        ----------
        name : str
            The name of the weights.

        Returns
        -------
        bool
            True where it may.
        """
        fixed = any(
            name == f"{part.prefix}{own}"
            for part in self.parts()
            for own in part.cell.fixed_weights
        )
        return not fixed and (self.trainable is None or name in self.trainable)

    def weight_shapes(self, n_inputs: int, n_outputs: int) -> dict[str, tuple[int, ...]]:
        """The names and shapes of the weights of such a network.

        Parameters
        ----------
        n_inputs, n_outputs : int
            Numbers of input and output channels.

        Returns
        -------
        dict of tuples
            The shapes by name.
        """
        shapes = {**self.cell_shapes(n_inputs), "output_weights": (n_outputs, self.units)}
        if self.output_bias:
            shapes["output_bias"] = (n_outputs,)
        return shapes

    def readout(
        self, weights: Weights, readouts: jax.Array, output_key: jax.Array | None
    ) -> jax.Array:
        """The outputs: what is read out, with bias and noise.

        Parameters
        ----------
        weights : dict of arrays
            The weights of a network.
        readouts : array (time, trial, output)
            W_out h.
        output_key : JAX random key or None
            For the noise; None: without.

        Returns
        -------
        array (trial, time, output)
            The outputs.
        """
        outputs = readouts.swapaxes(0, 1)
        if "output_bias" in weights:
            outputs = outputs + weights["output_bias"]
        if output_key is not None:
            outputs = outputs + self.output_noise * jax.random.normal(
                output_key, outputs.shape, outputs.dtype
            )
        return outputs

    def outputs_and_sizes(
        self,
        weights: Weights,
        inputs: jax.Array,
        key: jax.Array | None = None,
        precision: Precision = "float32",
        window: int | None = None,
    ) -> tuple[jax.Array, jax.Array] | None:
        """The outputs, and how large the rates are, of a model that has that for less than a run.

        Parameters
        ----------
        weights, inputs, key, precision, window : as in `Model.outputs`
            What the network is given, from its first states.

        Returns
        -------
        pair of arrays, or None
            outputs (trial, time, output), and sizes (time, trial, 2): the means over units of |r|
            and of r². None: it takes a run, and its rates.
        """
        return None

    def noise_keys(self, key: jax.Array | None) -> tuple[jax.Array | None, jax.Array | None]:
        """Keys for the noise of the cell and of the outputs.

        Parameters
        ----------
        key : JAX random key or None
            What both follow from; needed where the model has noise.

        Returns
        -------
        pair of JAX random keys
            None for one that there is not.

        Raises
        ------
        InvalidSetting
            Where the key is missing.
        """
        if not self.has_cell_noise() and self.output_noise == 0:
            return None, None
        if key is None:
            raise InvalidSetting("run: key = None, but the model has noise: give a JAX random key")
        first, second = jax.random.split(key)
        return (first if self.has_cell_noise() else None), (
            second if self.output_noise > 0 else None
        )
