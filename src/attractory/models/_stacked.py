"""Layers of cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from pydantic import Field, model_validator

from attractory._errors import InvalidSetting, shown
from attractory.kernels import window_argument
from attractory.models._cell import Part, Weights
from attractory.models._equation import Equation
from attractory.models._model import Model
from attractory.models._readout import read_out
from attractory.models._registry import find, register


@register
class Stacked(Model):
    """Layers of cells: each gets the hidden states of the one below, the last is read out.

    The state is that of all layers, the last first. Weights are named by their layer, from 1:
    "layer_1.recurrent_weights" and so on.

    Parameters
    ----------
    layers : tuple of Model
        The models of the layers, the first gets the inputs; their readouts are not used.
    output_bias, output_noise, output_init, trainable : see `Model`
        As in `Model`; `units` follows from layers.
    """

    by_position: ClassVar[tuple[str, ...]] = ("layers",)

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
            if layer.has_feedback:
                raise ValueError(
                    f"layers[{i}] has feedback, and a layer has no readout that could come back; "
                    "allowed: feedback = False"
                )
            layers.append(layer)
        values["layers"] = tuple(layers)
        if layers:
            values["units"] = layers[-1].units
        return values

    def to_json(self) -> dict[str, Any]:
        described = [{"name": type(m).__name__, "settings": m.to_json()} for m in self.layers]
        return {**super().to_json(), "layers": described}

    def parts(self) -> Iterator[Part]:
        for i, layer in enumerate(self.layers, 1):
            yield Part(_prefix(i), i, layer)

    def with_cells(self, change: Callable[[Any], Any]) -> Any:
        return self.replace(layers=tuple(layer.with_cells(change) for layer in self.layers))

    @property
    def step_length(self) -> float:
        return float(self.layers[-1].step_length)

    @property
    def leak(self) -> float:
        return self.slowest_leak

    @property
    def stays_bounded(self) -> bool | None:
        # the input of each layer is the bounded state of the one below
        return True if all(layer.stays_bounded for layer in self.layers) else None

    def equation(self) -> Equation:
        below = ["x(t)", *(f"h^{{({i})}}" for i in range(1, len(self.layers)))]
        lines = tuple(
            rf"$h^{{({i})}}$: {type(layer).__name__} of ${given}$"
            for i, (layer, given) in enumerate(zip(self.layers, below, strict=True), 1)
        )
        words = f"{len(self.layers)} layers, the last one read out"
        return Equation(lines, read=r"h^{(\mathrm{last})}(t)", in_words=words)

    def terms(self) -> list[tuple[str, str]]:
        return []

    @property
    def state_size(self) -> int:
        return sum(layer.state_size for layer in self.layers)

    def first_state(self, weights: Weights, trials: int, dtype: Any) -> jax.Array:
        found = [part.cell.first_state(part.own(weights), trials, dtype) for part in self.parts()]
        return jnp.concatenate(found[::-1], axis=-1)

    def has_cell_noise(self) -> bool:
        return any(layer.has_cell_noise() for layer in self.layers)

    def input_size(self, weights: Weights) -> int:
        first = next(self.parts())
        return int(first.cell.input_size(first.own(weights)))

    def hidden(self, states: Any) -> Any:
        last = self.layers[-1]
        return last.hidden(states[..., : last.state_size])

    @property
    def all_units(self) -> int:
        return sum(layer.units for layer in self.layers)

    def rates(self, weights: Weights, states: Any) -> Any:
        found, ends = [], self.state_size
        for part in self.parts():
            own = states[..., ends - part.cell.state_size : ends]
            found.append(part.cell.rates(part.own(weights), own))
            ends -= part.cell.state_size
        return jnp.concatenate(found[::-1], axis=-1)

    def with_sent(self, weights: Weights, factors: Any) -> Weights:
        made, ends, below = dict(weights), self.all_units, None
        for part in self.parts():
            own = factors[ends - part.cell.units : ends]
            changed = part.cell.with_sent(part.own(made), own)
            if below is not None:  # this layer reads the one below
                changed["input_weights"] = changed["input_weights"] * below
            made |= _named(changed, part.prefix)
            ends, below = ends - part.cell.units, own
        return read_out(made, below)

    def recurrent_weights(self, weights: Weights) -> Any:
        raise InvalidSetting(
            "a network of several layers has no single matrix of recurrent weights; "
            "its weights are named by layer, as 'layer_1.recurrent_weights'"
        )

    def constrained(self, weights: Weights, before: Weights) -> Weights:
        made = dict(weights)
        for part in self.parts():
            changed = part.cell.constrained(part.own(weights), part.own(before))
            made |= _named(changed, part.prefix)
        return made

    def allowed_changes(self, changes: Weights, weights: Weights, gradients: Weights) -> Weights:
        made = dict(changes)
        for part in self.parts():
            own, pushed = part.own(changes), part.own(gradients)
            if own:
                changed = part.cell.allowed_changes(own, part.own(weights), pushed)
                made |= _named(changed, part.prefix)
        return made

    def step(
        self, weights: Weights, state: jax.Array, x: jax.Array, key: jax.Array | None = None
    ) -> jax.Array:
        made = []
        ends = len(state)
        for part in self.parts():
            own = part.own(weights)
            before = state[ends - part.cell.state_size : ends]
            noise = _noise_of(part, key)
            after = part.cell.step(own, before, x, noise)
            made.append(after)
            x = part.cell.hidden(after)
            ends -= part.cell.state_size
        return jnp.concatenate(made[::-1])

    def cell_shapes(self, n_inputs: int) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {}
        for i, layer in enumerate(self.layers, 1):
            shapes |= _named(layer.cell_shapes(n_inputs), _prefix(i))
            n_inputs = layer.units
        return shapes

    def cell_init(self, key: jax.Array, input_key: jax.Array, n_inputs: int) -> Weights:
        weights: Weights = {}
        for i, layer in enumerate(self.layers, 1):
            keys = jax.random.fold_in(key, i), jax.random.fold_in(input_key, i)
            own = layer.cell_init(*keys, n_inputs)
            own = layer.begun(own, keys[0])
            weights |= _named(own, _prefix(i))
            n_inputs = layer.units
        return weights

    def cell_states(
        self,
        weights: Weights,
        inputs: jax.Array,
        initial_state: jax.Array,
        key: jax.Array | None = None,
        window: int | None = None,
    ) -> jax.Array:
        found = []
        cut = window_argument(window)
        ends = initial_state.shape[1]
        for part in self.parts():
            start = initial_state[:, ends - part.cell.state_size : ends]
            noise = _noise_of(part, key)
            states = part.cell.cell_states(part.own(weights), inputs, start, noise, **cut)
            found.append(states)
            inputs = part.cell.hidden(states)
            ends -= part.cell.state_size
        return jnp.concatenate(found[::-1], axis=-1)


def _from_json(layer: dict[str, Any]) -> Model:
    settings = layer["settings"]
    if not isinstance(settings, dict) or not all(isinstance(key, str) for key in settings):
        raise ValueError(f"settings = {shown(settings)} is not allowed: keys and values")
    return find(layer["name"])(**settings)


def _noise_of(part: Part, key: jax.Array | None) -> jax.Array | None:
    """The key of a layer's own noise."""
    if key is None or part.layer is None or not part.cell.has_cell_noise():
        return None
    return jax.random.fold_in(key, part.layer)


def _prefix(layer: int) -> str:
    """What the names of a layer's weights begin with; layers count from 1."""
    return f"layer_{layer}."


def _named(weights: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {f"{prefix}{name}": array for name, array in weights.items()}
