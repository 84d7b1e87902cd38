"""PyTorch's state dicts as safetensors: a format that needs no torch."""

from __future__ import annotations

import json
import struct
from collections.abc import Collection
from pathlib import Path

from attractory.exchange._format import Format, register
from attractory.exchange.torch._network import from_torch, names_a_network
from attractory.exchange.torch._write import save_torch
from attractory.models import Network

_MOST_HEADER_BYTES = 100_000_000  # what the library itself allows


class StateDict(Format):
    """A file with a state dict in it, of any kind: what `from_torch` takes to read one."""

    def read(
        self,
        path: Path,
        activation: str | None = None,
        key: str | None = None,
        ignore: str | Collection[str] = (),
        tau: float | None = None,
        dt: float | None = None,
        read: str | None = None,
        over_units: bool | None = None,
        bias: str | None = None,
    ) -> Network:
        return from_torch(
            path,
            activation,
            key=key,
            ignore=ignore,
            tau=tau,
            dt=dt,
            read=read,
            over_units=over_units,
            bias=bias,
        )


@register
class Torch(StateDict):
    """A state dict in a `.safetensors` file, its activations in the file's metadata."""

    name = "torch"
    endings = (".safetensors",)
    in_words = "a state dict of PyTorch as safetensors"

    def sniff(self, path: Path) -> bool:
        return names_a_network(header_names(path))

    def write(self, network: Network, path: Path) -> Path:
        return save_torch(network, path)


def header_names(path: Path) -> list[str]:
    """The names of the arrays in a safetensors file; ValueError for another file."""
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= min(_MOST_HEADER_BYTES, path.stat().st_size - 8):
            raise ValueError("no header of safetensors")
        header = json.loads(file.read(length))
    return [name for name in header if name != "__metadata__"]
