"""An untrusted Keras file: opened, and looked into without being led out of it.

Nothing in it is executed or unpickled, only named paths are followed (no walk that a cycle could
trap), and a link or array that leads out of the file is refused unopened.
"""

from __future__ import annotations

import io
import itertools
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from attractory.runs._keras_layer import SAVE_AGAIN, Refused, shown

_ALLOWED_FILES = "allowed: an HDF5 file or a .keras archive that Keras 2 or 3 wrote"
_OWN_WEIGHTS = "allowed: a file that holds its own weights"

# A few kilobytes of compressed zeros can announce terabytes: refused before anything is read.
_MOST_CONFIG_BYTES = 64 * 2**20
_MOST_WEIGHT_BYTES = 4 * 2**30
_MOST_REASON = 120

# What h5py and zipfile raise on bytes that are not what they should be.
_DAMAGE = (
    OSError,
    RuntimeError,
    KeyError,
    ValueError,
    TypeError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)


@contextmanager
def damage_refused() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        reason = f"{type(error).__name__}: {error}"[:_MOST_REASON]
        raise Refused(f"is damaged or cut off ({reason}); {_ALLOWED_FILES}") from error


@contextmanager
def opened(path: Path) -> Iterator[tuple[h5py.File, Any]]:
    """The HDF5 file with the weights, and the config (JSON) of the model, None where it has none.

    The formats are told apart by content and never by the file's name.
    """
    file, config = _open(path)
    with file:
        if config is None:
            with damage_refused():
                config = file.attrs.get("model_config")
        yield file, config


def _open(path: Path) -> tuple[h5py.File, bytes | None]:
    start = _first_bytes(path)
    with damage_refused():
        if start.startswith(b"PK"):
            return _open_archive(path)
        if start.startswith(b"\x89HDF\r\n\x1a\n"):
            return h5py.File(path, "r"), None
    raise Refused(f"is neither HDF5 nor a zip archive; {_ALLOWED_FILES}")


def _first_bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise Refused(f"is a folder, not a file; {_ALLOWED_FILES}")
        if not path.is_file():
            raise Refused(f"there is no such file; {_ALLOWED_FILES}")
        with path.open("rb") as file:
            return file.read(8)
    except OSError as error:
        raise Refused(f"cannot be read ({error.strerror}); {_ALLOWED_FILES}") from error


def _open_archive(path: Path) -> tuple[h5py.File, bytes]:
    with zipfile.ZipFile(path) as archive:
        config = _member(archive, "config.json", _MOST_CONFIG_BYTES)
        weights = _member(archive, "model.weights.h5", _MOST_WEIGHT_BYTES)
    return h5py.File(io.BytesIO(weights), "r"), config


def _member(archive: zipfile.ZipFile, name: str, most_bytes: int) -> bytes:
    if name not in archive.namelist():
        raise Refused(f"is a zip archive without {name}; {_ALLOWED_FILES}")
    size = archive.getinfo(name).file_size
    if size > most_bytes:
        raise Refused(f"its {name} unpacks to {size} bytes; allowed: at most {most_bytes}")
    return archive.read(name)


# Looking into the file


def group_at(parent: h5py.Group, path: str) -> h5py.Group:
    return _inside(parent, path, h5py.Group)


def dataset_at(parent: h5py.Group, path: str) -> h5py.Dataset:
    """The array at a path; its shape is known to be one, its numbers are not looked at."""
    dataset = _inside(parent, path, h5py.Dataset)
    if dataset.external or dataset.is_virtual:
        raise Refused(f"its array {shown(path)} is stored in another file; {_OWN_WEIGHTS}")
    if dataset.shape is None:
        raise Refused(f"its array {shown(path)} holds nothing; {SAVE_AGAIN}")
    return dataset


def holds(group: h5py.Group, name: str) -> bool:
    """Whether a group has a link of that name, asked without following it (h5py's `in` does)."""
    return bool(name) and group.id.links.exists(name.encode())


def names_in(group: h5py.Group, attribute: str) -> list[str]:
    """A list of names in an attribute, which Keras splits over `layer_names0`, ... when long."""
    keys = [attribute] if attribute in group.attrs else []
    if not keys:
        numbered = (f"{attribute}{i}" for i in itertools.count())
        keys = list(itertools.takewhile(lambda key: key in group.attrs, numbered))
    return [_text(name) for key in keys for name in np.ravel(group.attrs[key])]


def _text(name: Any) -> str:
    return name.decode("utf-8") if isinstance(name, bytes) else str(name)


def _inside(parent: h5py.Group, path: str, kind: type) -> Any:
    """What stands at `path`, one hard link after another."""
    found: Any = parent
    for part in path.split("/"):
        if not isinstance(found, h5py.Group) or not holds(found, part):
            raise Refused(f"lists {shown(path)} but does not hold it; {SAVE_AGAIN}")
        if found.id.links.get_info(part.encode()).type != h5py.h5l.TYPE_HARD:
            raise Refused(f"its {shown(path)} is a link; {_OWN_WEIGHTS}")
        found = found[part]
    if not isinstance(found, kind):
        raise Refused(f"its {shown(path)} is not a {kind.__name__}; {SAVE_AGAIN}")
    return found
