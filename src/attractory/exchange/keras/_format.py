"""Keras's files as a format."""

from __future__ import annotations

import zipfile
from pathlib import Path

from attractory.exchange._content import begins_with, names_in_zip
from attractory.exchange._format import Format, register
from attractory.exchange.keras._hdf5 import opened_hdf5
from attractory.exchange.keras._layer import Refused
from attractory.exchange.keras._network import load_keras
from attractory.exchange.keras._stored import holds_layers
from attractory.exchange.keras._write import save_keras
from attractory.kernels import ActivationFunction
from attractory.models import Network


@register
class Keras(Format):
    """Models and weights that Keras 2 or 3 saved; Keras is needed to write them, not to read."""

    name = "keras"
    endings = (".keras", ".h5", ".hdf5")
    in_words = "a file of Keras"

    def sniff(self, path: Path) -> bool:
        if zipfile.is_zipfile(path):
            return {"config.json", "model.weights.h5"} <= names_in_zip(path)
        if not begins_with(path, b"\x89HDF\r\n\x1a\n"):
            return False
        try:
            with opened_hdf5(path, path.stat().st_size) as weights:
                return holds_layers(weights)
        except Refused:
            return False

    def read(
        self,
        path: Path,
        activation: str | ActivationFunction | None = None,
        recurrent_activation: str | None = None,
        reset_after: bool | None = None,
    ) -> Network:
        return load_keras(path, activation, recurrent_activation, reset_after)

    def write(self, network: Network, path: Path) -> Path:
        return save_keras(network, path)
