"""The files of a user's own parts: what another process has to run before it knows them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from attractory._errors import FileProblem
from attractory._files import digest, read_bytes

_PACKAGE = __name__.partition(".")[0]
_noted: dict[str, str] = {}  # SHA-256 by name
_whole: list[str] = []  # the files that are run by their names just now, one within another


def own_files() -> list[dict[str, str]]:
    """The files whose parts were made known in this process.

    Returns
    -------
    list of dict
        name and sha256 of each. A name is that of a file without its folder, or of a module in a
        package; the SHA-256 is that of the content that was run.
    """
    return [{"name": name, "sha256": sha256} for name, sha256 in _noted.items()]


def note_module(name: str) -> None:
    """Note the file of a module that makes a part known.

    Parameters
    ----------
    name : str
        The module. One of this package, of a session or of a script is not noted: nobody can
        import it; nor one that is imported by a file that is noted itself.
    """
    if _whole or name.partition(".")[0] in (_PACKAGE, "__main__"):
        return
    module = sys.modules.get(name)
    try:
        content = read_bytes(Path(module.__file__))  # type: ignore[union-attr, arg-type]
    except (FileProblem, AttributeError, TypeError):  # of a module without a file that can be read
        return
    assert module is not None
    _noted[_name_of(module)] = digest(content)


@contextmanager
def noted_as(name: str, sha256: str) -> Iterator[None]:
    """Note a file that is run by its name, once it has been run without an error.

    Parameters
    ----------
    name : str
        As `own_files` says it.
    sha256 : str
        Of its content.

    Yields
    ------
    None
        To the block that runs it; what it imports is not noted apart.
    """
    _whole.append(name)
    try:
        yield
    finally:
        _whole.pop()
    _noted[name] = sha256


def _name_of(module: ModuleType) -> str:
    """A file's name; of a module in a package its own, which alone finds its neighbours."""
    within = getattr(module.__spec__, "parent", "")
    return module.__name__ if within else Path(str(module.__file__)).name
