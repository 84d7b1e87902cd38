"""What the parts of the Keras reader and writer share: layers, refusals and the words for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from attractory.exchange._layers import GATES
from attractory.kernels import ActivationFunction
from attractory.models import GateFunction

ALLOWED_LAYERS = (
    "allowed: SimpleRNN, GRU, LSTM layers in a row and after them one Dense "
    "(also inside TimeDistributed)"
)
ALLOWED_FILES = "allowed: an HDF5 file or a .keras archive that Keras 2 or 3 wrote"
SAVE_AGAIN = "allowed: what Keras itself wrote; save the model again with model.save"

RECURRENT = {"SimpleRNN": "RNN", "GRU": "GRU", "LSTM": "LSTM"}  # Keras's names and `Layer`'s
# fmt: off
_OTHER_RECURRENT = frozenset({
    "RNN", "Bidirectional", "CuDNNGRU", "CuDNNLSTM", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D",
})
# Layers that act in training alone, or not at all; Masking skips steps (see `_config`).
INERT = frozenset({
    "InputLayer", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
    "AlphaDropout", "GaussianDropout", "GaussianNoise", "ActivityRegularization", "Identity",
    "Masking",
})
# fmt: on
NAMED_CLASSES = {
    "input": "InputLayer",  # Keras 2 calls its InputLayer "input_1"
    **{
        name.lower(): name
        for name in {
            *("Dense", "TimeDistributed", "Activation"),
            *(*RECURRENT, *_OTHER_RECURRENT, *INERT),
        }
    },
}
# Keras has the update gate before the reset gate; in an LSTM the order is the same in both.
KERAS_ORDER = {"RNN": (0,), "GRU": (1, 0, 2), "LSTM": (0, 1, 2, 3)}

_MOST_SHOWN = 40
_MOST_LINE = 300


class Refused(Exception):
    """Why a file cannot be read; `read_keras` adds which file.

    Not a ValueError, so that `damage_refused` lets it pass.
    """


class Array(Protocol):
    """Numbers of a layer, in a file or in a live model."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def type(self) -> str:
        """NumPy's name of their type."""

    def rows(self) -> Iterator[np.ndarray]:
        """The numbers, some rows (of the first axis) at a time."""


@dataclass(frozen=True)
class Said:
    """What the caller says of the layers, None where it is left to the file."""

    activation: str | ActivationFunction | None = None
    recurrent_activation: str | None = None
    reset_after: bool | None = None


@dataclass(frozen=True)
class Equation:
    """What a recurrent layer computes: its activation, and that of its gates, by our names."""

    activation: str | ActivationFunction = "tanh"
    recurrent_activation: GateFunction = "sigmoid"
    reset_after: bool = True


@dataclass(frozen=True, eq=False)
class KerasLayer:
    """One layer: from a config (then it has settings) or from the weights (then it has arrays).

    Its kind is its Keras class name, or words that no class has.
    """

    name: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"layer {shown(self.name)}"


def other_order(kind: str, array: np.ndarray) -> np.ndarray:
    """The gates of an array (gate x unit, ...) from Keras's order to `Layer`'s, or back."""
    blocks = np.split(array, GATES[kind])
    return np.concatenate([blocks[i] for i in KERAS_ORDER[kind]])


def one_line(text: str) -> str:
    """A message without line breaks, cut where it is longer than a message may be."""
    line = " ".join(text.split())
    return line if len(line) <= _MOST_LINE else f"{line[: _MOST_LINE - 3]}..."


def listed(names: Sequence[str]) -> str:
    return ", ".join(shown(name) for name in names[:3]) + (", ..." if len(names) > 3 else "")


def shown(value: Any) -> str:
    """A value from the file, made fit for one line of a message."""
    text = repr(value[: 2 * _MOST_SHOWN] if isinstance(value, str) else value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
