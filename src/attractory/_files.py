"""Files that a crash never leaves half-written: made beside their place, then renamed into it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save_file

from attractory._errors import FileProblem, InvalidSetting
from attractory._process import Process

MOST_JSON_BYTES = 64 * 2**20  # of a file that people read: thousands of networks, a row each
_MOST_DIGITS = 400  # of a number in JSON: the longest float has 309 before its point
_BYTES_A_CONTAINER = 72  # of Python's memory for an empty list or dictionary in a list

# Half-written files: .NAME.WRITER.RANDOM.partial; in earlier versions without the writer
_PARTIAL = re.compile(
    r"\..+?\.(?:(?P<writer>[0-9a-f]{8}-[0-9a-f]{8}-\d+-\d+)\.)?[0-9a-f]{8}\.partial", re.DOTALL
)
_LONG_SECONDS = 24 * 3600.0  # after which a half-written file of an unknown writer is left over


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside another to write to; it takes its place when the block ends without error.

    Parameters
    ----------
    path : Path
        The file that is made or replaced.

    Yields
    ------
    Path
        Where the block writes.

    Raises
    ------
    FileProblem
        When the system refuses (no permission, disk full, a name that is no name).

    Notes
    -----
    On any error the half-written file is removed and the old one stays; what a killed process left
    half-written in the same folder is removed, too.
    """
    beside = _beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        beside.chmod(0o666 & ~_umask())  # some writers make files that only their owner can read
        flush_to_disk(beside)
        os.replace(beside, path)
        remove_left_over(path.parent)
    except (OSError, ValueError) as error:
        if isinstance(error, FileProblem | InvalidSetting):
            raise
        raise cannot_write(path, error) from None
    finally:
        _discard(beside)


def write_bytes(path: Path, content: bytes) -> Path:
    with replacing(path) as beside:
        beside.write_bytes(content)
    return path


def save_safetensors(
    arrays: dict[str, np.ndarray], path: Path, metadata: dict[str, str] | None = None
) -> None:
    """Write arrays as safetensors' save_file does, with a full disk seen as the OSError that it is.

    Parameters
    ----------
    arrays : dict of str to array
        The arrays by name.
    path : Path
        The file.
    metadata : dict of str to str, optional
        What the file says besides.

    Raises
    ------
    OSError
        When the file cannot be written.
    """
    try:
        save_file({n: np.ascontiguousarray(a) for n, a in arrays.items()}, path, metadata)
    except SafetensorError as error:
        raise OSError(None, str(error)) from None


def write_text(path: Path, text: str) -> Path:
    return write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, content: Any) -> Path:
    return write_text(path, json_text(content))


def json_text(content: Any) -> str:
    return json.dumps(content, indent=2) + "\n"


def read_bytes(path: Path, most: int | None = None) -> bytes:
    """The content of a file.

    Parameters
    ----------
    path : Path
        The file.
    most : int, optional
        The number of bytes that are not too many; any when None.

    Returns
    -------
    bytes
        The content.

    Raises
    ------
    FileProblem
        When the file is missing, unreadable, or larger than `most`.
    """
    with reading(path):
        size = path.stat().st_size
        if most is not None and size > most:
            raise FileProblem(f"{path}: {size} bytes are too many; allowed: {most}")
        return path.read_bytes()


def read_json(path: Path) -> Any:
    """The content of a JSON file; FileProblem when it is missing or damaged."""
    return parsed_json(read_bytes(path, MOST_JSON_BYTES), str(path))


