"""A user's own cell, and layers of cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import jax
import jax.numpy as jnp
from pydantic import Field, model_validator

from attractory._errors import InvalidSetting, nearest, shown
from attractory.models import _initial
from attractory.models._current import CurrentRNN
from attractory.models._gated import GRU, LSTM
from attractory.models._model import Model, Weights
from attractory.models._rate import LowRankRNN, RateRNN

Size = int | str  # a number, "units" or "inputs"
_USUAL: dict[str, tuple[Size, ...]] = {
    "recurrent_weights": ("units", "units"),
    "input_weights": ("units", "inputs"),
    "bias": ("units",),
}


class Custom(Model):
    """A cell of your own: one function that makes the next state.

        def step(weights, state, x):
            return jnp.tanh(weights["recurrent_weights"] @ state + weights["input_weights"] @ x)

        model = Custom(step=step, units=100)

    step(weights, state, x) -> state, in JAX operations, for one trial: weights is a dictionary of
    arrays, state (state,), x (input,). The first `units` entries of the state are read out.

    Fields
    ------
    step: the function.
    units: number of units that are read out.
    memory: further entries of the state (0 unless the cell has variables of its own).
    shapes: name and shape of each weight; "units" and "inputs" stand for these numbers. One at
        least must have "inputs" in it.
    dt: length of a step (for labels of time).
    output_bias, output_noise, output_init, trainable: as in `Model`.

    Square matrices start orthogonal, other matrices Glorot uniform, the rest at 0. Networks are
    saved without the function: `attractory.load(path, step=step)` takes it again.
    """

    step: Callable[[Any, Any, Any], Any]
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

    def input_size(self, weights: Weights) -> int:
        for name, shape in self.shapes.items():
            if "inputs" in shape:
                return int(weights[name].shape[shape.index("inputs")])
        raise AssertionError("checked when the model was made")

    def recurrent_weights(self, weights: Weights) -> Any:
        if "recurrent_weights" not in weights:
            raise InvalidSetting(
                "this model's cell has no weights named 'recurrent_weights'; "
                f"it has {', '.join(weights)}"
            )
        return weights["recurrent_weights"]

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

    def cell_states(
        self,
        weights: Weights,
        inputs: jax.Array,
        initial_state: jax.Array,
        key: jax.Array | None = None,
    ) -> jax.Array:
        one = jax.vmap(lambda state, x: self.step(weights, state, x))

        def step(state: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
            made = one(state, x)
            if made.shape != state.shape:
                raise InvalidSetting(
                    f"step returned shape {made.shape[1:]} for a state of shape "
                    f"{state.shape[1:]}; it must be the same"
                )
            return made, made

        return jax.lax.scan(step, initial_state, inputs)[1]


class Stacked(Model):
    """Layers of cells: each gets the hidden states of the one below, the last is read out.

    The state is that of all layers, the last first. Weights are named by their layer, from 1:
    "layer_1.recurrent_weights" and so on.

    Fields
    ------
    layers: the models of the layers, the first gets the inputs; their readouts are not used.
    output_bias, output_noise, output_init, trainable: as in `Model`; `units` follows from layers.
    """

    layers: tuple[Any, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _made(cls, values: Any) -> Any:
        """Layers from their JSON; units from the last layer."""
        values = dict(values)
        layers = []
        given = values.get("layers") or ()
        if not isinstance(given, (list, tuple)):
            raise ValueError(f"layers = {shown(given)} is not allowed: a list of models")
        for i, layer in enumerate(given):
            if isinstance(layer, dict) and {"name", "settings"} == set(layer):
                layer = _from_json(layer)
            if not isinstance(layer, Model):
                raise ValueError(f"layers[{i}] = {shown(layer)} is not allowed: a model is needed")
            layers.append(layer)
        values["layers"] = tuple(layers)
        if layers:
            values["units"] = layers[-1].units
        return values

    def to_json(self) -> dict[str, Any]:
        described = [{"name": type(m).__name__, "settings": m.to_json()} for m in self.layers]
        return {**super().to_json(), "layers": described}

    @property
    def step_length(self) -> float:
        return float(self.layers[-1].step_length)

    @property
    def state_size(self) -> int:
        return sum(layer.state_size for layer in self.layers)

    def first_state(self, weights: Weights, trials: int, dtype: Any) -> jax.Array:
        found = [
            layer.first_state(_of_layer(weights, i), trials, dtype)
            for i, layer in enumerate(self.layers, 1)
        ]
        return jnp.concatenate(found[::-1], axis=-1)

    def has_cell_noise(self) -> bool:
        return any(layer.has_cell_noise() for layer in self.layers)

    def input_size(self, weights: Weights) -> int:
        return int(self.layers[0].input_size(_of_layer(weights, 1)))

    def hidden(self, states: Any) -> Any:
        last = self.layers[-1]
        return last.hidden(states[..., : last.state_size])

    def recurrent_weights(self, weights: Weights) -> Any:
        raise InvalidSetting(
            "a network of several layers has no single matrix of recurrent weights; "
            "its weights are named by layer, as 'layer_1.recurrent_weights'"
        )

    def constrained(self, weights: Weights, before: Weights) -> Weights:
        made = dict(weights)
        for i, layer in enumerate(self.layers, 1):
            changed = layer.constrained(_of_layer(weights, i), _of_layer(before, i))
            made |= _named(changed, i)
        return made

    def allowed_changes(self, changes: Weights, weights: Weights, gradients: Weights) -> Weights:
        made = dict(changes)
        for i, layer in enumerate(self.layers, 1):
            own, pushed = _of_layer(changes, i), _of_layer(gradients, i)
            if own:
                made |= _named(layer.allowed_changes(own, _of_layer(weights, i), pushed), i)
        return made

    def may_train(self, name: str) -> bool:
        fixed = any(
            name == f"layer_{i}.{each}"
            for i, layer in enumerate(self.layers, 1)
            for each in layer.fixed_weights
        )
        return not fixed and (self.trainable is None or name in self.trainable)

    def cell_shapes(self, n_inputs: int) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {}
        for i, layer in enumerate(self.layers, 1):
            shapes |= _named(layer.cell_shapes(n_inputs), i)
            n_inputs = layer.units
        return shapes

    def cell_init(self, key: jax.Array, input_key: jax.Array, n_inputs: int) -> Weights:
        weights: Weights = {}
        for i, layer in enumerate(self.layers, 1):
            keys = jax.random.fold_in(key, i), jax.random.fold_in(input_key, i)
            own = layer.cell_init(*keys, n_inputs)
            constraints = getattr(layer, "constraints", None)
            if constraints is not None:
                own = constraints.begin(own, layer.initial_radius(), jax.random.fold_in(keys[0], 1))
            weights |= _named(own, i)
            n_inputs = layer.units
        return weights

    def cell_states(
        self,
        weights: Weights,
        inputs: jax.Array,
        initial_state: jax.Array,
        key: jax.Array | None = None,
    ) -> jax.Array:
        found = []
        ends = initial_state.shape[1]
        for i, layer in enumerate(self.layers, 1):
            start = initial_state[:, ends - layer.state_size : ends]
            own = None if key is None else jax.random.fold_in(key, i)
            noise = own if layer.has_cell_noise() else None
            states = layer.cell_states(_of_layer(weights, i), inputs, start, noise)
            found.append(states)
            inputs = layer.hidden(states)
            ends -= layer.state_size
        return jnp.concatenate(found[::-1], axis=-1)


MODELS: dict[str, type[Model]] = {
    model.__name__: model for model in (RateRNN, LowRankRNN, CurrentRNN, GRU, LSTM, Custom, Stacked)
}


def find_model(name: str) -> type[Model]:
    """The class of a model; InvalidSetting names the nearest one when there is none such."""
    if not isinstance(name, str) or name not in MODELS:
        raise InvalidSetting(f"model {shown(name)} is unknown; {nearest(name, MODELS)}")
    return MODELS[name]


def _from_json(layer: dict[str, Any]) -> Model:
    settings = layer["settings"]
    if not isinstance(settings, dict) or not all(isinstance(key, str) for key in settings):
        raise ValueError(f"settings = {shown(settings)} is not allowed: keys and values")
    return find_model(layer["name"])(**settings)


def _named(weights: dict[str, Any], layer: int) -> dict[str, Any]:
    return {f"layer_{layer}.{name}": w for name, w in weights.items()}


def _of_layer(weights: Weights, layer: int) -> Weights:
    prefix = f"layer_{layer}."
    return {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}


def _usual_start(shape: tuple[int, ...], key: jax.Array) -> jax.Array:
    if len(shape) != 2:
        return jnp.zeros(shape)
    if shape[0] == shape[1]:
        return _initial.recurrent("orthogonal", 1.0, shape[0], key)
    return _initial.projection("shapes", "glorot", (shape[0], shape[1]), key)
