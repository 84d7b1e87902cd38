"""Networks from Keras files, as `Network`."""

from __future__ import annotations

from pathlib import Path

from attractory._errors import FileProblem, InvalidSetting, nearest
from attractory.kernels import Activation
from attractory.models import Network
from attractory.runs._keras import read_keras
from attractory.runs._run import Run, imported_run
from attractory.tasks import FlipFlop

# Keras's names for functions that are the same here; others of the same name are not (its gelu is
# the exact one, its leaky_relu has another slope)
_activations = {
    **{name: name for name in ("tanh", "relu", "sigmoid", "softplus", "linear", "elu", "selu")},
    **{name: name for name in ("celu", "silu", "relu6", "hard_tanh")},
    "swish": "silu",
    "softsign": "soft_sign",
}


def load_keras(path: str | Path, activation: str | Activation | None = None) -> Network:
    """A network from a Keras file: legacy HDF5 (Keras 2), HDF5 and `.keras` (Keras 3).

    Keras itself is not needed. The file must hold one SimpleRNN and one linear Dense. Matrices are
    turned from Keras's [from, to] to [to, from]; activation and biases are kept. A file with
    weights alone does not name its activation: tanh, Keras's default, is taken unless
    `activation` says otherwise. Raises FileProblem with one line when the file cannot be used.
    """
    found = read_keras(path)
    if activation is None:
        if found.activation not in _activations:
            raise FileProblem(
                f"{path}: activation {found.activation!r} has no counterpart here; "
                + nearest(found.activation, _activations)
            )
        activation = _activations[found.activation]
    return Network.from_weights(
        recurrent=found.recurrent_weights,
        input=found.input_weights,
        output=found.output_weights,
        output_bias=found.output_bias,
        bias=found.bias,
        activation=activation,
    )


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
