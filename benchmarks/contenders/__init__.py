"""The libraries that are timed; each is imported only in the process that uses it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from contenders.contender import Contender


def _made_by(module: str, name: str, *settings: str) -> Callable[[str, str], Contender]:
    """A contender that is imported when it is made, for a precision and a device."""

    def make(precision: str, device: str) -> Contender:
        return getattr(import_module(f"contenders.{module}"), name)(*settings, precision, device)

    return make


CONTENDERS: dict[str, Callable[[str, str], Contender]] = {
    "attractory": _made_by("attractory_population", "AttractoryPopulation", "native"),
    "attractory-jax": _made_by("attractory_population", "AttractoryPopulation", "jax"),
    "keras-tensorflow": _made_by("keras_networks", "KerasNetworks", "tensorflow"),
    "keras-jax": _made_by("keras_networks", "KerasNetworks", "jax"),
    "torch": _made_by("torch_networks", "TorchNetworks"),
    "numpy": _made_by("products", "NumpyProduct"),
    "torch-product": _made_by("products", "TorchProduct"),
}
