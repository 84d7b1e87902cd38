"""Arrays of a `.npz` file, within the memory that the file has bytes for; pickles as pickles."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from attractory._errors import FileProblem, shown
from attractory.exchange._content import check_there, reason

# NumPy itself writes no other; others may ask for gigabytes of memory before a byte is unpacked
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# what is read from a file may take so much: masks of ones pack to nearly nothing
_ALWAYS, _MOST_TIMES = 64 * 2**20, 3
_LONGEST_NAME = 200


class Pickle(NamedTuple):
    """The bytes of an array of objects."""

    data: bytes


def read_npz(path: Path, wanted: Callable[[str], bool]) -> dict[str, np.ndarray | Pickle]:
    """The arrays whose names are wanted; those of objects as `Pickle`.

    Raises FileProblem in one line for a file that is none, is damaged, or announces more numbers
    than it can hold.
    """
    check_there(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return _members(path, archive, wanted)
    except FileProblem:
        raise
    except Exception as error:  # zipfile and NumPy raise whatever damaged bytes lead them to
        raise FileProblem(f"{path}: not readable as a .npz file ({reason(error)})") from None


def _members(
    path: Path, archive: zipfile.ZipFile, wanted: Callable[[str], bool]
) -> dict[str, np.ndarray | Pickle]:
    left = _ALWAYS + _MOST_TIMES * path.stat().st_size
    found: dict[str, np.ndarray | Pickle] = {}
    for member in archive.infolist():
        name = member.filename.removesuffix(".npy")
        if len(name) > _LONGEST_NAME or not wanted(name):
            continue
        if member.compress_type not in _METHODS:
            raise ValueError(f"{shown(name)} is packed by method {member.compress_type}")
        size = _announced(archive, member)
        if size > left:
            raise ValueError(
                f"{shown(name)} would take {size / 2**20:.0f} MiB, and the file has "
                f"{path.stat().st_size / 2**20:.1f}"
            )
        left -= size
        found[name] = _array(archive, member)
    return found


def _announced(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> int:
    """The bytes of a member when it is read, as it says itself; nothing but its head is read."""
    with archive.open(member) as file:
        shape, _, dtype = _header(file)
    if dtype.hasobject:
        return member.file_size
    count = 1
    for length in shape:
        count *= int(length)
    # what is no float32 becomes float64; a head may say more than there is
    return max(count * max(dtype.itemsize, 4 if dtype == np.float32 else 8), member.file_size)


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray | Pickle:
    with archive.open(member) as file:
        _, _, dtype = _header(file)
        if dtype.hasobject:
            return Pickle(file.read())
    with archive.open(member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _header(file: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError(f"version {version} of the .npy format")
    return readers[version](file)
