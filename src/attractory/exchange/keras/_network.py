"""Networks from Keras, as `Network`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from attractory._arguments import takes
from attractory._errors import InvalidSetting
from attractory.exchange._layers import network_of
from attractory.exchange.keras._layer import Said, shown
from attractory.exchange.keras._live import is_keras_model
from attractory.exchange.keras._read import read_keras
from attractory.kernels import ActivationFunction
from attractory.models import Network


@takes()
def load_keras(
    source: str | Path | Any,
    activation: str | ActivationFunction | None = None,
    recurrent_activation: str | None = None,
    reset_after: bool | None = None,
) -> Network:
    """A network from a Keras file, or from a live Keras model.

    Parameters
    ----------
    source : str, Path or keras.Model
        The file, or the model. The file is legacy HDF5 (Keras 2), HDF5 or `.keras` (Keras 3); Keras
        itself is not needed.
    activation : str or callable, optional
        That of every SimpleRNN, whatever the file says.
    recurrent_activation : str, optional
        That of the gates of every GRU and LSTM, whatever the file says: "sigmoid", "hard_sigmoid"
        (as the version of Keras that wrote the file has it), "hard_sigmoid_keras2" (x/5 + 1/2
        within [0, 1]) or "hard_sigmoid_keras3" (x/6 + 1/2).
    reset_after : bool, optional
        Of every GRU without a bias, where the file does not say it.

    Returns
    -------
    Network
        Of several recurrent layers a `Stacked` network.

    Raises
    ------
    FileProblem
        With one line when the file cannot be used.
    InvalidSetting
        When what is said does not fit the file.

    Warns
    -----
    UserWarning
        Of a Masking layer that could skip steps of ordinary trials.

    Notes
    -----
    The file must hold SimpleRNN, GRU or LSTM layers in a row and after them one linear Dense.
    Matrices are turned from Keras's [from, to] to [to, from]; activations and biases are kept.

    A file with weights alone does not say what its layers compute. What was the same in all
    versions of Keras is taken (tanh for SimpleRNN, a linear Dense), gates are those of the version
    that wrote the file; where that is not known the file is refused until it is said here.
    docs/in-and-out.md has the table.
    """
    if not isinstance(source, (str, os.PathLike)) and not is_keras_model(source):
        raise InvalidSetting(
            f"source = {shown(source)} is not allowed: a path, or a model of Keras"
        )
    said = Said(activation, recurrent_activation, reset_after)
    return network_of(read_keras(source, said), copy=False)
