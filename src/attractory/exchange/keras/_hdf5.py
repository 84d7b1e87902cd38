"""An untrusted HDF5 file, looked into without being led out of it and without risk to the caller.

The library itself runs in a helper process (`_hdf5_process`, which says why). Nothing in the
file is executed or unpickled, only named paths are followed (no walk that a cycle could trap), and
a link or array that leads out of the file is refused unopened.
"""

from __future__ import annotations

import atexit
import itertools
import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from attractory._errors import AttractoryError
from attractory.exchange.keras._layer import ALLOWED_FILES, SAVE_AGAIN, Refused, shown

_OWN_WEIGHTS = "allowed: a file that holds its own weights"
_PROGRAM = Path(__file__).with_name("_hdf5_process.py")
_HEADER = struct.Struct("<cI")  # the kind of a message and its length, as the program has it
_MOST_PARTS = 1000  # of a list of names that Keras splits: each has 64 kB
_MOST_REASON = 100  # letters of what the library says


@dataclass(frozen=True, eq=False)
class Group:
    """A group of an open file."""

    file: _File
    place: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[str]:
        return iter(self.file.ask("members", self.place)["names"])

    def holds(self, name: str) -> bool:
        """Whether there is a link of that name, asked without following it."""
        return self._look(name)["what"] != "nothing"

    def group(self, path: str) -> Group:
        place, found = self._inside(path)
        if found["what"] != "group":
            raise Refused(f"its {shown(path)} is not a group; {SAVE_AGAIN}")
        return Group(self.file, place)

    def array(self, path: str) -> StoredArray:
        """The array at a path; its shape is known to be one, its numbers are not looked at."""
        place, found = self._inside(path)
        if found["what"] != "array":
            raise Refused(f"its {shown(path)} is not an array; {SAVE_AGAIN}")
        if found["elsewhere"]:
            raise Refused(f"its array {shown(path)} is stored in another file; {_OWN_WEIGHTS}")
        if found["shape"] is None:
            raise Refused(f"its array {shown(path)} holds nothing; {SAVE_AGAIN}")
        if found["missing"]:
            raise Refused(
                f"lacks numbers of its array {shown(path)} of shape {shown(tuple(found['shape']))};"
                f" {SAVE_AGAIN}"
            )
        return StoredArray(self.file, place, tuple(found["shape"]), found["type"])

    def texts(self, attribute: str) -> list[str] | None:
        """The texts of an attribute; None where there is none of that name."""
        texts: list[str] | None = self.file.ask("texts", self.place, attribute)["texts"]
        return texts

    def names(self, attribute: str) -> list[str] | None:
        """A list of names in an attribute, which Keras splits over `layer_names0`, ... when long;
        None where there is none."""
        whole = self.texts(attribute)
        if whole is not None:
            return whole
        numbered = (self.texts(f"{attribute}{i}") for i in range(_MOST_PARTS))
        parts = list(itertools.takewhile(lambda part: part is not None, numbered))
        return [name for part in parts for name in part or ()] if parts else None

    def _inside(self, path: str) -> tuple[tuple[str, ...], dict[str, Any]]:
        """What stands at `path`, one hard link after another."""
        here: Group | None = self
        found: dict[str, Any] = {}
        for part in path.split("/"):
            found = {"what": "nothing"} if here is None else here._look(part)
            if here is None or found["what"] == "nothing":
                raise Refused(f"lists {shown(path)} but does not hold it; {SAVE_AGAIN}")
            if found["what"] == "link":
                raise Refused(f"its {shown(path)} is a link; {_OWN_WEIGHTS}")
            place = (*here.place, part)
            here = Group(self.file, place) if found["what"] == "group" else None
        return place, found

    def _look(self, name: str) -> dict[str, Any]:
        return self.file.ask("look", self.place, name)


@dataclass(frozen=True, eq=False)
class StoredArray:
    """An array of an open file; `type` is NumPy's name of its type, little-endian."""

    file: _File
    place: tuple[str, ...]
    shape: tuple[int, ...]
    type: str

    def rows(self) -> Iterator[np.ndarray]:
        """Its numbers, some rows (of its first axis) at a time."""
        kind = np.dtype(self.type)
        for content in self.file.numbers(self.place):
            yield np.frombuffer(content, kind).reshape(-1, *self.shape[1:])


