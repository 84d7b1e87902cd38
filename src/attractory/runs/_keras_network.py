"""Networks from Keras files, as `Network`."""

from __future__ import annotations

from pathlib import Path

from attractory._errors import InvalidSetting
from attractory.kernels import Activation
from attractory.models import Network
from attractory.runs._keras import read_keras
from attractory.runs._layers import network_of
from attractory.runs._run import Run, imported_run
from attractory.tasks import FlipFlop


def load_keras(path: str | Path, activation: str | Activation | None = None) -> Network:
    """A network from a Keras file: legacy HDF5 (Keras 2), HDF5 and `.keras` (Keras 3).

    Keras itself is not needed. The file must hold SimpleRNN, GRU or LSTM layers in a row and after
    them one linear Dense; several recurrent layers become a `Stacked` network. Matrices are turned
    from Keras's [from, to] to [to, from]; activations and biases are kept. A file with weights
    alone does not name its activation: tanh, Keras's default, is taken for SimpleRNN unless
    `activation` says otherwise. Raises FileProblem with one line when the file cannot be used.
    """
    return network_of(read_keras(path, activation))


def import_flip_flop(path: str | Path) -> Run:
    """A run of a Keras network that is to be analysed as a flip-flop memory of the paper's task.

    It has as many bits as the network has inputs; the spoiled last step is left out of scores.
    Raises FileProblem as `load_keras`, InvalidSetting when inputs and outputs differ in number.
    """
    network = load_keras(path)
    bits = network.n_inputs
    if bits != network.n_outputs:
        raise InvalidSetting(
            f"{path}: {bits} inputs and {network.n_outputs} outputs; a flip-flop memory has as "
            "many outputs as inputs"
        )
    return imported_run(network, FlipFlop.paper(bits=bits, score_last_step=False), path)
