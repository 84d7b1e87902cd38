"""Networks from and to PyTorch; safetensors are read and written without torch."""

from attractory.exchange.torch._format import Torch
from attractory.exchange.torch._network import from_torch
from attractory.exchange.torch._saved_format import TorchSave
from attractory.exchange.torch._write import save_torch, to_torch

__all__ = ["Torch", "TorchSave", "from_torch", "save_torch", "to_torch"]
