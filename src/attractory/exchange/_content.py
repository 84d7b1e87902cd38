"""What the readers of all frameworks' files ask of a file first, and say of errors."""

from __future__ import annotations

import zipfile
from pathlib import Path

from attractory._errors import FileProblem


def check_there(path: Path) -> None:
    """FileProblem where there is no such file, or can be none (a name that is too long)."""
    try:
        there = path.is_file()
    except (OSError, ValueError):
        there = False
    if not there:
        raise FileProblem(f"{path}: there is no such file")


def reason(error: BaseException) -> str:
    """What an exception says, in one short line."""
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= 120 else words[:117] + "..."


def begins_with(path: Path, start: bytes) -> bool:
    """Whether these are a file's first bytes."""
    with path.open("rb") as file:
        return file.read(len(start)) == start


def names_in_zip(path: Path) -> set[str]:
    """The names in a zip archive, nothing of which is unpacked; none where it is no archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            return set(archive.namelist())
    except Exception:  # zipfile raises whatever damaged bytes lead it to
        return set()
