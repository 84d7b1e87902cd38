"""A user's own cell, from one function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
from pydantic import Field, model_validator

from attractory._errors import nearest, shown
from attractory.models import _initial
from attractory.models._cell import Weights
from attractory.models._equation import name_of
from attractory.models._model import Model
from attractory.models._registry import register

Size = int | str  # a number, "units" or "inputs"
_USUAL: dict[str, tuple[Size, ...]] = {
    "recurrent_weights": ("units", "units"),
    "input_weights": ("units", "inputs"),
    "bias": ("units",),
}


@register
class Custom(Model):
    """A cell of your own: one function that makes the next state.

    Square matrices start orthogonal, other matrices Glorot uniform, the rest at 0. Networks are
    saved without the function: `attractory.load(path, step=step)` takes it again.

    Parameters
    ----------
    step, function : callable
        The function (given as `step`, held as `function`), step(weights, state, x) -> state, in JAX
        operations, for one trial: weights is a dictionary of arrays, state (state,), x (input,).
        The first `units` entries of the state are read out. A function of four arguments gets a JAX
        random key as well, for noise (None: without noise).
    units : int
        Number of units that are read out.
    memory : int
        Further entries of the state (0 unless the cell has variables of its own).
    shapes : dict of tuples
        Name and shape of each weight; "units" and "inputs" stand for these numbers. One at least
        must have "inputs" in it.
    dt : float
        Length of a step (for labels of time).
    output_bias, output_noise, output_init, trainable : see `Model`
        As in `Model`.

    Examples
    --------
    ::

        def step(weights, state, x):
            return jnp.tanh(weights["recurrent_weights"] @ state + weights["input_weights"] @ x)

        model = Custom(step=step, units=100)
    """

    by_position: ClassVar[tuple[str, ...]] = ("step",)
    of_text: ClassVar[bool] = False

    function: Callable[..., Any] = Field(alias="step")
    units: int = Field(default=100, ge=1)
    memory: int = Field(default=0, ge=0)
    shapes: dict[str, tuple[Size, ...]] = Field(default=_USUAL)
    dt: float = Field(default=1.0, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _shapes_named(self) -> Self:
        for name, shape in self.shapes.items():
            for size in shape:
                if isinstance(size, str) and size not in ("units", "inputs"):
                    raise ValueError(
                        f"shapes: {shown(name)} has the size {shown(size)}; a number, "
                        + nearest(size, ("units", "inputs"))
                    )
        if not any("inputs" in shape for shape in self.shapes.values()):
            raise ValueError("shapes: no weight has the size 'inputs'; one at least must")
        return self

    @property
    def state_size(self) -> int:
        return self.units + self.memory

    def has_cell_noise(self) -> bool:
        return _arguments(self.function) > 3

    def step(
        self, weights: Weights, state: jax.Array, x: jax.Array, key: jax.Array | None = None
    ) -> jax.Array:
        given = (weights, state, x, key)
        return self.function(*given) if self.has_cell_noise() else self.function(*given[:3])

    def terms(self) -> list[tuple[str, str]]:
        first, *rest = super().terms()
        return [(first[0], f"{name_of(self.function)} (user's own cell)"), *rest]

    def input_size(self, weights: Weights) -> int:
        for name, shape in self.shapes.items():
            if "inputs" in shape:
                return int(weights[name].shape[shape.index("inputs")])
        raise AssertionError("checked when the model was made")

    def cell_shapes(self, n_inputs: int) -> dict[str, tuple[int, ...]]:
        sizes = {"units": self.units, "inputs": n_inputs}
        return {
            name: tuple(sizes[size] if isinstance(size, str) else int(size) for size in shape)
            for name, shape in self.shapes.items()
        }

    def cell_init(self, key: jax.Array, input_key: jax.Array, n_inputs: int) -> Weights:
        shapes = self.cell_shapes(n_inputs)
        keys = jax.random.split(key, len(shapes))
        return {
            name: _usual_start(shape, each)
            for (name, shape), each in zip(shapes.items(), keys, strict=True)
        }


def _arguments(function: Callable[..., Any]) -> int:
    """How many arguments a function takes by position."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of some compiled functions nothing is known
        return 3
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(each.kind in by_position for each in parameters)


def _usual_start(shape: tuple[int, ...], key: jax.Array) -> jax.Array:
    if len(shape) != 2:
        return jnp.zeros(shape)
    if shape[0] == shape[1]:
        return _initial.recurrent("orthogonal", 1.0, shape[0], key)
    return _initial.projection("shapes", "glorot", (shape[0], shape[1]), key)