def parsed_json(text: bytes | str, where: str, not_finite: bool = False) -> Any:
    """Text as JSON.

    Parameters
    ----------
    text : bytes or str
        The text.
    where : str
        The file, as messages name it.
    not_finite : bool
        Whether NaN and infinities are allowed (they are no JSON).

    Returns
    -------
    object
        What the text says.

    Raises
    ------
    FileProblem
        For text that is no JSON. Refused, too: numbers of more digits than any float has, nesting
        deeper than Python can follow, and text whose lists and dictionaries would take far more
        memory than the text.
    """
    data = text.encode() if isinstance(text, str) else text
    containers = data.count(b"[") + data.count(b"{")
    if containers * _BYTES_A_CONTAINER > MOST_JSON_BYTES + 8 * len(text):
        raise FileProblem(f"{where}: not readable as JSON (too many brackets); it is damaged")
    try:
        return json.loads(
            text, parse_int=_whole, parse_constant=float if not_finite else _no_constant
        )
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError as error:  # of the decoders, too
        reason = str(error)
    raise FileProblem(f"{where}: not readable as JSON ({reason}); the file is damaged")


def digest(content: bytes) -> str:
    """SHA-256, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def json_digest(content: Any) -> str:
    """SHA-256 of what JSON says, however it is laid out; ValueError for NaN and infinities."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return digest(text.encode())


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Errors of the system in the block, and of names that it does not take, as FileProblem."""
    try:
        yield
    except FileProblem:  # said already
        raise
    except FileNotFoundError:
        raise FileProblem(f"{path}: this file is missing") from None
    except OSError as error:
        raise FileProblem(f"{path}: cannot be read: {error.strerror or error}") from None


def as_path(path: Any, name: str = "path") -> Path:
    """`path` as a Path; InvalidSetting where it is none."""
    if not isinstance(path, str | os.PathLike):
        raise InvalidSetting(
            f"{name} = {path!r:.80} is not allowed: text or a pathlib.Path is needed"
        )
    made = Path(path)
    if "\0" in str(made):
        raise InvalidSetting(f"{name} = {str(made)!r:.80} is not allowed: no name holds a NUL")
    return made


def a_path(name: str, value: Any) -> Path:
    """`as_path`, for arguments that are checked by their names."""
    return as_path(value, name)


def exists(path: Path) -> bool:
    """Whether there is such a file or folder; FileProblem where the system does not say."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise FileProblem(f"{path}: cannot be read: {error.strerror or error}") from None
    return True


def entries(folder: Path) -> list[str]:
    """The names in a folder without those of half-written files; none where there is no folder."""
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    except NotADirectoryError:
        raise FileProblem(f"{folder}: this is a file; a run needs a folder") from None
    except OSError as error:
        raise FileProblem(f"{folder}: cannot be read: {error.strerror or error}") from None
    return [name for name in names if not _PARTIAL.fullmatch(name)]


def remove_left_over(folder: Path) -> None:
    """Remove the half-written files that processes which no longer run left in a folder."""
    with suppress(OSError):
        for name in os.listdir(folder):
            found = _PARTIAL.fullmatch(name)
            if found and _is_left_over(folder / name, found["writer"]):
                _discard(folder / name)


def _is_left_over(path: Path, writer: str | None) -> bool:
    process = Process.from_token(writer or "")
    runs = process and process.runs()
    if runs is not None:
        return not runs
    with suppress(OSError):
        return time.time() - path.stat().st_mtime > _LONG_SECONDS
    return False


def cannot_write(path: Path, error: OSError | ValueError) -> FileProblem:
    reason = getattr(error, "strerror", None) or error
    return FileProblem(f"{path}: cannot be written: {reason}")


def flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(path: Path) -> Path:
    writer = Process.this().token
    return path.with_name(f".{path.name}.{writer}.{uuid.uuid4().hex[:8]}.partial")


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _discard(path: Path) -> None:
    # where the folder itself is out of reach, nothing of ours is in it
    with suppress(OSError, ValueError):
        path.unlink(missing_ok=True)


def cache_folder() -> Path:
    """Where things are kept that can be made again: ATTRACTORY_CACHE, or the user's cache folder.

    Nothing is made here; the folder may not exist yet.

    Returns
    -------
    Path
        The folder.
    """
    if given := os.environ.get("ATTRACTORY_CACHE"):
        return Path(given)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "attractory"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "attractory"
