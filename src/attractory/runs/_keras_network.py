"""Networks from Keras files, as `Network`."""

from __future__ import annotations

from pathlib import Path

from attractory.models import Network
from attractory.runs._keras import read_keras


def load_keras(path: str | Path) -> Network:
    """A network from a Keras file: legacy HDF5 (Keras 2), HDF5 and `.keras` (Keras 3).

    Keras itself is not needed. The file must hold one SimpleRNN and one linear Dense. Matrices are
    turned from Keras's [from, to] to [to, from]; activation and biases are kept (a file with
    weights alone does not name its activation: tanh, Keras's default, is taken). Raises
    FileProblem with one line when the file cannot be used.
    """
    found = read_keras(path)
    return Network.from_weights(
        recurrent=found.recurrent_weights,
        input=found.input_weights,
        output=found.output_weights,
        output_bias=found.output_bias,
        bias=found.bias,
        activation=found.activation,
    )
