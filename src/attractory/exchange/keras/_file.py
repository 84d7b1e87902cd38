"""An untrusted Keras file, opened: the weights in HDF5, and what is written beside them.

The formats are told apart by content and never by the file's name. How much a file may make this
process take, on the disk or in memory, follows from its own size.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from attractory.exchange.keras._hdf5 import Group, damaged, opened_hdf5
from attractory.exchange.keras._layer import ALLOWED_FILES, Refused

# What a file may take beyond its own size: weights compress little, but networks with few
# connections do, and small ones may always be unpacked.
_MOST_TIMES, _MOST_BASE = 10, 200 * 2**20
# A config has a thousand letters a layer, and takes twenty times its size when it is understood.
_MOST_CONFIG_BYTES = 4 * 2**20
_COPIED_AT_ONCE = 2**20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others may ask for gigabytes of their own

# What zipfile raises on bytes that are not what they should be.
_DAMAGE = (
    OSError,
    RuntimeError,
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    OverflowError,
    EOFError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, eq=False)
class Opened:
    """weights: the outermost group of the HDF5. config (JSON) of the model, None where it has
    none; metadata (JSON) that an archive has beside it. size: of the whole file, in bytes."""

    weights: Group
    config: str | bytes | None
    metadata: bytes | None
    size: int


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """A file of any of Keras's formats; Refused for another, or one that is missing or damaged."""
    start, size = _first_bytes(path)
    if start.startswith(b"PK"):
        # its content goes as soon as it is open: nothing is left where this process is killed
        place = tempfile.TemporaryDirectory(prefix="attractory-", ignore_cleanup_errors=True)
        with place as folder:
            inside = Path(folder) / "model.weights.h5"
            config, metadata = _unpack(path, size, inside)
            with opened_hdf5(inside, size) as weights:
                shutil.rmtree(folder, ignore_errors=True)
                yield Opened(weights, config, metadata, size)
    elif start.startswith(b"\x89HDF\r\n\x1a\n"):
        with opened_hdf5(path, size) as weights:
            texts = weights.texts("model_config")
            yield Opened(weights, None if texts is None else "".join(texts), None, size)
    else:
        raise Refused(f"is neither HDF5 nor a zip archive; {ALLOWED_FILES}")


def _first_bytes(path: Path) -> tuple[bytes, int]:
    """The first bytes of a file, and its size."""
    try:
        if path.is_dir():
            raise Refused(f"is a folder, not a file; {ALLOWED_FILES}")
        if not path.is_file():
            raise Refused(f"there is no such file; {ALLOWED_FILES}")
        with path.open("rb") as file:
            return file.read(8), path.stat().st_size
    except OSError as error:
        raise Refused(f"cannot be read ({error.strerror}); {ALLOWED_FILES}") from error


def _unpack(path: Path, size: int, target: Path) -> tuple[bytes, bytes | None]:
    """The config and the metadata of an archive; its weights go to the file `target`."""
    try:
        with zipfile.ZipFile(path) as archive:
            config = _small(archive, "config.json")
            metadata = None
            if "metadata.json" in archive.namelist():
                metadata = _small(archive, "metadata.json")
            most = _MOST_TIMES * size + _MOST_BASE
            with archive.open(_member(archive, "model.weights.h5", most)) as source:
                _copy(source, target)
            return config, metadata
    except _DAMAGE as error:
        raise damaged(f"{type(error).__name__}: {error}") from error


def _small(archive: zipfile.ZipFile, name: str) -> bytes:
    return archive.read(_member(archive, name, _MOST_CONFIG_BYTES))


def _member(archive: zipfile.ZipFile, name: str, most_bytes: int) -> zipfile.ZipInfo:
    """A member that unpacks to no more than so many bytes: zipfile stops at what it announces."""
    if name not in archive.namelist():
        raise Refused(f"is a zip archive without {name}; {ALLOWED_FILES}")
    member = archive.getinfo(name)
    if member.compress_type not in _METHODS:
        raise Refused(f"its {name} is packed in a way that Keras does not use; {ALLOWED_FILES}")
    if member.file_size > most_bytes:
        raise Refused(
            f"its {name} unpacks to {member.file_size} bytes; allowed: at most {most_bytes}"
        )
    return member


def _copy(source: object, target: Path) -> None:
    """All of a member, which zipfile compares with its checksum."""
    with target.open("wb") as file:
        while part := source.read(_COPIED_AT_ONCE):  # type: ignore[attr-defined]
            file.write(part)