@contextmanager
def opened_hdf5(path: Path, size: int) -> Iterator[Group]:
    """The outermost group of a file; `size` bounds what the reading may take (bytes)."""
    with _lock:
        file = _File(_helper())
        try:
            file.ask_raw({"do": "open", "path": os.fspath(path.absolute()), "size": size})
            yield Group(file)
        finally:
            file.close()


@dataclass(eq=False)
class _File:
    """The file that a helper has open."""

    helper: _Helper

    def ask(self, do: str, *of: Any) -> dict[str, Any]:
        return self.ask_raw({"do": do, "of": of})

    def ask_raw(self, request: dict[str, Any]) -> dict[str, Any]:
        self.helper.send(request)
        kind, content = self.helper.receive()
        assert kind == b"J"
        return self._understood(content)

    def numbers(self, place: Sequence[str]) -> Iterator[bytearray]:
        self.helper.send({"do": "numbers", "of": [place]})
        kind, content = self.helper.receive()
        while kind == b"N":
            yield content
            kind, content = self.helper.receive()
        self._understood(content)

    def close(self) -> None:
        """Leave the helper ready for the next file, or end it where it does not answer as it
        should (an exception may have come in the middle of an answer)."""
        if not self.helper.usable:
            self.helper.end()
            return
        try:
            self.helper.send({"do": "close"})
            while not self._is_end(*self.helper.receive()):
                pass  # what is left of an answer that was broken off
        except Refused:
            pass  # the next file gets another helper

    @staticmethod
    def _is_end(kind: bytes, content: bytearray) -> bool:
        return kind == b"J" and "ended" in json.loads(content)

    def _understood(self, content: bytearray) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(content)
        if "ended" in answer:
            # What was asked last may still wait in the pipe: the helper cannot be used again.
            self.helper.end()
            raise damaged("the HDF5 library broke off or did not come back")
        if "damaged" in answer:
            raise damaged(answer["damaged"])
        return answer


def damaged(reason: str) -> Refused:
    return Refused(f"is damaged or cut off ({reason[:_MOST_REASON]}); {ALLOWED_FILES}")


class _Helper:
    """The process that runs the library; it ends when this process does."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(part for part in sys.path if part),
            "OPENBLAS_NUM_THREADS": "1",  # it computes nothing, and a thread more is in its way
        }
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", os.fspath(_PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env=environment,
            )
        except OSError as error:
            raise AttractoryError(
                f"HDF5 is read by a process of its own, which cannot be started: {error.strerror}"
            ) from None

    @property
    def usable(self) -> bool:
        """Not in a fork of the process that started it, where both would speak to it at once."""
        return self.owner == os.getpid() and self._process.poll() is None and hasattr(os, "fork")

    def send(self, request: dict[str, Any]) -> None:
        content = json.dumps(request).encode()
        try:
            self._stream("stdin").write(_HEADER.pack(b"J", len(content)) + content)
        except OSError:
            raise self._broken() from None

    def receive(self) -> tuple[bytes, bytearray]:
        try:
            kind, length = _HEADER.unpack(self._exactly(_HEADER.size))
            return kind, self._exactly(length)
        except KeyboardInterrupt:  # in the middle of a message: nobody could read the next one
            self.end()
            raise

    def end(self) -> None:
        if self.owner == os.getpid():
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _exactly(self, size: int) -> bytearray:
        content = bytearray(size)
        view = memoryview(content)
        while view:
            read = self._stream("stdout").readinto(view)  # type: ignore[attr-defined]
            if not read:
                raise self._broken()
            view = view[read:]
        return content

    def _stream(self, name: str) -> IO[bytes]:
        stream: IO[bytes] = getattr(self._process, name)
        return stream

    def _broken(self) -> Refused:
        self.end()
        return damaged("the process that reads it broke off")


_lock = threading.Lock()
_running: list[_Helper] = []


def _helper() -> _Helper:
    """The helper that waits for the next file, or a new one."""
    while _running:
        if _running[-1].usable:
            return _running[-1]
        _running.pop().end()
    _running.append(_Helper())
    return _running[-1]


@atexit.register
def _end_all() -> None:
    while _running:
        _running.pop().end()
