"""What the parts of the Keras reader and writer share: layers, refusals and the words for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np

from attractory.runs._layers import GATES

ALLOWED_LAYERS = (
    "allowed: SimpleRNN, GRU, LSTM layers in a row and after them one Dense "
    "(also inside TimeDistributed)"
)
SAVE_AGAIN = "allowed: what Keras itself wrote; save the model again with model.save"

RECURRENT = {"SimpleRNN": "RNN", "GRU": "GRU", "LSTM": "LSTM"}  # Keras's names and `Layer`'s
# fmt: off
_OTHER_RECURRENT = frozenset({
    "RNN", "Bidirectional", "CuDNNGRU", "CuDNNLSTM", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D",
})
# Layers that act in training alone.
INERT = frozenset({
    "InputLayer", "Dropout", "SpatialDropout1D", "GaussianDropout", "GaussianNoise",
    "ActivityRegularization",
})
# fmt: on
NAMED_CLASSES = {
    "input": "InputLayer",  # Keras 2 calls its InputLayer "input_1"
    **{
        name.lower(): name
        for name in {"Dense", "TimeDistributed", *RECURRENT, *_OTHER_RECURRENT, *INERT}
    },
}
# Keras has the update gate before the reset gate; in an LSTM the order is the same in both.
_KERAS_ORDER = {"RNN": (0,), "GRU": (1, 0, 2), "LSTM": (0, 1, 2, 3)}

_MOST_SHOWN = 120


class Refused(Exception):
    """Why a file cannot be read; `read_keras` adds which file.

    Not a ValueError, so that `damage_refused` lets it pass.
    """


@dataclass(frozen=True, eq=False)
class KerasLayer:
    """One layer: from a config (then it has settings) or from the weights (then it has arrays).

    Its kind is its Keras class name, or words that no class has.
    """

    name: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, h5py.Dataset] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"layer {shown(self.name)}"


def other_order(kind: str, array: np.ndarray) -> np.ndarray:
    """The gates of an array (gate x unit, ...) from Keras's order to `Layer`'s, or back."""
    blocks = np.split(array, GATES[kind])
    return np.concatenate([blocks[i] for i in _KERAS_ORDER[kind]])


def not_reset_after(layer: KerasLayer) -> Refused:
    return Refused(
        f"{layer.title} (GRU) has reset_after=False, another equation; allowed: reset_after=True"
    )


def listed(names: Sequence[str]) -> str:
    return ", ".join(shown(name) for name in names[:5]) + (", ..." if len(names) > 5 else "")


def shown(value: Any) -> str:
    """A value from the file, made fit for one line of a message."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
