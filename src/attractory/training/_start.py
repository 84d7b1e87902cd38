"""Training that begins with given networks instead of freshly drawn weights."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attractory._errors import InvalidSetting, shown
from attractory.models import Model, Network, Weights
from attractory.runs import Run


@dataclass(frozen=True)
class Start:
    """Weights with a leading net axis, of one model, and their SHA-256; None: they are drawn."""

    model: Model | None = None
    weights: Weights | None = None
    sha256: str | None = None

    @classmethod
    def of(cls, given: Any, nets: int) -> Start:
        """From a run, a network, a sequence of networks or None; one serves any number of nets."""
        if given is None:
            return cls()
        networks = _networks(given)
        if len(networks) == 1:
            networks = networks * nets
        if nets not in (1, len(networks)):
            raise InvalidSetting(
                f"nets = {nets} is not allowed: start has {len(networks)} networks, and each is "
                "trained once"
            )
        model = networks[0].model
        if any(network.model != model for network in networks):
            raise InvalidSetting("start has networks of different models; they must be of one")
        shapes = {tuple(np.shape(network.weights["input_weights"])) for network in networks}
        if len(shapes) > 1:
            raise InvalidSetting("start has networks of different numbers of inputs")
        weights = {
            name: jnp.stack([jnp.asarray(network.weights[name]) for network in networks])
            for name in networks[0].weights
        }
        return cls(model, weights, _checksum(weights))

    @property
    def nets(self) -> int:
        """How many networks there are; 0 where they are drawn."""
        return 0 if self.weights is None else len(next(iter(self.weights.values())))

    def check(self, model: Model, n_inputs: int, n_outputs: int) -> None:
        """InvalidSetting unless the weights are those of a model for so many channels."""
        if self.weights is None:
            return
        wanted = model.weight_shapes(n_inputs, n_outputs)
        found = {name: tuple(array.shape[1:]) for name, array in self.weights.items()}
        if found != wanted:
            different = sorted(
                name for name in found | wanted if found.get(name) != wanted.get(name)
            )
            name = different[0]
            raise InvalidSetting(
                f"start: {name} has shape {found.get(name)}, the task and the model need "
                f"{wanted.get(name)}"
            )


def _networks(given: Any) -> list[Network]:
    if isinstance(given, Network):
        return [given]
    networks = list(given.networks) if isinstance(given, Run) else given
    of_networks = isinstance(networks, (list, tuple)) and len(networks) > 0
    if not of_networks or not all(isinstance(each, Network) for each in networks):
        raise InvalidSetting(
            f"start = {shown(given)} is not allowed: a Run, a Network or a sequence of networks"
        )
    return list(networks)


def _checksum(weights: Weights) -> str:
    made = hashlib.sha256()
    for name in sorted(weights):
        made.update(name.encode())
        made.update(np.asarray(jax.device_get(weights[name])).tobytes())
    return made.hexdigest()
