"""Folders for what is run later: compiled code that nobody but this user may have put there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from attractory._errors import FileProblem
from attractory._files import cache_folder

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
# a name that stands for another file is not followed, one that stands for a pipe not waited for
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def private_cache(name: str) -> Path:
    """This user's own folder in the cache, for things that can be made again and are executed.

    Parameters
    ----------
    name : str
        The beginning of the folder's name.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FileProblem
        With the reason, where others could bring their own things there: a folder of another user,
        a link, or a folder above it that others can write (and that keeps no track of who owns what
        in it, as /tmp does).

    Notes
    -----
    The folder is made where it is not there yet, open to nobody else whatever the umask is. One
    that was open to others is closed, and what others may have put into it or changed in it is
    removed.
    """
    if os.name != "posix":
        raise FileProblem("no cache of compiled code: this system does not say who owns a file")
    try:
        folder = Path(os.path.abspath(cache_folder() / f"{name}-{os.geteuid()}"))
        _make(folder)
        check_place(folder.parent)
        _close(folder)
    except RuntimeError as error:  # no home folder
        raise FileProblem(f"no cache folder: {error}") from None
    except FileProblem:  # an OSError, too, and said already
        raise
    except OSError as error:
        raise FileProblem(f"{error.filename}: {error.strerror or error}") from None
    return folder


def read_private(path: Path) -> bytes | None:
    """The content of a file in such a folder; None where it is not this user's alone."""
    try:
        descriptor = os.open(path, _READ)
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1 or not _mine_alone(found):
            return None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def check_place(folder: Path) -> None:
    """FileProblem where another user could exchange what this one makes in the folder."""
    real = Path(os.path.realpath(folder))
    for each in dict.fromkeys([folder, *folder.parents, real, *real.parents]):
        _check_above(each)


def _make(folder: Path) -> None:
    """The folder and the missing ones above it, for this user alone: no umask opens them."""
    missing = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def _check_above(folder: Path) -> None:
    found = folder.lstat()
    if found.st_uid not in (0, os.geteuid()):
        raise FileProblem(f"{folder} belongs to another user ({_user(found.st_uid)})")
    if stat.S_ISLNK(found.st_mode) or found.st_mode & stat.S_ISVTX:
        return  # of what is in a sticky folder each belongs to who made it
    if _others_write(found):
        raise FileProblem(f"{folder} can be written by others (chmod go-w would end that)")


def _close(folder: Path) -> None:
    """Only this user may look into it from here on; what others left there is removed."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise FileProblem(f"{folder} is no folder")
    if found.st_uid != os.geteuid():
        raise FileProblem(f"{folder} belongs to another user ({_user(found.st_uid)})")
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)
    if found.st_mode & _OTHERS_WRITE:
        for entry in list(folder.iterdir()):
            if not _mine_alone(entry.lstat()) and not entry.is_dir():
                entry.unlink()


def _mine_alone(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid() and not found.st_mode & _OTHERS_WRITE


def _others_write(found: os.stat_result) -> bool:
    """Whether another user can write there; a group that is this user's alone is no other."""
    if found.st_mode & stat.S_IWOTH:
        return True
    return bool(found.st_mode & stat.S_IWGRP) and not _own_group(found.st_gid)


def _own_group(group: int) -> bool:
    """A group with the user's own name and no further members, as many systems make for each."""
    import grp

    try:
        user, known = _user(os.geteuid()), grp.getgrgid(group)
    except KeyError:
        return False
    return known.gr_name == user and set(known.gr_mem) <= {user}


def _user(number: int) -> str:
    import pwd  # as grp not on every system

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
