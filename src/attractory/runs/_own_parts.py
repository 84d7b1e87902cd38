"""A user's own parts, made known to a command by the file or module that registers them.

What was named to a command once is remembered, for this user on this machine: by its SHA-256, with
the place where it is. A run says by SHA-256 alone what it was made with. So a command on a run runs
again what its user has named before, in the same place and unchanged, and nothing that a run from
elsewhere could name or bring along.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from attractory._errors import AttractoryError, FileProblem, InvalidSetting, one_line
from attractory._files import digest, exists, read_bytes, write_bytes
from attractory._own_files import noted_as, own_files
from attractory._private import private_cache, read_private
from attractory.runs._folder import imports_of

REMEMBERED = "imports"  # the folder, of this user alone, in the cache


@dataclass(frozen=True)
class _Part:
    """A file to run, or a module to import. place: the file's path, or the module's name."""

    place: str
    file: Path
    content: bytes

    @property
    def name(self) -> str:
        return self.file.name if _is_file(self.place) else self.place

    @property
    def sha256(self) -> str:
        return digest(self.content)


def import_named(named: str, folder: Path | None = None, said: str = "--import") -> None:
    """Run a Python file or import a module, so that what it registers is known; remember it.

    Parameters
    ----------
    named : str
        A file, whose name ends in .py, or a module.
    folder : Path, optional
        Where a file's name begins; the current one when None.
    said : str
        Where it was named, for messages.

    Raises
    ------
    FileProblem
        Where there is no such file.
    InvalidSetting
        Where it fails, with its line.
    """
    said = f"{said} {named}"
    place = str((folder or Path()).joinpath(named).absolute()) if _is_file(named) else named
    part = _found(place, said)
    _run(part, said)
    with suppress(FileProblem):  # without a private folder nothing is remembered: named each time
        kept = write_bytes(private_cache(REMEMBERED) / part.sha256, part.place.encode())
        kept.chmod(0o600)


def import_parts_of(folder: Path) -> str:
    """Run what the run in a folder was made with, where it was named before and is unchanged.

    Parameters
    ----------
    folder : Path
        The run's folder.

    Returns
    -------
    str
        The names of what is not run.
    """
    known = {each["name"] for each in own_files()}
    left_out = []
    for wanted in imports_of(folder):
        if wanted["name"] in known:
            continue
        part = _remembered(wanted["sha256"])
        if part is None:
            left_out.append(wanted["name"])
        else:
            _run(part, f"{folder}: {part.name}")
    return one_line(", ".join(left_out))


def _remembered(sha256: str) -> _Part | None:
    """What was named to a command before, where it is as it was; None otherwise."""
    try:
        place = read_private(private_cache(REMEMBERED) / sha256)
        part = None if place is None else _found(place.decode(), "")
    except (AttractoryError, ValueError):
        return None
    return part if part is not None and part.sha256 == sha256 else None


def _is_file(place: str) -> bool:
    return place.endswith(".py") or len(Path(place).parts) != 1


def _found(place: str, said: str) -> _Part:
    """The part at a place, with the content that is run."""
    file = Path(place) if _is_file(place) else _file_of_module(place, said)
    if not exists(file):
        raise FileProblem(f"{said}: this file is missing")
    return _Part(place, file, read_bytes(file))


def _file_of_module(name: str, said: str) -> Path:
    try:
        found = importlib.util.find_spec(name)
    except ImportError:
        found = None
    except Exception as error:  # whatever the code of the packages around it raises, or odd names
        raise InvalidSetting(f"{said}: {type(error).__name__}: {error}") from error
    if found is None or not found.has_location:
        raise InvalidSetting(f"{said}: there is no such module; the name of a file ends in .py")
    return Path(str(found.origin))


def _run(part: _Part, said: str) -> None:
    with noted_as(part.name, part.sha256), _one_line(said, part.file):
        if _is_file(part.place):
            _execute(part)
        else:
            importlib.import_module(part.place)


def _execute(part: _Part) -> None:
    """The content that was looked at, and no other that has taken its place meanwhile."""
    described = importlib.util.spec_from_file_location(part.file.stem, part.file)
    if described is None:
        raise InvalidSetting("a Python file (.py) is needed")
    module = importlib.util.module_from_spec(described)
    sys.modules[part.file.stem] = (
        module  # as an import would: classes are looked up in their module
    )
    exec(compile(part.content, str(part.file), "exec", dont_inherit=True), vars(module))


@contextmanager
def _one_line(said: str, file: Path) -> Iterator[None]:
    """Whatever a user's own code raises, in one line that says where."""
    try:
        yield
    except AttractoryError as error:
        raise InvalidSetting(f"{said}: {error}") from error
    except Exception as error:
        kind = type(error).__name__
        raise InvalidSetting(f"{said}{_line(error, file)}: {kind}: {error}") from error


def _line(error: BaseException, file: Path) -> str:
    """The last line of the file that the error came through."""
    found, trace = "", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(file):
            found = f", line {trace.tb_lineno}"
        trace = trace.tb_next
    return found
