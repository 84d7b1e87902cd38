"""Networks from Keras files, as `Network`."""

from __future__ import annotations

from pathlib import Path

from attractory.kernels import Activation
from attractory.models import Network
from attractory.runs._keras import read_keras
from attractory.runs._layers import network_of


def load_keras(path: str | Path, activation: str | Activation | None = None) -> Network:
    """A network from a Keras file: legacy HDF5 (Keras 2), HDF5 and `.keras` (Keras 3).

    Keras itself is not needed. The file must hold SimpleRNN, GRU or LSTM layers in a row and after
    them one linear Dense; several recurrent layers become a `Stacked` network. Matrices are turned
    from Keras's [from, to] to [to, from]; activations and biases are kept. A file with weights
    alone does not name its activation: tanh, Keras's default, is taken for SimpleRNN unless
    `activation` says otherwise. Raises FileProblem with one line when the file cannot be used.
    """
    return network_of(read_keras(path, activation))
