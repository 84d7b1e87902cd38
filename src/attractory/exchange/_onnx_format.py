"""ONNX files as a format that is only written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from attractory.exchange._format import Format, register
from attractory.exchange._onnx import to_onnx
from attractory.models import Network

# of a ModelProto (onnx.proto): its version, and the graph; every model has both
_IR_VERSION, _GRAPH = 1, 7
_NUMBER, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5  # how a field of protobuf is stored


@register
class ONNX(Format):
    """ONNX, to be run anywhere."""

    name = "onnx"
    endings = (".onnx",)
    in_words = "an ONNX file"

    def sniff(self, path: Path) -> bool:
        with path.open("rb") as file:
            return {_IR_VERSION, _GRAPH} <= set(_fields(file, path.stat().st_size))

    def write(self, network: Network, path: Path) -> Path:
        return to_onnx(network, path)


def _fields(file: BinaryIO, size: int) -> Iterator[int]:
    """The numbers of a message's outermost fields; ValueError where it is no whole message."""
    while file.tell() < size:
        tag = _number(file)
        if tag & 7 == _NUMBER:
            _number(file)
        else:
            lengths = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}
            skipped = _number(file) if tag & 7 == _LENGTH else lengths.get(tag & 7, size)
            if file.tell() + skipped > size:
                raise ValueError("a field that goes beyond the file")
            file.seek(skipped, 1)
        yield tag >> 3


def _number(file: BinaryIO) -> int:
    """A number of seven bits a byte, the lowest first; the last byte has no eighth bit."""
    value = 0
    for place in range(10):
        byte = file.read(1)
        if not byte:
            raise ValueError("a number that is cut")
        value |= (byte[0] & 127) << (7 * place)
        if byte[0] < 128:
            return value
    raise ValueError("a number of more than 64 bits")
