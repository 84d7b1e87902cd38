"""One process at a time works on a run's folder: a lock file that says who."""

from __future__ import annotations

import errno
import os
import platform
import time
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Self

from attractory._errors import FileProblem
from attractory._files import cannot_write
from attractory._process import Process

try:
    import fcntl

    _locks: ModuleType | None = fcntl
except ImportError:  # no POSIX system
    _locks = None

LOCK = ".attractory.lock"
# A process on another machine that has not touched its lock for so long no longer works: training
# does it with every checkpoint, every 20 seconds, and compiles for some minutes at most.
SILENT_SECONDS = 3600.0
_MOST_LETTERS = 1000  # of a lock file
_HELD_BY_ANOTHER = (errno.EWOULDBLOCK, errno.EACCES)


class FolderLock:
    """A folder that this process works on, as a context; FileProblem where another one does.

    The system's own lock on the file (flock) decides between processes of one machine: it ends with
    its process, however that ends, so nothing stale is ever in the way. What stands in the file is
    for people, and for machines that share the folder but not the system's locks.

    Parameters
    ----------
    folder : Path
        The folder; it is made where it is missing.
    what : str
        What the folder holds, for messages.
    """

    def __init__(self, folder: Path, what: str = "run") -> None:
        self.folder, self.what = folder, what
        self.path = folder / LOCK

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = self._locked()
        except FileExistsError:
            raise FileProblem(
                f"{self.folder}: this is a file; a {self.what} needs a folder"
            ) from None
        except (OSError, ValueError) as error:
            if isinstance(error, FileProblem):
                raise
            raise cannot_write(self.folder, error) from None
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with suppress(OSError):
                self.path.unlink()  # while it is locked: who waits for it sees that it is gone
        finally:
            os.close(self._descriptor)

    def touch(self) -> None:
        """Say that this process still works."""
        with suppress(OSError):
            os.utime(self._descriptor)

    def _locked(self) -> int:
        """A descriptor of the locked file, with this process's name in it."""
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                known_free = self._lock(descriptor)
                if not self._is_still_there(descriptor):  # its last holder has removed it
                    os.close(descriptor)
                    continue
                self._refuse_others(descriptor, known_free)
                name = f"{Process.this().token}\n{platform.node()}\n"
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, name.encode(), 0)
            except BaseException:
                os.close(descriptor)
                raise
            return descriptor

    def _lock(self, descriptor: int) -> bool:
        """Take the system's lock; False where the file system has none."""
        if _locks is None:
            return False
        try:
            _locks.flock(descriptor, _locks.LOCK_EX | _locks.LOCK_NB)
        except OSError as error:
            if error.errno in _HELD_BY_ANOTHER:
                raise self._in_use(descriptor) from None
            return False
        return True

    def _is_still_there(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self.path))
        except FileNotFoundError:
            return False

    def _refuse_others(self, descriptor: int, known_free: bool) -> None:
        """FileProblem where the file names a process that may still work."""
        holder, _ = self._holder(descriptor)
        if holder is None:
            return
        runs = holder.runs()
        silent = time.time() - os.fstat(descriptor).st_mtime
        elsewhere = runs is None and silent < SILENT_SECONDS
        if elsewhere or (runs and not known_free):
            raise self._in_use(descriptor)

    def _in_use(self, descriptor: int) -> FileProblem:
        holder, host = self._holder(descriptor)
        who = "another process" if holder is None else f"process {holder.pid} on {host}"
        if holder is not None and holder.runs() is None:
            who += f" (if it runs no more, remove {LOCK} there)"
        return FileProblem(
            f"{self.folder}: {who} is working on this {self.what}; wait for it, or stop it"
        )

    def _holder(self, descriptor: int) -> tuple[Process | None, str]:
        """The process that the file names, and its machine."""
        text = os.pread(descriptor, _MOST_LETTERS, 0).decode("utf-8", "replace")
        token, _, host = text.partition("\n")
        return Process.from_token(token), host.strip()[:60]


def worked_on(folder: Path) -> bool:
    """Whether a process works on a folder, as its lock says.

    Parameters
    ----------
    folder : Path
        The folder.

    Returns
    -------
    bool
        True also where the process is on another machine and nobody can know here.
    """
    try:
        token = (folder / LOCK).read_text(errors="replace")[:_MOST_LETTERS].partition("\n")[0]
    except OSError:
        return False
    holder = Process.from_token(token)
    return holder is not None and holder.runs() is not False
