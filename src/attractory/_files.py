"""Files that a crash never leaves half-written: made beside their place, then renamed into it."""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from attractory._errors import FileProblem


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it takes `path`'s place when the block ends without error.

    On any error the half-written file is removed and the old one stays. Raises FileProblem when
    the system refuses (no permission, disk full).
    """
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        beside.chmod(0o666 & ~_umask())  # some writers make files that only their owner can read
        _flush_to_disk(beside)
        os.replace(beside, path)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        _discard(beside)


def write_text(path: Path, text: str) -> Path:
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")
    return path


def write_json(path: Path, content: Any) -> Path:
    return write_text(path, json.dumps(content, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """The content of a JSON file; FileProblem when it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileProblem(f"{path}: this file is missing") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise FileProblem(f"{path}: not readable as JSON ({error}); the file is damaged") from None
    except OSError as error:
        raise FileProblem(f"{path}: cannot be read: {error.strerror}") from None


def cannot_write(path: Path, error: OSError) -> FileProblem:
    return FileProblem(f"{path}: cannot be written: {error.strerror or error}")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _discard(path: Path) -> None:
    with suppress(OSError):  # where the folder itself is out of reach, nothing of ours is in it
        path.unlink(missing_ok=True)


def cache_folder() -> Path:
    """Where things are kept that can be made again: ATTRACTORY_CACHE, or the user's cache folder.

    Nothing is made here; the folder may not exist yet.
    """
    if given := os.environ.get("ATTRACTORY_CACHE"):
        return Path(given)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "attractory"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "attractory"
