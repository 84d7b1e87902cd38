"""A finished run as one file: ten thousand runs are ten thousand files, and not ten times as many.

The file is a zip that holds the run's folder as it was, and beside it what the sweep notes of it.
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attractory._errors import FileProblem
from attractory.runs import CHECKPOINTS, LOCK, Run, load

RECORD = "sweep.json"  # what the sweep notes of the run
# once a run is finished nobody goes on from there; kept weights of checks lie beside it
NEWEST = f"{CHECKPOINTS}/newest.safetensors"
LEFT_OUT = (LOCK, NEWEST)
FIRST_DATE = (1980, 1, 1, 0, 0, 0)  # of zip: equal runs are equal files, whenever they were packed


def packed(folder: Path, record: dict[str, Any]) -> bytes:
    """The content of the file of a finished run."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        _add(archive, RECORD, json.dumps(record).encode())
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and name not in LEFT_OUT:
                _add(archive, name, path.read_bytes())
    return made.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    # weights do not get smaller by it, and take longer
    how = zipfile.ZIP_STORED if name.endswith(".safetensors") else zipfile.ZIP_DEFLATED
    archive.writestr(zipfile.ZipInfo(name, FIRST_DATE), content, how)


def record_of(path: Path) -> dict[str, Any]:
    """What a packed run says of itself; FileProblem where it is damaged."""
    with _opened(path) as archive:
        record: dict[str, Any] = json.loads(archive.read(RECORD))
    return record


def unpacked(path: Path, folder: Path) -> Path:
    """The run's own folder, made anew from its file; FileProblem where that is damaged."""
    with _opened(path) as archive:
        names = [name for name in archive.namelist() if name != RECORD]
        if any(Path(name).is_absolute() or ".." in Path(name).parts for name in names):
            raise FileProblem(f"{path}: damaged: it holds names outside of its folder")
        archive.extractall(folder, names)
    return folder


def run_in(path: Path, functions: dict[str, Any]) -> Run:
    """The run of a file, in memory. functions: those of its settings, which no file holds."""
    with tempfile.TemporaryDirectory(prefix="attractory-") as folder:
        run = load(unpacked(path, Path(folder)), **functions)
    run.path = None
    return run


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The file as a zip; whatever is wrong with it as FileProblem."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError:
        raise FileProblem(f"{path}: this file is missing") from None
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise FileProblem(f"{path}: damaged, not readable as a packed run ({error})") from None
