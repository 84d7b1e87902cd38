"""PyTorch's state dicts as safetensors: a format that needs no torch."""

from __future__ import annotations

import struct
from abc import abstractmethod
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from attractory._files import parsed_json
from attractory.exchange._format import Format, register
from attractory.exchange.torch._current import CurrentSaid
from attractory.exchange.torch._file import read_safetensors
from attractory.exchange.torch._network import check_choices, names_a_network, network_of_file
from attractory.exchange.torch._write import save_torch
from attractory.models import Network

_MOST_HEADER_BYTES = 100_000_000  # what the library itself allows


class StateDict(Format):
    """A file with a state dict in it; settings are those of `from_torch`, but for `check`.

    Arrays hold nothing that could be run.
    """

    @abstractmethod
    def held(self, path: Path) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        """What the file holds, and its metadata."""

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
        said = CurrentSaid(activation, tau, dt, read, over_units, bias)
        check_choices(said)
        names = (ignore,) if isinstance(ignore, str) else tuple(ignore)
        return network_of_file(path, self.held(path), said, names, key)


@register
class Torch(StateDict):
    """A state dict in a `.safetensors` file, its activations in the file's metadata."""

    name = "torch"
    endings = (".safetensors",)
    in_words = "a state dict of PyTorch as safetensors"

    def held(self, path: Path) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        return read_safetensors(path)

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
        header = parsed_json(file.read(length), str(path))
    if not isinstance(header, dict):
        raise ValueError("no header of safetensors")
    return [name for name in header if name != "__metadata__"]
