"""Reads HDF5 files that may be damaged or hostile, as a process of its own.

The HDF5 library does not come back from some damaged files (one bit flipped in the heap of strings
is enough), crashes on others, or asks for all memory. So it runs here and never in the process of
the caller (`_hdf5`), which stays whole whatever a file does.

This file is run by its path and imports nothing of the package: that would cost seconds. It waits
for requests on its standard input and forks for each file, so that nothing is left of one file
(an object the library failed to close, a lock, memory) when the next one is opened.

Messages are a kind and a length (5 bytes) before the content: "J" JSON, "N" numbers as bytes.
"""

from __future__ import annotations

import json
import os
import signal
import struct
from pathlib import Path
from typing import Any

import h5py
import numpy as np

HEADER = struct.Struct("<cI")
REQUESTS, ANSWERS = 0, 1  # the standard input and output

# Seconds of computing for one request: a healthy one takes milliseconds. Longer for large files,
# because a compressed array may have to be unpacked (far more than 10 MB of it in a second).
_SECONDS, _BYTES_A_SECOND = 0.6, 10e6
# What the library may take beside the program itself: all of a large file several times over.
_MEMORY_BASE, _MEMORY_TIMES = 100 * 2**20, 10
_BLOCK_BYTES = 2**22  # of numbers at a time
_MOST_TEXT = 4 * 2**20  # letters in a list of names or a config: those of Keras have thousands


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the caller, who ends this process
    while (request := receive(REQUESTS)) is not None:
        if not hasattr(os, "fork"):  # Windows: this process is for one file alone
            _serve(request)
            return
        child = os.fork()
        if child == 0:
            _serve(request)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        _send({"ended": status})


def receive(stream: int) -> Any:
    """The next JSON message, None at the end of the stream."""
    header = _exactly(stream, HEADER.size)
    if header is None:
        return None
    content = _exactly(stream, HEADER.unpack(header)[1])
    return None if content is None else json.loads(content)


def _exactly(stream: int, size: int) -> bytes | None:
    parts = []
    while size:
        part = os.read(stream, size)
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _send(answer: dict[str, Any]) -> None:
    content = json.dumps(answer).encode()
    _write(HEADER.pack(b"J", len(content)) + content)


def _write(content: bytes | memoryview) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(ANSWERS, rest) :]


# One file


def _serve(request: dict[str, Any]) -> None:
    """Answer requests about one file until "close" or the end of the stream."""
    _limit_memory(request["size"])
    seconds = _SECONDS + request["size"] / _BYTES_A_SECOND
    reader: _Reader | None = None
    while request is not None and request["do"] != "close":
        _limit_time(seconds)
        try:
            if reader is None:
                reader = _Reader(request["path"])
                answer: dict[str, Any] = {}
            else:
                answer = getattr(reader, request["do"])(*request["of"])
        except MemoryError:
            answer = {"damaged": "it asks for more memory than a file of its size may need"}
        except Exception as error:  # whatever the library makes of the file
            answer = {"damaged": f"{type(error).__name__}: {error}"[:300]}
        _send(answer)
        request = receive(REQUESTS)


def _limit_time(seconds: float) -> None:
    """End this process when it has computed for so long; waiting for a disk does not count."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _limit_memory(size: int) -> None:
    """Where the system tells how much memory is in use: no more than a file of this size needs."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        now = pages * resource.getpagesize()
    except (ImportError, OSError):
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most = now + _MEMORY_BASE + _MEMORY_TIMES * size
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (most if hard < 0 else min(most, hard), hard))


class _Reader:
    """What can be asked of an open file. Places are lists of names, one hard link after another."""

    def __init__(self, path: str) -> None:
        self._groups: dict[tuple[str, ...], h5py.Group] = {(): h5py.File(path, "r")}
        self._arrays: dict[tuple[str, ...], h5py.Dataset] = {}

    def look(self, place: list[str], name: str) -> dict[str, Any]:
        """What stands under a name in a group, asked without following a link."""
        group = self._groups[tuple(place)]
        if not name or not group.id.links.exists(name.encode()):
            return {"what": "nothing"}
        if group.id.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
            return {"what": "link"}
        found = group[name]
        here = (*place, name)
        if isinstance(found, h5py.Group):
            self._groups[here] = found
            return {"what": "group"}
        if not isinstance(found, h5py.Dataset):
            return {"what": "other"}
        self._arrays[here] = found
        return {"what": "array", **_described(found)}

    def members(self, place: list[str]) -> dict[str, Any]:
        names = []
        letters = 0
        for name in self._groups[tuple(place)]:
            names.append(name)
            letters += len(name) + 1
            _check_text(letters)
        return {"names": names}

    def texts(self, place: list[str], attribute: str) -> dict[str, Any]:
        """The texts of an attribute, None where there is none of that name."""
        attributes = self._groups[tuple(place)].attrs
        if attribute not in attributes:
            return {"texts": None}
        texts = [_text(value) for value in np.ravel(attributes[attribute])]
        _check_text(sum(len(text) + 1 for text in texts))
        return {"texts": texts}

    def numbers(self, place: list[str]) -> dict[str, Any]:
        """Sends all numbers, row after row, as they are stored but little-endian."""
        array = self._arrays[tuple(place)]
        kind = array.dtype.newbyteorder("<")
        if not array.shape:
            self._send_rows(np.asarray(array[()], kind).reshape(1, 1))
            return {"sent": True}
        # Whole chunks at a time: each is unpacked once.
        rows = max(1, _BLOCK_BYTES // max(1, kind.itemsize * int(np.prod(array.shape[1:]))))
        if array.chunks:
            rows = -(-rows // array.chunks[0]) * array.chunks[0]
        for start in range(0, array.shape[0], rows):
            self._send_rows(np.asarray(array[start : start + rows], kind))
        return {"sent": True}

    def _send_rows(self, block: np.ndarray) -> None:
        step = max(1, _BLOCK_BYTES // max(1, block[0].nbytes))
        for start in range(0, len(block), step):
            content = np.ascontiguousarray(block[start : start + step])
            _write(HEADER.pack(b"N", content.nbytes))
            _write(content.data.cast("B"))


def _described(array: h5py.Dataset) -> dict[str, Any]:
    return {
        "shape": None if array.shape is None else list(array.shape),
        "type": array.dtype.newbyteorder("<").str if array.dtype.kind == "f" else str(array.dtype),
        "elsewhere": bool(array.external or array.is_virtual),
        "missing": _missing(array),
    }


def _missing(array: h5py.Dataset) -> bool:
    """Whether the file lacks some of the numbers; HDF5 would make up the rest."""
    if array.shape is None or array.is_virtual:
        return False
    if array.chunks is None:
        return array.id.get_storage_size() < array.nbytes
    needed = 1
    for length, chunk in zip(array.shape, array.chunks, strict=True):
        needed *= -(-length // chunk)
    return array.id.get_num_chunks() < needed


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _check_text(letters: int) -> None:
    if letters > _MOST_TEXT:
        raise ValueError(f"a list of names or a config of more than {_MOST_TEXT} letters")


if __name__ == "__main__":
    main()
