"""One network from and to other frameworks' files and objects; the formats of files by name."""

from attractory.exchange._by_format import read, write
from attractory.exchange._format import Format, find, named, names, register
from attractory.exchange._onnx import to_onnx
from attractory.exchange._onnx_format import ONNX
from attractory.exchange.keras import Keras, load_keras, save_keras, to_keras
from attractory.exchange.psychrnn import PsychRNN, load_psychrnn
from attractory.exchange.torch import Torch, TorchSave, from_torch, save_torch, to_torch

__all__ = [
    "ONNX",
    "Format",
    "Keras",
    "PsychRNN",
    "Torch",
    "TorchSave",
    "find",
    "from_torch",
    "load_keras",
    "load_psychrnn",
    "named",
    "names",
    "read",
    "register",
    "save_keras",
    "save_torch",
    "to_keras",
    "to_onnx",
    "to_torch",
    "write",
]
